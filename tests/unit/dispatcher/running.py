"""The dispatcher without its edges and without its master: queue, slots, workers and access log, all of them real."""

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.unit.dispatcher.fakes import HandClock, RecordingClient
from tests.unit.dispatcher.far_end import FarEnd, call, control, thread
from tests.unit.dispatcher.loops import run, turns, until
from tests.unit.dispatcher.requests import a_policy, a_request
from wsgid.access_fields import COMBINED
from wsgid.channel.orders import Cause, FromDispatcher, WorkerDied, WorkerReady
from wsgid.dispatcher.access_file import AccessFile
from wsgid.dispatcher.access_line import line_of
from wsgid.dispatcher.access_log import AccessLog
from wsgid.dispatcher.clock import Clock
from wsgid.dispatcher.disk import Disk
from wsgid.dispatcher.dispatch import Dispatch
from wsgid.dispatcher.exchange import Exchange
from wsgid.dispatcher.workers import Workers


@dataclass
class FarWorker:
    """The worker's side of a whole worker."""

    pid: int
    threads: list[FarEnd]
    control: FarEnd

    def close(self) -> None:
        for each in (*self.threads, self.control):
            each.close()


@dataclass
class Running:
    directory: Path
    dispatch: Dispatch
    workers: Workers
    access_log: AccessLog
    log_file: int
    told: list[FromDispatcher]
    """What the master was told."""
    executor: ThreadPoolExecutor
    """Its one thread does the file I/O."""
    threads: int
    """That a worker has, unless told otherwise."""
    filters: bool = False
    """Its workers have upload filters."""
    far_workers: list[FarWorker] = field(default_factory=list)

    @property
    def ready(self) -> list[int]:
        """The workers of which the master was told that they are ready, and that have not been killed since."""
        return [each.pid for each in self.told if isinstance(each, WorkerReady)]

    async def worker(self, pid: int = 1, threads: int = 0) -> FarWorker:
        """A worker calls, with all its threads."""
        path = self.directory / "channel.sock"
        threads = threads or self.threads
        called = [call(path, thread(pid, number, threads, filters=self.filters)) for number in range(threads)]
        far_worker = FarWorker(pid, called, call(path, control(pid)))
        self.far_workers.append(far_worker)
        await until(lambda: pid in self.ready and self.workers.by_pid[pid].control, "the worker to be ready")
        return far_worker

    def kill(self, far_worker: FarWorker, how: str = "killed by SIGKILL", expected: bool = False) -> None:
        """It is no more, and the master says so."""
        far_worker.close()
        self.far_workers.remove(far_worker)
        self.told.remove(WorkerReady(far_worker.pid))
        self.dispatch.worker_died(WorkerDied(far_worker.pid, how, expected, Cause.SIGNAL))

    def logged(self) -> list[str]:
        """The lines of the access log."""
        self.access_log.flush()
        return os.pread(self.log_file, 1 << 20, 0).decode("ascii").splitlines()

    def endings(self) -> list[str]:
        """Of each request that was logged: code, and how it ended."""
        found = [re.search(r'" (\d{3}) .* id=\S+(?: end=(\w+))?$', line) for line in self.logged()]
        return [" ".join(filter(None, match.groups())) for match in found if match]


def arrive(everything: Running, **request: Any) -> tuple[Exchange, RecordingClient]:
    """A request whose turn it is."""
    client = RecordingClient()
    exchange = everything.dispatch.open(a_request(**request), client, keep_alive=True)
    everything.dispatch.submit(exchange)
    return exchange, client


def with_hand_clock(test: Callable[[Running, HandClock], Coroutine[Any, Any, None]], **changes: Any) -> None:
    """Runs a test in which time passes when the test says so."""

    async def main() -> None:
        clock = HandClock()
        async with running(clock=clock, **changes) as everything:
            await test(everything, clock)

    run(main())


@asynccontextmanager
async def running(
    queue_size: int = 100, threads: int = 1, *, filters: bool = False, **changes: Any
) -> AsyncIterator[Running]:
    """With changes of the policy, and possibly another ``clock``. That there are upload filters or not is known before
    the first worker calls."""
    loop = asyncio.get_running_loop()
    log_file = os.memfd_create("access.log")
    clock: Clock = changes.pop("clock", None) or Clock()
    access_log = AccessLog(AccessFile(log_file), line_of(COMBINED), clock, loop.call_soon, loop.call_later)
    told: list[FromDispatcher] = []
    with (
        TemporaryDirectory() as directory,
        ThreadPoolExecutor(1) as executor,
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener,
    ):
        disk = Disk(directory, executor, loop)
        dispatch = Dispatch(clock, access_log, a_policy(queue_size=queue_size, **changes), "id", told.append, disk)
        listener.bind(f"{directory}/channel.sock")
        listener.listen()
        listener.setblocking(False)
        workers = Workers(
            listener,
            dispatch,
            loop,
            ready=dispatch.worker_ready,
            leaving=dispatch.worker_leaving,
            idle=dispatch.slot_idle,
            stack=lambda pid, stack: None,
        )
        dispatch.workers = workers
        workers._filter_uploads = filters
        everything = Running(
            Path(directory), dispatch, workers, access_log, log_file, told, executor, threads, filters=filters
        )
        try:
            yield everything
        finally:
            for far_worker in everything.far_workers:
                far_worker.close()
            for pid in list(workers.by_pid):
                dispatch.worker_died(WorkerDied(pid, "the test is over", True, Cause.ASKED))
            await turns(10)
            loop.remove_reader(listener.fileno())
            access_log.flush()
            os.close(log_file)

"""The dispatcher without its edges and without its master: queue, slots, workers and access log, all of them real."""

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.unit.dispatcher.far_end import FarEnd, call, control, thread
from tests.unit.dispatcher.loops import turns, until
from wsgid.dispatcher.access_log import AccessLog
from wsgid.dispatcher.clock import Clock
from wsgid.dispatcher.dispatch import Dispatch
from wsgid.dispatcher.workers import Worker, Workers


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
    ready: list[int]
    far_workers: list[FarWorker] = field(default_factory=list)

    async def worker(self, pid: int = 1, threads: int = 1) -> FarWorker:
        """A worker calls, with as many threads as the dispatcher awaits."""
        path = self.directory / "channel.sock"
        far_worker = FarWorker(
            pid, [call(path, thread(pid, number)) for number in range(threads)], call(path, control(pid))
        )
        self.far_workers.append(far_worker)
        await until(lambda: pid in self.ready and self.workers.by_pid[pid].control, "the worker to be ready")
        return far_worker

    def kill(self, far_worker: FarWorker, how: str = "killed by SIGKILL", expected: bool = False) -> None:
        """It is no more, and the master says so."""
        far_worker.close()
        self.far_workers.remove(far_worker)
        self.ready.remove(far_worker.pid)
        self.workers.died(far_worker.pid, how, expected)

    def logged(self) -> list[str]:
        """The lines of the access log."""
        self.access_log.flush()
        return os.pread(self.log_file, 1 << 20, 0).decode("ascii").splitlines()

    def endings(self) -> list[str]:
        """Of each request that was logged: code, and how it ended."""
        found = [re.search(r'" (\d{3}) .* id=\S+(?: end=(\w+))?$', line) for line in self.logged()]
        return [" ".join(filter(None, match.groups())) for match in found if match]


@asynccontextmanager
async def running(queue_size: int = 100, threads: int = 1) -> AsyncIterator[Running]:
    """``threads`` that each worker has."""
    loop = asyncio.get_running_loop()
    log_file = os.memfd_create("access.log")
    clock = Clock()
    access_log = AccessLog(log_file, clock, loop.call_soon, loop.call_later)
    dispatch = Dispatch(clock, access_log, queue_size, "id")
    ready: list[int] = []

    def worker_ready(worker: Worker) -> None:
        ready.append(worker.pid)

    with TemporaryDirectory() as directory, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(f"{directory}/channel.sock")
        listener.listen()
        listener.setblocking(False)
        workers = Workers(
            listener,
            threads,
            dispatch,
            loop,
            ready=worker_ready,
            leaving=dispatch.worker_leaving,
            idle=dispatch.slot_idle,
            now=clock.now,
        )
        dispatch.workers = workers
        everything = Running(Path(directory), dispatch, workers, access_log, log_file, ready)
        try:
            yield everything
        finally:
            for far_worker in everything.far_workers:
                far_worker.close()
            for pid in list(workers.by_pid):
                workers.died(pid, "the test is over", expected=True)
            await turns(10)
            loop.remove_reader(listener.fileno())
            access_log.flush()
            os.close(log_file)

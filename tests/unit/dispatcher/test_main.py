"""The dispatcher, mostly without edges, in the test's own process: what it says to the master, and how it obeys."""

import asyncio
import logging
import os
import resource
import select
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.deadlines import wait_for
from tests.unit.dispatcher.edges.mongrel2_side import Endpoints, mongrel2_at
from tests.unit.dispatcher.fakes import RecordingClient
from tests.unit.dispatcher.far_end import FarEnd, call, control, thread
from tests.unit.dispatcher.loops import run, turns, until
from tests.unit.dispatcher.requests import a_head, a_policy, a_request
from tests.unit.dispatcher.test_spool import Hold
from wsgid import logs
from wsgid.channel import frames, orders
from wsgid.channel.frames import Answer, Kind
from wsgid.channel.orders import (
    HEARTBEAT,
    Adopt,
    Alive,
    Cause,
    Drain,
    Drained,
    Exit,
    FromDispatcher,
    FromMaster,
    Listening,
    RestartNews,
    Retire,
    Sizes,
    SizesWanted,
    WorkerDied,
    WorkerReady,
)
from wsgid.config import Config
from wsgid.dispatcher.access_file import AccessFile
from wsgid.dispatcher.access_log import AccessLog
from wsgid.dispatcher.edges.mongrel2 import Mongrel2Edge
from wsgid.dispatcher.edges.mongrel2_link import _has_input
from wsgid.dispatcher.exchange import Exchange
from wsgid.dispatcher.main import FILE_THREADS, Dispatcher, _allow_open_files
from wsgid.posts import CHANNEL_SOCKET, CONTROL_SOCKET, DispatcherPost

MORE_THAN_ANY = 2**40
"""Above fs.nr_open, whatever that is."""

HELLO = frames.answer(Answer(a_head(), b"hello", True))


def test_a_limit_of_open_files_that_cannot_be_raised_stays(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with monkeypatch.context() as patch:
        patch.setattr(resource, "getrlimit", lambda what: (before[0], MORE_THAN_ANY))
        _allow_open_files()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before
    [told] = caplog.messages
    assert told.startswith(f"the limit of open files stays as it was, it cannot be raised to {MORE_THAN_ANY}: ")


@dataclass
class Master:
    """Plays the master, and the workers."""

    dispatcher: Dispatcher
    folder: Path
    orders: socket.socket
    heard: list[FromDispatcher] = field(default_factory=list)
    callers: list[FarEnd] = field(default_factory=list)

    def say(self, order: FromMaster) -> None:
        self.orders.send(orders.encode(order))

    async def hear(self, kind: type[FromDispatcher]) -> Any:
        """The next message of this kind."""

        def heard() -> FromDispatcher | None:
            try:
                said = orders.decode_from_dispatcher(self.orders.recv(orders.MAX_ORDER))
            except BlockingIOError:
                return None
            return said if isinstance(said, kind) else None

        return await until(heard, str(kind))

    async def worker(self, pid: int) -> FarEnd:
        """One with a single thread, and ready."""
        path = self.folder / CHANNEL_SOCKET
        self.callers += [call(path, control(pid)), call(path, thread(pid))]
        assert await self.hear(WorkerReady) == WorkerReady(pid)
        return self.callers[-1]

    def arrive(self) -> tuple[Exchange, RecordingClient]:
        client = RecordingClient()
        dispatch = self.dispatcher._dispatch
        exchange = dispatch.open(a_request(), client, keep_alive=True)
        dispatch.submit(exchange)
        return exchange, client


@pytest.fixture
def logger_as_it_was() -> Iterator[None]:
    logger = logging.getLogger("wsgid")
    handlers, level, propagate = logger.handlers[:], logger.level, logger.propagate
    yield
    for each in logger.handlers:
        if isinstance(each, logs.RecordHandler) and each not in handlers:
            each.end()
    logger.handlers[:], logger.propagate = handlers, propagate
    logger.setLevel(level)


@asynccontextmanager
async def mastered(
    folder: Path,
    *,
    opened: bool = True,
    metrics: tuple[socket.socket, ...] = (),
    mongrel2: Endpoints | None = None,
) -> AsyncIterator[Master]:
    (folder / "logs").mkdir()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    run_dir = os.open(folder, os.O_RDONLY)
    recv, send = ((mongrel2.recv,), (mongrel2.send,)) if mongrel2 else ((), ())
    config = Config(app_path=folder, graceful_timeout=60.0, recv=recv, send=send)
    loop = asyncio.get_running_loop()
    dispatcher = Dispatcher(DispatcherPost(config, run_dir, str(folder), (), theirs, stacks=-1, metrics=metrics), loop)
    if opened:
        await dispatcher.open_edges()
    master = Master(dispatcher, folder, ours)
    try:
        yield master
    finally:
        dispatcher._end()
        for caller in master.callers:
            caller.close()
        await turns(10)
        for pid in list(dispatcher._workers.by_pid):
            dispatcher._dispatch.worker_died(WorkerDied(pid, "the test is over", True, Cause.ASKED))
        loop.remove_reader(dispatcher._workers._listener.fileno())
        loop.remove_reader(theirs.fileno())
        for each in (dispatcher._workers._listener, ours, theirs):
            each.close()
        os.close(run_dir)
        assert isinstance(dispatcher._access_log, AccessLog)
        assert isinstance(dispatcher._access_log._destination, AccessFile)
        os.close(dispatcher._access_log._destination.descriptor)


@pytest.fixture
def with_master(tmp_path: Path) -> Callable[[Callable[[Master], Coroutine[Any, Any, None]]], None]:
    def with_master(test: Callable[[Master], Coroutine[Any, Any, None]]) -> None:
        async def main() -> None:
            async with mastered(tmp_path) as master:
                await test(master)

        run(main())

    return with_master


Run = Callable[[Callable[[Master], Coroutine[Any, Any, None]]], None]


def test_it_says_that_it_listens_and_lives(with_master: Run) -> None:
    async def test(master: Master) -> None:
        assert await master.hear(Listening) == Listening([])
        began = master.dispatcher._clock.now()
        for _ in range(3):
            assert await master.hear(Alive) == Alive(queued=0, busy=0)
        assert master.dispatcher._clock.now() - began > HEARTBEAT
        await master.worker(1)
        for _ in range(3):
            master.arrive()
        assert await until_alive(master, queued=2, busy=1)

    with_master(test)


async def until_alive(master: Master, queued: int, busy: int) -> bool:
    while await master.hear(Alive) != Alive(queued, busy):
        pass
    return True


def test_it_lives_while_it_removes_what_uploads_have_left(tmp_path: Path) -> None:
    """Which takes a while when they are large. Told to end meanwhile, it does not begin."""

    async def main() -> None:
        async with mastered(tmp_path, opened=False) as master:
            held = [Hold(master.dispatcher._executor) for _ in range(FILE_THREADS)]
            opening = asyncio.ensure_future(master.dispatcher.open_edges())
            assert await until_alive(master, queued=0, busy=0)
            master.say(Drain(60.0))
            assert await master.hear(Drained) == Drained(unfinished=0)
            for each in held:
                each.let_go()
            await opening
            assert master.dispatcher._addresses == []
            assert not (tmp_path / CONTROL_SOCKET).exists()

    run(main())


def test_its_master_retires_a_worker(with_master: Run) -> None:
    async def test(master: Master) -> None:
        far_end = await master.worker(1)
        master.say(Retire(1))
        assert await far_end.hear() == (Kind.RELEASE, b"")

    with_master(test)


def test_its_master_tells_of_a_death(with_master: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def test(master: Master) -> None:
        await master.worker(1)
        master.say(WorkerDied(1, "killed by SIGKILL", False, Cause.SIGNAL))
        await until(lambda: caplog.messages, "the line")
        assert caplog.messages == ["worker 1 died: killed by SIGKILL; it held no request"]

    with_master(test)


def test_its_master_changes_the_options(with_master: Run) -> None:
    async def test(master: Master) -> None:
        await master.worker(1)
        _, client = master.arrive()
        master.say(Adopt(a_policy(timeout=0.1)))
        await until(lambda: client.told, "the time limit")
        assert client.told == ["whole 504"]

    with_master(test)


def test_a_mistake_in_the_event_loop_is_one_record_with_its_traceback(
    with_master: Run, caplog: pytest.LogCaptureFixture
) -> None:
    def mistaken() -> None:
        raise LookupError("of this test")

    async def test(master: Master) -> None:
        asyncio.get_running_loop().call_soon(mistaken)
        await turns(2)

    with_master(test)
    [told] = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert told.name == "wsgid.dispatcher"
    assert told.getMessage().startswith("a mistake in the event loop: Exception in callback ")
    assert told.exc_info is not None
    assert str(told.exc_info[1]) == "of this test"


def test_news_of_a_restart_for_which_nobody_waits(with_master: Run) -> None:
    async def test(master: Master) -> None:
        master.say(RestartNews("worker 2 of 4 is replaced", over=False, ok=False))
        master.say(Drain(60.0))
        assert await master.hear(Drained) == Drained(unfinished=0)

    with_master(test)


def test_it_finishes_what_it_has_and_ends_at_its_masters_word(with_master: Run) -> None:
    async def test(master: Master) -> None:
        far_end = await master.worker(1)
        _, client = master.arrive()
        master.say(Drain(60.0))
        await until(lambda: master.dispatcher._dispatch.draining, "the order")
        assert client.told == []
        far_end.say(HELLO)
        assert await master.hear(Drained) == Drained(unfinished=0)
        assert client.told == ["whole 200"]
        master.say(Exit())
        assert await master.dispatcher.ended == 0

    with_master(test)


def test_what_does_not_end_in_time_is_counted(with_master: Run) -> None:
    async def test(master: Master) -> None:
        await master.worker(1)
        _, client = master.arrive()
        master.say(Drain(0.0))
        assert await master.hear(Drained) == Drained(unfinished=1)
        assert client.told == ["whole 503"]

    with_master(test)


def test_without_a_master_it_ends_by_itself_and_says_nothing_to_it(
    with_master: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(master: Master) -> None:
        far_end = await master.worker(1)
        _, client = master.arrive()
        master.orders.close()
        await until(lambda: master.dispatcher._dispatch.draining, "the end of the master")
        before = len(caplog.messages)
        await asyncio.sleep(2 * HEARTBEAT)  # what it must not do has no sign to wait for
        assert len(caplog.messages) == before
        far_end.say(HELLO)
        await until(lambda: client.told, "the answer")
        assert client.told == ["whole 200"]
        assert not master.dispatcher.ended.done(), "before the worker has left"
        for caller in master.callers:
            caller.close()
        assert await master.dispatcher.ended == 0

    with_master(test)


def test_sigterm_drains_and_leaves(with_master: Run) -> None:
    async def test(master: Master) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        assert await master.dispatcher.ended == 0

    with_master(test)


def test_a_mongrel2_that_goes_in_the_midst_of_the_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    endpoints = Endpoints.ipc(tmp_path)

    async def test(master: Master) -> None:
        (edge,) = master.dispatcher._edges
        assert isinstance(edge, Mongrel2Edge)
        with mongrel2_at(endpoints):
            await until(lambda: edge.link.connected, "Mongrel2")
        # The event loop stands still: the dispatcher hears of it when it closes.
        wait_for(lambda: _has_input(edge.link._xpub), "ZeroMQ to notice")
        master.dispatcher._end()
        assert await master.dispatcher.ended == 0
        assert not [record for record in caplog.records if record.levelno >= logging.ERROR]

    async def main() -> None:
        async with mastered(tmp_path, mongrel2=endpoints) as master:
            await test(master)

    run(main())


def test_after_its_end_it_says_no_more_that_it_lives(with_master: Run) -> None:
    """A beat may be due between the end and the process's: the link to the master need not be there any more."""

    async def test(master: Master) -> None:
        master.dispatcher._end()
        assert await master.dispatcher.ended == 0
        while select.select([master.orders], [], [], 0)[0]:
            master.orders.recv(orders.MAX_ORDER)
        master.dispatcher._beat()
        assert not select.select([master.orders], [], [], 0)[0]

    with_master(test)


@pytest.mark.usefixtures("logger_as_it_was")
def test_sigusr1_reopens_the_logs(with_master: Run) -> None:
    async def test(master: Master) -> None:
        logs.configure(Config(app_path=master.folder), "dispatcher")
        folder = master.folder / "logs"
        moved = folder.rename(master.folder / "moved")
        folder.mkdir()
        os.kill(os.getpid(), signal.SIGUSR1)
        await until((folder / "access.log").exists, "the new files")
        exchange, _ = master.arrive()
        exchange.client_left()
        master.dispatcher._access_log.flush()
        assert " 499 " in (folder / "access.log").read_text()
        assert "the log is reopened" in (folder / "wsgid.log").read_text()
        assert [each.read_text() for each in sorted(moved.iterdir())] == ["", ""]

    with_master(test)


def test_what_prometheus_and_probes_are_told(tmp_path: Path) -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            async with mastered(tmp_path, metrics=(listener,)) as master:
                await master.worker(1)
                reader, writer = await asyncio.open_connection(*listener.getsockname())
                writer.write(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
                await master.hear(SizesWanted)
                master.say(Sizes(master=10_001, dispatcher=10_002, workers={1: 10_003, 2: 10_004}))
                told = (await reader.read()).decode()
                writer.close()
                assert 'wsgid_resident_memory_bytes{process="workers"} 20007\n' in told
                assert 'wsgid_workers{state="starting"} 1\n' in told
                assert 'wsgid_workers{state="ready"} 1\n' in told
                assert "wsgid_queue_limit 1024\n" in told
                assert 'wsgid_log_lines_lost_total{log="main"}' in told
                assert master.dispatcher._report().metrics == [f"http://127.0.0.1:{listener.getsockname()[1]}"]

    run(main())

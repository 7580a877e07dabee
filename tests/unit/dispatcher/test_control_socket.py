"""The real socket in a real run directory, and callers of every kind."""

import asyncio
import os
import socket
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.unit.channel.counted import NOTHING
from tests.unit.dispatcher.loops import run, turns, until
from wsgid.channel.commands import (
    MAX_REPLY,
    Kill,
    Killed,
    LineReader,
    Listed,
    Listing,
    News,
    Noted,
    NotThere,
    Refused,
    Reply,
    Report,
    Requests,
    RequestState,
    Restart,
    Served,
    Status,
    Trace,
    WorkerReport,
    WorkerState,
    line,
    read_reply,
)
from wsgid.channel.orders import MAX_NEWS, RestartNews
from wsgid.dispatcher import control_socket
from wsgid.dispatcher.control_socket import MAX_CALLERS, MAX_UNREAD, STOPPING, ControlSocket

IDLE = WorkerReport(1, WorkerState.READY, 1, 0, 7, [])
REPORT = Report(4242, ["http://127.0.0.1:8000"], False, 3, 2, 1, [IDLE], 0, 0.5, NOTHING)

BIG_REPORT = Report(
    4242,
    [],
    False,
    1,
    0,
    1,
    [WorkerReport(1, WorkerState.BUSY, 1, 1, 0, [Served("id", "GET", "/" + "x" * 500_000, "", 1.0)])],
    0,
    0.0,
    NOTHING,
)
"""More than a socket's buffer holds."""


LISTED = Listed("1", "id-1", RequestState.QUEUED, "GET", "/", "", 1.0, 1.0, None, None)


@dataclass
class Answering:
    """Answers for single requests as it is told to."""

    asked: list[str] = field(default_factory=list)
    later: list[Callable[[Reply], None]] = field(default_factory=list)
    """Who waits for a stack."""

    def listing(self, named: str) -> Listing:
        self.asked.append(named)
        return Listing([LISTED], 7)

    def kill(self, key: str) -> Killed | NotThere:
        return Killed("answered with 503", 11) if key == "1" else NotThere("no")

    def trace(self, key: str, answer: Callable[[Reply], None]) -> None:
        self.later.append(answer)


@dataclass
class Control:
    path: Path
    socket: ControlSocket
    requests: Answering
    report: Report = REPORT
    restarts: int = 0
    callers: list["CallingEnd"] = field(default_factory=list)

    def call(self, *said: bytes) -> "CallingEnd":
        caller = CallingEnd(self.path)
        self.callers.append(caller)
        if said:
            caller.sock.send(b"".join(said))
        return caller

    async def ask_for_restart(self) -> "CallingEnd":
        caller = self.call(line(Restart()))
        assert await caller.hears() == Noted()
        return caller


class CallingEnd:
    """The command's side of a connection."""

    def __init__(self, path: Path) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(str(path))
        self.sock.setblocking(False)
        self._ended = False
        self._reader = LineReader(MAX_REPLY)
        self._heard: list[bytes] = []

    async def hears(self) -> Reply:
        await until(lambda: self.over() or self._heard, "a reply")
        return read_reply(self._heard.pop(0))

    async def hears_the_end(self) -> None:
        await until(self.over, "the connection to end")
        assert self._heard == []

    def over(self) -> bool:
        """Has the connection ended? All that has arrived is taken first."""
        try:
            while not self._ended:
                data = self.sock.recv(65536)
                self._ended = not data
                self._heard += self._reader.feed(data)
        except ConnectionResetError:
            self._ended = True
        except BlockingIOError:
            pass
        return self._ended


@asynccontextmanager
async def control() -> AsyncIterator[Control]:
    def restart() -> None:
        made.restarts += 1

    with TemporaryDirectory() as directory:
        requests = Answering()
        control_socket = ControlSocket(
            asyncio.get_running_loop(), status=lambda: made.report, restart=restart, requests=requests
        )
        made = Control(Path(directory) / "control.sock", control_socket, requests)
        with run_directory(directory) as run_dir:
            await control_socket.listen(run_dir, directory)
        try:
            yield made
        finally:
            control_socket.close()
            for caller in made.callers:
                caller.sock.close()
            await until(lambda: not control_socket.callers, "the callers to be forgotten")


@contextmanager
def run_directory(path: str) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def test_status() -> None:
    async def main() -> None:
        async with control() as running:
            caller = running.call(line(Status()))
            assert await caller.hears() == REPORT
            await caller.hears_the_end()

    run(main())


def test_a_command_in_pieces() -> None:
    async def main() -> None:
        async with control() as running:
            caller = running.call()
            for byte in line(Status()):
                caller.sock.send(bytes([byte]))
                await turns()
            assert await caller.hears() == REPORT

    run(main())


def test_one_that_has_finished_sending_gets_its_answer() -> None:
    async def main() -> None:
        async with control() as running:
            running.report = BIG_REPORT
            caller = running.call(line(Status()))
            caller.sock.shutdown(socket.SHUT_WR)
            assert await caller.hears() == BIG_REPORT
            await caller.hears_the_end()

    run(main())


def test_all_who_wait_for_a_restart_hear_how_it_goes() -> None:
    async def main() -> None:
        async with control() as running:
            first = await running.ask_for_restart()
            running.socket.news(RestartNews("worker 1 of 2 is replaced", over=False, ok=False))
            second = await running.ask_for_restart()
            assert running.restarts == 2
            running.socket.news(RestartNews("worker 2 of 2 is replaced", over=False, ok=False))
            running.socket.news(RestartNews("it does not load", over=True, ok=False))
            assert await first.hears() == News("worker 1 of 2 is replaced", False, False)
            for each in (first, second):
                assert await each.hears() == News("worker 2 of 2 is replaced", False, False)
                assert await each.hears() == News("it does not load", True, False)
                await each.hears_the_end()
            running.socket.news(RestartNews("nobody waits for this", over=False, ok=False))

    run(main())


def test_news_of_the_greatest_length_arrive() -> None:
    async def main() -> None:
        async with control() as running:
            caller = await running.ask_for_restart()
            running.socket.news(RestartNews("\x1b" * MAX_NEWS, over=True, ok=False))
            assert await caller.hears() == News("\x1b" * MAX_NEWS, True, False)

    run(main())


def test_those_who_wait_hear_that_the_daemon_ends() -> None:
    async def main() -> None:
        async with control() as running:
            caller = await running.ask_for_restart()
            mute = running.call()
            await until(lambda: len(running.socket.callers) == 2, "both to be there")
            running.socket.close()
            assert await caller.hears() == News(STOPPING, True, False)
            await caller.hears_the_end()
            await mute.hears_the_end()

    run(main())


# Single requests


def test_questions_about_requests_are_handed_on() -> None:
    async def main() -> None:
        async with control() as running:
            assert await running.call(line(Requests())).hears() == Listing([LISTED], 7)
            assert await running.call(line(Requests("id-1"))).hears() == Listing([LISTED], 7)
            assert running.requests.asked == ["", "id-1"]
            assert await running.call(line(Kill("1"))).hears() == Killed("answered with 503", 11)
            assert await running.call(line(Kill("2"))).hears() == NotThere("no")

    run(main())


def test_a_stack_comes_when_it_is_there() -> None:
    async def main() -> None:
        async with control() as running:
            patient, gone = running.call(line(Trace("1"))), running.call(line(Trace("1")))
            await until(lambda: len(running.requests.later) == 2, "both to be heard")
            gone.sock.close()
            await until(lambda: len(running.socket.callers) == 1, "it to be forgotten")
            for answer in running.requests.later:
                answer(NotThere("it has ended meanwhile"))
            assert await patient.hears() == NotThere("it has ended meanwhile")
            await patient.hears_the_end()

    run(main())


# Callers who misbehave


@pytest.mark.parametrize(
    "said", [b"\n", b"GET / HTTP/1.1\r\n", b'{"type":"dance"}\n', b"\xff\xfe\n", b"x" * 300, line(Status()) * 20]
)
def test_what_is_no_command_is_refused(said: bytes) -> None:
    async def main() -> None:
        async with control() as running:
            caller = running.call(said)
            if said.startswith(line(Status())):  # all in one piece: the first is answered
                assert await caller.hears() == REPORT
            else:
                reply = await caller.hears()
                assert isinstance(reply, Refused)
                assert reply.why.startswith("this is no command: ")
            await caller.hears_the_end()
            assert running.restarts == 0

    run(main())


def test_one_that_goes_on_talking_while_it_waits_is_cut_off() -> None:
    async def main() -> None:
        async with control() as running:
            rude, polite = await running.ask_for_restart(), await running.ask_for_restart()
            rude.sock.send(b"x" * 65536)
            await rude.hears_the_end()
            running.socket.news(RestartNews("done", over=True, ok=True))
            assert await polite.hears() == News("done", True, True)

    run(main())


def test_one_that_vanishes_while_it_waits_is_forgotten() -> None:
    async def main() -> None:
        async with control() as running:
            gone, still_there = await running.ask_for_restart(), await running.ask_for_restart()
            gone.sock.close()
            await until(lambda: len(running.socket.waiting) == 1, "it to be forgotten")
            running.socket.news(RestartNews("done", over=True, ok=True))
            assert await still_there.hears() == News("done", True, True)

    run(main())


def test_one_that_does_not_read_is_cut_off() -> None:
    async def main() -> None:
        async with control() as running:
            deaf = await running.ask_for_restart()
            for _ in range(2 * MAX_UNREAD // MAX_NEWS + 8):
                running.socket.news(RestartNews("x" * MAX_NEWS, over=False, ok=False))
                await turns()
            await until(lambda: not running.socket.waiting, "it to be forgotten")
            await until(deaf.over, "its connection to end")

    run(main())


def test_nobody_takes_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_socket, "PATIENCE", 0.05)

    async def main() -> None:
        async with control() as running:
            running.report = BIG_REPORT
            mute, deaf = running.call(), running.call(line(Status()))
            waiting = await running.ask_for_restart()
            await mute.hears_the_end()
            await until(lambda: running.socket.callers == running.socket.waiting, "the others to be forgotten")
            await until(deaf.over, "the deaf one's connection to end")
            running.socket.news(RestartNews("a restart may take its time", over=True, ok=True))
            assert await waiting.hears() == News("a restart may take its time", True, True)

    run(main())


def test_there_are_only_so_many_callers() -> None:
    async def main() -> None:
        async with control() as running:
            many = [running.call() for _ in range(MAX_CALLERS)]
            await until(lambda: len(running.socket.callers) == MAX_CALLERS, "all to be there")
            reply = await running.call(line(Status())).hears()
            assert reply == Refused(f"{MAX_CALLERS} others are asking at this moment: try again")
            many.pop().sock.close()
            await until(lambda: len(running.socket.callers) < MAX_CALLERS, "one to be forgotten")
            assert await running.call(line(Status())).hears() == REPORT

    run(main())


# The socket file


def test_only_its_user_may_connect() -> None:
    async def main() -> None:
        async with control() as running:
            assert stat.S_IMODE(running.path.stat().st_mode) == 0o600

    run(main())


def test_a_successor_takes_its_place() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with control() as running:
            successor = ControlSocket(loop, status=lambda: BIG_REPORT, restart=lambda: None, requests=Answering())
            with run_directory(str(running.path.parent)) as run_dir:
                await successor.listen(run_dir, str(running.path.parent))
            assert await running.call(line(Status())).hears() == BIG_REPORT
            running.socket.close()
            assert running.path.exists()
            assert await running.call(line(Status())).hears() == BIG_REPORT
            successor.close()
            await until(lambda: not successor.callers, "its callers to be forgotten")

    run(main())

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.unit.dispatcher.fakes import RecordingClient, RecordingJournal
from tests.unit.dispatcher.far_end import FarEnd, call, control, thread
from tests.unit.dispatcher.loops import run, turns, until
from tests.unit.dispatcher.requests import a_head, a_request
from wsgid.channel import frames
from wsgid.channel.frames import Answer, Kind, Stack
from wsgid.dispatcher.exchange import Exchange
from wsgid.dispatcher.slots import Slot
from wsgid.dispatcher.work import Work
from wsgid.dispatcher.worker import Lost, Worker, described
from wsgid.dispatcher.workers import Workers

NOW = 100.0


@dataclass
class Office:
    """`Workers`, and those it tells: a `SlotOwner` that notes what is lost as the dispatcher does."""

    path: Path
    workers: Workers = field(init=False)
    ready: list[int] = field(default_factory=list)
    leaving: list[int] = field(default_factory=list)
    idle: list[Slot] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    stacks: list[tuple[int, Stack]] = field(default_factory=list)
    callers: list[FarEnd] = field(default_factory=list)

    def call(self, hello: frames.Hello) -> FarEnd:
        far_end = call(self.path, hello)
        self.callers.append(far_end)
        return far_end

    def worker_ready(self, worker: Worker) -> None:
        self.ready.append(worker.pid)

    def worker_leaving(self, worker: Worker) -> None:
        self.leaving.append(worker.pid)

    def slot_finished(self, slot: Slot, work: Work) -> None:
        self.idle.append(slot)

    def slot_gone(self, slot: Slot, why: str) -> None:
        self.gone.append(why)
        slot.worker.slots.remove(slot)
        if slot.work is not None:
            told = described(slot.work, "answered with 502", NOW + 1.5)
            slot.worker.lost.append(Lost("GET", "/", told))

    def close_file(self, descriptor: int) -> None:
        os.close(descriptor)

    def give(self, slot: Slot, **request: Any) -> Exchange:
        exchange = Exchange(a_request(**request), RecordingClient(), True, RecordingJournal(), NOW)
        slot.give(exchange, NOW)
        return exchange


@asynccontextmanager
async def open_office(path: Path) -> AsyncIterator[Office]:
    office = Office(path)
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.setblocking(False)
        office.workers = Workers(
            listener,
            office,
            loop,
            ready=office.worker_ready,
            leaving=office.worker_leaving,
            idle=office.idle.append,
            stack=lambda pid, stack: office.stacks.append((pid, stack)),
        )
        yield office
        for caller in office.callers:
            caller.close()
        await turns(10)
        for pid in list(office.workers.by_pid):
            office.workers.died(pid, "the test is over", expected=True)
        loop.remove_reader(listener.fileno())


Test = Callable[[Office], Coroutine[Any, Any, None]]


@pytest.fixture
def with_office(tmp_path: Path) -> Callable[..., None]:
    def with_office(test: Test) -> None:
        async def main() -> None:
            async with open_office(tmp_path / "channel.sock") as office:
                await test(office)

        run(main())

    return with_office


Run = Callable[..., None]


class TestAWorker:
    def test_is_ready_when_all_its_threads_have_called(self, with_office: Run) -> None:
        async def test(office: Office) -> None:
            for number in range(2):
                office.call(thread(1, number, 3))
            await until(lambda: 1 in office.workers.by_pid and len(office.workers.by_pid[1].slots) == 2, "the calls")
            assert office.ready == []
            assert [slot.thread for slot in office.idle] == [0, 1]  # its application is loaded, it may serve
            office.call(thread(1, 2, 3))
            await until(lambda: office.ready, "the worker")
            assert office.ready == [1]
            assert [slot.thread for slot in office.idle] == [0, 1, 2]
            assert {slot.worker for slot in office.idle} == {office.workers.by_pid[1]}

        with_office(test)

    def test_a_thread_that_calls_again_is_idle_at_once(self, with_office: Run) -> None:
        async def test(office: Office) -> None:
            first = office.call(thread(1))
            await until(lambda: office.idle, "the worker")
            first.close()
            await until(lambda: office.gone, "the thread's end")
            assert office.workers.by_pid[1].slots == []
            office.call(thread(1))
            await until(lambda: len(office.idle) == 2, "the thread")
            assert office.ready == [1]

        with_office(test)

    def test_workers_are_told_apart_by_their_pid(self, with_office: Run) -> None:
        async def test(office: Office) -> None:
            office.call(thread(1))
            office.call(thread(2))
            await until(lambda: len(office.ready) == 2, "the workers")
            assert sorted(office.workers.by_pid) == [1, 2]

        with_office(test)

    def test_says_hello_in_any_number_of_pieces(self, with_office: Run) -> None:
        async def test(office: Office) -> None:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.connect(str(office.path))
            far_end = FarEnd(sock)
            office.callers.append(far_end)
            for byte in frames.hello(thread(1)):
                far_end.say(bytes([byte]))
                await turns()
            await until(lambda: office.ready, "the worker")

        with_office(test)


class TestControl:
    def test_tells_of_clients_that_have_gone(self, with_office: Run) -> None:
        async def test(office: Office) -> None:
            office.call(thread(1))
            far_control = office.call(control(1))
            await until(lambda: 1 in office.workers.by_pid and office.workers.by_pid[1].control, "the call")
            await until(lambda: office.idle, "the worker")
            office.give(office.idle[0], id="left").client_left()
            assert await far_control.hear() == (Kind.CLIENT_GONE, b"left")

        with_office(test)

    def test_says_once_that_the_worker_leaves(self, with_office: Run) -> None:
        async def test(office: Office) -> None:
            far_control = office.call(control(1))
            far_control.say(frames.LEAVING[:3])
            await turns(10)
            far_control.say(frames.LEAVING[3:], frames.LEAVING)
            await until(lambda: office.leaving, "the word")
            far_control.say(frames.LEAVING)
            await turns(10)
            assert office.leaving == [1]
            assert office.workers.by_pid[1].leaving

        with_office(test)

    def test_may_say_so_in_one_breath_with_its_hello(self, with_office: Run) -> None:
        """A worker that was told to leave while there was no dispatcher."""

        async def test(office: Office) -> None:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.connect(str(office.path))
            far_control = FarEnd(sock)
            office.callers.append(far_control)
            far_control.say(frames.hello(control(1)), frames.LEAVING)
            await until(lambda: office.leaving, "the word")
            assert office.workers.by_pid[1].control is not None

        with_office(test)

    def test_that_ends_before_any_thread_called_leaves_nothing(self, with_office: Run) -> None:
        async def test(office: Office) -> None:
            far_control = office.call(control(1))
            await until(lambda: office.workers.by_pid, "the call")
            far_control.close()
            await until(lambda: not office.workers.by_pid, "the end")

        with_office(test)

    def test_that_ends_leaves_the_threads_alone(self, with_office: Run) -> None:
        async def test(office: Office) -> None:
            office.call(thread(1))
            far_control = office.call(control(1))
            await until(lambda: office.idle and office.workers.by_pid[1].control, "the calls")
            far_control.close()
            await until(lambda: office.workers.by_pid[1].control is None, "the end")
            assert len(office.workers.by_pid[1].slots) == 1

        with_office(test)

    def test_that_calls_again_replaces_the_one_before(self, with_office: Run) -> None:
        async def test(office: Office) -> None:
            first = office.call(control(1))
            await until(lambda: office.workers.by_pid, "the call")
            earlier = office.workers.by_pid[1].control
            office.call(control(1))
            await until(lambda: office.workers.by_pid[1].control is not earlier, "the second call")
            first.close()
            await turns(10)
            assert office.workers.by_pid[1].control is not None
            assert earlier is not None
            assert earlier.fileno() == -1

        with_office(test)

    def test_that_talks_nonsense_is_ended(self, with_office: Run, caplog: pytest.LogCaptureFixture) -> None:
        async def test(office: Office) -> None:
            far_control = office.call(control(1))
            await until(lambda: office.workers.by_pid, "the call")
            far_control.say(b"\0\0\0\0\xff")
            await far_control.hear_the_end()
            assert "worker 1: the control connection failed: a frame of unknown kind 255" in caplog.text

        with_office(test)

    def test_a_look_for_nothing_finds_nothing(self, with_office: Run) -> None:
        async def test(office: Office) -> None:
            office.call(control(1))
            worker = await until(lambda: office.workers.by_pid.get(1), "the call")
            assert worker.control is not None
            office.workers._hear(worker, worker.control, frames.FrameReader())
            assert worker.control is not None

        with_office(test)


class TestACallWithoutAGreeting:
    @pytest.mark.parametrize(
        ("said", "why"),
        [
            (b"", "it was closed at once"),
            (frames.DONE, "the first frame is no HELLO"),
            (frames.hello(thread(1)) + frames.DONE, "DONE before there was a request"),
            (b"\0\0\0\0\xff", "unknown kind 255"),
            (frames.frame(Kind.HELLO, b"\xc1"), "does not decode"),
        ],
    )
    def test_is_ended(self, said: bytes, why: str, with_office: Run, caplog: pytest.LogCaptureFixture) -> None:
        async def test(office: Office) -> None:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.connect(str(office.path))
            far_end = FarEnd(sock)
            if said:
                far_end.say(said)
            else:
                sock.shutdown(socket.SHUT_WR)
            await far_end.hear_the_end()
            far_end.close()
            assert "a call on the channel without a greeting" in caplog.text
            assert why in caplog.text
            assert office.workers.by_pid == {}

        with_office(test)

    def test_a_look_for_nothing_finds_nothing(self, with_office: Run) -> None:
        async def test(office: Office) -> None:
            ours, theirs = socket.socketpair()
            with ours, theirs:
                ours.setblocking(False)
                office.workers._greet(ours, frames.FrameReader())
                assert ours.fileno() >= 0
            office.workers._accept()

        with_office(test)

    def test_of_another_user_is_turned_away(
        self, with_office: Run, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def test(office: Office) -> None:
            monkeypatch.setattr(os, "geteuid", lambda: 12345)
            far_end = office.call(thread(1))
            await far_end.hear_the_end()
            assert "was turned away" in caplog.text
            assert office.workers.by_pid == {}

        with_office(test)


class TestADeath:
    def log(self, caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
        return [(record.levelname, record.getMessage()) for record in caplog.records]

    def test_is_one_line_with_the_requests_that_were_held(
        self, with_office: Run, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def test(office: Office) -> None:
            callers = [office.call(thread(1, number, 2)) for number in range(2)]
            await until(lambda: len(office.idle) == 2, "the worker")
            office.give(office.idle[0], id="a", method="POST", target="/a")
            office.give(office.idle[1], id="b", remote_addr="")
            for caller in callers:
                caller.close()
            office.workers.died(1, "killed by SIGKILL", expected=False)
            assert self.log(caplog) == [
                (
                    "ERROR",
                    "worker 1 died: killed by SIGKILL; it held "
                    "POST /a (id a, 1.50 s in its hands, client 192.0.2.1): answered with 502; "
                    "GET /path?query (id b, 1.50 s in its hands, client unknown): answered with 502",
                )
            ]
            assert office.workers.by_pid == {}

        with_office(test)

    def test_that_the_sockets_told_first_is_the_same_line(
        self, with_office: Run, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def test(office: Office) -> None:
            caller, far_control = office.call(thread(1)), office.call(control(1))
            await until(lambda: office.idle and office.workers.by_pid[1].control, "the worker")
            office.give(office.idle[0])
            caller.close()
            far_control.close()
            await until(lambda: office.gone and not office.workers.by_pid[1].control, "the ends")
            office.workers.died(1, "exited with code 1", expected=False)
            [(level, line)] = self.log(caplog)
            assert level == "ERROR"
            assert "it held GET /path?query" in line

        with_office(test)

    def test_that_the_master_has_told_before_its_call_was_taken(
        self, with_office: Run, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("wsgid.dispatcher.workers.WORD_TIME", 0.01)

        async def test(office: Office) -> None:
            caller = office.call(thread(1))
            await until(lambda: office.idle, "the worker")
            office.give(office.idle[0])
            caller.close()
            await until(lambda: office.gone, "its end")
            office.workers.forget_if_gone(office.idle[0].worker)
            await until(lambda: not office.workers.by_pid, "it to be forgotten")
            [(level, line)] = self.log(caplog)
            assert level == "ERROR"
            assert line.startswith("worker 1 is gone; it held GET /path?query")

        with_office(test)

    def test_of_one_that_said_its_answer_first_holds_nothing(
        self, with_office: Run, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def test(office: Office) -> None:
            caller = office.call(thread(1))
            await until(lambda: office.idle, "the worker")
            exchange = office.give(office.idle[0])
            caller.say(frames.answer(Answer(a_head(), b"hello", True)))
            caller.close()
            office.workers.died(1, "killed by SIGTERM", expected=False)
            assert exchange.code == 0
            assert exchange.ended
            assert self.log(caplog) == [("ERROR", "worker 1 died: killed by SIGTERM; it held no request")]

        with_office(test)

    def test_that_was_wished_for_is_no_error(self, with_office: Run, caplog: pytest.LogCaptureFixture) -> None:
        async def test(office: Office) -> None:
            office.call(thread(1))
            far_control = office.call(control(1))
            await until(lambda: office.idle and office.workers.by_pid[1].control, "the worker")
            with caplog.at_level("INFO"):
                office.workers.died(1, "left", expected=True)
            assert self.log(caplog) == [("INFO", "worker 1 ended: left")]
            await far_control.hear_the_end()

        with_office(test)

    @pytest.mark.parametrize(
        ("expected", "line"),
        [(True, "worker 1 ended: exited"), (False, "worker 1 died: exited; it held no request")],
    )
    def test_of_one_that_never_called(
        self, expected: bool, line: str, with_office: Run, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def test(office: Office) -> None:
            with caplog.at_level("INFO"):
                office.workers.died(1, "exited", expected)
            assert caplog.messages == [line]

        with_office(test)


def test_a_request_in_the_words_of_the_log() -> None:
    exchange = Exchange(a_request(), RecordingClient(), True, RecordingJournal(), 0.0)
    exchange.served_at = 1.0
    told = described(exchange, "answer cut", 3.25)
    assert told == "GET /path?query (id id-1, 2.25 s in its hands, client 192.0.2.1): answer cut"


def test_what_a_worker_tells_of_a_thread(with_office: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def test(office: Office) -> None:
        far_end = office.call(control(7))
        far_end.say(frames.stack(Stack("k", "here")), frames.frame(Kind.STACK, b"\xc1"), frames.stack(Stack("l", None)))
        await until(lambda: len(office.stacks) == 2, "both")
        assert office.stacks == [(7, Stack("k", "here")), (7, Stack("l", None))]
        assert "worker 7: where a thread is was not understood" in caplog.text

    with_office(test)

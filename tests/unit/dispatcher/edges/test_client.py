"""What both edges have in common, with an edge that only writes down."""

import os
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.proc import descriptors
from tests.unit.dispatcher.loops import run, until
from tests.unit.dispatcher.requests import a_head, a_request
from tests.unit.dispatcher.running import Running, running
from tests.unit.dispatcher.test_spool import Hold
from wsgid.channel import frames
from wsgid.channel.frames import Answer, File, Kind
from wsgid.dispatcher.dispatch import Dispatch
from wsgid.dispatcher.edges.client import BODY_LOST, JOIN_LIMIT, SHORT_WINDOW, WINDOW, ClientConnection
from wsgid.dispatcher.exchange import Exchange
from wsgid.dispatcher.question import Question
from wsgid.dispatcher.sent_file import PassedFile
from wsgid.dispatcher.work import Stage
from wsgid.protocol.http_request import Refused
from wsgid.protocol.values import WrittenHead


class Wire(ClientConnection):
    """Bytes go nowhere."""

    def __init__(self, dispatch: Dispatch) -> None:
        super().__init__(dispatch, "wsgid")
        self.writes: list[bytes] = []
        self.closed = False
        self.aborted = False
        self.quiet = 0
        self.held_up = False
        self.window_left = WINDOW

    def window(self) -> int:
        return self.window_left

    @property
    def written(self) -> bytes:
        return b"".join(self.writes)

    def _write(self, data: bytes) -> None:
        assert not self.closed
        self.writes.append(data)

    def _write_last(self, data: bytes, keep_alive: bool) -> None:
        self._write(data)
        self.closed = not keep_alive

    def _abort(self) -> None:
        self.aborted = self.closed = True

    def _turns_done(self) -> None:
        self.quiet += 1

    def _may_go_on(self) -> bool:
        return not self.held_up and not self.closed

    def serve(self, **request: Any) -> Exchange:
        """A request arrives; gives its exchange."""
        self.arrive(a_request(**request), keep_alive=True)
        exchange = self.waiting[-1][0] if self.waiting else self.current
        assert exchange is not None
        return exchange


@dataclass
class Body:
    """A `PendingBody`."""

    error: OSError | None = None
    finished: list[Callable[[int | OSError], None]] = field(default_factory=list)
    closed: bool = False
    question: Question | None = None

    def finish(self, finished: Callable[[int | OSError], None]) -> None:
        self.finished.append(finished)

    def close(self) -> None:
        self.closed = True

    def explain(self, error: OSError) -> str:
        return f"lost: {error.strerror}"


def with_wire(test: Callable[[Wire, Running], Coroutine[Any, Any, None]], **changes: Any) -> None:
    async def main() -> None:
        async with running(**changes) as everything:
            await test(Wire(everything.dispatch), everything)

    run(main())


class TestTurns:
    def test_one_request_at_a_time_is_in_the_workers_hands(self) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            worker = await everything.worker(threads=3)
            exchanges = [wire.serve(id=str(number)) for number in range(3)]
            assert [each.stage for each in exchanges] == [Stage.SERVING, Stage.WAITING, Stage.WAITING]
            assert sum(not each.silent for each in worker.threads) == 1
            for number, exchange in enumerate(exchanges):
                assert wire.current is exchange
                assert wire.quiet == 0
                exchange.answer(a_head(), str(number).encode())
            assert wire.current is None
            assert wire.quiet == 1
            assert [data[-1:] for data in wire.writes] == [b"0", b"1", b"2"]

        with_wire(test, threads=3)

    def test_a_refusal_waits_for_its_turn_and_ends_the_connection(self) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            first = wire.serve(id="first")
            wire.refuse(a_request(id="bad", body=bytes(10_000)), Refused(400, "of no sense"))
            body = Body()
            wire.arrive(a_request(), keep_alive=True, body=body)
            wire.arrive(a_request(), keep_alive=True)
            wire.refuse(a_request(), Refused(413, "too large"))
            assert body.closed
            assert len(wire.waiting) == 1  # what comes behind a refusal is not kept
            assert wire.waiting[0][0].request.body == b""  # nor is what it brought
            assert wire.writes == []
            first.answer(a_head(), b"")
            assert wire.writes[1].endswith(b"400 Bad Request: of no sense\n")
            assert b"Connection: close\r\n" in wire.writes[1]
            assert [b"X-Request-Id: %b\r\n" % name in wire.writes[1] for name in (b"first", b"bad")] == [False, True]
            assert wire.closed
            assert len(wire.writes) == 2
            wire.all_left()
            assert everything.endings() == ["503 refused", "503 refused", "413 refused", "200", "400 refused"]

        with_wire(test)

    def test_thousands_of_refusals_are_no_recursion(self) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            blocker = Wire(everything.dispatch)
            blocker.serve()
            wire.held_up = True
            for _ in range(3000):
                wire.serve()  # the queue has no room for them
            wire.held_up = False
            wire.go_on()
            assert len(wire.writes) == 3000
            assert wire.current is None

        with_wire(test, queue_size=1)

    def test_none_begins_while_the_edge_holds_them_up(self) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            wire.held_up = True
            exchange = wire.serve()
            assert wire.current is None
            assert wire.quiet == 0
            wire.held_up = False
            wire.go_on()
            assert wire.current is exchange

        with_wire(test)

    def test_nothing_to_go_on_with(self) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            wire.go_on()
            assert wire.quiet == 1
            assert not wire.choked

        with_wire(test)


class TestLeaving:
    def test_ends_all_that_is_there_once(self) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            worker = await everything.worker()
            bodies = [Body(), Body()]
            wire.serve()
            wire.arrive(a_request(), keep_alive=True, body=bodies[0])
            wire.arrive(a_request(), keep_alive=True, body=bodies[1])
            wire.all_left()
            assert everything.endings() == ["499 left"] * 3
            assert [body.closed for body in bodies] == [True, True]
            assert [body.finished for body in bodies] == [[], []]
            assert (wire.current, len(wire.waiting)) == (None, 0)
            assert wire.writes == []
            await worker.threads[0].take()
            assert not worker.control.silent  # the worker is told
            wire.all_left()

        with_wire(test)

    def test_while_a_body_is_being_stored(self) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            body = Body()
            wire.arrive(a_request(), keep_alive=True, body=body)
            [finished] = body.finished
            wire.all_left()
            assert body.closed
            finished(os.open("/dev/null", os.O_RDONLY))
            assert everything.endings() == ["499 left"]

        with_wire(test)


class TestMaybeLeaving:
    def test_drops_what_waits_behind_the_one_that_is_served(self) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            worker = await everything.worker()
            served, body = wire.serve(), Body()
            wire.serve()
            wire.arrive(a_request(), keep_alive=True, body=body)
            wire.refuse(a_request(), Refused(400, "of no sense"))
            wire.may_have_left()
            assert everything.endings() == ["499 left"] * 3
            assert body.closed
            assert body.finished == []
            await worker.threads[0].take()
            served.answer(a_head(), b"whole")
            assert wire.written.endswith(b"whole")
            assert everything.endings()[3:] == ["200"]
            assert (wire.current, wire.quiet) == (None, 1)

        with_wire(test)

    def test_drops_what_waits_for_a_worker(self) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            wire.serve()
            wire.serve()
            wire.may_have_left()
            assert everything.endings() == ["499 left"] * 2
            assert (wire.current, len(wire.waiting)) == (None, 0)
            assert wire.writes == []
            wire.may_have_left()

        with_wire(test)

    @pytest.mark.parametrize(("workers", "endings"), [(1, []), (0, ["499 left"])])
    def test_while_a_body_is_being_stored_says_nothing_until_it_is(self, workers: int, endings: list[str]) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            for _ in range(workers):
                await everything.worker()
            body = Body()
            wire.arrive(a_request(content_length=1, body_in_file=True), keep_alive=True, body=body)
            wire.may_have_left()
            assert everything.endings() == []
            assert not body.closed
            body.finished[0](os.open("/dev/null", os.O_RDONLY))
            assert everything.endings() == endings
            wire.all_left()

        with_wire(test)


class TestAnEdgeThatTakesLittle:
    """Or nothing: then what it does not take is kept."""

    @pytest.mark.parametrize("window", [0, 1, 100, 5000])
    def test_gets_the_rest_when_it_has_room(self, window: int) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            wire.window_left = window
            exchange = wire.serve()
            exchange.answer(a_head(), b"x" * 4000)
            assert exchange.ended == (window == 5000)
            assert exchange.ended or len(wire.written) == window
            second = wire.serve()
            while not exchange.ended:
                assert second.stage is Stage.WAITING
                assert wire.current is exchange
                wire.window_left = 1000
                wire.room()
            assert wire.written.endswith(b"x" * 4000)
            assert wire.current is second
            assert exchange.sent == 4000
            assert everything.endings() == ["200"]
            wire.all_left()

        with_wire(test)

    @pytest.mark.parametrize("size", [40_000, 200_000, 2_000_000])
    @pytest.mark.parametrize("memory", [0, 100, 400_000])
    @pytest.mark.parametrize("files", [0, 1])
    def test_gets_it_all_without_a_word(self, files: int, memory: int, size: int) -> None:
        """It takes what it is given, so that it never has to say that it takes bytes again."""

        async def test(wire: Wire, everything: Running) -> None:
            everything.dispatch.storage.memory.left = memory
            everything.dispatch.storage.files.left = files
            wire.window_left = SHORT_WINDOW
            exchange = wire.serve()
            exchange.answer(a_head(), b"x" * size)
            await until(lambda: exchange.ended, "the end")
            assert wire.written.endswith(b"x" * size)
            assert everything.endings() == ["200"]

        with_wire(test)

    def test_gets_parts_in_order_and_the_end_last(self) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            wire.window_left = 0
            exchange = wire.serve()
            exchange.begin(a_head())
            exchange.part(b"one")
            assert wire.writes == []
            wire.window_left = WINDOW
            wire.room()
            assert wire.written.endswith(b"3\r\none\r\n")
            exchange.part(b"two")
            assert wire.written.endswith(b"3\r\ntwo\r\n")  # at once again
            wire.window_left = 0
            exchange.finish()
            assert exchange.stage is Stage.SENDING
            wire.window_left = WINDOW
            wire.room()
            assert wire.written.endswith(b"two\r\n0\r\n\r\n")
            assert everything.endings() == ["200"]

        with_wire(test)

    def test_slows_the_worker_down_when_enough_is_kept(self) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            await everything.worker()
            wire.window_left = 0
            exchange = wire.serve()
            exchange.begin(a_head())
            exchange.part(bytes(2 * 1024 * 1024))
            assert wire.choked
            assert exchange.slot is not None
            exchange.slot._pause()
            wire.window_left = WINDOW
            wire.room()
            assert wire.unsent == 0
            assert not exchange.slot.paused
            wire.all_left()

        with_wire(test, answer_spool=0)

    @pytest.mark.parametrize("length", [None, 100])
    def test_and_fails_is_sent_as_far_as_it_came_and_then_cut(self, length: int | None) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            wire.window_left = 0
            exchange = wire.serve()
            behind = wire.serve()
            exchange.begin(a_head(length=length))
            exchange.part(b"one")
            exchange.fail(502, "its worker died")
            assert exchange.stage is Stage.SENDING
            assert (wire.writes, wire.aborted, everything.endings()) == ([], False, [])
            wire.window_left = WINDOW
            wire.room()
            assert wire.written.endswith(b"one" if length else b"3\r\none\r\n")
            assert wire.closed  # without the end of the answer, so that the client can tell
            assert everything.endings() == ["200 cut"]
            assert " 3 " in everything.logged()[0]
            behind.client_left()

        with_wire(test)

    def test_that_ends_with_its_connection_and_fails_is_cut_at_once(self) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            wire.window_left = 0
            exchange = wire.serve(version="HTTP/1.0")
            exchange.begin(a_head())
            exchange.part(b"one")
            exchange.fail(502, "its worker died")
            assert (wire.writes, wire.aborted) == ([], True)
            assert everything.endings() == ["200 cut"]
            assert wire.unsent == 0

        with_wire(test)

    def test_and_fails_is_cut_at_once_when_the_time_is_over(self) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            wire.window_left = 0
            exchange = wire.serve()
            exchange.begin(a_head())
            exchange.part(b"one")
            everything.dispatch.give_up()
            assert (wire.aborted, everything.endings()) == (True, ["200 cut"])

        with_wire(test)

    def test_and_whose_client_leaves_has_nothing_kept(self) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            wire.window_left = 0
            wire.serve().answer(a_head(), b"hello")
            wire.all_left()
            assert everything.endings() == ["499 left"]
            assert wire.unsent == 0
            wire.window_left = WINDOW
            wire.room()
            assert wire.writes == []

        with_wire(test)

    def test_gets_a_refusal_whole(self) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            wire.window_left = 0
            wire.refuse(a_request(), Refused(400, "of no sense"))
            assert everything.endings() == []
            wire.window_left = WINDOW
            wire.room()
            assert wire.written.endswith(b"of no sense\n")
            assert everything.endings() == ["400 refused"]

        with_wire(test)

    def test_is_cut_when_what_was_kept_is_lost(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            wire.window_left = 0
            wire.serve(id="id-9").answer(a_head(), b"hello")
            wire.outgoing_failed("the disk is full")
            wire.outgoing_failed("nobody is there any more")
            assert wire.aborted
            assert everything.endings() == ["200 cut"]
            assert caplog.messages == ["request id-9: the answer is cut: the disk is full"]

        with_wire(test)

    def test_gets_files_in_pieces(self, tmp_path: Path) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            content = bytes(range(256)) * 4096
            (tmp_path / "file").write_bytes(content)
            exchange = wire.serve()
            descriptor = os.open(tmp_path / "file", os.O_RDONLY)
            exchange.file(a_head(length=len(content)), PassedFile(descriptor, 0, len(content)))
            await until(lambda: exchange.ended, "the end")
            assert wire.written.endswith(b"\r\n\r\n" + content)
            assert len(wire.writes) > 2
            assert exchange.sent == len(content)

        with_wire(test)


class TestAHeadThatHttpCannotCarry:
    """No worker says so: its frames are not those of an honest one."""

    @pytest.mark.parametrize("head", [WrittenHead(code, b"HTTP/1.1 999 Odd\r\n", 5, 0) for code in (99, 600, -200)])
    @pytest.mark.parametrize("say", [frames.head, lambda head: frames.answer(Answer(head, b"hello", True))])
    def test_is_the_end_of_its_channel(
        self, head: WrittenHead, say: Callable[[WrittenHead], bytes], caplog: pytest.LogCaptureFixture
    ) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            worker = await everything.worker()
            wire.serve(method="POST")
            await worker.threads[0].take()
            worker.threads[0].say(say(head))
            await worker.threads[0].hear_the_end()
            assert b"502 Bad Gateway" in wire.written
            assert everything.endings() == ["502 refused"]
            assert "broke the rules of its channel 0" in caplog.text

        with_wire(test)

    def test_is_that_of_a_file_where_there_is_no_body(self, tmp_path: Path) -> None:
        head = WrittenHead(204, b"HTTP/1.1 204 No Content\r\n", 5, 0)

        async def test(wire: Wire, everything: Running) -> None:
            worker = await everything.worker()
            wire.serve(method="POST")
            await worker.threads[0].take()
            worker.threads[0].say(frames.file(File(head, 0)))
            assert await worker.threads[0].hear() == (Kind.FILE_AWAITED, b"")
            with open(tmp_path / "file", "w") as file:
                socket.send_fds(worker.threads[0].sock, [frames.DESCRIPTOR], [file.fileno()])
            await worker.threads[0].hear_the_end()
            assert b"502 Bad Gateway" in wire.written
            await until(
                lambda: str(tmp_path / "file") not in descriptors(os.getpid()).values(), "the file to be closed"
            )

        with_wire(test)


class TestBodiesInFiles:
    def test_travel_with_their_request(self) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            worker = await everything.worker()
            body = Body()
            wire.arrive(a_request(content_length=1, body_in_file=True), keep_alive=True, body=body)
            assert worker.threads[0].silent  # not before it is whole
            body.finished[0](os.open("/dev/null", os.O_RDONLY))
            assert (await worker.threads[0].take()).body_in_file
            assert len(worker.threads[0].descriptors) == 1
            wire.all_left()
            assert not body.closed  # it was handed over

        with_wire(test)

    def test_are_waited_for_only_when_it_is_their_turn(self) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            first = wire.serve()
            body = Body()
            wire.arrive(a_request(), keep_alive=True, body=body)
            assert body.finished == []
            first.answer(a_head(), b"")
            assert len(body.finished) == 1
            wire.all_left()

        with_wire(test)

    @pytest.mark.parametrize("opened", ["late", "in time"])
    def test_are_closed_in_a_thread(self, opened: str, tmp_path: Path) -> None:
        """The last descriptor of a large file without a name takes its blocks along."""

        async def test(wire: Wire, everything: Running) -> None:
            body = Body()
            wire.arrive(a_request(content_length=1, body_in_file=True), keep_alive=True, body=body)
            hold = Hold(everything.executor)
            file = os.open(tmp_path, os.O_RDONLY)
            if opened == "in time":
                body.finished[0](file)
            wire.all_left()
            if opened == "late":
                body.finished[0](file)
            assert file in descriptors(os.getpid())
            hold.let_go()
            await until(lambda: file not in descriptors(os.getpid()), "it to be closed")

        with_wire(test)

    @pytest.mark.parametrize("failed_before", [True, False])
    def test_that_are_lost_are_told_and_logged(self, failed_before: bool, caplog: pytest.LogCaptureFixture) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            error = OSError(28, "No space left on device")
            body = Body(error if failed_before else None)
            wire.arrive(a_request(id="id-7"), keep_alive=True, body=body)
            for finished in body.finished:
                finished(error)
            assert wire.written.endswith(f"500 Internal Server Error: {BODY_LOST}\n".encode())
            assert everything.endings() == ["500 refused"]
            assert "request id-7: lost: No space left on device" in caplog.text
            wire.all_left()
            assert not body.closed

        with_wire(test)


@dataclass(frozen=True)
class Reply:
    """An answer of an application."""

    method: str
    version: str
    parts: list[bytes]
    whole: bool
    declared: bool


replies = st.builds(
    Reply,
    method=st.sampled_from(["GET", "HEAD", "POST"]),
    version=st.sampled_from(["HTTP/1.1", "HTTP/1.0"]),
    parts=st.lists(st.binary(max_size=30) | st.sampled_from([bytes(JOIN_LIMIT), bytes(JOIN_LIMIT + 1)]), max_size=3),
    whole=st.booleans(),
    declared=st.booleans(),
)


def answer(exchange: Exchange, reply: Reply) -> None:
    body = b"".join(reply.parts)
    head = a_head(length=len(body) if reply.declared else None)
    if reply.whole:
        exchange.answer(head, body)
        return
    exchange.begin(head)
    for part in reply.parts:
        exchange.part(part)
    exchange.finish()


class TestAnswers:
    @settings(deadline=None)
    @given(st.lists(replies, max_size=4))
    def test_are_read_by_another_as_they_were_given(self, replies: list[Reply]) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            client = h11.Connection(h11.CLIENT)
            for reply in replies:
                before = len(wire.writes)
                exchange = wire.serve(method=reply.method, version=reply.version)
                answer(exchange, reply)
                client.send(h11.Request(method=reply.method, target="/", headers=[("Host", "a")]))
                client.send(h11.EndOfMessage())
                client.receive_data(b"".join(wire.writes[before:]))
                if wire.closed:
                    client.receive_data(b"")
                response = client.next_event()
                assert isinstance(response, h11.Response)
                body = b""
                while isinstance(event := client.next_event(), h11.Data):
                    body += event.data
                assert isinstance(event, h11.EndOfMessage)
                assert body == (b"" if reply.method == "HEAD" else b"".join(reply.parts))
                assert exchange.sent == len(body)
                assert exchange.ended
                if wire.closed:
                    break
                client.start_next_cycle()

        with_wire(test)

    @pytest.mark.parametrize(("size", "writes"), [(JOIN_LIMIT, 1), (JOIN_LIMIT + 1, 2)])
    def test_small_ones_are_one_write(self, size: int, writes: int) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            wire.serve().answer(a_head(), bytes(size))
            assert len(wire.writes) == writes

        with_wire(test)

    def test_a_cut_ends_the_connection(self) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            exchange = wire.serve()
            exchange.begin(a_head())
            exchange.part(b"part")
            exchange.fail(502, "the worker died")
            assert wire.aborted
            assert not wire.written.endswith(b"0\r\n\r\n")
            assert everything.endings() == ["200 cut"]

        with_wire(test)

    def test_while_draining_say_that_the_connection_ends(self) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            exchange = wire.serve()
            everything.dispatch.drain()
            exchange.answer(a_head(), b"")
            assert b"Connection: close\r\n" in wire.written
            assert wire.closed

        with_wire(test)

    def test_end_the_connection_when_the_client_wished_so(self) -> None:
        async def test(wire: Wire, everything: Running) -> None:
            wire.arrive(a_request(), keep_alive=False)
            assert wire.current is not None
            wire.current.answer(a_head(), b"")
            assert b"Connection: close\r\n" in wire.written
            assert wire.closed

        with_wire(test)

"""Real clients, on real sockets, against one connection after the other."""

import asyncio
import errno
import math
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.dispatcher.edges.visitor import HOST, Visitor, get, post
from tests.unit.dispatcher.edges.wires import RecordingTransport
from tests.unit.dispatcher.far_end import FarEnd
from tests.unit.dispatcher.loops import run, turns, until
from tests.unit.dispatcher.requests import a_head
from tests.unit.dispatcher.running import FarWorker, Running, running
from tests.unit.dispatcher.test_spool import Hold, fill_disk
from wsgid.channel import frames
from wsgid.channel.frames import INLINE_BODY, PART_SIZE, Answer, Kind
from wsgid.dispatcher.edges.body_times import BodyTimes
from wsgid.dispatcher.edges.client import BODY_LOST, PIPELINE_LIMIT, SHORT_WINDOW, WRITE_TIMEOUT
from wsgid.dispatcher.edges.http import HttpEdge
from wsgid.dispatcher.edges.http_connection import (
    CONTINUE,
    FEED_SIZE,
    LINGER,
    WRITE_HIGH_WATER,
    HttpConnection,
    HttpTimes,
)
from wsgid.dispatcher.spool import HIGH_WATER
from wsgid.dispatcher.stored_answer import LITTLE
from wsgid.protocol.forwarded import FrontEnds
from wsgid.protocol.limits import HttpLimits

LIMITS = HttpLimits(request_line=4096, fields=100, headers=16 * 1024, body=16 * 1024 * 1024)
BACKLOG = 128
NOBODY = FrontEnds(["none"], "x-forwarded")
TIMES = HttpTimes(header=10.0, keepalive=5.0, body=BodyTimes(60.0, 1 / 500))

HEAD = frames.head(a_head())
CHUNKED = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"


@dataclass
class Place:
    """An edge that listens, and the dispatcher behind it."""

    everything: Running
    edge: HttpEdge
    executor: ThreadPoolExecutor
    address: tuple[str, int]
    visitors: list[Visitor] = field(default_factory=list)

    def visit(self, receive_buffer: int = 0) -> Visitor:
        sock = socket.socket()
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.connect(self.address)
        visitor = Visitor(sock)
        self.visitors.append(visitor)
        return visitor

    async def worker(self, threads: int = 1) -> FarWorker:
        return await self.everything.worker(threads=threads)

    async def connection(self) -> HttpConnection:
        """The only one there is."""
        await until(lambda: self.edge.connections, "the connection")
        [connection] = self.edge.connections
        return connection

    async def at(self, step: Callable[[HttpConnection], object], what: str) -> HttpConnection:
        """The connection, once it has come so far."""
        connection = await self.connection()
        await until(lambda: step(connection), what)
        return connection

    def pass_time(self, seconds: float) -> None:
        """The edge looks at its connections as if it were so much later."""
        for connection in list(self.edge.connections):
            connection.look(self.edge.loop.time() + seconds)

    async def nobody_left(self) -> None:
        await until(lambda: not self.edge.connections, "the connection to end")


@asynccontextmanager
async def place(
    directory: Path | None = None,
    limits: HttpLimits = LIMITS,
    queue_size: int = 100,
    threads: int = 1,
    filters: bool = False,
    front_ends: FrontEnds = NOBODY,
) -> AsyncIterator[Place]:
    async with running(queue_size, threads, filters=filters) as everything:
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setblocking(False)
            everything.dispatch.disk.directory = str(directory or everything.directory)
            edge = HttpEdge(everything.dispatch, limits, TIMES, loop, "wsgid", front_ends)
            await edge.listen(listener, BACKLOG)
            here = Place(everything, edge, everything.executor, listener.getsockname())
            try:
                yield here
            finally:
                for visitor in here.visitors:
                    visitor.close()
                edge.drain()
                edge.close()
                await here.nobody_left()
                await turns(10)
        assert everything.dispatch.open_count == 0


Test = Callable[[Place], Coroutine[Any, Any, None]]


def with_place(test: Test, **changes: Any) -> None:
    async def main() -> None:
        async with place(**changes) as here:
            await test(here)

    run(main())


def whole(body: bytes = b"hello") -> bytes:
    return frames.answer(Answer(a_head(), body, True))


async def serve(thread: FarEnd, body: bytes = b"hello") -> None:
    await thread.take()
    thread.say(whole(body))


class TestARequest:
    def test_becomes_a_value(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            await visitor.say(b"PUT /p%20q?x=y HTTP/1.1\r\nHost: a\r\nX-Y: z\r\nContent-Length: 4\r\n\r\nbody")
            request = await thread.take()
            host, port = visitor.sock.getsockname()
            assert (request.method, request.target, request.script_name) == ("PUT", "/p%20q?x=y", "")
            assert (request.path, request.query, request.version) == ("/p%20q", "x=y", "HTTP/1.1")
            assert request.headers == [("host", "a"), ("x-y", "z"), ("content-length", "4")]
            assert (request.scheme, request.server_name, request.server_port) == (
                "http",
                "127.0.0.1",
                str(here.address[1]),
            )
            assert (request.remote_addr, request.remote_port) == (host, str(port))
            assert (request.server_id, request.client_id) == ("http", "1")
            assert (request.content_length, request.body, request.body_in_file) == (4, b"body", False)

        with_place(test)

    @pytest.mark.parametrize(
        ("wire", "length", "body"),
        [
            (get(), None, b""),
            (post(b""), 0, b""),
            (post(b"x"), 1, b"x"),
            (CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 5, b"abcde"),
            (CHUNKED + b"0\r\n\r\n", 0, b""),
        ],
    )
    def test_has_the_length_of_its_body(self, wire: bytes, length: int | None, body: bytes) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            for say in (visitor.say, visitor.say_bytewise):
                await say(wire)
                request = await thread.take()
                assert (request.content_length, request.body, request.body_in_file) == (length, body, False)
                thread.say(whole())
                assert (await visitor.answer()).body == b"hello"

        with_place(test)

    @pytest.mark.parametrize("size", [INLINE_BODY + 1, 3_000_000])
    @pytest.mark.parametrize("chunked", [True, False])
    def test_with_a_large_body_takes_it_along_in_a_file(self, size: int, chunked: bool) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            body = bytes(range(256)) * (size // 256 + 1)
            body = body[:size]
            saying = asyncio.ensure_future(
                visitor.say(CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (size, body) if chunked else post(body))
            )
            request = await thread.take()
            await saying
            assert (request.content_length, request.body, request.body_in_file) == (size, b"", True)
            with open(thread.descriptors.pop(), "rb") as file:
                file.seek(0)
                assert file.read() == body
            thread.say(whole())
            assert (await visitor.answer()).status == 200
            await visitor.say(get())
            assert not (await thread.take()).body_in_file  # the next one has a body of its own

        with_place(test)

    def test_over_ipv6_and_over_a_unix_socket(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            with socket.create_server(("::1", 0), family=socket.AF_INET6) as six, socket.socket(socket.AF_UNIX) as unix:
                path = here.everything.directory / "http.sock"
                unix.bind(str(path))
                unix.listen()
                port = six.getsockname()[1]
                assert await here.edge.listen(six, BACKLOG) == f"http://[::1]:{port}"
                assert await here.edge.listen(unix, BACKLOG) == f"unix:{path}"

                sock = socket.create_connection(("::1", port))
                here.visitors.append(Visitor(sock))
                await here.visitors[-1].say(get())
                request = await thread.take()
                assert (request.server_name, request.server_port, request.remote_addr) == ("[::1]", str(port), "::1")
                thread.say(whole())

                sock = socket.socket(socket.AF_UNIX)
                sock.connect(str(path))
                here.visitors.append(Visitor(sock))
                await here.visitors[-1].say(get())
                request = await thread.take()
                assert (request.server_name, request.server_port) == ("localhost", "80")
                assert (request.remote_addr, request.remote_port) == ("", "")
                thread.say(whole())
                assert (await here.visitors[-1].answer()).body == b"hello"

        with_place(test)


class TestATrustedPeer:
    TRUSTED = FrontEnds(["*"], "x-forwarded")

    def test_is_asked_for_its_client_with_each_request(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            host, port = visitor.sock.getsockname()
            for lines, addr, scheme in (
                ([b"X-Forwarded-For: 192.0.2.9", b"X-Forwarded-Proto: https"], "192.0.2.9", "https"),
                ([], host, "http"),
                ([b"X-Forwarded-For: 192.0.2.8"], "192.0.2.8", "http"),
            ):
                await visitor.say(get("/", *lines))
                request = await thread.take()
                assert (request.remote_addr, request.scheme) == (addr, scheme)
                assert request.remote_port == ("" if lines else str(port))
                thread.say(whole())
                assert (await visitor.answer()).body == b"hello"

        with_place(test, front_ends=self.TRUSTED)

    def test_is_none_that_has_gone_before_it_was_noticed(self) -> None:
        """It has no address any more; what it sent can still be read."""

        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            connection = HttpConnection(here.edge)
            transport = RecordingTransport(here.edge.loop, connection, peer=None)
            connection.connection_made(transport)
            transport.say(get("/", b"X-Forwarded-For: 192.0.2.9"))
            assert (await thread.take()).remote_addr == ""
            transport.go()

        with_place(test, front_ends=self.TRUSTED)


class TestKeepingAlive:
    def test_many_requests_on_one_connection(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            for number in range(5):
                await visitor.say(get())
                await serve(thread, str(number).encode())
                answer = await visitor.answer()
                assert (answer.body, answer.closes) == (str(number).encode(), False)
            assert here.everything.endings() == ["200"] * 5

        with_place(test)

    @pytest.mark.parametrize("wire", [get("/", b"Connection: close"), b"GET / HTTP/1.0\r\n\r\n"])
    def test_ends_when_the_client_wishes(self, wire: bytes) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            await visitor.say(wire, b"what comes now is not read")
            await serve(thread)
            answer = await visitor.answer()
            assert (answer.body, answer.closes) == (b"hello", True)
            await here.nobody_left()

        with_place(test)

    def test_a_streamed_answer_to_an_old_client_that_fails_is_a_reset(self) -> None:
        """An end would pass for the end of the answer."""

        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            await visitor.say(b"GET / HTTP/1.0\r\n\r\n")
            await thread.take()
            thread.say(HEAD, frames.frame(Kind.PART, b"hel"))
            await visitor.notices()
            thread.say(frames.CUT, frames.DONE)
            assert (await visitor.reset_by_peer()).endswith(b"\r\n\r\nhel")
            await here.nobody_left()

        with_place(test)

    @pytest.mark.parametrize("said", [[], [frames.END, frames.DONE]], ids=["in the middle", "not taken"])
    def test_a_streamed_answer_to_an_old_client_that_is_given_up_is_a_reset(self, said: list[bytes]) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit(receive_buffer=4096)
            await visitor.say(b"GET / HTTP/1.0\r\n\r\n")
            await thread.take()
            thread.say(HEAD)
            connection = await here.at(lambda connection: connection._opening is not None, "the beginning")
            while not connection._transport.get_write_buffer_size():
                thread.say(frames.frame(Kind.PART, bytes(16_384)))
                await turns(20)
            thread.say(*said)
            await turns(20)
            connection.abort()
            await visitor.reset_by_peer()
            await here.nobody_left()

        with_place(test)

    def test_a_streamed_answer_to_an_old_client_ends_with_the_connection(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            await visitor.say(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            await thread.take()
            thread.say(HEAD, frames.frame(Kind.PART, b"hello"), frames.END, frames.DONE)
            assert (await visitor.rest()).endswith(b"\r\n\r\nhello")
            await here.nobody_left()

        with_place(test)


class TestPipelining:
    def test_answers_come_in_order(self) -> None:
        async def test(here: Place) -> None:
            threads = (await here.worker(2)).threads
            visitor = here.visit()
            await visitor.say(*(get(f"/{number}") for number in range(4)))
            for number in range(4):
                await until(lambda: sum(not each.silent for each in threads) == 1, "one to be served")
                [thread] = [each for each in threads if not each.silent]
                assert (await thread.take()).target == f"/{number}"
                await turns(10)
                assert all(each.silent for each in threads)
                thread.say(whole(str(number).encode()))
            assert [(await visitor.answer()).body for _ in range(4)] == [b"0", b"1", b"2", b"3"]

        with_place(test, threads=2)

    def test_two_thousand_in_one_write(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            saying = asyncio.ensure_future(visitor.say(get() * 2000))
            thread.serve_all(whole())
            await saying
            for _ in range(2000):
                assert (await visitor.answer()).status == 200

        with_place(test)

    @pytest.mark.parametrize("packet", [1, 10, 100_000])
    def test_no_more_than_so_many_wait_however_they_come(self, packet: int) -> None:
        """``packet`` requests at once, while the first one is being served."""

        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            flood = get() * 5000
            step = len(get()) * packet

            async def say_all() -> None:
                for start in range(0, len(flood), step):
                    await visitor.say(flood[start : start + step])
                    await turns()

            saying = asyncio.ensure_future(say_all())
            connection = await here.at(lambda connection: not connection._reading, "reading to stop")
            most = PIPELINE_LIMIT + 8192 // len(get()) + 1
            assert PIPELINE_LIMIT <= len(connection.waiting) <= most
            assert here.everything.dispatch.open_count <= most + 1
            thread.serve_all(whole())
            await saying
            for _ in range(5000):
                assert (await visitor.answer()).status == 200

        with_place(test)

    def test_nothing_is_left_open_when_the_connection_is_lost_meanwhile(self) -> None:
        async def test(here: Place) -> None:
            await here.worker()
            visitor = here.visit()
            await visitor.say(get() * 5000)
            connection = await here.at(lambda connection: not connection._reading, "reading to stop")
            connection.abort()
            await here.nobody_left()
            assert here.everything.dispatch.open_count == 0
            assert set(here.everything.endings()) == {"499 left"}

        with_place(test)

    def test_that_find_the_queue_full_are_refused_one_by_one(self) -> None:
        async def test(here: Place) -> None:
            visitor = here.visit()
            saying = asyncio.ensure_future(visitor.say(get() * 2000))
            for _ in range(2000):
                assert (await visitor.answer()).status == 503
            await saying

        with_place(test, queue_size=0)

    def test_behind_a_cut_answer_nothing_is_served(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            await visitor.say(get() * 1000)
            await thread.take()
            thread.say(HEAD, frames.frame(Kind.PART, b"x"), frames.CUT, frames.DONE)
            assert not (await visitor.rest()).endswith(b"0\r\n\r\n")
            await here.nobody_left()
            assert thread.silent
            assert here.everything.endings()[0] == "200 cut"
            assert here.everything.dispatch.open_count == 0

        with_place(test)


class TestContinue:
    def test_is_said_to_who_waits_for_it(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            wire = post(b"body", b"Expect: 100-continue")
            await visitor.say(wire[:-4])
            assert await visitor.receive(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
            await visitor.say(b"body")
            await serve(thread)
            assert (await visitor.answer()).status == 200

        with_place(test)

    def test_is_not_said_to_who_does_not_wait(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            await visitor.say(get(), post(b"body", b"Expect: 100-continue"))
            await serve(thread, b"1")
            assert (await visitor.answer()).body == b"1"
            await serve(thread, b"2")
            assert (await visitor.answer()).body == b"2"

        with_place(test)

    def test_comes_behind_the_answers_of_earlier_requests_and_the_client_has_all_its_time(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            await visitor.say(get(), post(b"body", b"Expect: 100-continue")[:-4])
            await thread.take()
            await here.at(lambda connection: connection.receiving, "the second head")
            here.pass_time(TIMES.body.limit + 1)  # it waits for us, not we for it
            thread.say(whole())
            assert (await visitor.answer()).status == 200
            assert await visitor.receive(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
            await visitor.say(b"body")
            await serve(thread)
            assert (await visitor.answer()).status == 200

        with_place(test)

    def test_who_was_told_to_go_on_and_does_not_is_not_waited_for(self) -> None:
        async def test(here: Place) -> None:
            visitor = here.visit()
            await visitor.say(post(b"body", b"Expect: 100-continue")[:-4])
            await visitor.receive(25)
            here.pass_time(TIMES.body.limit + 1)
            assert (await visitor.answer()).status == 408

        with_place(test)


class TestRefusing:
    def test_what_is_not_http(self) -> None:
        async def test(here: Place) -> None:
            visitor = here.visit()
            await visitor.say(b"GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
            answer = await visitor.answer()
            assert (answer.status, answer.closes) == (400, True)
            assert answer.body == b"400 Bad Request: more than one Host\n"
            assert await visitor.rest() == b""
            [line] = here.everything.logged()
            assert '"GET /x HTTP/1.1" 400 ' in line

        with_place(test)

    def test_comes_behind_the_answers_of_earlier_requests(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            await visitor.say(get(), b"\0\0", get() * 100)
            await serve(thread)
            assert (await visitor.answer()).status == 200
            assert (await visitor.answer()).status == 501
            assert await visitor.rest() == b""
            assert here.everything.endings() == ["200", "501 refused"]
            assert thread.silent

        with_place(test)

    def test_comes_behind_requests_that_find_the_queue_full(self) -> None:
        """It is read on from the turn of one of those, amidst the handling of QueueFull."""

        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor, other = here.visit(), here.visit()
            flood = 2 * FEED_SIZE // len(get())
            await visitor.say(get() * flood, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
            await thread.take()
            await other.say(get())
            await until(lambda: here.everything.dispatch.queued, "the queue to be full")
            thread.say(whole())
            statuses = [(await visitor.answer()).status for _ in range(flood + 1)]
            assert statuses == [200, *[503] * (flood - 1), 400]
            assert await visitor.rest() == b""
            await serve(thread)
            assert (await other.answer()).status == 200

        with_place(test, queue_size=1)

    def test_reaches_a_client_that_is_still_sending(self) -> None:
        """Closing with unread bytes in the socket would be a reset, and the answer lost."""

        async def test(here: Place) -> None:
            visitor = here.visit()
            await visitor.say(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
            for _ in range(50):
                await visitor.say(bytes(65536))
            answer = await visitor.answer()
            assert answer.status == 413
            assert await visitor.rest() == b""
            visitor.half_close()
            await here.nobody_left()

        with_place(test)

    def test_does_not_wait_for_ever_for_the_client_to_end(self) -> None:
        async def test(here: Place) -> None:
            visitor = here.visit()
            await visitor.say(b"\0")
            assert (await visitor.answer()).status == 501
            await here.connection()
            here.pass_time(LINGER + 0.1)
            await here.nobody_left()

        with_place(test)

    def test_a_body_that_is_too_large(self) -> None:
        async def test(here: Place) -> None:
            visitor = here.visit()
            await visitor.say(CHUNKED, b"5\r\nhello\r\n")
            await here.at(lambda connection: connection.receiving, "the head")
            await visitor.say(b"6\r\nhello!\r\n")
            assert (await visitor.answer()).status == 413

        with_place(test, limits=HttpLimits(request_line=100, fields=10, headers=1000, body=10))

    def test_a_method_is_known_by_then(self) -> None:
        async def test(here: Place) -> None:
            visitor = here.visit()
            await visitor.say(b"HEAD /" + b"x" * 5000)
            answer = await visitor.answer("HEAD")
            assert (answer.status, answer.body) == (414, b"")

        with_place(test)


UPLOAD = bytes(INLINE_BODY + 1)
HALF = len(UPLOAD) // 2


class TestAnUploadThatIsAskedAbout:
    """Its body goes to a file."""

    @pytest.mark.parametrize("chunked", [True, False])
    def test_arrives_meanwhile_and_is_served_by_the_same_name(self, chunked: bool) -> None:
        async def test(here: Place) -> None:
            asked, served = (await here.worker(threads=2)).threads
            visitor = here.visit()
            if chunked:
                await visitor.say(b"POST / HTTP/1.1\r\n", HOST, b"Transfer-Encoding: chunked\r\n\r\n")
                await visitor.say(b"%x\r\n%b\r\n" % (len(UPLOAD), UPLOAD))
            else:
                await visitor.say(post(UPLOAD)[:-1])
            asked, served = (asked, served) if not asked.silent else (served, asked)
            question = await asked.take(Kind.ASK)
            assert (question.method, question.body) == ("POST", b"")
            assert question.content_length == (None if chunked else len(UPLOAD))
            await visitor.say(b"0\r\n\r\n" if chunked else UPLOAD[-1:])
            await here.at(lambda it: it.current, "the whole body")
            assert served.silent
            asked.say(frames.ADMITTED)
            await until(lambda: not (asked.silent and served.silent), "the request")
            request = await (asked if served.silent else served).take()
            assert (request.key, request.content_length, request.attempt) == (question.key, len(UPLOAD), 1)

        with_place(test, filters=True)

    def test_is_refused_at_once_and_reaches_a_client_that_is_still_sending(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            await visitor.say(post(UPLOAD)[:HALF])
            question = await thread.take(Kind.ASK)
            thread.say(frames.answer(Answer(a_head("403 Forbidden"), b"not you", True)))
            answer = await visitor.answer()
            assert (answer.status, answer.body, answer.closes) == (403, b"not you", True)
            assert await visitor.rest() == b""
            await visitor.say(UPLOAD[:100])
            assert here.everything.endings() == ["403 refused"]
            assert f"id={question.id} " in here.everything.logged()[0]
            visitor.close()
            await here.nobody_left()

        with_place(test, filters=True)

    def test_is_refused_late_and_the_connection_goes_on(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            await visitor.say(post(UPLOAD), get())
            await thread.take(Kind.ASK)
            await here.at(lambda it: it.waiting, "both of them")
            thread.say(frames.answer(Answer(a_head("402 Payment Required"), b"", True)))
            await serve(thread)
            assert [(await visitor.answer()).status for _ in range(2)] == [402, 200]
            assert not (await here.connection())._bodies
            assert here.everything.endings() == ["402 refused", "200"]

        with_place(test, filters=True)

    def test_behind_another_request_is_refused_in_its_turn(self) -> None:
        async def test(here: Place) -> None:
            first, second = (await here.worker(threads=2)).threads
            visitor = here.visit()
            await visitor.say(get(), post(UPLOAD))
            await until(lambda: not (first.silent or second.silent), "both to be at work")
            served, asked = (first, second) if first._heard[0][0] is Kind.REQUEST else (second, first)
            await here.at(lambda it: it.waiting, "the whole body")
            asked.say(frames.answer(Answer(a_head("403 Forbidden"), b"", True)))
            await until(lambda: await_verdict(here), "the verdict")
            served.say(whole())
            assert [(await visitor.answer()).status for _ in range(2)] == [200, 403]
            assert here.everything.endings() == ["200", "403 refused"]

        with_place(test, filters=True)

    def test_may_begin_when_there_is_a_verdict(self) -> None:
        """A client that expects 100 Continue has sent nothing yet."""

        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            await visitor.say(post(UPLOAD, b"Expect: 100-continue")[: -len(UPLOAD)])
            await thread.take(Kind.ASK)
            here.pass_time(100.0)
            assert not visitor.has_something()
            thread.say(frames.ADMITTED)
            assert await visitor.receive(len(CONTINUE)) == CONTINUE
            await visitor.say(UPLOAD)
            await serve(thread)
            assert (await visitor.answer()).status == 200

        with_place(test, filters=True)

    def test_need_not_begin_when_it_is_refused(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            await visitor.say(post(UPLOAD, b"Expect: 100-continue")[: -len(UPLOAD)])
            await thread.take(Kind.ASK)
            thread.say(frames.answer(Answer(a_head("403 Forbidden"), b"", True)))
            assert (await visitor.answer()).status == 403

        with_place(test, filters=True)

    @pytest.mark.parametrize("half", [True, False])
    def test_is_forgotten_when_its_client_leaves(self, half: bool) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            await visitor.say(post(UPLOAD)[:HALF])
            question = await thread.take(Kind.ASK)
            if half:
                visitor.half_close()
            else:
                visitor.reset()
            await here.nobody_left()
            assert here.everything.endings() == ["499 left"]
            assert f"id={question.id} " in here.everything.logged()[0]
            thread.say(frames.answer(Answer(a_head("403 Forbidden"), b"", True)))
            other = here.visit()
            await other.say(get())
            await serve(thread)
            assert (await other.answer()).status == 200

        with_place(test, filters=True)

    def test_is_served_when_its_client_has_said_all(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            await visitor.say(post(UPLOAD))
            await thread.take(Kind.ASK)
            visitor.half_close()
            await here.at(lambda it: it._eof, "the end")
            thread.say(frames.ADMITTED)
            await serve(thread)
            assert (await visitor.answer()).status == 200

        with_place(test, filters=True)

    def test_is_not_one_that_travels_in_a_message(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            await visitor.say(post(bytes(INLINE_BODY)))
            await serve(thread)
            assert (await visitor.answer()).status == 200

        with_place(test, filters=True)

    def test_finds_the_queue_full(self) -> None:
        async def test(here: Place) -> None:
            visitor = here.visit()
            await visitor.say(post(UPLOAD)[:HALF])
            assert (await visitor.answer()).status == 503
            assert here.everything.endings() == ["503 refused"]

        with_place(test, filters=True, queue_size=0)


def await_verdict(here: Place) -> bool:
    [connection] = here.edge.connections
    return any(refused for _, refused in connection.waiting)


class TestAClientThatLeaves:
    def test_while_its_request_waits(self) -> None:
        async def test(here: Place) -> None:
            visitor = here.visit()
            await visitor.say(get())
            await until(lambda: here.everything.dispatch.open_count, "the request")
            visitor.reset()
            await here.nobody_left()
            assert here.everything.endings() == ["499 left"]

        with_place(test)

    def test_while_its_request_is_served(self) -> None:
        async def test(here: Place) -> None:
            worker = await here.worker()
            visitor = here.visit()
            await visitor.say(get())
            request = await worker.threads[0].take()
            visitor.reset()
            assert await worker.control.hear() == (Kind.CLIENT_GONE, request.key.encode())
            worker.threads[0].say(HEAD, frames.END, frames.DONE)
            await here.nobody_left()
            assert here.everything.endings() == ["499 left"]

        with_place(test)

    def test_in_the_midst_of_a_request_has_its_line_in_the_log(self) -> None:
        async def test(here: Place) -> None:
            visitor = here.visit()
            await visitor.say(post(bytes(200_000))[:-1])
            await here.at(lambda connection: connection._body.in_file, "the body")
            visitor.half_close()
            await here.nobody_left()
            [line] = here.everything.logged()
            assert '"POST / HTTP/1.1" 499 0 ' in line

        with_place(test)

    def test_before_it_has_said_what_it_wants_is_no_request(self) -> None:
        async def test(here: Place) -> None:
            visitor = here.visit()
            await visitor.say(b"GET")
            await here.at(lambda connection: connection.receiving, "its beginning")
            visitor.reset()
            await here.nobody_left()
            assert here.everything.endings() == []

        with_place(test)

    def test_before_it_was_noticed(self) -> None:
        async def test(here: Place) -> None:
            for _ in range(20):
                here.visit().reset()
            await turns(20)
            await here.nobody_left()

        with_place(test)

    def test_by_half_gets_the_answer_that_is_being_made(self) -> None:
        async def test(here: Place) -> None:
            worker = await here.worker()
            visitor = here.visit()
            await visitor.say(get(), get(), get()[:-1])
            request = await worker.threads[0].take()
            visitor.half_close()
            assert await worker.control.hear() == (Kind.CLIENT_MAY_BE_GONE, request.key.encode())
            here.pass_time(1000)
            worker.threads[0].say(whole(b"1"))
            assert (await visitor.answer()).body == b"1"
            assert await visitor.rest() == b""
            await here.nobody_left()
            assert worker.threads[0].silent
            assert here.everything.endings() == ["499 left", "499 left", "200"]

        with_place(test)

    def test_by_half_and_then_for_good_is_noticed_when_it_is_written_to(self) -> None:
        async def test(here: Place) -> None:
            worker = await here.worker()
            visitor = here.visit()
            await visitor.say(get())
            request = await worker.threads[0].take()
            visitor.half_close()
            assert await worker.control.hear() == (Kind.CLIENT_MAY_BE_GONE, request.key.encode())
            worker.threads[0].say(HEAD, frames.frame(Kind.PART, b"taken"))
            await here.at(lambda connection: connection._opening, "the answer")
            visitor.reset()
            worker.threads[0].say(frames.frame(Kind.PART, b"for nobody"))
            assert await worker.control.hear() == (Kind.CLIENT_GONE, request.key.encode())
            worker.threads[0].say(frames.CUT, frames.DONE)
            await here.nobody_left()
            assert here.everything.endings() == ["499 left"]

        with_place(test)

    def test_by_half_while_its_request_waits_for_a_worker(self) -> None:
        async def test(here: Place) -> None:
            visitor = here.visit()
            await visitor.say(get(), get())
            await here.at(lambda connection: connection.waiting, "both requests")
            visitor.half_close()
            assert await visitor.rest() == b""
            await here.nobody_left()
            assert here.everything.endings() == ["499 left"] * 2
            worker = await here.worker()
            assert worker.threads[0].silent

        with_place(test)

    @pytest.mark.parametrize("workers", [1, 0])
    def test_by_half_behind_a_large_body_that_is_not_stored_yet(self, workers: int) -> None:
        async def test(here: Place) -> None:
            threads = [(await here.worker()).threads[0] for _ in range(workers)]
            visitor = here.visit()
            disk = Hold(here.executor)
            await visitor.say(post(bytes(200_000)))
            visitor.half_close()
            await here.at(lambda connection: connection._eof, "the end")
            assert here.everything.endings() == []
            disk.let_go()
            for thread in threads:
                await serve(thread)
                assert (await visitor.answer()).body == b"hello"
            assert await visitor.rest() == b""
            await here.nobody_left()
            assert here.everything.endings() == (["200"] if workers else ["499 left"])

        with_place(test)

    def test_by_half_with_an_answer_on_its_way_that_it_never_takes(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit(receive_buffer=4096)
            await visitor.say(get())
            await thread.take()
            await thread.say_it_all(whole(bytes(PART_SIZE)))
            connection = await here.at(lambda connection: not connection._in_progress, "the answer")
            for _ in range(100):  # until neither socket takes any more, and yet little enough waits here
                if connection._transport.get_write_buffer_size():
                    break
                await visitor.say(get())
                await thread.take()
                await thread.say_it_all(whole(bytes(PART_SIZE // 2)))
                await turns(20)
            assert connection._transport.get_write_buffer_size()
            visitor.half_close()
            await until(lambda: connection._eof, "the end")
            here.pass_time(WRITE_TIMEOUT + 1)
            await here.nobody_left()

        with_place(test)


class TestTime:
    def test_a_head_that_does_not_come(self) -> None:
        async def test(here: Place) -> None:
            visitor = here.visit()
            await visitor.say(b"GET /slow HTTP/1.1\r\nHost:")
            connection = await here.at(lambda connection: connection.receiving, "its beginning")
            here.pass_time(TIMES.header - 1)
            assert connection.receiving
            here.pass_time(TIMES.header + 1)
            answer = await visitor.answer()
            assert answer.body == b"408 Request Timeout: the head of the request did not come in time\n"
            assert await visitor.rest() == b""
            assert '"GET /slow HTTP/1.1" 408 ' in here.everything.logged()[0]

        with_place(test)

    def test_a_body_that_stops_coming(self) -> None:
        async def test(here: Place) -> None:
            visitor = here.visit()
            await visitor.say(post(b"body")[:-1])
            await here.at(lambda connection: connection.receiving, "its beginning")
            here.pass_time(TIMES.body.limit + 1)
            assert (await visitor.answer()).body.startswith(b"408 Request Timeout: the body")

        with_place(test)

    def test_a_body_that_comes_too_slowly(self) -> None:
        """At 500 bytes a second each of them gives 2 ms back, up to all of the time, but no more."""

        async def test(here: Place) -> None:
            visitor = here.visit()
            await visitor.say(post(bytes(200_000))[: -200_000 + 1])
            connection = await here.at(lambda connection: connection._body.size, "its first byte")
            connection._deadline = here.edge.loop.time()  # so late is it
            await visitor.say(bytes(10_000))
            await here.at(lambda connection: connection._body.size == 10_001, "20 seconds' worth")
            here.pass_time(10)
            assert connection.receiving
            assert connection._deadline < here.edge.loop.time() + 21
            await visitor.say(bytes(100_000))
            await here.at(lambda connection: connection._body.size == 110_001, "much more")
            here.pass_time(50)
            assert connection.receiving
            here.pass_time(TIMES.body.limit + 1)
            assert (await visitor.answer()).body.startswith(b"408 Request Timeout: the body")

        with_place(test)

    def test_a_body_for_which_any_rate_will_do(self) -> None:
        async def test(here: Place) -> None:
            here.edge.times = msgspec.structs.replace(TIMES, body=BodyTimes(60.0, math.inf))
            visitor = here.visit()
            await visitor.say(post(b"body")[:-3])
            connection = await here.at(lambda connection: connection._body.size, "its first byte")
            connection._deadline = here.edge.loop.time() + 1
            await visitor.say(b"o")
            await here.at(lambda connection: connection._body.size == 2, "its second")
            here.pass_time(50)
            assert connection.receiving
            here.pass_time(TIMES.body.limit + 1)
            assert (await visitor.answer()).status == 408

        with_place(test)

    def test_a_client_that_says_nothing(self) -> None:
        async def test(here: Place) -> None:
            visitor = here.visit()
            await here.connection()
            here.pass_time(TIMES.header + 1)
            assert await visitor.rest() == b""
            assert here.everything.endings() == []

        with_place(test)

    def test_an_idle_connection(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            await visitor.say(get())
            await serve(thread)
            await visitor.answer()
            here.pass_time(TIMES.keepalive - 1)
            assert not visitor.has_something()
            here.pass_time(TIMES.keepalive + 1)
            assert await visitor.rest() == b""

        with_place(test)

    def test_of_a_worker_is_not_the_clients(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            await visitor.say(get())
            await thread.take()
            here.pass_time(3600)
            thread.say(whole())
            assert (await visitor.answer()).status == 200

        with_place(test)

    def test_in_which_we_do_not_read_is_not_the_clients(self) -> None:
        """Behind many requests comes part of a head, the rest of which we leave in the socket for as long."""

        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            flood = get("/" + "x" * 150) * 1000
            saying = asyncio.ensure_future(visitor.say(flood))
            connection = await here.at(lambda connection: not connection._reading, "reading to stop")
            assert connection.receiving
            here.pass_time(TIMES.header + 1)
            thread.serve_all(whole())
            await saying
            for _ in range(1000):
                assert (await visitor.answer()).status == 200

        with_place(test)

    def test_begins_anew_when_we_read_again(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            await visitor.say(get("/" + "x" * 150) * 200, get()[:-1])
            connection = await here.at(lambda connection: not connection._reading, "reading to stop")
            connection._deadline = 0.0
            thread.serve_all(whole())
            await until(lambda: connection._reading, "reading to go on")
            here.pass_time(TIMES.header - 1)
            await visitor.say(b"\n")
            for _ in range(201):
                assert (await visitor.answer()).status == 200

        with_place(test)


class TestAClientThatDoesNotKeepUp:
    def test_slows_its_worker_down_and_gets_it_all(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit(receive_buffer=65536)
            await visitor.say(get())
            await thread.take()
            thread.say(HEAD)
            part = bytes(range(256)) * 1024
            saying = asyncio.ensure_future(
                thread.say_it_all(frames.frame(Kind.PART, part) * 60 + frames.END + frames.DONE)
            )
            connection = await here.at(lambda connection: connection.choked, "the client to choke")
            await turns(50)
            assert not saying.done()
            assert connection._transport.get_write_buffer_size() < 4 * PART_SIZE
            assert (await visitor.answer()).body == part * 60
            await saying
            await visitor.say(get())
            await serve(thread)
            assert (await visitor.answer()).body == b"hello"

        with_place(test)

    @pytest.mark.parametrize("memory", [0, 64 * 1024 * 1024])
    def test_has_what_lies_in_the_transport_counted_and_little_of_it_while_memory_is_short(self, memory: int) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            counted = here.everything.dispatch.storage.memory
            counted.change(memory)
            visitor = here.visit(receive_buffer=65536)
            await visitor.say(get())
            await thread.take()
            thread.say(HEAD)
            part = bytes(PART_SIZE)
            saying = asyncio.ensure_future(
                thread.say_it_all(frames.frame(Kind.PART, part) * 60 + frames.END + frames.DONE)
            )
            connection = await here.at(lambda connection: connection.choked, "the client to choke")
            await turns(50)
            buffered = connection._transport.get_write_buffer_size()
            assert connection._counted >= buffered
            assert memory - counted.left >= buffered
            if not memory:
                assert connection._counted <= WRITE_HIGH_WATER + SHORT_WINDOW
                assert memory - counted.left <= WRITE_HIGH_WATER + SHORT_WINDOW + LITTLE + 2 * PART_SIZE
            assert (await visitor.answer()).body == part * 60
            await saying
            visitor.reset()
            await here.nobody_left()
            assert counted.left == memory

        with_place(test)

    def test_has_no_further_request_computed(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit(receive_buffer=4096)
            await visitor.say(get() * 300)
            served = 0
            for _ in range(300):
                await until(lambda: not thread.silent or here_choked(here), "a request, or the client to choke")
                if thread.silent:
                    break
                await thread.take()
                await thread.say_it_all(whole(bytes(PART_SIZE)))
                served += 1
            assert served < 300
            for _ in range(served):
                assert len((await visitor.answer()).body) == PART_SIZE
            reading = asyncio.ensure_future(read_answers(visitor, 300 - served))
            for _ in range(300 - served):
                await thread.take()
                await thread.say_it_all(whole(bytes(PART_SIZE)))
            await reading

        with_place(test)

    def test_at_all_is_cut(self) -> None:
        async def test(here: Place) -> None:
            worker = await here.worker()
            visitor = here.visit(receive_buffer=4096)
            await visitor.say(get())
            await worker.threads[0].take()
            worker.threads[0].say(HEAD)
            saying = asyncio.ensure_future(
                worker.threads[0].say_it_all(frames.frame(Kind.PART, bytes(PART_SIZE)) * 100)
            )
            connection = await here.at(lambda connection: connection.choked, "the client to choke")
            here.pass_time(WRITE_TIMEOUT + 1)
            if here.edge.connections:
                # It had taken something since it began to choke; from here on it takes nothing.
                await turns(50)
                connection._unsent = connection._transport.get_write_buffer_size()
                here.pass_time(2 * WRITE_TIMEOUT + 2)
            await here.nobody_left()
            await saying  # what the worker says is read, and forgotten
            assert here.everything.endings() == ["200 cut"]

        with_place(test)

    def test_is_given_more_time_for_anything_it_takes(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit(receive_buffer=4096)
            await visitor.say(get())
            await thread.take()
            thread.say(HEAD)
            saying = asyncio.ensure_future(thread.say_it_all(frames.frame(Kind.PART, bytes(PART_SIZE)) * 100))
            connection = await here.at(lambda connection: connection.choked, "the client to choke")
            connection._unsent = connection._transport.get_write_buffer_size() + 1
            here.pass_time(WRITE_TIMEOUT + 1)
            await turns(5)
            assert here.edge.connections
            assert not saying.done()
            visitor.reset()
            await saying

        with_place(test)


def here_choked(here: Place) -> bool:
    return any(not connection.window() for connection in here.edge.connections)


async def read_answers(visitor: Visitor, count: int) -> None:
    for _ in range(count):
        assert len((await visitor.answer()).body) == PART_SIZE


class TestADisk:
    def test_that_is_slow_slows_the_client_down(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            hold = Hold(here.executor)
            visitor = here.visit()
            body = bytes(4 * HIGH_WATER)
            saying = asyncio.ensure_future(visitor.say(post(body)))
            connection = await here.at(lambda connection: not connection._reading, "reading to stop")
            assert connection._body.size < 3 * HIGH_WATER
            here.pass_time(TIMES.body.limit + 1)  # its fault, not the client's
            hold.let_go()
            assert (await thread.take()).content_length == len(body)
            await saying
            thread.say(whole())
            assert (await visitor.answer()).status == 200

        with_place(test)

    def test_that_is_full(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test(here: Place) -> None:
            visitor = here.visit()
            wire = post(bytes(2_000_000))
            await visitor.say(wire[:100_000])
            connection = await here.at(lambda connection: connection._body.in_file, "the file")
            spool = connection._body._spool
            assert spool is not None
            await until(lambda: not spool._writing, "the first write")
            fill_disk(spool)
            await visitor.say(wire[100_000:])
            answer = await visitor.answer()
            assert answer.body == f"500 Internal Server Error: {BODY_LOST}\n".encode()
            assert here.everything.endings() == ["500 refused"]
            assert os.strerror(errno.ENOSPC) in caplog.text

        with_place(test)

    def test_that_is_full_in_the_end(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test(here: Place) -> None:
            visitor = here.visit()
            wire = post(bytes(100_000))
            await visitor.say(wire[:-1])
            connection = await here.at(lambda connection: connection._body.size == 99_999, "nearly all of it")
            spool = connection._body._spool
            assert spool is not None
            await until(lambda: not spool._writing, "the first write")
            fill_disk(spool)
            await visitor.say(wire[-1:], get())
            assert (await visitor.answer()).status == 500
            assert os.strerror(errno.ENOSPC) in caplog.text
            await here.worker()

        with_place(test)

    def test_that_is_full_while_the_body_waits_for_its_turn(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            hold = Hold(here.executor)
            visitor = here.visit()
            wire = post(bytes(400_000))
            await visitor.say(get(), wire[:-1])
            await thread.take()
            connection = await here.at(lambda connection: connection._body.size == 399_999, "nearly all of it")
            assert connection._body._spool is not None
            fill_disk(connection._body._spool)
            await visitor.say(wire[-1:], get()[:-1])
            await until(lambda: len(connection.waiting) == 1 and connection.receiving, "the third request")
            hold.let_go()
            body = next(iter(connection._bodies.values()))
            await until(lambda: body.error, "the failure")
            thread.say(whole())
            assert (await visitor.answer()).status == 200
            assert (await visitor.answer()).status == 500
            await visitor.say(b"\n")
            await serve(thread)
            assert (await visitor.answer()).status == 200

        with_place(test)

    def test_that_takes_no_file(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        async def test(here: Place) -> None:
            visitor = here.visit()
            await visitor.say(post(bytes(100_000)))
            assert (await visitor.answer()).status == 500
            assert "its body could not be stored in the run directory" in caplog.text
            await visitor.say(post(bytes(1_000_000))[:-1])
            answer = await visitor.answer()
            assert (answer.status, answer.closes) == (500, True)
            assert "the body of a request could not be stored" in caplog.text

        with_place(test, directory=tmp_path / "none")


class TestDraining:
    def test_ends_an_idle_connection_at_once(self) -> None:
        async def test(here: Place) -> None:
            visitor = here.visit()
            await here.connection()
            assert not here.edge.quiet
            here.edge.drain()
            assert await visitor.rest() == b""
            assert here.edge.quiet

        with_place(test)

    def test_ends_the_others_with_their_answer(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            await visitor.say(get())
            await thread.take()
            here.edge.drain()
            here.everything.dispatch.drain()
            thread.say(whole())
            answer = await visitor.answer()
            assert (answer.body, answer.closes) == (b"hello", True)
            assert await visitor.rest() == b""

        with_place(test)

    def test_takes_a_request_that_is_on_its_way(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            await visitor.say(get()[:-1])
            await here.at(lambda connection: connection.receiving, "its beginning")
            here.edge.drain()
            here.everything.dispatch.drain()
            await visitor.say(b"\n")
            await serve(thread)
            assert (await visitor.answer()).closes
            await here.nobody_left()

        with_place(test)

    def test_answers_all_that_was_pipelined(self) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            visitor = here.visit()
            await visitor.say(get() * 3)
            await thread.take()
            here.edge.drain()
            here.everything.dispatch.drain()
            thread.say(whole(b"1"))
            await serve(thread, b"2")
            await serve(thread, b"3")
            answers = [await visitor.answer() for _ in range(3)]
            assert [(answer.body, answer.closes) for answer in answers] == [(b"1", False), (b"2", False), (b"3", True)]
            assert await visitor.rest() == b""

        with_place(test)

    def test_who_calls_then_is_not_served(self) -> None:
        async def test(here: Place) -> None:
            here.everything.dispatch.drain()
            visitor = here.visit()
            assert await visitor.rest() == b""
            assert here.edge.quiet

        with_place(test)

    def test_after_the_last_request_of_a_connection_that_is_ending(self) -> None:
        async def test(here: Place) -> None:
            visitor = here.visit()
            await visitor.say(b"\0")
            assert (await visitor.answer()).status == 501
            here.edge.drain()  # it is ending already
            visitor.half_close()
            await here.nobody_left()

        with_place(test)


class TestTooMany:
    def test_connections_are_turned_away(self) -> None:
        async def test(here: Place) -> None:
            here.edge.max_connections = 1
            first = here.visit()
            await here.connection()
            second = here.visit()
            assert (await second.answer()).status == 503
            assert await second.rest() == b""
            assert not first.has_something()
            assert len(here.edge.connections) == 1

        with_place(test)


def test_what_fails_in_a_callback_of_ours_ends_the_connection_and_is_seen() -> None:
    """Not a 400: the client has done nothing wrong."""

    async def test(here: Place) -> None:
        def broken() -> str:
            raise ZeroDivisionError("a fault")

        here.everything.dispatch.request_key = broken  # type: ignore[method-assign]
        faults: list[dict[str, Any]] = []
        here.edge.loop.set_exception_handler(lambda _, context: faults.append(context))
        visitor = here.visit()
        await here.connection()
        await visitor.say(get())
        await here.nobody_left()
        assert [type(fault["exception"]) for fault in faults] == [ZeroDivisionError]

    with_place(test)

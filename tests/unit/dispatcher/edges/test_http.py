import asyncio
import logging
import os
import resource
import socket
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.unit.dispatcher.edges.visitor import Visitor, get
from tests.unit.dispatcher.loops import run, turns, until
from tests.unit.dispatcher.running import running
from wsgid.channel.counts import EdgeCounts
from wsgid.dispatcher.access_file import AccessFile
from wsgid.dispatcher.access_log import AccessLog
from wsgid.dispatcher.descriptors import FEWEST_CONNECTIONS, MOST_CONNECTIONS, RESERVED
from wsgid.dispatcher.edges import http
from wsgid.dispatcher.edges.body_times import BodyTimes
from wsgid.dispatcher.edges.http import HttpEdge
from wsgid.dispatcher.edges.http_connection import HttpTimes
from wsgid.protocol.forwarded import FrontEnds
from wsgid.protocol.http_answer import RETRY_AFTER_SECONDS
from wsgid.protocol.limits import HttpLimits

LIMITS = HttpLimits(request_line=4096, fields=100, headers=16 * 1024, body=1024)
NOBODY = FrontEnds(["none"], "x-forwarded")


@asynccontextmanager
async def open_edge(header: float = 10.0) -> AsyncIterator[HttpEdge]:
    async with running() as everything:
        times = HttpTimes(header=header, keepalive=5.0, body=BodyTimes(60.0, 0.002))
        edge = HttpEdge(
            everything.dispatch, LIMITS, times, asyncio.get_running_loop(), "wsgid", FrontEnds(["none"], "x-forwarded")
        )
        try:
            yield edge
        finally:
            edge.drain()
            edge.close()
            await until(lambda: edge.quiet, "the connections to end")
            await turns(10)


def with_edge(test: Callable[[HttpEdge], Coroutine[Any, Any, None]], **changes: float) -> None:
    async def main() -> None:
        async with open_edge(**changes) as edge:
            await test(edge)

    run(main())


def logged(edge: HttpEdge) -> list[str]:
    """The lines of the access log."""
    log = edge.dispatch._access_log
    assert isinstance(log, AccessLog)
    assert isinstance(log._destination, AccessFile)
    log.flush()
    return os.pread(log._destination.descriptor, 1 << 20, 0).decode().splitlines()


def backlog_of(listener: socket.socket) -> int:
    """Of a listening socket, TCP_INFO tells it as tcpi_sacked (tcp(7), struct tcp_info)."""
    info = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    return int(struct.unpack_from("8B6I", info)[-1])


class TestListening:
    @pytest.mark.parametrize(
        ("family", "host", "address"),
        [(socket.AF_INET, "127.0.0.1", "http://127.0.0.1:{}"), (socket.AF_INET6, "::1", "http://[::1]:{}")],
    )
    def test_its_address_is_told_for_people(self, family: socket.AddressFamily, host: str, address: str) -> None:
        async def test(edge: HttpEdge) -> None:
            with socket.create_server((host, 0), family=family) as listener:
                port = listener.getsockname()[1]
                assert await edge.listen(listener, 77) == address.format(port)
                assert backlog_of(listener) == 77  # as the operator chose it
                socket.create_connection((host, port)).close()

        with_edge(test)

    def test_a_unix_socket_stays_for_the_next_dispatcher(self, tmp_path: Path) -> None:
        async def test(edge: HttpEdge) -> None:
            path = tmp_path / "http.sock"
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(path))
                listener.listen()
                assert await edge.listen(listener, 77) == f"unix:{path}"
                edge.drain()
                await turns(10)
                assert path.exists()

        with_edge(test)

    def test_an_abstract_socket_is_shown_by_its_name(self) -> None:
        async def test(edge: HttpEdge) -> None:
            name = f"wsgid-test-{os.getpid()}"
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(f"\0{name}")
                listener.listen()
                assert await edge.listen(listener, 77) == f"unix:@{name}"

        with_edge(test)

    def test_the_masters_copy_goes_on_listening_when_we_end(self) -> None:
        async def test(edge: HttpEdge) -> None:
            with socket.create_server(("127.0.0.1", 0)) as listener, listener.dup() as masters:
                await edge.listen(listener, 77)
                edge.drain()
                await turns(10)
                masters.setblocking(False)
                with socket.create_connection(masters.getsockname()):
                    await until(lambda: accepted(masters), "the connection")

        with_edge(test)


def accepted(listener: socket.socket) -> bool:
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


class TestWatching:
    def test_goes_on_until_the_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def test(edge: HttpEdge) -> None:
            with socket.create_server(("127.0.0.1", 0)) as listener:
                await edge.listen(listener, 77)
                for _ in range(2):
                    sock = socket.create_connection(listener.getsockname())
                    visitor = Visitor(sock)
                    await visitor.say(get()[:-1])
                    assert (await visitor.answer()).status == 408
                    visitor.close()
                edge.close()
                assert edge._watch.cancelled()

        monkeypatch.setattr(http, "WATCH_INTERVAL", 0.01)
        with_edge(test, header=0.02)


class TestConnections:
    @pytest.mark.parametrize(
        ("descriptors", "connections"),
        [
            (1000, (1000 - RESERVED) // 2),
            (100, FEWEST_CONNECTIONS),
            (RESERVED + 130, 65),
            (1_000_000, MOST_CONNECTIONS),
        ],
    )
    def test_are_as_many_as_there_are_descriptors_to_spare(
        self, descriptors: int, connections: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def test(edge: HttpEdge) -> None:
            assert edge.max_connections == connections
            assert edge.quiet

        monkeypatch.setattr(resource, "getrlimit", lambda what: (descriptors, 4096))
        with_edge(test)


@asynccontextmanager
async def full(edge: HttpEdge) -> AsyncIterator[Callable[[], Visitor]]:
    """An edge that has the one connection it may have; what is called makes another."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as visitors:

        def visit() -> Visitor:
            visitor = Visitor(socket.create_connection(listener.getsockname()))
            visitors.callback(visitor.close)
            return visitor

        listener.setblocking(False)
        await edge.listen(listener, 77)
        edge.max_connections = 1
        visit()
        await until(lambda: edge.connections, "the connection")
        yield visit


class TestTooMany:
    def test_are_told_to_come_again(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test(edge: HttpEdge) -> None:
            async with full(edge) as visit:
                for _ in range(2):
                    visitor = visit()
                    answer = await visitor.answer()
                    assert (answer.status, answer.closes) == (503, True)
                    assert answer.headers["retry-after"] == str(RETRY_AFTER_SECONDS)
                    assert answer.headers["server"] == "wsgid"
                    assert b"too many connections" in answer.body
                    assert await visitor.rest() == b""
                lines = logged(edge)
                assert [line.split('"')[1] for line in lines] == ["- - HTTP/1.1"] * 2
                assert all(" 503 0 " in line and line.endswith(" end=refused") for line in lines)

        with caplog.at_level(logging.WARNING, "wsgid.dispatcher"):
            with_edge(test)
        [told] = caplog.messages
        assert told.startswith("there are 1 HTTP connections, as many as may be; more clients are answered 503.")
        assert "ulimit -n" in told
        assert "LimitNOFILE" in told

    def test_are_complained_of_once_in_a_while(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def test(edge: HttpEdge) -> None:
            async with full(edge) as visit:
                for _ in range(2):
                    await visit().answer()

        monkeypatch.setattr(http, "TELL_INTERVAL", 0.0)
        with_edge(test)
        assert len(caplog.messages) == 2

    def test_get_their_answer_even_if_they_have_much_to_say(self) -> None:
        """What is unread when a connection is closed resets it, and the answer is lost."""

        async def test(edge: HttpEdge) -> None:
            async with full(edge) as visit:
                visitor = visit()
                await visitor.say(get(), b"x" * 1_000_000)
                assert (await visitor.answer()).status == 503
                assert await visitor.rest() == b""

        with_edge(test)

    def test_do_not_stay(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def test(edge: HttpEdge) -> None:
            async with full(edge) as visit:
                visitor = visit()
                await visitor.answer()
                await until(lambda: not edge._turned_away, "the end of the connection")

        monkeypatch.setattr(http, "LINGER", 0.01)
        with_edge(test)

    def test_are_just_ended_when_even_those_are_too_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def test(edge: HttpEdge) -> None:
            async with full(edge) as visit:
                await visit().answer()
                assert await visit().rest() == b""

        monkeypatch.setattr(http, "MOST_TURNED_AWAY", 1)
        with_edge(test)

    def test_are_ended_with_the_edge(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def test(edge: HttpEdge) -> None:
            async with full(edge) as visit:
                visitor = visit()
                await visitor.answer()
                edge.close()
                await until(lambda: not edge._turned_away, "the end of the connection")

        monkeypatch.setattr(http, "LINGER", 1000.0)
        with_edge(test)

    def test_are_welcome_once_there_is_room(self) -> None:
        async def test(edge: HttpEdge) -> None:
            async with full(edge) as visit:
                await visit().answer()
                edge.max_connections = 2
                visit()
                await until(lambda: len(edge.connections) == 2, "the connection")
                assert edge.counts() == EdgeCounts("http", open=2, accepted=2, turned_away=1)

        with_edge(test)

import asyncio
import resource
import socket
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.unit.dispatcher.edges.visitor import Visitor, get
from tests.unit.dispatcher.loops import run, turns, until
from tests.unit.dispatcher.running import running
from wsgid.dispatcher.edges import http
from wsgid.dispatcher.edges.http import FEWEST_CONNECTIONS, RESERVED_DESCRIPTORS, HttpEdge
from wsgid.dispatcher.edges.http_connection import HttpTimes
from wsgid.protocol.http_reader import HttpLimits

LIMITS = HttpLimits(request_line=4096, fields=100, headers=16 * 1024, body=1024)


@asynccontextmanager
async def open_edge(header: float = 10.0) -> AsyncIterator[HttpEdge]:
    async with running() as everything:
        times = HttpTimes(header=header, keepalive=5.0)
        with ThreadPoolExecutor(1) as executor:
            edge = HttpEdge(
                everything.dispatch,
                LIMITS,
                times,
                str(everything.directory),
                executor,
                asyncio.get_running_loop(),
                "wsgid",
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
        [(1000, 1000 - RESERVED_DESCRIPTORS), (100, FEWEST_CONNECTIONS), (RESERVED_DESCRIPTORS + 65, 65)],
    )
    def test_are_as_many_as_there_are_descriptors_to_spare(
        self, descriptors: int, connections: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def test(edge: HttpEdge) -> None:
            assert edge.max_connections == connections
            assert edge.quiet

        monkeypatch.setattr(resource, "getrlimit", lambda what: (descriptors, 4096))
        with_edge(test)

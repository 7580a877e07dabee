"""Over a real socket: what is answered, and what those who misbehave cost."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import h11
import pytest

from tests.unit.channel.counted import NOTHING
from tests.unit.dispatcher.loops import run, turns, until
from wsgid.channel.commands import Report, WorkerReport, WorkerState
from wsgid.channel.orders import Sizes
from wsgid.dispatcher import metrics_server
from wsgid.dispatcher.clock import Clock
from wsgid.dispatcher.exposition import CONTENT_TYPE
from wsgid.dispatcher.metrics import Facts
from wsgid.dispatcher.metrics_server import MOST_CONNECTIONS, MetricsServer, readiness
from wsgid.dispatcher.weighing import Told

SIZES = Sizes(1, 2, {3: 4})
METRICS_ASKED = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"


def a_report(*states: WorkerState, draining: bool = False) -> Report:
    workers = [WorkerReport(pid, state, 1, 0, 0, []) for pid, state in enumerate(states)]
    return Report(4242, [], draining, 0, 0, 0, workers, 0, 0.0, NOTHING)


@dataclass
class Served:
    address: tuple[str, int]
    server: MetricsServer
    weighed: list[Told] = field(default_factory=list)
    """Who waits for the sizes."""
    report: Report = field(default_factory=lambda: a_report(WorkerState.READY))
    texts: int = 0
    """That were made of the metrics."""

    def facts(self, sizes: Sizes | None) -> Facts:
        self.texts += 1
        return Facts(self.report, sizes, 1024, 0.0, 0)

    def connect(self) -> socket.socket:
        sock = socket.create_connection(self.address)
        sock.setblocking(False)
        return sock

    async def ask(self, target: str, method: str = "GET", body: bytes = b"") -> tuple[h11.Response, bytes]:
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        return await self.said(f"{method} {target} HTTP/1.1\r\nHost: a\r\n{length}\r\n".encode() + body, method)

    async def said(self, request: bytes, method: str = "GET") -> tuple[h11.Response, bytes]:
        with self.connect() as sock:
            sock.send(request)
            await until(lambda: self.weighed or _readable(sock), "an answer, or a question for it")
            for told in self.weighed:
                told(SIZES)
            self.weighed.clear()
            return await _read(sock, method)


@asynccontextmanager
async def serving() -> AsyncIterator[Served]:
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", 0))
    server = MetricsServer(
        loop,
        Clock(),
        "wsgid",
        report=lambda: made.report,
        facts=lambda sizes: made.facts(sizes),
        weigh=lambda told: made.weighed.append(told),
    )
    made = Served(listener.getsockname(), server)
    await server.listen(listener)
    try:
        yield made
    finally:
        server.close()
        await until(lambda: not server.scrapers, "the scrapers to be forgotten")
        listener.close()


def _readable(sock: socket.socket) -> bool:
    try:
        sock.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
    return True


async def _read(sock: socket.socket, method: str) -> tuple[h11.Response, bytes]:
    """As h11 reads it, to the end of the connection."""
    judge = h11.Connection(h11.CLIENT)
    judge.send(h11.Request(method=method, target="/", headers=[("host", "judge")]))
    judge.send(h11.EndOfMessage())
    loop, data = asyncio.get_running_loop(), b""
    while piece := await loop.sock_recv(sock, 65536):
        data += piece
    judge.receive_data(data)
    judge.receive_data(b"")
    response = judge.next_event()
    assert isinstance(response, h11.Response)
    body = b""
    while isinstance(event := judge.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    return response, body


def test_metrics() -> None:
    async def main() -> None:
        async with serving() as served:
            response, body = await served.ask("/metrics?x=1")
        assert response.status_code == 200
        assert (b"content-type", CONTENT_TYPE.encode()) in response.headers
        assert b'wsgid_resident_memory_bytes{process="master"} 1\n' in body

    run(main())


@pytest.mark.parametrize(
    ("method", "target", "status", "told"),
    [
        ("GET", "/healthz", 200, b"ok\n"),
        ("HEAD", "/healthz", 200, b""),
        ("GET", "/readyz", 200, b"ready: 1 worker serves\n"),
        ("GET", "/", 404, b"there are /metrics, /healthz and /readyz\n"),
        ("GET", "/metrics/", 404, b"there are /metrics, /healthz and /readyz\n"),
        ("POST", "/metrics", 405, b"only GET, HEAD\n"),
        ("DELETE", "/", 405, b"only GET, HEAD\n"),
        ("BREW", "/", 501, b"501 Not Implemented: a method that is not known here\n"),
    ],
)
def test_what_is_asked_for(method: str, target: str, status: int, told: bytes) -> None:
    async def main() -> None:
        async with serving() as served:
            response, body = await served.ask(target, method, b"x" if method == "POST" else b"")
        assert (response.status_code, body) == (status, told)
        assert (b"connection", b"close") in response.headers
        assert ((b"allow", b"GET, HEAD") in response.headers) is (status == 405)

    run(main())


def test_one_that_is_not_ready_says_so() -> None:
    async def main() -> None:
        async with serving() as served:
            served.report = a_report(draining=True)
            response, body = await served.ask("/readyz")
        assert (response.status_code, body) == (503, b"not ready: the daemon stops\n")

    run(main())


@pytest.mark.parametrize(
    ("report", "why", "ready"),
    [
        (a_report(), "not ready: no worker has loaded the application yet", False),
        (a_report(WorkerState.HUNG, WorkerState.LEAVING), "not ready: no worker serves (1 leaving, 1 hung)", False),
        (a_report(WorkerState.READY, draining=True), "not ready: the daemon stops", False),
        (a_report(WorkerState.READY, WorkerState.STARTING), "ready: 1 worker serves", True),
        (a_report(WorkerState.BUSY, WorkerState.BUSY), "ready: 2 workers serve", True),
    ],
)
def test_readiness(report: Report, why: str, ready: bool) -> None:
    assert readiness(report) == (why, ready)


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"\x16\x03\x01 hello\r\n\r\n", 501),
        (b"GET /metrics HTTP/1.1\r\n\r\n", 400),
        (b"GET /" + b"x" * 2000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nx: " + b"y" * 20_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n", 413),
    ],
)
def test_what_is_no_request_of_ours_is_refused(request_bytes: bytes, status: int) -> None:
    async def main() -> None:
        async with serving() as served:
            response, _ = await served.said(request_bytes)
        assert response.status_code == status

    run(main())


def test_what_is_pipelined_is_not_answered() -> None:
    async def main() -> None:
        async with serving() as served:
            request = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
            response, body = await served.said(request + request)
        assert (response.status_code, body) == (200, b"ok\n")

    run(main())


def test_those_that_hang_make_room_the_oldest_first() -> None:
    async def main() -> None:
        async with serving() as served:
            hanging: list[socket.socket] = []
            for _ in range(MOST_CONNECTIONS):
                hanging.append(served.connect())
                await until(lambda: len(served.server.scrapers) == len(hanging), "this one")
            response, _ = await served.ask("/readyz")
            assert response.status_code == 200
            await until(lambda: _readable(hanging[0]), "the end of the oldest")
            assert not any(_readable(each) for each in hanging[1:])
            for each in hanging:
                each.close()

    run(main())


def test_those_that_wait_for_the_metrics_make_no_room() -> None:
    async def main() -> None:
        async with serving() as served:
            waiting = [served.connect() for _ in range(MOST_CONNECTIONS)]
            for each in waiting:
                each.send(METRICS_ASKED)
            await until(lambda: len(served.server.waiting) == MOST_CONNECTIONS, "all of them")
            with served.connect() as one_too_many:
                await until(lambda: _readable(one_too_many), "its end")
            served.weighed.pop()(SIZES)
            for each in waiting:
                response, _ = await _read(each, "GET")
                assert response.status_code == 200
                each.close()

    run(main())


def test_no_connection_lasts_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_server, "PATIENCE", 0.2)

    async def main() -> None:
        async with serving() as served:
            with served.connect() as hanging:
                await until(lambda: served.server.scrapers, "it")
                await until(lambda: _readable(hanging), "its end")

    run(main())


def test_one_that_leaves_before_its_answer_is_forgotten() -> None:
    async def main() -> None:
        async with serving() as served:
            with served.connect() as sock:
                sock.send(METRICS_ASKED)
                await until(lambda: served.weighed, "the question")
            await until(lambda: not served.server.scrapers, "it to be forgotten")
            served.weighed.pop()(SIZES)
            assert served.texts == 0
            assert (await served.ask("/metrics"))[0].status_code == 200
            assert served.texts == 1

    run(main())


def test_all_who_wait_get_one_text_and_are_one_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_server, "APART", 0.0)

    async def main() -> None:
        async with serving() as served:
            asking = [served.connect() for _ in range(3)]
            for each in asking:
                each.send(METRICS_ASKED)
            await until(lambda: served.weighed and len(served.server.waiting) == 3, "all of them")
            await turns()
            (told,) = served.weighed
            told(SIZES)
            answers = [await _read(each, "GET") for each in asking]
            assert [response.status_code for response, _ in answers] == [200] * 3
            assert (served.texts, len({body for _, body in answers})) == (1, 1)
            for each in asking:
                each.close()

    run(main())


def test_one_that_asks_without_end_gets_few_texts_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_server, "APART", 0.2)

    async def main() -> None:
        async with serving() as served:
            loop, times = asyncio.get_running_loop(), []
            for _ in range(3):
                await served.ask("/metrics")
                times.append(loop.time())
            assert times[2] - times[0] > 0.39, "the clock of the loop has milliseconds"

    run(main())


def test_at_the_end_those_that_hang_are_ended() -> None:
    async def main() -> None:
        async with serving() as served:
            with served.connect() as hanging:
                await until(lambda: served.server.scrapers, "the connection")
                served.server.close()
                await until(lambda: _readable(hanging), "its end")

    run(main())


def test_what_comes_behind_a_request_is_not_looked_at() -> None:
    async def main() -> None:
        async with serving() as served:
            with served.connect() as sock:
                sock.send(METRICS_ASKED)
                await until(lambda: served.weighed, "the question")
                sock.send(b"\x00" * 1000)
                await turns()
                served.weighed.pop()(SIZES)
                await until(lambda: not served.server.scrapers, "its end")

    run(main())

"""What a usual request costs: a guard against what nobody meant to add to every one of them.

Counts and no times, so it fails neither on a slow machine nor by chance. A change that is meant to cost something
raises the limit here, in its own commit, whose message says how much and for what; one that makes requests cheaper
lowers it. The limits are some hundredths above what Python 3.11 needs (newer ones need fewer instructions).
docs/performance.md tells where the time goes; ``scripts/profile`` prints it anew.
"""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication

import pytest

from tests.cost import ROUNDS, Cost, async_cost_of, calls_of, cost_of, kept_by, peak_of
from tests.unit.dispatcher.edges import test_http_connection, test_mongrel2
from tests.unit.dispatcher.edges.mongrel2_side import Mongrel2Side
from tests.unit.dispatcher.far_end import READ_SIZE, FarEnd
from tests.unit.dispatcher.loops import run, until
from tests.unit.dispatcher.requests import a_request
from tests.unit.protocol.mongrel2_writer import REQUEST_LINE, json_message
from wsgid.channel import frames
from wsgid.channel.frames import Answer
from wsgid.protocol.http_answer import written
from wsgid.protocol.values import Head
from wsgid.worker import checks, environ
from wsgid.worker.channel import Channel
from wsgid.worker.environ import Environ, environ_template
from wsgid.worker.in_hand import InHand
from wsgid.worker.serve import serve

WORKER = 1075
"""Instructions in the worker, from the frame that comes to the frame that goes."""
WORKER_SYSTEM_CALLS = {"poll.poll": 1, "socket.recvmsg": 1, "socket.sendall": 1}
"""It waits, takes the request and gives the answer: three system calls. A clock, a lock or a file would be more."""
HTTP = 1840
"""Instructions in the dispatcher, by the HTTP edge."""
HTTP_LOOP_CALLS = 1
"""What the event loop is asked to call later for each request: the access log's writing. Time limits are looked at on
one tick for all; a timer for each request would cost more than parsing it."""
MONGREL2 = 2560
"""As `HTTP`, by the Mongrel2 edge."""
MONGREL2_LOOP_CALLS = 2.6
"""The sending of answers besides; and now and then the edge's look at its clients, once a second."""

BODY = b"Hello, World!\n"
HEADERS = [("Content-Type", "text/plain"), ("Content-Length", str(len(BODY)))]
ANSWER = frames.answer(Answer(written(Head("200 OK", HEADERS, len(BODY))), BODY, True))
ASKED = {"host": "localhost:8000", "user-agent": "curl/8.5.0", "accept": "*/*"}
GET = b"GET / HTTP/1.1\r\n" + b"".join(f"{name}: {value}\r\n".encode() for name, value in ASKED.items()) + b"\r\n"
MESSAGE = json_message({**REQUEST_LINE}, {**ASKED}, b"", "srv-1 1 /t")

LARGE = b"x" * (200 * 1024)
COPIES = 0.5
"""Of a large body that the worker may hold at once, beside the application's own: none, and room for what it reads."""

SYSTEM_CALLS = ("socket.", "poll.", "select.", "time.", "posix.", "_thread.")
"""How the names of what asks the kernel for something begin."""


def hello(_: Environ, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", HEADERS)
    return [BODY]


def large(_: Environ, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("Content-Length", str(len(LARGE)))])
    return [LARGE]


class WorkerThread:
    """What one thread of a worker has, with the test as its dispatcher."""

    def __init__(self, sock: socket.socket, dispatcher: socket.socket) -> None:
        self._channel = Channel(sock)
        self._dispatcher = dispatcher
        self._answer = bytearray(2 * len(LARGE))
        self._in_hand = InHand()
        self._template = environ_template(threads=1)
        self._request = frames.request(a_request(headers=list(ASKED.items())))

    def serve(self, application: WSGIApplication = hello) -> None:
        """One request, as `Taker` does it."""
        self._dispatcher.send(self._request)
        taken = self._channel.take()
        assert isinstance(taken, tuple)
        serve(application, *taken, self._channel.outlet, self._template, self._in_hand, None)
        self._dispatcher.recv_into(self._answer)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerThread]:
    # Other tests fill what is remembered to its limit.
    for known in ("_known_names", "_known_statuses"):
        monkeypatch.setattr(checks, known, {})
    monkeypatch.setattr(environ, "_known_names", {})
    with worker_thread() as thread:
        yield thread


@contextmanager
def worker_thread() -> Iterator[WorkerThread]:
    dispatcher, sock = socket.socketpair()
    dispatcher.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2 * len(LARGE))
    with dispatcher, sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * len(LARGE))
        yield WorkerThread(sock, dispatcher)


def test_the_worker_needs_no_more_instructions(worker: WorkerThread) -> None:
    cost = cost_of(worker.serve)
    assert cost.total <= WORKER, cost


def test_the_worker_asks_the_kernel_for_no_more(worker: WorkerThread) -> None:
    cost = cost_of(worker.serve)
    assert {name: n for name, n in cost.c_calls.items() if name.startswith(SYSTEM_CALLS)} == WORKER_SYSTEM_CALLS


def test_the_worker_keeps_nothing_and_leaves_no_cycles(worker: WorkerThread) -> None:
    blocks, garbage = kept_by(worker.serve, 200)
    assert blocks < 20, "a block for every tenth request would be a leak"
    assert garbage == 0, "cycles are left to the garbage collector"


def test_the_worker_copies_a_large_body_no_more_often(worker: WorkerThread) -> None:
    assert peak_of(lambda: worker.serve(large)) <= COPIES * len(LARGE)


async def _ask(client: socket.socket, far: FarEnd) -> None:
    """One request by HTTP, its worker played by the test, as bytes that nobody looks at."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(client, GET)
    await loop.sock_recv(far.sock, READ_SIZE)
    await loop.sock_sendall(far.sock, ANSWER)
    await loop.sock_recv(client, READ_SIZE)


async def by_http() -> tuple[Cost, int]:
    """A request's cost in the dispatcher, and what the loop was asked for in all rounds."""
    asked = calls_of(asyncio.get_running_loop())
    async with test_http_connection.place() as here:
        [far] = (await here.worker()).threads
        client = here.visit().sock
        client.setblocking(False)
        await _ask(client, far)
        before = asked.total()
        return await async_cost_of(lambda: _ask(client, far)), asked.total() - before


def test_the_dispatcher_needs_no_more_by_http() -> None:
    cost, asked = run(by_http())
    assert cost.total <= HTTP, cost
    assert asked <= HTTP_LOOP_CALLS * ROUNDS


async def _ask_mongrel2(side: Mongrel2Side, far: FarEnd) -> None:
    loop = asyncio.get_running_loop()
    await side.send(MESSAGE)
    await loop.sock_recv(far.sock, READ_SIZE)
    await loop.sock_sendall(far.sock, ANSWER)
    await side.receive()


async def by_mongrel2(folder: Path) -> tuple[Cost, int]:
    """As `by_http`."""
    asked = calls_of(asyncio.get_running_loop())
    async with test_mongrel2.place(folder) as here:
        [far] = (await here.worker()).threads
        await _ask_mongrel2(here.side, far)
        await until(lambda: here.edge.flow.on is False, "it to be known that there is no flow control")
        before = asked.total()
        return await async_cost_of(lambda: _ask_mongrel2(here.side, far)), asked.total() - before


def test_the_dispatcher_needs_no_more_by_mongrel2(tmp_path: Path) -> None:
    cost, asked = run(by_mongrel2(tmp_path))
    assert cost.total <= MONGREL2, cost
    assert asked <= MONGREL2_LOOP_CALLS * ROUNDS

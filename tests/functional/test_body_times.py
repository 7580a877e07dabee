"""How slowly a body may come in by HTTP: what stops or crawls is refused with 408, what is slow but steady is served,
and no worker waits for either."""

import hashlib
import select

import pytest

from tests.functional import clients
from tests.functional.clients import Connection
from tests.functional.conftest import MakeDaemon
from tests.functional.daemon import Daemon
from tests.functional.gate import Gates

PACE = 0.1
"""Seconds between two pieces of a slow body."""

SLOW = ("--body-timeout", "2", "--min-body-rate", "200")
"""A client is cut when it is two seconds behind."""

LENGTH = 3000


def start(daemon: Daemon, body: bytes = b"", headers: dict[str, str] | None = None) -> Connection:
    client = Connection(daemon.address)
    head = clients.request_bytes("/echo", "POST", {"Content-Length": str(LENGTH), **(headers or {})})
    client.send(head + body)
    return client


def answered(client: Connection, pace: float = PACE) -> bool:
    """Within the pace at which it sends."""
    return bool(select.select([client.socket], [], [], pace)[0])


@pytest.mark.parametrize("large", [False, True], ids=["in memory", "in a file"])
def test_a_body_that_stops(serve: MakeDaemon, large: bool) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", *SLOW)
    beginning = bytes(200_000) if large else b"a few bytes"
    with start(daemon, beginning, {"Content-Length": "300000"}) as client:
        answer = client.answer("POST")
        assert (answer.status, answer.header("connection")) == (408, "close")
        client.expect_end()
    [line] = daemon.wait_for_access(1)
    assert '"POST /echo HTTP/1.1" 408 ' in line
    assert clients.request(daemon.url + "/").status == 200


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "chunked"])
def test_a_body_that_crawls(serve: MakeDaemon, chunked: bool) -> None:
    """A byte now and then keeps no connection: this is how few clients would take them all."""
    daemon = serve("plain", "--bind", "127.0.0.1:0", *SLOW)
    head = {"Content-Length": "", "Transfer-Encoding": "chunked"} if chunked else {}
    with Connection(daemon.address) as client:
        lines = {name: value for name, value in {"Content-Length": str(LENGTH), **head}.items() if value}
        client.send(clients.request_bytes("/echo", "POST", lines))
        sent = 0
        while not answered(client):
            client.send(b"1\r\nx\r\n" if chunked else b"x")
            sent += 1
            assert sent < 300, "half a minute, and nobody minds"
        assert client.answer("POST").status == 408
    assert sent > 10, "it was cut while it was sending"


def test_a_rate_of_0_leaves_crawling_bodies_alone(serve: MakeDaemon) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", "--body-timeout", "2", "--min-body-rate", "0")
    with start(daemon, headers={"Content-Length": "40"}) as client:
        for _ in range(40):
            assert not answered(client)
            client.send(b"x")
        assert client.answer("POST").body == b"x" * 40


def test_slow_and_steady_bodies_are_served_and_cost_no_worker(serve: MakeDaemon) -> None:
    """At 1 KB/s each, for longer than the time that a client may be behind."""
    daemon = serve("plain", "--bind", "127.0.0.1:0", *SLOW, "--workers", "1")
    body = bytes(range(100)) * (LENGTH // 100)
    slow = [start(daemon) for _ in range(50)]
    for begin in range(0, LENGTH, 100):
        for client in slow:
            client.send(body[begin : begin + 100])
        assert clients.request(daemon.url + "/").status == 200
        assert not answered(slow[0]) or begin + 100 == LENGTH
    for client in slow:
        assert client.answer("POST").header("x-body-sha256") == hashlib.sha256(body).hexdigest()
        client.close()
    lines = daemon.wait_for_access(LENGTH // 100 + len(slow))
    assert all(" 200 " in line for line in lines)


def test_who_waits_for_100_continue_has_its_time_from_then_on(serve: MakeDaemon, gates: Gates) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", "--body-timeout", "0.5", env=gates.env)
    with Connection(daemon.address) as client:
        client.ask(f"/hold?fifo={gates.make('before')}")
        client.send(clients.request_bytes("/echo", "POST", {"Content-Length": "4", "Expect": "100-continue"}))
        gates.wait_until_held("before")
        assert not answered(client, 1.5)
        gates.release("before", b"held")
        assert client.answer().body == b"held"
        assert client.receive() == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"body")
        assert client.answer("POST").body == b"body"

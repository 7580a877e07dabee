"""How slowly a body may come in by HTTP: what stops or crawls is refused with 408, what is slow but steady is served,
and no worker waits for either."""

import hashlib
import select
import time

import pytest

from tests.deadlines import seconds
from tests.functional import clients
from tests.functional.clients import Connection
from tests.functional.conftest import MakeDaemon
from tests.functional.daemon import Daemon
from tests.functional.gate import Gates

PACE = 0.1
"""Seconds between two pieces of a slow body."""

BEHIND = seconds(5)
"""Seconds that a client may be behind: for so long this process may stand still between two pieces."""

LONGER = 1.3 * BEHIND
"""Seconds. What is on its way for so long has been forgiven something."""

SLOW = ("--body-timeout", str(BEHIND), "--min-body-rate", "100")
"""Bytes a second. The slow and steady send ten times as many, those that crawl a tenth."""

CHUNKED = {"Transfer-Encoding": "chunked"}


def start(daemon: Daemon, headers: dict[str, str], body: bytes = b"") -> Connection:
    client = Connection(daemon.address)
    client.send(clients.request_bytes("/echo", "POST", headers) + body)
    return client


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def answered(client: Connection, pace: float = PACE) -> bool:
    """Within the pace at which it sends."""
    return bool(select.select([client.socket], [], [], pace)[0])


@pytest.mark.parametrize("large", [False, True], ids=["in memory", "in a file"])
def test_a_body_that_stops(serve: MakeDaemon, large: bool) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", "--body-timeout", "1")
    beginning = bytes(300_000) if large else b"a few bytes"
    with start(daemon, {"Content-Length": "400000"}, beginning) as client:
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
    with start(daemon, CHUNKED if chunked else {"Content-Length": "3000"}) as client:
        sent = 0
        while not answered(client):
            client.send(chunk(b"x") if chunked else b"x")
            sent += 1
            assert sent * PACE < 6 * BEHIND, "all this time, and nobody minds"
        assert client.answer("POST").status == 408
    assert sent > 5, "it was to be cut while it was sending"


def test_a_rate_of_0_leaves_crawling_bodies_alone(serve: MakeDaemon) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", "--body-timeout", str(BEHIND), "--min-body-rate", "0")
    with start(daemon, CHUNKED) as client:
        sent, began = 0, time.monotonic()
        while time.monotonic() - began < LONGER:
            assert not answered(client)
            client.send(chunk(b"x"))
            sent += 1
        client.send(chunk(b""))
        assert client.answer("POST").body == b"x" * sent


def test_slow_and_steady_bodies_are_served_and_cost_no_worker(serve: MakeDaemon) -> None:
    """At 1 KB/s each, for longer than the time that a client may be behind."""
    daemon = serve("plain", "--bind", "127.0.0.1:0", *SLOW, "--workers", "1")
    slow = [start(daemon, CHUNKED) for _ in range(50)]
    body, rounds, began = b"", 0, time.monotonic()
    while time.monotonic() - began < LONGER:
        piece = bytes([rounds % 256]) * 100
        body, rounds = body + piece, rounds + 1
        for client in slow:
            client.send(chunk(piece))
        assert clients.request(daemon.url + "/").status == 200
        assert not answered(slow[0])
    for client in slow:
        client.send(chunk(b""))
        assert client.answer("POST").header("x-body-sha256") == hashlib.sha256(body).hexdigest()
        client.close()
    lines = daemon.wait_for_access(rounds + len(slow))
    assert all(" 200 " in line for line in lines)


def test_who_waits_for_100_continue_has_its_time_from_then_on(serve: MakeDaemon, gates: Gates) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", "--body-timeout", str(BEHIND), env=gates.env)
    with Connection(daemon.address) as client:
        client.ask(f"/hold?fifo={gates.make('before')}")
        client.send(clients.request_bytes("/echo", "POST", {"Content-Length": "4", "Expect": "100-continue"}))
        gates.wait_until_held("before")
        assert not answered(client, LONGER)
        gates.release("before", b"held")
        assert client.answer().body == b"held"
        assert client.receive() == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"body")
        assert client.answer("POST").body == b"body"

"""Answers by credits (download.flow_control), behind the real server, which ends a connection over a byte too many."""

import signal
import socket

import pytest

from tests import proc
from tests.deadlines import wait_for
from tests.functional import clients
from tests.functional.clients import Connection
from tests.functional.conftest import MakeDaemon, MakeMongrel2
from tests.functional.gate import Gates

HELLO = b"Hello, World!\n"
FLOW_CONTROL = {"download.flow_control": "1"}
LIMIT = 102_400
"""Bytes that may wait for a client in Mongrel2."""

LARGE = bytes(range(256)) * 4096
"""1 MiB: ten times as much."""

PROTOCOLS = pytest.mark.parametrize("protocol", ["json", "tnetstring"])


@PROTOCOLS
def test_answers_of_any_shape(mongrel2: MakeMongrel2, serve: MakeDaemon, protocol: str) -> None:
    server = mongrel2(protocol=protocol, settings=FLOW_CONTROL)
    serve("plain", *server.options)
    with Connection(server.address) as client:
        for count, size in ((100_000, 10), (1000, 1000), (30, LIMIT - 1), (30, LIMIT), (30, LIMIT + 1), (3, 1_000_000)):
            client.ask(f"/stream?n={count}&size={size}")
            assert len(client.answer().body) == count * size


def test_the_balance_of_a_connection_is_kept(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    """Mongrel2 says it once. Each of these takes more than half of it."""
    server = mongrel2(settings={**FLOW_CONTROL, "limits.content_length": str(2 * LIMIT)})
    serve("plain", *server.options)
    with Connection(server.address) as client:
        for size in (60_000, LIMIT // 2, LIMIT - 1000, LIMIT, LIMIT + 1000) * 8:
            client.ask("/echo", "POST", body=bytes(size))
            assert client.answer().body == bytes(size)


def test_pipelined_answers(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    server = mongrel2(settings=FLOW_CONTROL)
    serve("plain", *server.options, "--workers", "2")
    with Connection(server.address) as client:
        for _ in range(40):
            client.ask("/stream?n=1&size=50000")
        for _ in range(40):
            assert len(client.answer().body) == 50_000


@pytest.mark.parametrize("settings", [{}, {"upload.stream": "1"}])
def test_uploads_name_the_balance_more_than_once(
    mongrel2: MakeMongrel2, serve: MakeDaemon, settings: dict[str, str]
) -> None:
    server = mongrel2(settings={**FLOW_CONTROL, **settings})
    serve("plain", *server.options)
    with Connection(server.address) as client:
        for _ in range(3):
            client.ask("/echo", "POST", body=LARGE)
            assert client.answer().body == LARGE


def test_a_slow_reader_gets_it_all(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    """More than all buffers between the application and the client take."""
    server = mongrel2(settings=FLOW_CONTROL)
    serve("plain", *server.options, "--workers", "2")
    with Connection(server.address) as client:
        client.ask("/stream?n=320&size=100000")
        for _ in range(3):  # while nothing is read
            assert clients.request(server.url + "/").body == HELLO
        assert len(client.answer().body) == 32_000_000


def test_parts_are_not_held(mongrel2: MakeMongrel2, serve: MakeDaemon, gates: Gates) -> None:
    server = mongrel2(settings=FLOW_CONTROL)
    serve("plain", *server.options, env=gates.env)
    for name in ("one", "two"):
        with Connection(server.address) as client:
            client.ask(f"/gate-stream?fifo={gates.make(name)}")
            received = b""
            while b"first" not in received:
                received += client.receive()
            gates.release(name)
            while b"second" not in received:
                received += client.receive()


def test_a_client_that_leaves_in_the_midst(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    server = mongrel2(settings=FLOW_CONTROL)
    daemon = serve("plain", *server.options)
    client = Connection(server.address)
    client.ask("/stream?n=320&size=100000")
    assert client.receive()
    client.close()
    assert clients.request(server.url + "/").body == HELLO
    wait_for(lambda: sum(" 499 " in line for line in daemon.access_log) == 1, "its line in the log")


@pytest.mark.parametrize("size", [100, 1_000_000])
def test_after_the_dispatchers_death_a_connection_gets_one_answer(
    mongrel2: MakeMongrel2, serve: MakeDaemon, size: int
) -> None:
    """What waits for it in Mongrel2 is not known. Others are as always."""
    server = mongrel2(settings=FLOW_CONTROL)
    daemon = serve("plain", *server.options)
    with Connection(server.address) as old, Connection(server.address) as other:
        for client in (old, other):
            client.ask("/")
            assert client.answer().body == HELLO
        daemon.replace_dispatcher()
        with Connection(server.address) as new:
            new.ask("/")  # with it we learn that there is flow control
            assert new.answer().body == HELLO
            old.ask(f"/stream?n=1&size={size}")
            answer = old.answer()
            assert (len(answer.body), answer.header("connection")) == (size, "close")
            old.expect_end()
            for client in (new, new):
                client.ask("/stream?n=3&size=100000")
                assert len(client.answer().body) == 300_000


def test_after_the_dispatchers_death_the_first_answer_is_large(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    """Nothing has told the new one that there is flow control."""
    server = mongrel2(settings=FLOW_CONTROL)
    daemon = serve("plain", *server.options)
    with Connection(server.address) as client:
        client.ask("/")
        assert client.answer().body == HELLO
        daemon.replace_dispatcher()
        client.ask("/stream?n=1&size=1000000")
        assert len(client.answer().body) == 1_000_000


def test_a_restart_of_mongrel2_begins_all_balances_anew(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    """Its connections have the numbers of earlier ones again."""
    server = mongrel2(settings=FLOW_CONTROL)
    serve("plain", *server.options)
    for _ in range(3):
        with Connection(server.address) as client:
            client.ask("/stream?n=100&size=100000")
            assert client.receive()
            server.restart()
        with Connection(server.address) as client:
            client.ask("/stream?n=3&size=100000")
            assert len(client.answer().body) == 300_000


def test_flow_control_can_be_turned_off(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    settings = dict(FLOW_CONTROL)
    server = mongrel2(settings=settings)
    serve("plain", *server.options)
    for value in ("1", "0", "1"):
        server.stop()
        server.settings = {"download.flow_control": value}
        server.start()
        for _ in range(2):
            with Connection(server.address) as client:
                client.ask("/stream?n=20000&size=10")
                assert len(client.answer().body) == 200_000


def test_a_stop_waits_for_mongrel2_to_write_it_all(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    """Mongrel2 tells of what it writes; with nobody there to be told, it would stand still and its client wait."""
    server = mongrel2(settings=FLOW_CONTROL)
    daemon = serve("plain", *server.options)
    with Connection(server.address) as client:
        client.ask("/stream?n=320&size=100000", version="1.0")
        received = len(client.receive())
        daemon.send(signal.SIGTERM)
        while proc.alive(daemon.pid) and (piece := client.receive()):
            received += len(piece)
        assert daemon.wait() == 0
        while piece := client.receive():
            received += len(piece)
    assert received > 32_000_000


def test_a_stop_finishes_what_is_in_progress(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    """For which it needs credits to the end. With them come new requests."""
    server = mongrel2(settings=FLOW_CONTROL)
    daemon = serve("plain", *server.options, "--workers", "2")
    with Connection(server.address) as client:
        client.ask("/stream?n=320&size=100000")
        assert client.socket.recv(1, socket.MSG_PEEK)
        daemon.send(signal.SIGTERM)
        wait_for(lambda: clients.request(server.url + "/").status == 503, "a refusal")
        assert len(client.answer().body) == 32_000_000
    assert daemon.wait() == 0

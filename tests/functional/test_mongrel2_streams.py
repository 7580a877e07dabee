"""Uploads that Mongrel2 hands over in parts, as it is allowed (upload.stream), behind the real server."""

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import proc
from tests.deadlines import wait_for
from tests.functional import clients
from tests.functional.clients import Connection
from tests.functional.conftest import MakeDaemon, MakeMongrel2
from tests.functional.daemon import Daemon
from tests.functional.gate import Gates
from tests.functional.mongrel2 import Mongrel2
from wsgid.dispatcher.disk import PIECE
from wsgid.dispatcher.spool import ENOUGH

HELLO = b"Hello, World!\n"
STREAM = {"upload.stream": "1"}
LARGE = bytes(range(256)) * 16384
"""4 MiB: some 200 parts."""

BEGINNING = LARGE[:400_000]
"""Enough to be in a file: what is below a piece (`wsgid.dispatcher.spool`) is not yet written."""

LISTENING, CLOSED = "0A", "0"
"""A socket's state in /proc/net/tcp, and the inode of one that no process has open."""

PROTOCOLS = pytest.mark.parametrize("protocol", ["json", "tnetstring"])


def chunks(body: bytes, size: int) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))


def spooled(daemon: Daemon) -> list[str]:
    """The files without a name that the dispatcher has open."""
    names = proc.descriptors(daemon.dispatcher_pid).values()
    return [name for name in names if name.startswith(str(daemon.folder)) and "(deleted)" in name]


def stored(daemon: Daemon) -> int:
    """Bytes in them."""
    folder = Path(f"/proc/{daemon.dispatcher_pid}/fd")
    descriptors = proc.descriptors(daemon.dispatcher_pid).items()
    names = spooled(daemon)
    return sum((folder / str(number)).stat().st_size for number, name in descriptors if name in names)


def connections(server: Mongrel2) -> int:
    """Of its clients; those that it has open, also when the other end is closed."""
    return sum(row[3] != LISTENING and row[9] != CLOSED for row in sockets(server))


def unread(server: Mongrel2, client: Connection) -> int:
    """Bytes of the client that have arrived and that it has not read."""
    port = client.socket.getsockname()[1]
    [row] = [row for row in sockets(server) if port_of(row[2]) == port]
    return int(row[4].rpartition(":")[2], 16)


def sockets(server: Mongrel2) -> list[list[str]]:
    """Its side of them, also of closed ones. See proc(5), /proc/net/tcp."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [row for row in rows if port_of(row[1]) == server.port]


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


@PROTOCOLS
def test_a_big_body_in_parts(mongrel2: MakeMongrel2, serve: MakeDaemon, protocol: str) -> None:
    server = mongrel2(protocol=protocol, settings=STREAM)
    daemon = serve("plain", *server.options, "--workers", "2")
    digest = hashlib.sha256(LARGE).hexdigest()
    for body in (LARGE, chunks(LARGE, 100_000), chunks(LARGE[:200_000], 10)):
        answer = clients.request(server.url + "/echo", "POST", body)
        assert answer.status == 200
        assert answer.header("x-body-sha256") in (digest, hashlib.sha256(LARGE[:200_000]).hexdigest())
    told = clients.request(server.url + "/environ", "POST", chunks(LARGE, 50_000)).json()
    assert told["CONTENT_LENGTH"] == str(len(LARGE))
    assert "HTTP_TRANSFER_ENCODING" not in told
    wait_for(lambda: spooled(daemon) == [], "the files to be closed")
    assert list(server.uploads.iterdir()) == []


def test_small_chunked_bodies(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    """Mongrel2 streams every chunked body, also an empty one; these need no file."""
    server = mongrel2(settings=STREAM)
    serve("plain", *server.options)
    for body in (b"", b"x", b"x" * 1000):
        assert clients.request(server.url + "/echo", "POST", chunks(body, 7)).body == body


def test_the_next_request_on_the_connection(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    server = mongrel2(settings=STREAM)
    serve("plain", *server.options, "--workers", "2")
    with Connection(server.address) as client:
        for _ in range(3):
            client.ask("/echo", "POST", body=LARGE[:100_001])
            client.ask("/")
            assert client.answer().body == LARGE[:100_001]
            assert client.answer().body == HELLO


def test_many_at_once_cost_no_worker(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    server = mongrel2(settings=STREAM)
    daemon = serve("plain", *server.options)
    uploading = [Connection(server.address) for _ in range(20)]
    for client in uploading:
        client.send(clients.request_bytes("/echo", "POST", {"Content-Length": str(len(LARGE))}) + BEGINNING)
    wait_for(lambda: len(spooled(daemon)) == len(uploading), "all of them to be stored")
    assert clients.request(server.url + "/").body == HELLO
    for client in uploading:
        client.send(LARGE[len(BEGINNING) :])
        assert client.answer("POST").body == LARGE
        client.close()


def test_too_large_at_its_start(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    server = mongrel2(settings=STREAM)
    daemon = serve("plain", *server.options, "--max-body", "100k")
    with Connection(server.address) as client:
        client.send(clients.request_bytes("/echo", "POST", {"Content-Length": str(len(LARGE))}))
        assert client.answer("POST").status == 413
        client.expect_end()
        wait_for(lambda: connections(server) == 0, "Mongrel2 to let go of the connection")
    assert clients.request(server.url + "/").body == HELLO
    assert sum(" 413 " in line for line in daemon.wait_for_access(2)) == 1


def test_too_large_as_it_turns_out(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    server = mongrel2(settings=STREAM)
    daemon = serve("plain", *server.options, "--max-body", "100k")
    with Connection(server.address) as client:
        client.send(clients.request_bytes("/echo", "POST", {"Transfer-Encoding": "chunked"}))
        sender = threading.Thread(target=_send_chunks, args=(client, 10))
        sender.start()
        assert client.answer("POST").status == 413
        client.expect_end()
        sender.join()
        wait_for(lambda: connections(server) == 0, "Mongrel2 to let go of the connection")
    wait_for(lambda: spooled(daemon) == [], "the file to be closed")
    assert clients.request(server.url + "/").body == HELLO
    assert sum(" 413 " in line for line in daemon.wait_for_access(2)) == 1


def _send_chunks(client: Connection, count: int) -> None:
    try:
        for _ in range(count):
            client.send(b"C350\r\n" + LARGE[:50_000] + b"\r\n")
    except OSError:
        return  # the other side has closed


def test_too_large_behind_an_answer_that_nobody_reads(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    """Until that is written Mongrel2 goes on reading the upload, for credits that it adds up in a C int."""
    server = mongrel2(settings=STREAM)
    daemon = serve("plain", *server.options, "--max-body", "100k")
    sockets = connections(server)
    with Connection(server.address) as client:
        client.ask("/stream?n=300&size=100000")
        client.send(clients.request_bytes("/echo", "POST", {"Transfer-Encoding": "chunked"}))
        _send_chunks(client, 3)
        assert " 413 " in daemon.wait_for_access(2)[1]
        for _ in range(4):
            _send_chunks(client, 1)
            for _ in range(5):  # by when there are credits for it
                assert clients.request(server.url + "/").body == HELLO
        assert len(client.answer().body) == 30_000_000
        assert client.answer("POST").status == 413
        client.expect_end()
    wait_for(lambda: connections(server) == sockets, "Mongrel2 to let go of the connection")


def test_a_refusal_waits_for_its_turn(mongrel2: MakeMongrel2, serve: MakeDaemon, gates: Gates) -> None:
    server = mongrel2(settings=STREAM)
    serve("plain", *server.options, "--max-body", "100k", env=gates.env)
    with Connection(server.address) as client:
        client.ask(f"/hold?fifo={gates.make('gate')}")
        gates.wait_until_held("gate")
        client.send(clients.request_bytes("/echo", "POST", {"Content-Length": str(len(LARGE))}))
        gates.release("gate", b"held")
        assert client.answer().body == b"held"
        assert client.answer("POST").status == 413
        client.expect_end()
        wait_for(lambda: connections(server) == 0, "Mongrel2 to let go of the connection")


def test_behind_a_request_that_ends_the_connection(mongrel2: MakeMongrel2, serve: MakeDaemon, gates: Gates) -> None:
    server = mongrel2(settings=STREAM)
    daemon = serve("plain", *server.options, env=gates.env)
    with Connection(server.address) as client:
        client.ask(f"/hold?fifo={gates.make('gate')}", headers={"Connection": "close"})
        gates.wait_until_held("gate")
        client.send(clients.request_bytes("/echo", "POST", {"Content-Length": str(len(LARGE))}) + BEGINNING)
        wait_for(lambda: spooled(daemon), "a part of the body")
        gates.release("gate", b"held")
        assert client.answer().body == b"held"
        client.expect_end()
        wait_for(lambda: connections(server) == 0, "Mongrel2 to let go of the connection")
    assert sum(" 499 " in line for line in daemon.wait_for_access(2)) == 1
    wait_for(lambda: spooled(daemon) == [], "the files to be closed")


@pytest.mark.parametrize("leave", [Connection.close, Connection.reset])
def test_abandoned_midway(mongrel2: MakeMongrel2, serve: MakeDaemon, leave: object) -> None:
    server = mongrel2(settings=STREAM)
    daemon = serve("plain", *server.options)
    client = Connection(server.address)
    client.send(clients.request_bytes("/echo", "POST", {"Content-Length": str(len(LARGE))}) + BEGINNING)
    wait_for(lambda: spooled(daemon), "a part of the body")
    assert callable(leave)
    leave(client)
    wait_for(lambda: spooled(daemon) == [], "the file to be closed")
    assert clients.request(server.url + "/").body == HELLO
    lines = daemon.wait_for_access(2)
    assert len(lines) == 2
    assert " 499 " in lines[0]


def test_stopped_midway(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    server = mongrel2(settings=STREAM)
    daemon = serve("plain", *server.options)
    with Connection(server.address) as client:
        client.send(clients.request_bytes("/echo", "POST", {"Content-Length": str(len(LARGE))}) + BEGINNING)
        wait_for(lambda: spooled(daemon), "a part of the body")
        daemon.stop()
        assert client.answer("POST").status == 503
        client.expect_end()


def test_the_dispatcher_is_killed_midway(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    """A part of a body of which the new one has not seen the beginning ends the connection."""
    server = mongrel2(settings=STREAM)
    daemon = serve("plain", *server.options)
    with Connection(server.address) as client:
        client.send(clients.request_bytes("/echo", "POST", {"Content-Length": str(len(LARGE))}) + LARGE[:PIECE])
        # Parts on their way to one that is dying are lost, with the credits that they cost: Mongrel2 must have read all
        # that was sent, and what it sends after that comes behind it.
        wait_for(lambda: stored(daemon) > PIECE - ENOUGH, "most of what was sent")
        wait_for(lambda: unread(server, client) == 0, "Mongrel2 to read the rest")
        assert clients.request(server.url + "/").body == HELLO
        daemon.replace_dispatcher()
        assert clients.request(server.url + "/").body == HELLO
        sender = threading.Thread(target=_send_rest, args=(client,))
        sender.start()
        client.expect_end()
        sender.join()
    assert clients.request(server.url + "/").body == HELLO


def _send_rest(client: Connection) -> None:
    try:
        client.send(LARGE[PIECE:])
    except OSError:
        return  # the other side has closed


def test_mongrel2_is_restarted_midway(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    server = mongrel2(settings=STREAM)
    daemon = serve("plain", *server.options)
    with Connection(server.address) as client:
        client.send(clients.request_bytes("/echo", "POST", {"Content-Length": str(len(LARGE))}) + BEGINNING)
        wait_for(lambda: spooled(daemon), "a part of the body")
        server.restart()
    wait_for(lambda: spooled(daemon) == [], "the file to be closed")
    assert clients.request(server.url + "/echo", "POST", LARGE).body == LARGE
    assert sum(" 499 " in line for line in daemon.wait_for_access(2)) == 1

"""The Mongrel2 edge, behind the real server: what it hands over, and what clients make it hand over."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.deadlines import wait_for
from tests.functional import clients
from tests.functional.clients import Connection
from tests.functional.conftest import MakeDaemon, MakeFolder, MakeMongrel2
from tests.functional.full_queue import refused_one
from tests.functional.gate import Gates
from tests.functional.mongrel2 import Endpoints

HELLO = b"Hello, World!\n"
LARGE = bytes(range(256)) * 4096
"""1 MiB: far above limits.content_length, so that Mongrel2 stores it in a file."""


def chunks(body: bytes) -> Iterator[bytes]:
    """In pieces that Mongrel2 takes: chunks of more than 102,400 bytes end the connection."""
    return (body[start : start + 50_000] for start in range(0, len(body), 50_000))


PROTOCOLS = pytest.mark.parametrize("protocol", ["json", "tnetstring"])


@PROTOCOLS
def test_headers_that_are_no_json_and_no_utf8_are_served(
    mongrel2: MakeMongrel2, serve: MakeDaemon, protocol: str
) -> None:
    server = mongrel2(protocol=protocol)
    serve("plain", *server.options)
    with Connection(server.address) as client:
        client.send(
            b"GET /environ?x=%41 HTTP/1.1\r\nHost: a:81\r\nX-Tab: a\tb\r\nX-Byte: caf\xe9\xff\r\n"
            b'X-Quote: say "hi" \\ back\r\nX-Twice: 1\r\nX-Twice: 2\r\nX_Under: no\r\nX-Under: yes\r\n\r\n'
        )
        told = client.answer("GET").json()
    assert told["HTTP_X_TAB"] == "a\tb"
    assert told["HTTP_X_BYTE"] == "caf\xe9\xff"
    assert told["HTTP_X_QUOTE"] == 'say "hi" \\ back'
    assert told["HTTP_X_TWICE"] in ("1,2", "1, 2")
    assert told["HTTP_X_UNDER"] == "yes"
    assert told["QUERY_STRING"] == "x=%41"
    assert (told["SERVER_NAME"], told["SERVER_PORT"]) == ("a", "81")
    assert told["REMOTE_ADDR"] == "127.0.0.1"


@PROTOCOLS
def test_a_big_upload_is_the_file(mongrel2: MakeMongrel2, serve: MakeDaemon, tmp_path: Path, protocol: str) -> None:
    server = mongrel2(protocol=protocol)
    serve("plain", *server.options)
    for body in (LARGE, chunks(LARGE)):
        answer = clients.request(server.url + "/echo", "POST", body)
        assert answer.header("x-body-length") == str(len(LARGE))
        assert answer.header("x-body-sha256") == hashlib.sha256(LARGE).hexdigest()
    told = clients.request(server.url + "/environ", "POST", chunks(LARGE)).json()
    assert told["CONTENT_LENGTH"] == str(len(LARGE))
    assert "HTTP_TRANSFER_ENCODING" not in told
    assert not [name for name in told if "MONGREL2" in name]
    assert list(server.uploads.iterdir()) == []


def test_uploads_go_through_a_chroot(mongrel2: MakeMongrel2, serve: MakeDaemon, tmp_path: Path) -> None:
    """Mongrel2 in a chroot names paths as it sees them. Here the prefix stands for it: a store of the same name."""
    store = tmp_path / "store"
    server = mongrel2(settings={"upload.temp_store": str(store / "up.XXXXXX")})
    inside = Path(f"{tmp_path}/jail{store}")
    inside.parent.mkdir(parents=True)
    inside.symlink_to(store)
    store.mkdir()
    serve("plain", *server.options, "--mongrel2-chroot", str(tmp_path / "jail"))
    assert clients.request(server.url + "/echo", "POST", LARGE).body == LARGE
    assert list(store.iterdir()) == []


def test_an_upload_that_cannot_be_opened(mongrel2: MakeMongrel2, serve: MakeDaemon, tmp_path: Path) -> None:
    server = mongrel2()
    daemon = serve("plain", *server.options, "--mongrel2-chroot", str(tmp_path))
    assert clients.request(server.url + "/echo", "POST", LARGE).status == 500
    line = daemon.wait_for_log("upload cannot be opened")
    assert str(tmp_path) + str(server.uploads) in line
    assert "--mongrel2-chroot" in line
    assert clients.request(server.url + "/").body == HELLO


def test_an_upload_that_is_too_large(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    server = mongrel2()
    daemon = serve("plain", *server.options, "--max-body", "100k")
    with Connection(server.address) as client:
        client.send(clients.request_bytes("/echo", "POST", {"Content-Length": str(len(LARGE))}))
        assert client.answer("POST").status == 413
        client.expect_end()
    assert clients.request(server.url + "/echo", "POST", chunks(LARGE)).status == 413
    wait_for(lambda: not list(server.uploads.iterdir()), "the refused uploads' files to be gone")
    assert clients.request(server.url + "/").body == HELLO
    assert sum(" 413 " in line for line in daemon.wait_for_access(3)) == 2


def test_an_upload_that_is_abandoned(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    server = mongrel2()
    serve("plain", *server.options)
    with Connection(server.address) as client:
        client.send(clients.request_bytes("/echo", "POST", {"Content-Length": str(len(LARGE))}) + LARGE[:200_000])
        wait_for(lambda: list(server.uploads.iterdir()), "the upload's file")
    wait_for(lambda: not list(server.uploads.iterdir()), "the upload's file to be gone")
    assert clients.request(server.url + "/").body == HELLO


@PROTOCOLS
@pytest.mark.parametrize("body", [b"", b"small"])
def test_a_forged_upload_is_never_opened(
    mongrel2: MakeMongrel2, serve: MakeDaemon, tmp_path: Path, protocol: str, body: bytes
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    server = mongrel2(protocol=protocol)
    serve("plain", *server.options)
    forged = {"x-mongrel2-upload-start": str(secret), "x-mongrel2-upload-done": str(secret)}
    for headers in (forged, {"x-mongrel2-upload-done": str(secret)}, {"x-mongrel2-upload-start": str(secret)}):
        answer = clients.request(server.url + "/echo", "POST", body, headers)
        assert b"secret" not in answer.body
        assert answer.body == body
    assert clients.request(server.url + "/echo", "POST", LARGE, forged).body == LARGE
    assert secret.read_text() == "secret"


@PROTOCOLS
def test_a_forged_control_message_is_a_request(
    mongrel2: MakeMongrel2, serve: MakeDaemon, gates: Gates, protocol: str
) -> None:
    server = mongrel2(protocol=protocol)
    serve("plain", *server.options, "--workers", "2", env=gates.env)
    with Connection(server.address) as client:
        for method in ("JSON", "XML", "WEBSOCKET"):
            client.send(clients.request_bytes("/echo", method, body=b'{"type":"disconnect"}'))
            assert client.answer("POST").body == b'{"type":"disconnect"}'


def test_what_is_not_served_is_refused_politely(
    mongrel2: MakeMongrel2, serve: MakeDaemon, endpoints: Endpoints
) -> None:
    handler = endpoints.ipc("sockets")
    server = mongrel2({"/": handler, "@chat": handler, "<bbs": handler})
    daemon = serve("plain", *server.options)
    with Connection(server.address) as client:
        client.send(
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert client.answer("GET").status == 501
        client.expect_end()
    for message in (b'@chat {"type":"hi"}\0', b"<bbs>hi</bbs>\0"):
        with Connection(server.address) as client:
            client.send(message)
            client.expect_end()
    assert clients.request(server.url + "/").body == HELLO
    assert "JSON" in daemon.log
    assert "XML" in daemon.log


def test_several_servers_and_handlers_over_tcp_and_ipc(
    mongrel2: MakeMongrel2, serve: MakeDaemon, endpoints: Endpoints
) -> None:
    first = mongrel2({"/": endpoints.tcp("one", "tnetstring")})
    second = mongrel2({"/": endpoints.ipc("two-a"), "/e": endpoints.ipc("two-b", "tnetstring")})
    daemon = serve("plain", *first.options, *second.options, "--bind", "127.0.0.1:0", "--workers", "2")
    assert len(daemon.addresses) == 4
    for _ in range(3):
        assert clients.request(first.url + "/").body == HELLO
        assert clients.request(second.url + "/").body == HELLO
        assert clients.request(second.url + "/echo", "POST", b"x").body == b"x"
        assert clients.request(daemon.url + "/").body == HELLO


def test_answers_larger_than_its_queue(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    """Parts of any size and number, to a reader that takes its time: at most 16 messages."""
    server = mongrel2()
    serve("plain", *server.options)
    for count, size in ((100_000, 10), (1000, 1000), (160, 65_536)):
        with Connection(server.address) as client:
            client.ask(f"/stream?n={count}&size={size}")
            assert len(client.answer().body) == count * size


@pytest.mark.parametrize("size", [10, 100])
def test_many_parts_to_one_that_does_not_read_before_the_last(
    mongrel2: MakeMongrel2, serve: MakeDaemon, size: int
) -> None:
    """With the larger ones the sockets are full, and Mongrel2 has to keep the rest, which it does for 16 messages."""
    server = mongrel2()
    daemon = serve("plain", *server.options)
    with Connection(server.address) as client:
        client.ask(f"/stream?n=100000&size={size}")
        [line] = daemon.wait_for_access(1)
        assert " 200 " in line
        assert len(client.answer().body) == 100_000 * size


def test_a_flood_of_pipelined_requests_is_bounded(mongrel2: MakeMongrel2, serve: MakeDaemon, gates: Gates) -> None:
    server = mongrel2()
    daemon = serve("plain", *server.options, "--workers", "2", env=gates.env)
    with Connection(server.address) as client:
        client.ask(f"/hold?fifo={gates.make('gate')}")
        gates.wait_until_held("gate")
        client.send(clients.request_bytes("/") * 200)
        assert clients.request(server.url + "/").body == HELLO
        gates.release("gate", b"held")
        assert client.answer().body == b"held"
        statuses: list[int] = []
        while not statuses or statuses[-1] == 200:
            statuses.append(client.answer("GET").status)
        assert statuses == [200] * 64 + [503]
        client.expect_end()
    wait_for(lambda: len(daemon.access_log) >= 67, "a line for every request that was answered")


LEAVE = pytest.mark.parametrize("leave", [Connection.close, Connection.reset, Connection.finish_sending])
"""All of them are the client's end to Mongrel2, also the half-closing one, which gets no answer there."""


@LEAVE
def test_a_client_that_leaves_the_queue_is_not_served(
    mongrel2: MakeMongrel2, serve: MakeDaemon, gates: Gates, leave: Callable[[Connection], None]
) -> None:
    server = mongrel2()
    daemon = serve("plain", *server.options, "--queue-size", "2", env=gates.env)
    held, *others = connections = [Connection(server.address) for _ in range(4)]
    held.ask(f"/hold?fifo={gates.make('held')}")
    gates.wait_until_held("held")
    for each in others:
        each.ask("/echo", "POST", body=b"small")
        each.ask("/")
    refused, _ = refused_one(others)
    left, stayed = (each for each in others if each is not refused)
    leave(left)
    wait_for(lambda: sum(" 499 0 " in line for line in daemon.access_log) == 2, "its requests to be dropped")
    gates.release("held", b"1")
    assert held.answer().body == b"1"
    assert stayed.answer().body == b"small"
    assert stayed.answer().body == HELLO
    for each in connections:
        each.close()
    assert all("worker=- " in line and "end=left" in line for line in daemon.access_log if " 499 0 " in line)


WATCHFUL = """
import time

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return parts(environ)

def parts(environ):
    if environ["PATH_INFO"] == "/streamed":
        yield b"begun"
    print("waiting", environ["PATH_INFO"], flush=True)
    for _ in range(1000):
        if environ["wsgid.client_gone"]():
            print("told", environ["PATH_INFO"], flush=True)
            return
        time.sleep(0.02)
"""


@pytest.mark.parametrize("target", ["/whole", "/streamed"])
def test_the_application_can_ask_whether_its_client_has_left(
    mongrel2: MakeMongrel2, serve: MakeDaemon, app_folder: MakeFolder, target: str
) -> None:
    server = mongrel2()
    daemon = serve(app_folder("watchful", {"app/wsgi.py": WATCHFUL}), *server.options)
    with Connection(server.address) as client:
        client.ask(target)
        daemon.wait_for_log(f"waiting {target}")
        client.finish_sending()
        daemon.wait_for_log(f"told {target}")
    [line] = daemon.wait_for_access(1)
    assert " 499 " in line
    assert "end=left" in line

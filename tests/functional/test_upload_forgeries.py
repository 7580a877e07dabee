"""Clients may send Mongrel2's upload headers themselves. What they name is never opened, removed or written down."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deadlines import wait_for
from tests.functional import clients
from tests.functional.clients import Connection
from tests.functional.conftest import MakeDaemon, MakeMongrel2
from tests.functional.daemon import Daemon
from tests.functional.watched import Watched

LARGE = bytes(range(256)) * 400
"""100 KiB: above limits.content_length, so that Mongrel2 stores it in a file."""

PROTOCOLS = pytest.mark.parametrize("protocol", ["json", "tnetstring"])

START, DONE = "X-Mongrel2-Upload-Start: {secret}\r\n", "X-Mongrel2-Upload-Done: {secret}\r\n"
BOTH = START + DONE

WEBSOCKET = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)

FORGERIES = {
    "without a body": ("GET", BOTH, ""),
    "with a small body": ("POST", BOTH + "Content-Length: 5\r\n", "small"),
    "start alone": ("POST", START + "Content-Length: 5\r\n", "small"),
    "done alone": ("POST", DONE + "Content-Length: 5\r\n", "small"),
    "an empty body": ("POST", BOTH + "Content-Length: 0\r\n", ""),
    "a negative length": ("POST", BOTH + "Content-Length: -1\r\n", ""),
    "a length that is no number": ("POST", BOTH + "Content-Length: abc\r\n", ""),
    "a length without digits": ("POST", BOTH + "Content-Length: \r\n", ""),
    "a length that is too large for Mongrel2": ("POST", BOTH + "Content-Length: 2147483648\r\n", ""),
    "two lengths": ("POST", BOTH + "Content-Length: 0\r\nContent-Length: 5\r\n", ""),
    "not quite chunked": ("POST", BOTH + "Transfer-Encoding: Chunked\r\n", ""),
    "chunked and more": ("POST", BOTH + "Transfer-Encoding: gzip, chunked\r\n", ""),
    "chunked, but with a length": ("POST", BOTH + "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", ""),
    "several of each": ("POST", BOTH * 3 + "Content-Length: 5\r\n", "small"),
    "more than Mongrel2 keeps": ("POST", BOTH * 7 + "Content-Length: 5\r\n", "small"),
    "several, and no body": ("GET", START + DONE * 2, ""),
    "other letters": ("POST", BOTH.upper().replace("{SECRET}", "{secret}") + "Content-Length: 5\r\n", "small"),
    "underscores": ("POST", BOTH.replace("-", "_").replace("_Length", "-Length") + "Content-Length: 5\r\n", "small"),
    "a name that swallows another line": ("GET", "nocolon\r\n" + BOTH, ""),
    "as control message": ("JSON", BOTH + "Content-Length: 21\r\n", '{"type":"disconnect"}'),
    "as WebSocket frame": ("WEBSOCKET", BOTH + "Content-Length: 5\r\n", "small"),
    "a WebSocket handshake": ("GET", BOTH + WEBSOCKET, ""),
    "a WebSocket handshake with a length": ("POST", BOTH + WEBSOCKET + "Content-Length: 5\r\n", ""),
}


@pytest.fixture
def secret(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path / "secret")
    yield made
    made.close()


def untouched(secret: Watched, daemon: Daemon) -> bool:
    return secret.happened() == [] and secret.path not in daemon.noted_uploads


@PROTOCOLS
def test_where_there_is_no_upload(mongrel2: MakeMongrel2, serve: MakeDaemon, secret: Watched, protocol: str) -> None:
    server = mongrel2(protocol=protocol)
    daemon = serve("plain", *server.options)
    for name, (method, headers, body) in FORGERIES.items():
        with Connection(server.address) as client:
            head = f"{method} /echo HTTP/1.1\r\nHost: a\r\n{headers.format(secret=secret.path)}\r\n"
            client.send(head.encode() + body.encode())
            answer = client.answer("POST")
        assert answer.status in (200, 400, 501), name
        assert answer.status != 200 or answer.body == body.encode(), name
        assert untouched(secret, daemon), name
    assert [line for line in daemon.log.splitlines() if "Traceback" in line or "upload cannot" in line] == []


@PROTOCOLS
@pytest.mark.parametrize("forged", [DONE, START, BOTH, DONE * 3, BOTH * 3])
def test_in_a_genuine_upload(
    mongrel2: MakeMongrel2, serve: MakeDaemon, secret: Watched, protocol: str, forged: str
) -> None:
    server = mongrel2(protocol=protocol)
    daemon = serve("plain", *server.options)
    headers = forged.format(secret=secret.path)
    for framing, body in (
        (f"Content-Length: {len(LARGE)}\r\n", LARGE),
        ("Transfer-Encoding: chunked\r\n", b"19000\r\n%s\r\n0\r\n\r\n" % LARGE),
    ):
        with Connection(server.address) as client:
            client.send(f"POST /echo HTTP/1.1\r\nHost: a\r\n{headers}{framing}\r\n".encode() + body)
            answer = client.answer("POST")
        assert answer.body == LARGE
        assert untouched(secret, daemon)
    assert list(server.uploads.iterdir()) == []


def test_in_an_upload_that_is_abandoned(mongrel2: MakeMongrel2, serve: MakeDaemon, secret: Watched) -> None:
    server = mongrel2()
    daemon = serve("plain", *server.options)
    forged = BOTH.format(secret=secret.path)
    with Connection(server.address) as client:
        client.send(f"POST /echo HTTP/1.1\r\nHost: a\r\n{forged}Content-Length: 100000\r\n\r\n".encode())
        wait_for(lambda: list(server.uploads.iterdir()), "the upload's file")
    [line] = daemon.wait_for_access(1)
    assert " 499 " in line
    assert clients.request(server.url + "/").status == 200
    assert untouched(secret, daemon)


def test_in_an_upload_that_is_refused(mongrel2: MakeMongrel2, serve: MakeDaemon, secret: Watched) -> None:
    server = mongrel2()
    daemon = serve("plain", *server.options, "--max-body", "64k")
    forged = BOTH.format(secret=secret.path)
    with Connection(server.address) as client:
        client.send(f"POST /echo HTTP/1.1\r\nHost: a\r\n{forged}Content-Length: {len(LARGE)}\r\n\r\n".encode())
        assert client.answer("POST").status == 413
    wait_for(lambda: list(server.uploads.iterdir()) == [], "the store to be empty")
    assert clients.request(server.url + "/").status == 200
    assert untouched(secret, daemon)


@PROTOCOLS
def test_in_a_streamed_upload(mongrel2: MakeMongrel2, serve: MakeDaemon, secret: Watched, protocol: str) -> None:
    server = mongrel2(protocol=protocol, settings={"upload.stream": "1"})
    daemon = serve("plain", *server.options)
    forged = BOTH.format(secret=secret.path)
    with Connection(server.address) as client:
        head = f"POST /echo HTTP/1.1\r\nHost: a\r\n{forged}Content-Length: {len(LARGE)}\r\n\r\n"
        client.send(head.encode() + LARGE)
        assert Watched.SECRET not in client.answer("POST").body
    assert untouched(secret, daemon)

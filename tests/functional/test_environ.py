"""What an application is given and what becomes of what it gives back (PEP 3333), the same over both edges."""

import io
import json
import os
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.apps.mirror.app.wsgi import Call, play
from tests.deadlines import wait_for
from tests.functional import clients
from tests.functional.clients import Connection, Cut
from tests.functional.conftest import MakeDaemon, MakeFolder, MakeMongrel2, MakeSite, Site
from tests.functional.daemon import Daemon
from tests.functional.gate import Gates
from tests.functional.mongrel2 import Endpoints

HELLO = b"Hello, World!\n"

SMALL = b"first\nsecond line\n\n\xff\x00 the last, without an end"
LARGE = b"".join(b"line %d %s\n" % (number, b"x" * (number % 97)) for number in range(3500)) + b"no end"
"""Above 200 KiB: the dispatcher keeps it in a file, and so does Mongrel2."""


def chunks(body: bytes) -> Iterator[bytes]:
    """In pieces that Mongrel2 takes: chunks of more than 102,400 bytes end the connection."""
    return (body[start : start + 50_000] for start in range(0, len(body), 50_000))


def environ_of(address: tuple[str, int], head: str, body: bytes = b"") -> dict[str, Any]:
    """What the application was told of a request; ``head`` is without the empty line, one byte a character."""
    with Connection(address) as client:
        client.send(f"{head}\r\n\r\n".replace("\r\n", "\n").replace("\n", "\r\n").encode("latin-1") + body)
        told: dict[str, Any] = client.answer("GET").json()["environ"]
        return told


# The environ

DIFFERENT = {
    "HTTP_X_FORWARDED_FOR": "Mongrel2 sets it, whatever the client sent",
    "REMOTE_PORT": "Mongrel2 does not tell it",
    "SERVER_NAME": "Mongrel2 does not tell where it listens: it is taken from Host",
    "SERVER_PORT": "the same",
    "wsgid.request_id": "each request has its own",
}
"""What may differ between the edges, and why."""

HEADS = [
    "GET /a%2Fb%20c+d?e=%2F%20+&f HTTP/1.1\nHost: a",
    "GET /caf%C3%A9/%FF%00 HTTP/1.1\nHost: a",
    "GET /%2541 HTTP/1.1\nHost: a",
    "GET //a///b/../c/./d;e=1 HTTP/1.1\nHost: a",
    "GET /a?b?c#fragment HTTP/1.1\nHost: a",
    "GET /a? HTTP/1.1\nHost: a",
    "GET /a#fragment HTTP/1.1\nHost: a",
    "GET /a HTTP/1.0",
    "GET /a HTTP/1.0\nHost: a:81\nConnection: keep-alive",
    "DELETE /a HTTP/1.1\nHost: ",
    "OPTIONS /a HTTP/1.1\nHost: a,b:81",
    "GET /a HTTP/1.1\nHost: a\nX-Twice: 1\nX-Other: 3\nx-twice: 2\nCookie: a=1\nCookie: b=2",
    "GET /a HTTP/1.1\nHost: a\nX_Under: no\nX-Under: yes\nContent_Length: 7\nContent_Type: a/b",
    'GET /a HTTP/1.1\nHost: a\nX-Bytes: caf\xe9 \xff\nX-Blanks: \t in  between \t\nX-Empty:\nX-Quotes: "a\\\\b"',
    "GET /a HTTP/1.1\nHost: a\nContent-Type: a/b\nContent-Type: c/d",
    "GET /a HTTP/1.1\nHost: a\nExpect: 100-continue\nTE: trailers\nX-Forwarded-For: 10.0.0.1",
    "POST /a HTTP/1.1\nHost: a\nContent-Length: 0",
]


def test_both_edges_tell_the_same(serve: MakeDaemon, mongrel2: MakeMongrel2) -> None:
    servers = [mongrel2(protocol=protocol) for protocol in ("json", "tnetstring")]
    options = [option for server in servers for option in server.options]
    # Mongrel2 is no front end that would be asked who its client is.
    daemon = serve("mirror", "--bind", "127.0.0.1:0", "--forwarded-allow-ips", "none", *options)
    for head in HEADS:
        http = _comparable(environ_of(_address(daemon.url), head))
        for server in servers:
            assert _comparable(environ_of(server.address, head)) == http, head


SCRIPT_NAME = "/a%20b/c"

BELOW = ["", "/", "?q", "/?", "//x", "/x/../y", "/%2F%2e%61?x", "/x#fragment", "/a%20b/c"]
ELSEWHERE = ["/", "/a%20b", "/a%20b/cd", "/a%20b/c%2Fd", "/A%20B/c", "/a%20b//c", "http://other/x", "*"]


def test_below_a_root_both_edges_tell_the_same(serve: MakeDaemon, mongrel2: MakeMongrel2, endpoints: Endpoints) -> None:
    server = mongrel2({SCRIPT_NAME: endpoints.ipc("below")})
    daemon = serve("mirror", "--bind", "127.0.0.1:0", "--script-name", SCRIPT_NAME, *server.options)
    address = _address(daemon.url)
    for target in BELOW:
        head = f"GET {SCRIPT_NAME}{target} HTTP/1.1\nHost: a"
        http = _comparable(environ_of(address, head))
        assert http["SCRIPT_NAME"] == "/a b/c"
        assert _comparable(environ_of(server.address, head)) == http, target
    absolute = environ_of(address, f"GET http://other:81{SCRIPT_NAME}/x HTTP/1.1\nHost: a")
    assert [absolute[name] for name in ("HTTP_HOST", "SCRIPT_NAME", "PATH_INFO")] == ["other:81", "/a b/c", "/x"]
    served = len(daemon.wait_for_access(2 * len(BELOW) + 1))
    for target in ELSEWHERE:
        with Connection(address) as client:
            client.ask(target)
            answer = client.answer()
        assert (answer.status, answer.text.partition(":")[0]) == (404, "404 Not Found"), target
    lines = daemon.wait_for_access(served + len(ELSEWHERE))[served:]
    assert all(" 404 " in line and "end=refused" in line for line in lines)


def _comparable(environ: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in environ.items() if name not in DIFFERENT}


def _address(url: str) -> tuple[str, int]:
    parts = urllib.parse.urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


def test_a_request_in_full(site: MakeSite) -> None:
    served = site("mirror", workers=2, threads=3)
    head = (
        "POST /a%2Fb/caf%C3%A9?c=%20&d HTTP/1.1\nHost: www.example.org:81\nContent-Length: 4\nContent-Type: a/b; c=d\n"
        "X-Twice: 1\nX-Twice: 2\nX_Under: 1\nCookie: a=1\nCookie: b=2\nX-Bytes: \t caf\xe9 \t"
    )
    told = environ_of(served.address, head, b"body")
    assert told.pop("SERVER_SOFTWARE").startswith("wsgid/")
    assert told.pop("wsgid.request_id")
    if served.edge == "http":
        assert told.pop("REMOTE_PORT").isdigit()
        assert (told.pop("SERVER_NAME"), int(told.pop("SERVER_PORT"))) == served.address
    else:
        assert told.pop("HTTP_X_FORWARDED_FOR") == "127.0.0.1"
        assert (told.pop("SERVER_NAME"), told.pop("SERVER_PORT")) == ("www.example.org", "81")
    assert told == {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/a/b/caf\xc3\xa9",
        "QUERY_STRING": "c=%20&d",
        "REQUEST_URI": "/a%2Fb/caf%C3%A9?c=%20&d",
        "RAW_URI": "/a%2Fb/caf%C3%A9?c=%20&d",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "a/b; c=d",
        "CONTENT_LENGTH": "4",
        "HTTP_HOST": "www.example.org:81",
        "HTTP_X_TWICE": "1,2",
        "HTTP_COOKIE": "a=1; b=2",
        "HTTP_X_BYTES": "caf\xe9",
        "wsgi.version": [1, 0],
        "wsgi.url_scheme": "http",
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "wsgid.attempt": 1,
    }


def test_what_is_not_there_is_not_told(site: MakeSite) -> None:
    served = site("mirror")
    told = environ_of(served.address, "GET /a? HTTP/1.0")
    assert (told["QUERY_STRING"], told["REQUEST_URI"], told["SERVER_PROTOCOL"]) == ("", "/a?", "HTTP/1.0")
    assert not told.keys() & {"CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_HOST"}
    told = environ_of(served.address, "POST / HTTP/1.1\nHost: a\nContent-Length: 0\nContent-Type:")
    assert (told["CONTENT_LENGTH"], told["CONTENT_TYPE"]) == ("0", "")


def test_the_length_of_a_chunked_body_is_told(site: MakeSite) -> None:
    served = site("mirror")
    for body in (b"", SMALL, LARGE):
        told = clients.request(f"{served.url}/", "POST", chunks(body)).json()["environ"]
        assert told["CONTENT_LENGTH"] == str(len(body))
        assert "HTTP_TRANSFER_ENCODING" not in told
        assert "HTTP_CONTENT_LENGTH" not in told


def test_escapes_that_are_none(site: MakeSite) -> None:
    served = site("mirror")
    answer = served.request("/%zz%4%2")
    if served.edge == "mongrel2":  # which refuses it by itself
        assert (answer.status, served.daemon.access_log) == (400, [])
    else:
        assert answer.json()["environ"]["PATH_INFO"] == "/%zz%4%2"


def test_ipv6(serve: MakeDaemon, mongrel2: MakeMongrel2) -> None:
    server = mongrel2(bind="::1")
    daemon = serve("mirror", "--bind", "[::1]:0", *server.options)
    http, head = _address(daemon.url), "GET / HTTP/1.1\nHost: [2001:db8::1]:81"
    told = environ_of(http, head)
    assert (told["REMOTE_ADDR"], told["SERVER_NAME"], told["SERVER_PORT"]) == ("::1", "[::1]", str(http[1]))
    told = environ_of(server.address, head)
    assert (told["REMOTE_ADDR"], told["SERVER_NAME"], told["SERVER_PORT"]) == ("::1", "[2001:db8::1]", "81")


@pytest.mark.parametrize(("workers", "threads"), [(1, 1), (3, 1), (1, 4)])
def test_the_flags_are_true_to_the_process(serve: MakeDaemon, workers: int, threads: int) -> None:
    daemon = serve("mirror", "--bind", "127.0.0.1:0", "--workers", str(workers), "--threads", str(threads))
    told = environ_of(_address(daemon.url), "GET / HTTP/1.1\nHost: a")
    assert told["wsgi.multithread"] is (threads > 1)
    # With one worker too: its successor may serve beside it.
    assert told["wsgi.multiprocess"] is True
    assert told["wsgi.run_once"] is False


# wsgi.input

PLAYS: list[list[Call]] = [
    [["read"], ["read"], ["read", 5], ["readline"], ["readlines"], ["list"]],
    [["read", 3], ["read", 0], ["read", 100], ["read", -1], ["read", 1]],
    [["readline"], ["readline", 4], ["readline", 100_000], ["readline", 0], ["read", 7], ["readline"], ["list"]],
    [["readlines", 10], ["readlines"], ["readlines"], ["readline"]],
    [["list"], ["list"], ["read"]],
    [["read", 300_000], ["read", 300_000]],
    [["seek", 9], ["read", 4], ["tell"], ["seek", -5, 1], ["read", 3], ["seek", 0, 2], ["read"], ["seek", 0], ["read"]],
    [["readline"], ["tell"], ["seek", 150_000], ["readline"], ["seek", 0], ["readline"], ["seekable"], ["readable"]],
]


@pytest.mark.parametrize("body", [b"", SMALL, LARGE], ids=["empty", "small", "large"])
def test_the_body_reads_as_any_file(site: MakeSite, body: bytes) -> None:
    served = site("mirror", workers=1)
    _compare_reading(served, body)


def test_a_body_that_mongrel2_sends_in_its_message(serve: MakeDaemon, mongrel2: MakeMongrel2) -> None:
    """And the dispatcher puts into a file, because it is too large for a channel."""
    server = mongrel2(settings={"limits.content_length": "1000000"})
    daemon = serve("mirror", *server.options)
    _compare_reading(Site("mongrel2", server.url, daemon, server), LARGE)


def _compare_reading(served: Site, body: bytes) -> None:
    for calls in PLAYS:
        target = f"/?calls={urllib.parse.quote(json.dumps(calls))}"
        wanted = play(io.BytesIO(body), calls)
        assert served.request(target, "POST", body).json()["played"] == wanted, calls
        assert clients.request(served.url + target, "POST", chunks(body)).json()["played"] == wanted, calls


# The answer


def test_answers_of_every_kind(site: MakeSite, tmp_path: Path) -> None:
    served = site("plain")
    assert served.request("/write").body == b"written, written again, returned\n"
    replaced = served.request("/exc-info")
    assert (replaced.status, replaced.body) == (503, b"replaced\n")
    for code in (204, 304):
        answer = served.request(f"/status?code={code}")
        assert (answer.status, answer.body, answer.header("content-length")) == (code, b"", None)
        assert answer.header("transfer-encoding") is None
    head = served.request("/", "HEAD")
    assert (head.status, head.body, head.header("content-length")) == (200, b"", str(len(HELLO)))
    told = served.request("/headers?Set-Cookie=a%3D1&Set-Cookie=b%3D2&X-Bytes=%E9")
    assert [value for name, value in told.headers if name == "set-cookie"] == ["a=1", "b=2"]
    assert told.header("x-bytes") == "\xe9"
    _files(served, tmp_path / "file")


def _files(served: Site, file: Path) -> None:
    for contents in (b"", SMALL, LARGE * 20):
        file.write_bytes(contents)
        answer = served.request(f"/file?path={file}")
        assert (answer.body, answer.header("content-length")) == (contents, str(len(contents)))
        assert served.request(f"/file?path={file}", "HEAD").header("content-length") == str(len(contents))


def test_a_part_is_sent_before_the_next_is_asked_for(site: MakeSite, gates: Gates) -> None:
    served = site("plain", env=gates.env)
    with served.connect() as client:
        client.ask(f"/gate-stream?fifo={gates.make('gate')}")
        received = b""
        while b"first" not in received:
            received += client.receive()
        gates.release("gate")
        while b"second" not in received:
            received += client.receive()


WITHOUT_A_BODY = [
    ("/", "HEAD", str(len(HELLO))),
    ("/nolength", "HEAD", str(len("no length\n"))),
    ("/stream?n=2&size=1", "HEAD", None),
    ("/status?code=204", "GET", None),
    ("/status?code=205", "GET", "0"),
    ("/status?code=205", "HEAD", "0"),
    ("/status?code=304", "GET", None),
]
"""Requests, and the Content-Length of their answers."""


def test_the_connection_goes_on_after_answers_without_a_body(site: MakeSite) -> None:
    served = site("plain")
    for version in ("1.0", "1.1"):
        _without_a_body(served, version)


def _without_a_body(served: Site, version: str) -> None:
    headers = {"Connection": "x, Keep-Alive"} if version == "1.0" else {}
    with served.connect() as client:
        for target, method, length in WITHOUT_A_BODY:
            client.ask(target, method, headers, version=version)
            answer = client.answer()
            assert (answer.body, answer.header("content-length")) == (b"", length), (target, method)
            assert answer.header("transfer-encoding") is None
            assert answer.header("connection") == ("keep-alive" if version == "1.0" else None)
        client.ask("/", headers={"Connection": "keep-alive , CLOSE"}, version=version)
        answer = client.answer()
        assert (answer.body, answer.header("connection")) == (HELLO, "close")
        client.expect_end()


def test_an_application_that_raises(site: MakeSite) -> None:
    served = site("plain", workers=1)
    answer = served.request("/raise")
    assert (answer.status, b"raised on request" in answer.body) == (500, False)
    line = served.daemon.wait_for_access(1)[0]
    request_id = line.partition(" id=")[2].split()[0]
    log = served.daemon.log.splitlines()
    first = next(number for number, each in enumerate(log) if "the application failed" in each)
    assert f"GET /raise (request {request_id})" in log[first]
    assert "Traceback (most recent call last)" in log[first + 1]
    assert any("RuntimeError: raised on request" in each for each in log[first:])
    assert served.request("/").body == HELLO


def test_an_application_that_raises_in_the_midst_of_its_answer(site: MakeSite) -> None:
    served = site("plain", workers=1)
    with served.connect() as client:
        client.ask("/raise-late")
        with pytest.raises(Cut) as cut:
            client.answer()
        assert cut.value.body == b"the first part\n"
    assert "end=cut" in served.daemon.wait_for_access(1)[0]
    assert "RuntimeError: raised after the first part" in served.daemon.log
    assert served.request("/").body == HELLO


ENDS = {
    "parts": (200, 200),
    "list": (200, 200),
    "nothing": (200, 200),
    "too-long": (200, 200),
    "too-short": (None, 200),
    "not-bytes": (500, 500),
    "fails-at-once": (500, 500),
    "fails-later": (None, 200),
    "exits": (None, 200),
    "close-fails": (200, 200),
    "never-starts": (500, 500),
}
"""The status of each way in which tests/apps/closing answers a GET and a HEAD; None for an answer that is cut."""


def test_close_is_called_once_however_the_answer_ends(site: MakeSite, tmp_path: Path) -> None:
    closings = tmp_path / "closings"
    served = site("closing", workers=1, env={"CLOSINGS": str(closings)})
    for way, statuses in ENDS.items():
        for method, status in zip(("GET", "HEAD"), statuses, strict=True):
            closings.write_bytes(b"")
            with served.connect() as client:
                client.ask(f"/{way}", method)
                assert _status(client) == status, (way, method)
            _wait_for_the_only_worker(served)
            assert closings.read_text().split() == [way], (way, method)


def test_close_is_called_once_when_the_client_has_left(site: MakeSite, tmp_path: Path) -> None:
    closings = tmp_path / "closings"
    served = site("closing", workers=1, env={"CLOSINGS": str(closings)})
    client = served.connect()
    client.ask("/endless")
    assert client.receive()
    client.reset()
    _wait_for_the_only_worker(served)
    assert closings.read_text().split() == ["endless"]
    assert " 499 " in served.daemon.wait_for_access(1)[0]


def _wait_for_the_only_worker(served: Site) -> None:
    """It has done with a request when it has served the next one."""
    assert served.request("/").status == 204


def _status(client: Connection) -> int | None:
    try:
        return client.answer().status
    except Cut:
        return None


# What it prints and logs

PRINTED = ("to stdout", "to stderr")


def test_what_is_printed_goes_to_the_log_of_a_detached_daemon(serve: MakeDaemon) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", start=False)
    assert daemon.start_detached().code == 0
    clients.request(f"{daemon.url}/print?text=caf%E9")
    for where in PRINTED:
        assert daemon.wait_for_log(f"caf\xe9 {where}") == f"caf\xe9 {where}"
        assert where not in daemon.output
    _recorded(daemon, "caf\xe9 to wsgi.errors")


def _recorded(daemon: Daemon, text: str) -> None:
    """As a record of the main log, which names the request."""
    request_id = daemon.wait_for_access(1)[0].partition(" id=")[2].split()[0]
    record = daemon.wait_for_log(text)
    assert f"ERROR worker[{daemon.worker_pids[0]}] request {request_id}: {text}" in record


def test_what_is_printed_stays_on_the_terminal_in_the_foreground(serve: MakeDaemon) -> None:
    """While the log goes to its file, and with it what is written to wsgi.errors."""
    daemon = serve("plain", "--no-stdout", "--bind", "127.0.0.1:0", "--workers", "1")
    clients.request(f"{daemon.url}/print?text=here")
    for where in PRINTED:
        assert f"here {where}\n" in daemon.output
        assert where not in daemon.log
    _recorded(daemon, "here to wsgi.errors")
    assert "to wsgi.errors" not in daemon.output
    assert "the application is loaded" in daemon.log
    assert "the application is loaded" not in daemon.output


DICT_CONFIG = """
import logging
import logging.config

logging.config.dictConfig({
    "version": 1,
    "formatters": {"own": {"format": "own format: %(name)s %(message)s"}},
    "handlers": {"own": {"class": "logging.StreamHandler", "formatter": "own"}},
    "root": {"handlers": ["own"], "level": "DEBUG"},
})

def application(environ, start_response):
    logging.getLogger("shop").info("asked for %s", environ["PATH_INFO"])
    print("printed", file=environ["wsgi.errors"])
    if environ["PATH_INFO"] == "/raise":
        raise RuntimeError("raised on request")
    start_response("200 OK", [])
    return [b"served"]
"""


@pytest.mark.parametrize("detached", [True, False])
def test_an_application_with_its_own_logging_does_not_silence_ours(
    serve: MakeDaemon, app_folder: MakeFolder, detached: bool
) -> None:
    folder = app_folder("own-logging", {"app/wsgi.py": DICT_CONFIG})
    daemon = serve(folder, "--bind", "127.0.0.1:0", start=False)
    if detached:
        assert daemon.start_detached().code == 0
    else:
        daemon.start()
    assert clients.request(f"{daemon.url}/page").body == b"served"
    assert clients.request(f"{daemon.url}/raise").status == 500
    pid = daemon.worker_pids[0]
    os.kill(pid, 15)
    wait_for(lambda: daemon.worker_pids not in ([], [pid]), "another worker")
    daemon.stop()
    log = daemon.log.splitlines()
    assert next(line for line in log if line.startswith("own format")) == "own format: shop asked for /page"
    assert len([line for line in log if f"worker[{pid}] request " in line and line.endswith(": printed")]) == 2
    for text in ("the application is loaded", "the application failed", "leaving: told to by SIGTERM"):
        lines = [line for line in log if f"worker[{pid}]" in line and text in line]
        assert len(lines) == 1, (text, daemon.log)
    assert not [line for line in log if "own format: wsgid" in line], "our records are told once, in our own format"

"""What an application is given and what becomes of what it gives back, where a daemon of its own is needed to see it.

The rules of PEP 3333 and HTTP one by one: tests/functional/conformance.
"""

import io
import json
import os
import urllib.parse
from pathlib import Path
from typing import Any

import pytest

from tests.apps.mirror.app.wsgi import Call, play
from tests.deadlines import wait_for
from tests.functional import clients
from tests.functional.clients import Connection
from tests.functional.conftest import MakeDaemon, MakeFolder, MakeMongrel2, MakeSite
from tests.functional.daemon import Daemon
from tests.functional.mongrel2 import Endpoints

HELLO = b"Hello, World!\n"

LARGE = b"".join(b"line %d %s\n" % (number, b"x" * (number % 97)) for number in range(3500)) + b"no end"
"""Above 200 KiB: the dispatcher keeps it in a file, and so does Mongrel2."""


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


def test_ipv6(serve: MakeDaemon, mongrel2: MakeMongrel2) -> None:
    server = mongrel2(bind="::1")
    daemon = serve("mirror", "--bind", "[::1]:0", *server.options)
    http, head = _address(daemon.url), "GET / HTTP/1.1\nHost: [2001:db8::1]:81"
    told = environ_of(http, head)
    assert (told["REMOTE_ADDR"], told["SERVER_NAME"], told["SERVER_PORT"]) == ("::1", "[::1]", str(http[1]))
    told = environ_of(server.address, head)
    assert (told["REMOTE_ADDR"], told["SERVER_NAME"], told["SERVER_PORT"]) == ("::1", "[2001:db8::1]", "81")


# wsgi.input

CALLS: list[Call] = [["readline"], ["read", 100_000], ["tell"], ["list"], ["seek", 150_000], ["readlines"], ["read"]]


def test_a_body_that_mongrel2_sends_in_its_message(serve: MakeDaemon, mongrel2: MakeMongrel2) -> None:
    """And the dispatcher puts into a file, because it is too large for a channel."""
    server = mongrel2(settings={"limits.content_length": "1000000"})
    serve("mirror", *server.options)
    answer = clients.request(f"{server.url}/?calls={urllib.parse.quote(json.dumps(CALLS))}", "POST", LARGE)
    assert answer.json()["played"] == play(io.BytesIO(LARGE), CALLS)


# The answer


def test_close_is_called_once_when_the_client_has_left(site: MakeSite, tmp_path: Path) -> None:
    closings = tmp_path / "closings"
    served = site("plain", workers=1)
    client = served.connect()
    client.ask(f"/endless?path={closings}")
    assert client.receive()
    client.reset()
    assert served.request("/").body == HELLO, "the only worker has done with that request"
    assert closings.read_text() == f"closed {served.daemon.worker_pids[0]}\n"
    assert " 499 " in served.daemon.wait_for_access(1)[0]


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

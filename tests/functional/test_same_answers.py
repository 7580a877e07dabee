"""Django, Flask and Pyramid under a prefix: the same answers over both edges, and the same as waitress gives.

All that a client is told is compared: status, reason, body, and every header but a short list. Each exchange has a
connection to itself, and the same bytes go to all three servers, of which one is not ours.
"""

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.functional.clients import Connection, request_bytes
from tests.functional.conftest import MakeDaemon, MakeMongrel2
from tests.functional.load import Address
from tests.functional.mongrel2 import Endpoints
from tests.functional.waitress_server import waitress

PREFIX = "/shop"

HOST = "www.example.org"
"""None of the three has this name: what an application says of itself comes from the request."""

NOT_COMPARED = {
    "date",  # the answers may come in different seconds
    "server",  # its name is each server's own
    "via",  # waitress sends it when an application names a server
    "connection",  # waitress ends it after each answer in chunks
    "x-request-id",  # each request has one of its own
}

FRAMING = frozenset({"content-length", "transfer-encoding"})
"""How the end of the body is told is for the server to choose where the application gives no length."""

MEBIBYTE = random.Random(1).randbytes(1024 * 1024)

CHUNK = 50_000
"""Bytes: Mongrel2 ends the connection at a chunk of more than 102,400."""

BOUNDARY = "8f1b6c"
UPLOAD = (
    (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="comment"\r\n\r\ntwo\r\nlines\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
    ).encode()
    + MEBIBYTE
    + f"\r\n--{BOUNDARY}--\r\n".encode()
)

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
OWN_TYPE = {"Content-Type": "text/x-own"}
LATER = {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}

DETERMINED = {"PYTHONHASHSEED": "0"}
"""Sets are in the same order in all processes: Flask makes the header Allow from one."""


@dataclass(frozen=True)
class Exchange:
    status: int
    target: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    chunked: bool = False
    version: str = "1.1"
    but: frozenset[str] = frozenset()
    """Headers that are not compared here."""

    @property
    def wire(self) -> bytes:
        headers = {"Host": HOST, **self.headers}
        if not self.chunked:
            return request_bytes(PREFIX + self.target, self.method, headers, self.body, self.version)
        headers["Transfer-Encoding"] = "chunked"
        return request_bytes(PREFIX + self.target, self.method, headers) + b"".join(_chunks(self.body))


def _chunks(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), CHUNK):
        piece = body[start : start + CHUNK]
        yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


EXCHANGES = [
    Exchange(200, "/"),
    Exchange(200, "/", "HEAD"),
    Exchange(200, "/?a=1"),
    Exchange(200, "/", version="1.0"),
    Exchange(200, "/", headers={"Connection": "close"}),
    # Bodies on their way in
    Exchange(200, "/form"),
    Exchange(200, "/form", "POST", FORM, b"name=a+%26%20b"),
    Exchange(200, "/form", "POST", FORM, b"name=a+%26%20b", chunked=True),
    Exchange(200, "/upload", "POST", MULTIPART, UPLOAD),
    Exchange(200, "/upload", "POST", MULTIPART, UPLOAD, chunked=True),
    Exchange(200, "/body", "PUT", OWN_TYPE, MEBIBYTE),
    Exchange(200, "/body", "PUT", OWN_TYPE, MEBIBYTE, chunked=True),
    Exchange(200, "/body", "PUT", {**OWN_TYPE, "Content-Length": "0"}),
    Exchange(200, "/body", "PUT", OWN_TYPE, chunked=True),
    # Bodies on their way out
    Exchange(200, "/stream"),
    Exchange(200, "/stream", version="1.0"),
    # RFC 9110 section 9.3.2: what is known only once there is a body may be left out. waitress announces chunks.
    Exchange(200, "/stream", "HEAD", but=FRAMING),
    Exchange(200, "/static/site.css"),
    Exchange(200, "/static/site.css", "HEAD"),
    Exchange(304, "/static/site.css", headers=LATER),
    Exchange(200, "/static/large.bin"),
    Exchange(200, "/static/large.bin", "HEAD"),
    Exchange(200, "/static/large.bin", version="1.0"),
    # URLs
    Exchange(302, "/redirect"),
    Exchange(302, "/redirect", "HEAD"),
    Exchange(302, "/absolute"),
    Exchange(200, "/urls?q=1"),
    Exchange(200, "/items/gr%C3%BC%C3%9Fe%20&%20mehr/?tag=a%2Bb+c&tag=%C3%A9;x&tag"),
    Exchange(200, "/items/a+b;c=d/?"),
    Exchange(200, "/%75rls"),
    Exchange(404, "/items/a%2Fb"),
    Exchange(404, "/items//"),
    Exchange(404, "/items/../urls"),
    Exchange(404, "/nowhere?x=%2F"),
    Exchange(404, "/nowhere", "HEAD"),
    Exchange(404, "/nowhere", "POST", FORM, b"a=b"),
    # Other statuses, and cookies
    Exchange(204, "/nothing"),
    Exchange(204, "/nothing", "HEAD"),
    Exchange(200, "/etag"),
    Exchange(200, "/etag", headers={"If-None-Match": '"two"'}),
    Exchange(304, "/etag", headers={"If-None-Match": '"one"'}),
    Exchange(304, "/etag", "HEAD", {"If-None-Match": '"one"'}),
    Exchange(500, "/error"),
    Exchange(500, "/error", "HEAD"),
    Exchange(200, "/cookies"),
    Exchange(200, "/cookies", headers={"Cookie": "c=3; d=4"}),
]

ITEM = "/items/gr%C3%BC%C3%9Fe%20+"

OWN_EXCHANGES = {
    "django": [
        Exchange(200, ""),
        # Django gives no length: ours knows that the body is empty when it has ended at once, waitress sends chunks.
        Exchange(301, f"{ITEM}?tag=%20", but=FRAMING),
        Exchange(301, "/admin", but=FRAMING),
        Exchange(302, "/admin/"),
        Exchange(200, "/static/admin/css/base.css"),
        Exchange(404, "/static/none.css"),
        Exchange(200, "/items/%FF%80/"),
        Exchange(403, "/cookies", "DELETE"),
    ],
    "flask": [
        Exchange(308, ""),
        Exchange(308, f"{ITEM}?tag=%20"),
        Exchange(206, "/static/large.bin", headers={"Range": "bytes=10-200009"}),
        Exchange(404, "/static/none.css"),
        Exchange(200, "/items/%FF%80/"),
        Exchange(405, "/cookies", "DELETE"),
        Exchange(200, "/form", "OPTIONS"),
    ],
    "pyramid": [
        Exchange(200, ""),
        Exchange(307, f"{ITEM}?tag=%20"),
        Exchange(206, "/static/large.bin", headers={"Range": "bytes=10-200009"}),
        Exchange(500, "/items/%FF%80/"),
        Exchange(200, "/cookies", "DELETE"),
        Exchange(404, "/form", "OPTIONS"),
    ],
}
"""What each framework answers in its own way."""

REVERSED = {
    "root": PREFIX,
    "here": f"http://{HOST}{PREFIX}/urls?q=1",
    "index": f"{PREFIX}/",
    "whole": f"http://{HOST}{PREFIX}/",
    "item": f"{PREFIX}/items/gr%C3%BC%C3%9Fe%20&%20mehr/",
    "static": f"{PREFIX}/static/site.css",
}


class Essence(NamedTuple):
    """What is compared of an answer."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes


@pytest.mark.parametrize("framework", ["django", "flask", "pyramid"])
def test_the_same_answers_over_both_edges_and_from_waitress(
    serve: MakeDaemon, mongrel2: MakeMongrel2, endpoints: Endpoints, application: Path, framework: str
) -> None:
    code, wsgi_app = _code(application, framework)
    server = mongrel2({f"{PREFIX}/": endpoints.ipc("shop")})
    daemon = serve(application, "--bind", "127.0.0.1:0", "--script-name", PREFIX, *server.options, env=DETERMINED)
    with waitress(code, wsgi_app, PREFIX, DETERMINED) as other:
        servers = {"waitress": other, "HTTP": daemon.address, "Mongrel2": server.address}
        exchanges = EXCHANGES + OWN_EXCHANGES[framework]
        differences = [told for exchange in exchanges for told in _differences(servers, exchange)]
        assert not differences, "\n".join(differences)
        for address in servers.values():
            assert json.loads(_essence(address, Exchange(200, "/urls?q=1")).body) == REVERSED


def _code(application: Path, framework: str) -> tuple[Path, str]:
    """The folder that belongs on ``sys.path``, where a large file is put as well, and the application in it."""
    code = application / "app/mysite" if framework == "django" else application / "app"
    static = code / "notes/static" if framework == "django" else code / "static"
    (static / "large.bin").write_bytes(MEBIBYTE)
    return code, "mysite.wsgi:application" if framework == "django" else "wsgi:application"


def _differences(servers: Mapping[str, Address], exchange: Exchange) -> Iterator[str]:
    """In words: servers whose answer is not the first one's, or has not the status that was expected."""
    answers = {name: _essence(address, exchange) for name, address in servers.items()}
    first = next(iter(answers.values()))
    if first.status != exchange.status or any(answer != first for answer in answers.values()):
        yield f"{exchange.method} {exchange.target} (HTTP/{exchange.version}), {exchange.status} expected:"
        for name, answer in answers.items():
            yield f"    {name}: {answer._replace(body=answer.body[:500])}, {len(answer.body)} bytes"


def _essence(address: Address, exchange: Exchange) -> Essence:
    with Connection(address) as client:
        client.send(exchange.wire)
        answer = client.answer(exchange.method)
    headers = sorted(header for header in answer.headers if header[0] not in NOT_COMPARED | exchange.but)
    return Essence(answer.status, answer.reason, headers, answer.body)

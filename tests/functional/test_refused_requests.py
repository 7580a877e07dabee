"""Requests that no application ever sees: the same answer over both edges, and a line in the access log."""

from dataclasses import dataclass

from tests.functional.clients import Connection
from tests.functional.conftest import MakeSite, Site


@dataclass(frozen=True, slots=True)
class Case:
    wire: bytes
    status: int
    by_mongrel2: int | None = None
    """The status with which Mongrel2 answers it by itself, where it does: our access log has no line then. 200 where it
    changes the request into one that is served."""


def get(*lines: bytes, target: bytes = b"/", version: bytes = b"1.1") -> bytes:
    return b"\r\n".join((b"GET %b HTTP/%b" % (target, version), *lines, b"", b""))


def post(*lines: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join((b"POST / HTTP/1.1", b"Host: a", *lines, b"", body))


LIMITS = ("--limit-request-line", "500", "--limit-request-fields", "20", "--limit-request-headers", "1500")
"""All three are below Mongrel2's limits.buffer_size (4096), within which it takes request line and headers."""

CASES = {
    # Framing that two programs could read differently.
    "length and coding": Case(post(b"Content-Length: 3", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"), 400),
    "two lengths": Case(post(b"Content-Length: 3", b"Content-Length: 3", body=b"abc"), 400),
    "a list of lengths": Case(post(b"Content-Length: 3, 3", body=b"abc"), 400),
    "a signed length": Case(post(b"Content-Length: +3", body=b"abc"), 400),
    "a negative length": Case(post(b"Content-Length: -1"), 400),
    "a length of letters": Case(post(b"Content-Length: abc"), 400),
    "no length in the header": Case(post(b"Content-Length:"), 400),
    "two codings": Case(post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip", body=b"0\r\n\r\n"), 400),
    "a list of codings": Case(post(b"Transfer-Encoding: gzip, chunked"), 400),
    "Chunked": Case(post(b"Transfer-Encoding: Chunked", body=b"0\r\n\r\n"), 400),
    "identity": Case(post(b"Transfer-Encoding: identity"), 400),
    "chunked of HTTP/1.0": Case(get(b"Transfer-Encoding: chunked", version=b"1.0") + b"0\r\n\r\n", 400),
    "a coding behind a vertical tab": Case(post(b"Transfer-Encoding: \x0bchunked"), 400),
    # Header lines.
    "no colon": Case(get(b"Host: a", b"nocolon", b"X: y"), 400),
    "a blank before the colon": Case(get(b"Host: a", b"X : y"), 400, by_mongrel2=400),
    "a blank in a name": Case(get(b"Host: a", b"X y: z"), 400, by_mongrel2=400),
    "a control character in a name": Case(get(b"Host: a", b"X\x01: y"), 400),
    "NUL in a name": Case(get(b"Host: a", b"X\0: y"), 400, by_mongrel2=400),
    "NUL in a value": Case(get(b"Host: a", b"X: \0"), 400, by_mongrel2=400),
    "a control character in a value": Case(get(b"Host: a", b"X: y\x1fz"), 400),
    "DEL in a value": Case(get(b"Host: a", b"X: \x7f"), 400, by_mongrel2=400),
    "a bare CR in a value": Case(get(b"Host: a", b"X: y\rZ: 1"), 400, by_mongrel2=400),
    "a folded line": Case(get(b"Host: a", b"X: y", b" z"), 400, by_mongrel2=400),
    "a folded line first": Case(get(b" X: y", b"Host: a"), 400, by_mongrel2=400),
    "a bare LF": Case(b"GET / HTTP/1.1\nHost: a\n\n", 400, by_mongrel2=200),
    # Host.
    "no Host": Case(get(), 400),
    "two Hosts": Case(get(b"Host: a", b"Host: a"), 400),
    "a Host that is none": Case(get(b"Host: not a host"), 400),
    "a Host with a user": Case(get(b"Host: me@a"), 400),
    "a Host with a path, of HTTP/1.0": Case(get(b"Host: a/b", version=b"1.0"), 400),
    "a port that is none": Case(get(b"Host: a:65536"), 400),
    # Targets.
    "no host in the target": Case(get(b"Host: a", target=b"http://:80/"), 400, by_mongrel2=200),
    "a user in the target": Case(get(b"Host: a", target=b"http://me@a/"), 400, by_mongrel2=200),
    "https without TLS": Case(get(b"Host: a", target=b"https://a/"), 421, by_mongrel2=200),
    "another scheme": Case(get(b"Host: a", target=b"ftp://a/"), 400, by_mongrel2=200),
    "no slash": Case(get(b"Host: a", target=b"a/b"), 400, by_mongrel2=404),
    "only a query": Case(get(b"Host: a", target=b"?a"), 400, by_mongrel2=404),
    "an asterisk": Case(get(b"Host: a", target=b"*"), 404, by_mongrel2=404),
    "a control character in the target": Case(get(b"Host: a", target=b"/\x01"), 400, by_mongrel2=400),
    "a byte above ASCII in the target": Case(get(b"Host: a", target=b"/\xe9"), 400, by_mongrel2=400),
    # The first line.
    "TLS": Case(bytes.fromhex("1603010200010001fc0303") + b"\r\n\r\n", 501, by_mongrel2=400),
    "HTTP/2.0": Case(get(b"Host: a", version=b"2.0"), 505, by_mongrel2=400),
    "HTTP/1.2": Case(get(b"Host: a", version=b"1.2"), 400, by_mongrel2=400),
    "a method in small letters": Case(b"get / HTTP/1.1\r\nHost: a\r\n\r\n", 501, by_mongrel2=400),
    "a method that nobody knows": Case(b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501, by_mongrel2=200),
    # Limits.
    "a long target": Case(get(b"Host: a", target=b"/" + b"t" * 500), 414),
    "a long query": Case(get(b"Host: a", target=b"/?" + b"q" * 499), 414),
    "many header lines": Case(get(b"Host: a", *[b"X%d: y" % number for number in range(20)]), 431),
    "large headers": Case(get(b"Host: a", b"X: " + b"y" * 1500), 431),
    "a large head": Case(get(b"Host: a", b"X: " + b"y" * 5000), 431, by_mongrel2=400),
    "many header lines and a body": Case(
        post(b"Content-Length: 4", *[b"X%d: y" % number for number in range(20)], body=b"body"), 431
    ),
}


def test_they_are_refused(site: MakeSite) -> None:
    served = site("mirror", *LIMITS, "--debug", workers=1)
    lines = 0
    for name, case in CASES.items():
        status = case.status if served.edge == "http" else case.by_mongrel2 or case.status
        assert _status(served, case.wire) == status, name
        if served.edge == "http" or case.by_mongrel2 in (None, 200):
            lines += 1
            line = served.daemon.wait_for_access(lines)[-1]
            assert f" {status} " in line, name
            assert ("end=refused" in line) is (status != 200), name
            assert len(line.split('"')[1].split(" ")) == 3, name  # also of one whose first line says nothing
            if status != 200:
                request_id = line.partition(" id=")[2].split()[0]
                served.daemon.wait_for_log(f"request {request_id} is refused: {status}: ")
    assert len(served.daemon.access_log) == lines


def _status(served: Site, wire: bytes) -> int:
    """After which the connection ends, unless the request was served."""
    with Connection(served.address) as client:
        client.send(wire)
        answer = client.answer("GET")
        if answer.status >= 400:
            client.expect_end()
        return answer.status

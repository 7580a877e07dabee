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


CASES = {
    "no Host": Case(get(), 400),
    "two Hosts": Case(get(b"Host: a", b"Host: a"), 400),
    "a Host that is none": Case(get(b"Host: not a host"), 400),
    "a Host with a user": Case(get(b"Host: me@a"), 400),
    "a Host with a path, of HTTP/1.0": Case(get(b"Host: a/b", version=b"1.0"), 400),
    "a port that is none": Case(get(b"Host: a:65536"), 400),
    "no host in the target": Case(get(b"Host: a", target=b"http://:80/"), 400, by_mongrel2=200),
    "https without TLS": Case(get(b"Host: a", target=b"https://a/"), 421, by_mongrel2=200),
}


def test_they_are_refused(site: MakeSite) -> None:
    served = site("mirror", workers=1)
    lines = 0
    for name, case in CASES.items():
        status = case.status if served.edge == "http" else case.by_mongrel2 or case.status
        assert _status(served, case.wire) == status, name
        if served.edge == "http" or case.by_mongrel2 in (None, 200):
            lines += 1
            line = served.daemon.wait_for_access(lines)[-1]
            assert f" {status} " in line, name
            assert ("end=refused" in line) is (status != 200), name
    assert len(served.daemon.access_log) == lines


def _status(served: Site, wire: bytes) -> int:
    """After which the connection ends, unless the request was served."""
    with Connection(served.address) as client:
        client.send(wire)
        answer = client.answer("GET")
        if answer.status >= 400:
            client.expect_end()
        return answer.status

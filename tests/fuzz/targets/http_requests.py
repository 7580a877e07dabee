"""HTTP requests: read in the same way whatever the pieces, and as h11 reads them.

The first byte of an input says how large the pieces are and, with its highest bit, that the application is below
SCRIPT. What is accepted must be accepted by h11's server as well,
with the same method, target, headers and body. Where the two differ is told where they are compared.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import h11

from tests.unit.protocol.test_http_reader import BAD, LEGAL, NEXT, REFUSED_OTHERWISE, Recorder
from wsgid.protocol.host import UNKNOWN, is_host, split_host
from wsgid.protocol.http_reader import Incoming, RequestReader
from wsgid.protocol.http_request import Refused, parse_target, wants_keep_alive
from wsgid.protocol.limits import HttpLimits
from wsgid.protocol.values import Header

LIMITS = HttpLimits(request_line=64, fields=8, headers=200, body=64)
"""So low that inputs of few bytes meet them."""

SCRIPT = "/app"

TOO_LARGE = {413, 414, 431}

MOST_OF_H11 = 1 << 20
"""Bytes of a head: it has a limit of its own."""


@dataclass(frozen=True)
class Outcome:
    recorder: Recorder
    code: int
    """Of the refusal; 0 when nothing was refused."""
    why: str


def check(data: bytes) -> None:
    first, said = int.from_bytes(data[:1]), data[1:]
    script_name, size = (SCRIPT if first & 0x80 else ""), (first & 0x7F) + 2
    whole = read([said], script_name)
    check_same(whole, read((said[at : at + 1] for at in range(len(said))), script_name))
    check_same(whole, read((said[at : at + size] for at in range(0, len(said), size)), script_name))
    for head, keep_alive in zip(whole.recorder.heads, whole.recorder.kept_alive, strict=False):
        # The other edge has this rule from us, this one from llhttp, which also heeds Proxy-Connection and a Connection
        # among the trailers. To end a connection is never wrong.
        wanted = wants_keep_alive(head.version, head.headers)
        heeds_more = head.body.chunked or any(name == "proxy-connection" for name, _ in head.headers)
        assert keep_alive is wanted or (wanted and heeds_more), "the edges disagree"
    compare_with_h11(said, whole.recorder)
    line = said[:80].decode("latin-1")
    check_host(line)
    check_target(line)


def read(pieces: Iterable[bytes], script_name: str) -> Outcome:
    recorder = Recorder()
    reader = RequestReader(LIMITS, script_name, recorder)
    try:
        for piece in pieces:
            reader.feed(piece)
    except Refused as refused:
        assert 400 <= refused.code <= 599
        return Outcome(recorder, refused.code, refused.why)
    return Outcome(recorder, 0, "")


def check_same(one: Outcome, other: Outcome) -> None:
    whole = len(one.recorder.kept_alive) if one.code else None  # of a body that is refused less or more has been read
    (heads, bodies, kept_alive), (other_heads, other_bodies, other_kept) = one.recorder.seen, other.recorder.seen
    assert (heads, kept_alive) == (other_heads, other_kept), "other requests in other pieces"
    assert bodies[:whole] == other_bodies[:whole], "other bodies in other pieces"
    assert bool(one.code) is bool(other.code), f"{one.code} {one.why}, but in other pieces {other.code} {other.why}"
    # A target or body that is too long, and not HTTP further on: which of the two is seen first depends on the pieces.
    assert one.code == other.code or {one.code, other.code} & TOO_LARGE, f"{one.code} or {other.code}"


# h11.


def compare_with_h11(data: bytes, recorder: Recorder) -> None:
    """Raises h11.RemoteProtocolError where h11 is stricter."""
    for number, (head, body) in enumerate(zip(recorder.heads, recorder.bodies, strict=True)):
        server = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_OF_H11)
        server.receive_data(as_h11_takes_it(data))
        request = server.next_event()
        assert isinstance(request, h11.Request), request
        assert request.method.decode() == head.method
        assert request.http_version.decode() == head.version[-3:]
        assert request.target.partition(b"#")[0].decode("latin-1") == head.target_text
        assert of_h11(request, head) == ours(head)
        if number == len(recorder.kept_alive):
            return  # it is not whole, or its body was refused
        assert body_by_h11(server) == body
        data = server.trailing_data[0]


def as_h11_takes_it(data: bytes) -> bytes:
    """Without what a server may ignore, and h11 does not: empty lines before a request (RFC 9112 section 2.2), and all
    blanks but one behind method and target (section 3, where a server may split the line at any whitespace)."""
    return re.sub(rb"\A[\r\n]*([!-~]+) +([!-~]+) +", rb"\1 \2 ", data)


def body_by_h11(server: h11.Connection) -> bytes:
    body = b""
    while isinstance(event := server.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage), "to h11 the request goes on"
    return body


def of_h11(request: h11.Request, head: Incoming) -> list[Header]:
    found = [(name.decode().lower(), value.decode("latin-1")) for name, value in request.headers.raw_items()]
    return [header for header in found if not (head.target.authority and header[0] == "host")]


def ours(head: Incoming) -> list[Header]:
    """As h11 has them: it leaves it to others that the absolute form overrides Host (RFC 9112 section 3.2.2), and gives
    the names of transfer codings in small letters."""
    headers = head.headers
    if head.target.authority:
        assert headers[0] == ("host", head.target.authority)
        headers = headers[1:]
    return [(name, value.lower() if name == "transfer-encoding" else value) for name, value in headers]


# Host and target, of any text.


def check_host(text: str) -> None:
    name, port = split_host(text, "80")
    assert name
    assert port.isascii()
    assert 0 <= int(port) <= 65535
    assert name == UNKNOWN or text in (name, f"{name}:", f"{name}:{port}")
    assert name == UNKNOWN or is_host(text)


def check_target(text: str) -> None:
    for script_name in ("", SCRIPT):
        try:
            target = parse_target("GET", text, script_name)
        except Refused as refused:
            assert refused.code in (400, 404, 421)
            continue
        path = target.script_name + target.path
        assert target.script_name == script_name
        assert path.startswith("/")
        assert target.path == "" or target.path.startswith("/")
        assert "?" not in path
        assert is_host(target.authority)
        url = f"http://{target.authority}" if target.authority else ""
        assert text.partition("?")[2] == target.query
        assert text.partition("?")[0].lower() in (url.lower() + path.lower(), url.lower())


def seeds() -> list[bytes]:
    legal = [b"\0" + wire for wire, *_ in LEGAL.values()]
    bad = [b"\0" + wire for wire in BAD.values()]
    others = [b"\0" + wire for wire, _ in REFUSED_OTHERWISE.values()]
    below = [b"\x80" + wire.replace(b" /", b" /app/", 1) for wire, *_ in LEGAL.values()]
    return [*legal, *(wire + NEXT for wire in legal), *below, *bad, *others]

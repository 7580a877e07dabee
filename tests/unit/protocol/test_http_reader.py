"""Every legal case is read whole, byte by byte, and with another request behind it; h11 writes some of the requests."""

from collections.abc import Callable, Iterable
from typing import Any

import h11
import msgspec
import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st

from wsgid.protocol import http_reader
from wsgid.protocol.http_reader import (
    FRAMING_OVERHEAD,
    FRAMING_RATIO,
    LONGEST_NAME,
    MOST_NAMES,
    Incoming,
    Phase,
    RequestReader,
)
from wsgid.protocol.http_request import Body, Refused, Target, wants_keep_alive
from wsgid.protocol.limits import HttpLimits
from wsgid.protocol.values import Header

LIMITS = HttpLimits(request_line=4096, fields=100, headers=16 * 1024, body=1024 * 1024)

HOST = b"Host: a\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
NEXT = b"GET /next HTTP/1.1\r\n" + HOST + b"\r\n"


class Recorder:
    """A sink that also checks the order of the calls."""

    def __init__(self) -> None:
        self.heads: list[Incoming] = []
        self.bodies: list[bytes] = []
        self.kept_alive: list[bool] = []
        self.step = "idle"

    def request_begins(self) -> None:
        assert self.step == "idle"
        self.step = "begun"

    def head_read(self, head: Incoming) -> None:
        assert self.step == "begun"
        self.step = "head"
        self.heads.append(head)
        self.bodies.append(b"")

    def body_read(self, part: bytes) -> None:
        assert self.step == "head"
        assert part
        self.bodies[-1] += part

    def request_read(self, head: Incoming, keep_alive: bool) -> None:
        assert self.step == "head"
        assert head is self.heads[-1]
        self.step = "idle"
        self.kept_alive.append(keep_alive)

    @property
    def seen(self) -> tuple[list[Incoming], list[bytes], list[bool]]:
        return self.heads, self.bodies, self.kept_alive


def read(pieces: Iterable[bytes], limits: HttpLimits = LIMITS) -> tuple[Recorder, RequestReader]:
    """Raises Refused."""
    recorder = Recorder()
    reader = RequestReader(limits, "", recorder)
    feed_all(reader, pieces)
    return recorder, reader


def feed_all(reader: RequestReader, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        reader.feed(piece)


def whole(data: bytes) -> list[bytes]:
    return [data]


def bytewise(data: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in data]


ways = pytest.mark.parametrize("cut", [whole, bytewise])
Cut = Callable[[bytes], list[bytes]]


def refusal(pieces: Iterable[bytes], limits: HttpLimits = LIMITS) -> Refused:
    recorder = Recorder()
    reader = RequestReader(limits, "", recorder)
    with pytest.raises(Refused) as refused:
        feed_all(reader, pieces)
    assert reader.phase is Phase.REFUSED
    seen = len(recorder.heads)
    reader.feed(NEXT)  # what follows is not read: nobody knows where it begins
    assert len(recorder.heads) == seen
    return refused.value


def head(
    method: str = "GET",
    target: str = "/",
    headers: list[Header] | None = None,
    body: Body = Body(None, False),  # noqa: B008 - it is frozen
    **changes: Any,
) -> Incoming:
    path, _, query = target.partition("?")
    values: dict[str, Any] = {
        "method": method,
        "target_text": target,
        "target": Target("", path, query, ""),
        "version": "HTTP/1.1",
        "headers": [("host", "a")] if headers is None else headers,
        "body": body,
        "expects_continue": False,
    }
    return Incoming(**{**values, **changes})


LEGAL: dict[str, tuple[bytes, Incoming, bytes, bool]] = {
    "the smallest": (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n", head(), b"", True),
    "the smallest of HTTP/1.0": (b"GET / HTTP/1.0\r\n\r\n", head(headers=[], version="HTTP/1.0"), b"", False),
    "HTTP/1.0 that stays": (
        b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
        head(headers=[("connection", "Keep-Alive")], version="HTTP/1.0"),
        b"",
        True,
    ),
    "HTTP/1.1 that goes": (
        b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
        head(headers=[("host", "a"), ("connection", "close")]),
        b"",
        False,
    ),
    "a query": (b"GET /p%20q?a=b?c HTTP/1.1\r\n" + HOST + b"\r\n", head(target="/p%20q?a=b?c"), b"", True),
    "repeated headers, order kept": (
        b"GET / HTTP/1.1\r\nX-b: 2\r\n" + HOST + b"x-A: 1\r\nX-B:3\r\n\r\n",
        head(headers=[("x-b", "2"), ("host", "a"), ("x-a", "1"), ("x-b", "3")]),
        b"",
        True,
    ),
    "values with blanks and bytes": (
        b"GET / HTTP/1.1\r\n" + HOST + b"X: \t a\t b\xff \t\r\nY:\r\nZ:   \r\n\r\n",
        head(headers=[("host", "a"), ("x", "a\t b\xff"), ("y", ""), ("z", "")]),
        b"",
        True,
    ),
    "a body": (
        POST + b"Content-Length: 5\r\n\r\nhello",
        head("POST", headers=[("host", "a"), ("content-length", "5")], body=Body(5, False)),
        b"hello",
        True,
    ),
    "a body that looks like a request": (
        POST + b"Content-Length: %d\r\n\r\n" % len(NEXT) + NEXT,
        head("POST", headers=[("host", "a"), ("content-length", str(len(NEXT)))], body=Body(len(NEXT), False)),
        NEXT,
        True,
    ),
    "an empty body": (
        POST + b"Content-Length: 0\r\n\r\n",
        head("POST", headers=[("host", "a"), ("content-length", "0")], body=Body(0, False)),
        b"",
        True,
    ),
    "GET with a body": (
        b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n\r\nx",
        head(headers=[("host", "a"), ("content-length", "1")], body=Body(1, False)),
        b"x",
        True,
    ),
    "chunks, an extension, a trailer": (
        CHUNKED + b"3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: t\r\n\r\n",
        head("POST", headers=[("host", "a"), ("transfer-encoding", "chunked")], body=Body(None, True)),
        b"hello",
        True,
    ),
    "no chunk but the last": (
        CHUNKED + b"0\r\n\r\n",
        head("POST", headers=[("host", "a"), ("transfer-encoding", "chunked")], body=Body(None, True)),
        b"",
        True,
    ),
    "a blank after chunked": (
        POST + b"Transfer-Encoding: chunked \r\n\r\n1\r\nx\r\n0\r\n\r\n",
        head("POST", headers=[("host", "a"), ("transfer-encoding", "chunked")], body=Body(None, True)),
        b"x",
        True,
    ),
    "the absolute form, which overrides Host": (
        b"GET http://b:8/p?q HTTP/1.1\r\n" + HOST + b"X: y\r\n\r\n",
        msgspec.structs.replace(
            head(target="http://b:8/p?q", headers=[("host", "b:8"), ("x", "y")]), target=Target("", "/p", "q", "b:8")
        ),
        b"",
        True,
    ),
    "an expectation": (
        POST + b"Expect: 100-Continue\r\nContent-Length: 1\r\n\r\nx",
        head(
            "POST",
            headers=[("host", "a"), ("expect", "100-Continue"), ("content-length", "1")],
            body=Body(1, False),
            expects_continue=True,
        ),
        b"x",
        True,
    ),
    "an expectation with chunks": (
        POST + b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        head(
            "POST",
            headers=[("host", "a"), ("expect", "100-continue"), ("transfer-encoding", "chunked")],
            body=Body(None, True),
            expects_continue=True,
        ),
        b"",
        True,
    ),
    "an expectation and nothing to send": (
        b"GET / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\n\r\n",
        head(headers=[("host", "a"), ("expect", "100-continue")]),
        b"",
        True,
    ),
    "an expectation of HTTP/1.0, which has none": (
        b"POST / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: tea\r\nContent-Length: 1\r\n\r\nx",
        head(
            "POST",
            headers=[("connection", "keep-alive"), ("expect", "tea"), ("content-length", "1")],
            body=Body(1, False),
            version="HTTP/1.0",
        ),
        b"x",
        True,
    ),
    "HTTP/1.0 that asks for both": (
        b"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
        head(headers=[("connection", "keep-alive, close")], version="HTTP/1.0"),
        b"",
        False,
    ),
    "an upgrade, which is not taken": (
        b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        head(headers=[("host", "a"), ("connection", "Upgrade"), ("upgrade", "websocket")]),
        b"",
        True,
    ),
    "an upgrade not asked for by Connection, with a body": (
        POST + b"Upgrade: h2c\r\nContent-Length: 1\r\n\r\nx",
        head("POST", headers=[("host", "a"), ("upgrade", "h2c"), ("content-length", "1")], body=Body(1, False)),
        b"x",
        True,
    ),
    "a method that few know": (b"PROPFIND / HTTP/1.1\r\n" + HOST + b"\r\n", head("PROPFIND"), b"", True),
    "a method with a dash": (b"M-SEARCH / HTTP/1.1\r\n" + HOST + b"\r\n", head("M-SEARCH"), b"", True),
    "empty lines before it": (b"\r\n\r\n\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n", head(), b"", True),
}

legal = pytest.mark.parametrize("name", LEGAL)

options = st.sampled_from(["close", "Close", "CLOSE", "keep-alive", "Keep-Alive", "closed", "te", "x", ""])
connections = st.lists(st.lists(options, min_size=1, max_size=3).map(" ,".join), max_size=3)


@given(st.sampled_from(["HTTP/1.0", "HTTP/1.1"]), connections)
@example("HTTP/1.0", ["keep-alive, close"])
@example("HTTP/1.0", ["close", "keep-alive"])
def test_both_edges_read_connection_alike(version: str, values: list[str]) -> None:
    """Here llhttp has its own way; the other edge has but the rule."""
    fields = "".join(f"Connection: {value}\r\n" for value in values)
    recorder, _ = read([f"GET / {version}\r\nHost: a\r\n{fields}\r\n".encode()])
    assert recorder.kept_alive == [wants_keep_alive(version, [("connection", value) for value in values])]


SMALL = HttpLimits(request_line=16, fields=3, headers=512, body=3)

REFUSED_BY_CALLBACKS = {
    b"GET /" + b"p" * 20 + b" HTTP/1.1\r\n" + HOST + b"\r\n": 414,
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 4 + HOST + b"\r\n": 431,
    b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 600 + b"\r\n\r\n": 431,
    b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n": 400,
    CHUNKED + b"4\r\nbody\r\n0\r\n\r\n": 413,
}


def test_a_refusal_is_one_also_while_another_exception_is_handled() -> None:
    """As when the queue was full for the request before, or its worker has died, and what is pipelined is read on."""
    try:
        raise ConnectionResetError
    except ConnectionResetError:
        for wire, code in REFUSED_BY_CALLBACKS.items():
            assert refusal([wire], SMALL).code == code


class TestLegalRequests:
    @ways
    @legal
    def test_alone(self, name: str, cut: Cut) -> None:
        wire, expected, body, keep_alive = LEGAL[name]
        recorder, reader = read(cut(wire))
        assert recorder.seen == ([expected], [body], [keep_alive])
        assert reader.phase is (Phase.BETWEEN if keep_alive else Phase.LAST)
        assert (reader.method, reader.target.decode()) == (expected.method, expected.target_text)

    @ways
    @legal
    def test_with_a_tail(self, name: str, cut: Cut) -> None:
        wire, expected, body, keep_alive = LEGAL[name]
        recorder, _ = read(cut(wire + NEXT))
        if keep_alive:
            assert recorder.seen == ([expected, head(target="/next")], [body, b""], [True, True])
        else:
            assert recorder.seen == ([expected], [body], [False])

    @ways
    @legal
    def test_that_stops_short_is_waited_for(self, name: str, cut: Cut) -> None:
        wire, _, _, _ = LEGAL[name]
        recorder, reader = read(cut(wire[:-1]))
        assert recorder.kept_alive == []
        assert reader.phase in (Phase.HEAD, Phase.BODY)

    def test_a_thousand_in_one_piece(self) -> None:
        recorder, _ = read([NEXT * 1000])
        assert recorder.heads == [head(target="/next")] * 1000

    def test_a_thousand_that_ask_for_an_upgrade_are_no_recursion(self) -> None:
        wire, expected, _, _ = LEGAL["an upgrade, which is not taken"]
        recorder, _ = read([wire * 2000])
        assert recorder.heads == [expected] * 2000

    def test_a_fragment_is_no_part_of_the_target(self) -> None:
        recorder, _ = read([b"GET /a?b#/c?d HTTP/1.1\r\n" + HOST + b"\r\n"])
        assert recorder.heads == [head(target="/a?b")]

    def test_below_the_root_of_the_application(self) -> None:
        recorder = Recorder()
        reader = RequestReader(LIMITS, "/app", recorder)
        reader.feed(b"GET /app/a?b HTTP/1.1\r\n" + HOST + b"\r\n")
        assert recorder.heads[0].target == Target("/app", "/a", "b", "")
        with pytest.raises(Refused, match="no application is behind this path"):
            reader.feed(NEXT)

    def test_after_the_last_request_nothing_is_read_and_nothing_is_wrong(self) -> None:
        recorder, reader = read([b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n\0\0\0", b"\0", NEXT])
        assert len(recorder.heads) == 1
        assert reader.phase is Phase.LAST

    def test_a_trailer_is_no_header_of_the_next_request(self) -> None:
        recorder, _ = read([CHUNKED + b"0\r\nHost: b\r\nX-Evil: 1\r\n\r\n" + NEXT])
        assert recorder.heads[1] == head(target="/next")

    @given(st.sampled_from(sorted(LEGAL)), st.data())
    def test_cut_anywhere(self, name: str, data: st.DataObject) -> None:
        wire = LEGAL[name][0] + NEXT
        cuts = sorted(data.draw(st.sets(st.integers(1, len(wire) - 1), max_size=8)))
        pieces = [wire[start:end] for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
        assert read(pieces)[0].seen == read([wire])[0].seen


BAD: dict[str, bytes] = {
    # Two readers could find two bodies.
    "length and coding": POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "two equal lengths": POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "a list of lengths": POST + b"Content-Length: 3, 3\r\n\r\nabc",
    "a signed length": POST + b"Content-Length: +3\r\n\r\nabc",
    "a negative length": POST + b"Content-Length: -3\r\n\r\nabc",
    "a hexadecimal length": POST + b"Content-Length: 0x3\r\n\r\nabc",
    "a length of letters": POST + b"Content-Length: abc\r\n\r\nabc",
    "no number as length": POST + b"Content-Length:\r\n\r\nabc",
    "a length with a gap": POST + b"Content-Length: 3 3\r\n\r\nabc",
    "a length past 64 bits": POST + b"Content-Length: 18446744073709551619\r\n\r\nabc",
    "a length past 63 bits": POST + b"Content-Length: 9223372036854775808\r\n\r\nabc",
    "Chunked": POST + b"Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
    "xchunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a list of codings": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "two codings": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two codings, one of them none": POST
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "identity": POST + b"Transfer-Encoding: identity\r\n\r\n",
    "an empty coding": POST + b"Transfer-Encoding:\r\n\r\n0\r\n\r\n",
    "a vertical tab before chunked": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a tab after chunked": POST + b"Transfer-Encoding: chunked \t\r\n\r\n0\r\n\r\n",
    "chunked on the next line": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a blank before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "chunked on HTTP/1.0": b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    # Two readers could find two ends of a line.
    "a bare LF after the request line": b"GET / HTTP/1.1\n" + HOST + b"\r\n",
    "a bare LF after a header": b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
    "a bare LF at the end": b"GET / HTTP/1.1\r\n" + HOST + b"\n",
    "a bare CR in a value": b"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
    "a bare CR at the end": b"GET / HTTP/1.1\r\n" + HOST + b"\rX",
    "a folded line": b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n",
    "a folded line after no value": b"GET / HTTP/1.1\r\n" + HOST + b"X:\r\n\tb\r\n\r\n",
    "a folded line first": b"GET / HTTP/1.1\r\n X: a\r\n" + HOST + b"\r\n",
    # Chunks.
    "a chunk size with 0x": CHUNKED + b"0x1\r\nx\r\n0\r\n\r\n",
    "a signed chunk size": CHUNKED + b"-1\r\nx\r\n0\r\n\r\n",
    "a chunk size with a blank": CHUNKED + b"1 \r\nx\r\n0\r\n\r\n",
    "no chunk size": CHUNKED + b"\r\nx\r\n0\r\n\r\n",
    "a chunk size past 64 bits": CHUNKED + b"10000000000000001\r\nx\r\n0\r\n\r\n",
    "a chunk longer than its size": CHUNKED + b"1\r\nxy\r\n0\r\n\r\n",
    "a bare LF after a chunk size": CHUNKED + b"1\nx\r\n0\r\n\r\n",
    "a bare LF in an extension": CHUNKED + b"1;a\nx\r\n0\r\n\r\n",
    "a line end in a quoted extension": CHUNKED + b'1;a="\r\n"\r\nx\r\n0\r\n\r\n',
    "a bare LF after a chunk": CHUNKED + b"1\r\nx\n0\r\n\r\n",
    "a bare LF at the end of the chunks": CHUNKED + b"0\r\n\n",
    # Header lines.
    "NUL in a value": b"GET / HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n",
    "a control character in a value": b"GET / HTTP/1.1\r\n" + HOST + b"X: a\x01b\r\n\r\n",
    "DEL in a value": b"GET / HTTP/1.1\r\n" + HOST + b"X: a\x7fb\r\n\r\n",
    "NUL in a name": b"GET / HTTP/1.1\r\n" + HOST + b"X\0: b\r\n\r\n",
    "a byte above ASCII in a name": b"GET / HTTP/1.1\r\n" + HOST + b"X\xe9: b\r\n\r\n",
    "a blank in a name": b"GET / HTTP/1.1\r\n" + HOST + b"X y: b\r\n\r\n",
    "no colon": b"GET / HTTP/1.1\r\n" + HOST + b"nocolon\r\n\r\n",
    "no name": b"GET / HTTP/1.1\r\n" + HOST + b": b\r\n\r\n",
    "two Hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "two equal Hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "two Hosts of HTTP/1.0": b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
    "no host in Host": b"GET / HTTP/1.1\r\nHost: not a host\r\n\r\n",
    "no host in Host of HTTP/1.0": b"GET / HTTP/1.0\r\nHost: a/b\r\n\r\n",
    "no host in Host, a body": b"POST / HTTP/1.1\r\nHost: a:b\r\nContent-Length: 1\r\n\r\nx",
    "no host in Host, another one in the target": b"GET http://a/ HTTP/1.1\r\nHost: a,\tb\r\n\r\n",
    "no host in the target": b"GET http://a:b/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    # Request lines.
    "HTTP/1.2": b"GET / HTTP/1.2\r\n" + HOST + b"\r\n",
    "HTTP/1.1x": b"GET / HTTP/1.1x\r\n" + HOST + b"\r\n",
    "http/1.1": b"GET / http/1.1\r\n" + HOST + b"\r\n",
    "a blank after the version": b"GET / HTTP/1.1 \r\n" + HOST + b"\r\n",
    "a blank in the target": b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n",
    "a control character in the target": b"GET /\x01 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a byte above ASCII in the target": b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n",
    "a target without a slash": b"GET a/b HTTP/1.1\r\n" + HOST + b"\r\n",
    "a target of another scheme": b"GET ftp://a/b HTTP/1.1\r\n" + HOST + b"\r\n",
    "a user in the target": b"GET http://u:p@a/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a method of another protocol": b"DESCRIBE / HTTP/1.1\r\n" + HOST + b"\r\n",
}

REFUSED_OTHERWISE: dict[str, tuple[bytes, int]] = {
    "HTTP/2.0": (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505),
    "HTTP/0.9": (b"GET /\r\n\r\n", 505),
    "HTTP/0.9 in words": (b"GET / HTTP/0.9\r\n\r\n", 505),
    "a method that llhttp does not know": (b"FOO / HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    "a method in small letters": (b"get / HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    "CONNECT": (b"CONNECT a:443 HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    "CONNECT with a path": (b"CONNECT / HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    "CONNECT with a body": (b"CONNECT a:443 HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n\r\nx", 501),
    "https without TLS": (b"GET https://a/ HTTP/1.1\r\n" + HOST + b"\r\n", 421),
    "OPTIONS *": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", 404),
    "an expectation that is not met": (POST + b"Expect: tea\r\nContent-Length: 1\r\n\r\nx", 417),
    "the same expectation twice": (POST + b"Expect: 100-continue\r\n" * 2 + b"Content-Length: 1\r\n\r\nx", 417),
    "TLS": (bytes.fromhex("1603010200010001fc0303"), 501),
}


class TestRefused:
    @ways
    @pytest.mark.parametrize("name", BAD)
    def test_what_is_not_http_or_could_be_read_in_two_ways(self, name: str, cut: Cut) -> None:
        assert refusal(cut(BAD[name] + NEXT)).code == 400

    @ways
    @pytest.mark.parametrize("name", BAD)
    def test_also_behind_a_good_request(self, name: str, cut: Cut) -> None:
        assert refusal(cut(NEXT + BAD[name] + NEXT)).code == 400

    @ways
    @pytest.mark.parametrize("name", REFUSED_OTHERWISE)
    def test_what_is_not_done_here(self, name: str, cut: Cut) -> None:
        wire, code = REFUSED_OTHERWISE[name]
        assert refusal(cut(wire)).code == code

    @ways
    @pytest.mark.parametrize(
        "wire",
        [
            POST + b"Connection: upgrade\r\nUpgrade: x\r\nContent-Length: %d\r\n\r\n" % len(NEXT) + NEXT,
            POST + b"Connection: upgrade\r\nUpgrade: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ],
        ids=["length", "chunks"],
    )
    def test_an_upgrade_with_a_body(self, wire: bytes, cut: Cut) -> None:
        """llhttp takes what follows for the other protocol's: the body would be read as the next request."""
        refused = refusal(cut(wire))
        assert (refused.code, refused.why) == (501, "a request with a body that asks for an upgrade")

    def test_before_the_method_is_known_there_is_a_dash_for_it(self) -> None:
        recorder = Recorder()
        reader = RequestReader(LIMITS, "", recorder)
        assert (reader.method, reader.target) == ("-", b"")
        reader.feed(b"GE")
        assert (reader.method, reader.target) == ("-", b"")
        reader.feed(b"T /a")
        assert (reader.method, reader.target) == ("GET", b"/a")
        with pytest.raises(Refused):
            reader.feed(b"\0")
        assert (reader.method, reader.target) == ("GET", b"/a")

    def test_by_the_caller(self) -> None:
        recorder, reader = read([CHUNKED])
        reader.stop()
        reader.feed(b"1\r\nx\r\n0\r\n\r\n")
        assert recorder.bodies == [b""]
        assert reader.phase is Phase.REFUSED


class TestKnownLeniency:
    """llhttp, strict, lets these through. They are pinned here so that a version which does not is noticed."""

    @pytest.mark.parametrize("line", [b"GET  / HTTP/1.1", b"GET /  HTTP/1.1"])
    def test_two_blanks_in_the_request_line(self, line: bytes) -> None:
        assert read([line + b"\r\n" + HOST + b"\r\n"])[0].heads == [head()]

    @pytest.mark.parametrize("line", [b"GET / RTSP/1.0", b"DESCRIBE / RTSP/1.0", b"SOURCE / ICE/1.0"])
    def test_its_other_protocols_pass_for_http_of_the_same_number(self, line: bytes) -> None:
        assert read([line + b"\r\n\r\n"])[0].heads[0].version == "HTTP/1.0"

    def test_proxy_connection_closes_like_connection(self) -> None:
        assert read([b"GET / HTTP/1.1\r\n" + HOST + b"Proxy-Connection: close\r\n\r\n"])[0].kept_alive == [False]

    def test_a_trailer_closes_like_connection(self) -> None:
        assert read([CHUNKED + b"0\r\nConnection: close\r\n\r\n"])[0].kept_alive == [False]


def limits(**changes: int) -> HttpLimits:
    values = {"request_line": 100, "fields": 10, "headers": 1000, "body": 1000}
    return HttpLimits(**{**values, **changes})


def with_target(length: int) -> bytes:
    return b"GET /%b HTTP/1.1\r\n" % (b"x" * (length - 1)) + HOST + b"\r\n"


def with_fields(count: int) -> bytes:
    return b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * (count - 1) + b"\r\n"


def with_headers(size: int) -> bytes:
    """Counted as in a file: with ": " and the line end."""
    return b"GET / HTTP/1.1\r\n" + HOST + b"X: %b\r\n\r\n" % (b"y" * (size - len(HOST) - 5))


def with_length(length: int) -> bytes:
    return POST + b"Content-Length: %d\r\n\r\n" % length + b"x" * length


def with_chunks(length: int) -> bytes:
    return CHUNKED + b"1\r\nx\r\n" * length + b"0\r\n\r\n"


class TestLimits:
    @ways
    @pytest.mark.parametrize(
        ("request_of", "limit", "code"),
        [
            (with_target, 100, 414),
            (with_fields, 10, 431),
            (with_headers, 1000, 431),
            (with_length, 1000, 413),
            (with_chunks, 1000, 413),
        ],
    )
    def test_the_limit_itself_is_allowed(
        self, request_of: Callable[[int], bytes], limit: int, code: int, cut: Cut
    ) -> None:
        recorder, _ = read(cut(request_of(limit) + request_of(limit)), limits())
        assert recorder.kept_alive == [True, True]
        assert refusal(cut(request_of(limit + 1)), limits()).code == code
        assert (
            refusal(cut(request_of(1 if request_of is not with_headers else 50) + request_of(limit + 1)), limits()).code
            == code
        )

    def test_names_that_clients_make_up_take_up_no_more_than_so_much_memory(self) -> None:
        names = [f"x-{number}".encode() for number in range(3 * MOST_NAMES)]
        long = b"y" * (LONGEST_NAME + 1)
        for start in range(0, len(names), 90):
            made_up = b"".join(name.upper() + b": 1\r\n" for name in [*names[start : start + 90], long])
            recorder, _ = read([b"GET / HTTP/1.1\r\n" + HOST + made_up + b"\r\n"])
            told = [name.encode() for name, _ in recorder.heads[0].headers]
            assert told == [b"host", *names[start : start + 90], long]
            assert len(http_reader._names) <= MOST_NAMES
        assert max(map(len, http_reader._names)) <= LONGEST_NAME

    def test_a_length_over_the_limit_is_refused_before_the_body(self) -> None:
        assert refusal([POST + b"Content-Length: 1001\r\n\r\n"], limits()).code == 413

    def test_trailers_count_as_headers(self) -> None:
        trailer = b"X: " + b"y" * 900 + b"\r\n"
        assert read([CHUNKED + b"0\r\n" + trailer + b"\r\n"], limits())[0].kept_alive == [True]
        assert refusal([CHUNKED + b"0\r\n" + trailer * 2 + b"\r\n"], limits()).code == 431

    @pytest.mark.parametrize(
        "beginning", [b"GET /", b"GET / HTTP/1.1\r\nX", b"GET / HTTP/1.1\r\nX: y", b"GET / HTTP/1.1\r\nX:"]
    )
    def test_a_line_without_an_end_is_not_kept_for_ever(self, beginning: bytes) -> None:
        """The parser itself would: it hands over a header only when it is whole."""
        piece = b" " * 1024 if beginning.endswith(b":") else b"z" * 1024
        most = FRAMING_OVERHEAD + 100 + 1000
        assert refusal([beginning, *[piece] * (most // 1024 + 2)], limits()).code in (414, 431)

    def test_empty_lines_before_a_request_are_counted_with_it(self) -> None:
        recorder = Recorder()
        reader = RequestReader(limits(), "", recorder)
        for _ in range(100):
            reader.feed(b"\r\n" * 512)
        assert recorder.heads == []
        with pytest.raises(Refused) as refused:
            reader.feed(b"GET / HTT")
        assert refused.value.code == 431

    @ways
    @pytest.mark.parametrize(
        ("beginning", "filling"),
        [
            (b"1;x=", b"y"),
            (b'1;x="', b"y"),
            (b"1\r\nx\r\n0\r\nX: ", b"y"),
            (b"1\r\nx\r\n0\r\nX", b"y"),
            (b"1\r\nx\r\n1;", b"y"),
            (b"", b"0"),  # of a chunk size
        ],
    )
    def test_framing_that_takes_far_more_than_the_body(self, beginning: bytes, filling: bytes, cut: Cut) -> None:
        flood = filling * (FRAMING_OVERHEAD + FRAMING_RATIO + 1000)
        assert refusal([CHUNKED, *cut(beginning + flood)], limits()).code in (400, 431)

    def test_chunks_of_one_byte_are_no_flood(self) -> None:
        size = 100_000
        recorder, _ = read([CHUNKED, *[b"1\r\nx\r\n" * 1000] * (size // 1000), b"0\r\n\r\n"], LIMITS)
        assert recorder.bodies == [b"x" * size]

    def test_a_big_body_is_no_flood(self) -> None:
        recorder, _ = read([with_length(LIMITS.body)])
        assert len(recorder.bodies[0]) == LIMITS.body

    def test_each_request_is_counted_for_itself(self) -> None:
        wire = CHUNKED + b"1;%b\r\nx\r\n0\r\n\r\n" % (b"y" * (FRAMING_OVERHEAD - 100))
        recorder, _ = read([wire, wire, wire])
        assert recorder.kept_alive == [True] * 3


class Objector(Recorder):
    """Raises in one of its methods."""

    def __init__(self, where: str, what: Exception) -> None:
        super().__init__()
        self.where = where
        self.what = what

    def _object(self, where: str) -> None:
        if where == self.where:
            raise self.what

    def request_begins(self) -> None:
        self._object("request_begins")

    def head_read(self, head: Incoming) -> None:
        self._object("head_read")

    def body_read(self, part: bytes) -> None:
        self._object("body_read")

    def request_read(self, head: Incoming, keep_alive: bool) -> None:
        self._object("request_read")


@pytest.mark.parametrize("connection", [b"", b"Connection: close\r\n"])
@pytest.mark.parametrize("where", ["request_begins", "head_read", "body_read", "request_read"])
class TestWhatTheSinkRaises:
    def feed(self, where: str, what: Exception, connection: bytes) -> RequestReader:
        reader = RequestReader(LIMITS, "", Objector(where, what))
        with pytest.raises(type(what)) as raised:
            reader.feed(POST + connection + b"Content-Length: 1\r\n\r\nx")
        assert raised.value is what
        return reader

    def test_as_refused_ends_the_reading(self, where: str, connection: bytes) -> None:
        reader = self.feed(where, Refused(500, "of its own"), connection)
        assert reader.phase is Phase.REFUSED
        reader.feed(NEXT)

    def test_as_a_fault_comes_out_as_it_is(self, where: str, connection: bytes) -> None:
        reader = self.feed(where, ZeroDivisionError("a fault"), connection)
        assert reader.phase is Phase.REFUSED


tokens = st.text("!#$%&'*+-.^_`|~0123456789abcXYZ", min_size=1, max_size=10)
values = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E) | st.sampled_from(" \t\xa0\xe9\xff"), max_size=10
)
ours = {"host", "content-length", "transfer-encoding", "connection", "proxy-connection", "upgrade", "expect"}
paths = st.text("abc%2F/;=&.~-_!$'()*+,:@", max_size=20).map("/".__add__)


class TestAsAnotherWritesIt:
    @given(
        st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]),
        paths,
        st.lists(st.tuples(tokens.filter(lambda name: name.lower() not in ours), values.map(str.strip)), max_size=6),
        st.lists(st.binary(min_size=1, max_size=30), max_size=4),
        st.booleans(),
        st.integers(1, 50),
    )
    def test_requests_of_h11(
        self, method: str, path: str, others: list[Header], parts: list[bytes], chunked: bool, size: int
    ) -> None:
        client = h11.Connection(h11.CLIENT)
        framed = ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(b"".join(parts))))
        headers = [("Host", "a"), *others, framed]
        events: list[h11.Event] = [
            h11.Request(
                method=method,
                target=path,
                headers=[(name.encode(), value.encode("latin-1")) for name, value in headers],
            ),
            *(h11.Data(data=part) for part in parts),
            h11.EndOfMessage(),
        ]
        wire = b"".join(client.send(each) or b"" for each in events)

        recorder, _ = read([wire[start : start + size] for start in range(0, len(wire), size)])

        assert [(got.method, got.target_text) for got in recorder.heads] == [(method, path)]
        assert recorder.heads[0].headers == [(name.lower(), value) for name, value in headers]
        assert recorder.bodies == [b"".join(parts)]
        assert recorder.kept_alive == [True]


pieces = st.sampled_from(
    [
        *(piece for wire, *_ in LEGAL.values() for piece in wire.splitlines(keepends=True)),
        *(piece for wire in BAD.values() for piece in wire.splitlines(keepends=True)),
    ]
)


class TestArbitraryBytes:
    """Calls in order, which the recorder checks, or Refused: never anything else."""

    def feed(self, data: list[bytes]) -> None:
        try:
            _, reader = read(data, limits(body=20))
        except Refused as refused:
            event(f"refused with {refused.code}")
        else:
            event(reader.phase.name)

    @given(st.lists(st.binary(max_size=50), max_size=5))
    @example([b"\xff"])
    def test_of_no_sense(self, data: list[bytes]) -> None:
        self.feed(data)

    @given(st.lists(pieces | st.binary(max_size=5), max_size=15), st.integers(1, 60))
    def test_of_little_sense(self, lines: list[bytes], size: int) -> None:
        wire = b"".join(lines)
        self.feed([wire[start : start + size] for start in range(0, len(wire), size)])

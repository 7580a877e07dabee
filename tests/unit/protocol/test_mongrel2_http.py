"""Messages that carry a client's HTTP request, nearly all of them as Mongrel2 1.12.2 sent them."""

from collections.abc import Callable
from itertools import count

import pytest

from tests.unit.protocol.mongrel2_writer import REQUEST_LINE, Values, json_message, terms, tnetstring_message
from wsgid.protocol import mongrel2
from wsgid.protocol.mongrel2_messages import (
    HttpRequest,
    MalformedMessage,
    Message,
    RefusedRequest,
    StreamStarted,
    UploadDone,
    UploadStarted,
    WebSocketFrame,
    WebSocketHandshake,
)
from wsgid.protocol.values import Header, Request

OURS, FORGED = "tmp/upl.PWNrS2", "/etc/passwd"
START, DONE = "x-mongrel2-upload-start", "x-mongrel2-upload-done"
FORGERY = {START: FORGED, DONE: FORGED}

Writer = Callable[[Values, Values, bytes], bytes]
both_formats = pytest.mark.parametrize("write", [tnetstring_message, json_message])


def parse(message: bytes) -> Message:
    return mongrel2.parse(message, terms())


def plain(
    *headers: Header,
    method: str = "GET",
    target: str = "/t",
    path: str = "/t",
    version: str = "HTTP/1.1",
    length: int | None = None,
    body: bytes = b"",
    in_file: bool = False,
) -> Request:
    """What comes of the writer's request line."""
    return Request(
        key="r1",
        id="r1",
        method=method,
        target=target,
        script_name="",
        path=path,
        query=target.partition("?")[2],
        version=version,
        headers=list(headers),
        scheme="http",
        server_name="h",
        server_port="80",
        remote_addr="127.0.0.1",
        remote_port="",
        server_id="srv-1",
        client_id="5",
        content_length=length,
        body=body,
        body_in_file=in_file,
    )


def written(write: Writer, client: Values, body: bytes = b"", **trusted: str) -> Message:
    return parse(write({**REQUEST_LINE, **trusted}, {"host": "h", **client}, body))


HOST = ("host", "h")


@both_formats
def test_an_ordinary_request(write: Writer) -> None:
    assert written(write, {"x_a": "1"}) == HttpRequest(plain(HOST, ("x_a", "1")), 0)


@both_formats
def test_repeated_headers_become_repeated_lines(write: Writer) -> None:
    value = written(write, {"x-dup": ["2", "1"], "b": "3"})
    assert value == HttpRequest(plain(HOST, ("b", "3"), ("x-dup", "2"), ("x-dup", "1")), 0)


@both_formats
def test_a_body(write: Writer) -> None:
    value = written(write, {"content-length": "03"}, b"a\0b", METHOD="POST")
    assert value == HttpRequest(plain(HOST, ("content-length", "03"), method="POST", length=3, body=b"a\0b"), 0)
    value = written(write, {"content-length": "0"}, METHOD="POST")
    assert value == HttpRequest(plain(HOST, ("content-length", "0"), method="POST", length=0), 0)


@both_formats
def test_a_fragment_is_ignored_and_credits_are_told(write: Writer) -> None:
    value = written(write, {}, FRAGMENT="f", URI="/t?a=1", QUERY="a=1", DOWNLOAD_CREDITS="102400")
    assert value == HttpRequest(plain(HOST, target="/t?a=1"), 102400)


def test_credits_that_are_no_number() -> None:
    with pytest.raises(MalformedMessage, match="DOWNLOAD_CREDITS 'x' are not a number"):
        written(tnetstring_message, {}, DOWNLOAD_CREDITS="x")


def test_the_server_is_the_one_that_the_client_asked() -> None:
    tls = {**REQUEST_LINE, "URL_SCHEME": "https", "REMOTE_ADDR": "::1"}
    value = parse(tnetstring_message(tls, {"host": "[::1]"}))
    assert isinstance(value, HttpRequest)
    request = value.request
    assert (request.scheme, request.server_name, request.server_port) == ("https", "[::1]", "443")
    assert request.remote_addr == "::1"
    value = parse(tnetstring_message({**REQUEST_LINE, "VERSION": "HTTP/1.0"}, {}))
    assert isinstance(value, HttpRequest)
    assert (value.request.server_name, value.request.server_port) == ("localhost", "80")


def test_the_route_is_the_script_name() -> None:
    value = written(tnetstring_message, {}, PATH="/app/x%20y", URI="/app/x%20y", PATTERN="/app/(.*)$")
    assert isinstance(value, HttpRequest)
    assert (value.request.script_name, value.request.path) == ("/app", "/x%20y")


@both_formats
@pytest.mark.parametrize("method", ["JSON", "XML", "WEBSOCKET"])
def test_a_method_is_only_a_method(write: Writer, method: str) -> None:
    body = b'{"type":"disconnect"}'
    value = written(write, {"content-length": "21", "flags": "0x81"}, body, METHOD=method)
    headers = (HOST, ("content-length", "21"), ("flags", "0x81"))
    assert value == HttpRequest(plain(*headers, method=method, length=21, body=body), 0)


def test_it_takes_the_method_and_the_flags_to_be_a_frame() -> None:
    value = written(tnetstring_message, {}, METHOD="WEBSOCKET", FRAGMENT="f")
    assert value == HttpRequest(plain(HOST, method="WEBSOCKET"), 0)
    assert written(tnetstring_message, {}, FLAGS="0x81") == HttpRequest(plain(HOST), 0)


@both_formats
def test_the_id_that_a_trusted_front_end_gives(write: Writer) -> None:
    given = {"host": "h", "x-request-id": "abc"}
    cases: list[tuple[str, Values, str]] = [
        ("127.0.0.1", given, "abc"),
        ("192.0.2.1", given, "r1"),
        ("127.0.0.1", {"host": "h"}, "r1"),
        ("127.0.0.1", {"host": "h", "x-request-id": ["abc", "abc"]}, "r1"),
        ("127.0.0.1", {"host": "not a host", "x-request-id": "abc"}, "abc"),
    ]
    for trusted, client, request_id in cases:
        value = mongrel2.parse(write(REQUEST_LINE, client, b""), terms(trusted=trusted))
        assert isinstance(value, HttpRequest | RefusedRequest)
        assert (value.request.key, value.request.id) == ("r1", request_id)


@pytest.mark.parametrize(("given", "shown"), [("a b", "a b"), (["a", "b"], "a,b")])
def test_an_odd_id_is_doubted(given: str | list[str], shown: str) -> None:
    doubts: list[str] = []
    message = tnetstring_message(REQUEST_LINE, {"host": "h", "x-request-id": given})
    value = mongrel2.parse(message, terms(trusted="*", doubts=doubts))
    assert isinstance(value, HttpRequest)
    assert value.request.id == "r1"
    assert doubts == [f"request r1: what a front end says is not believed: {shown!r} is not a request id"]


@pytest.mark.parametrize("addr", ["", "no address"])
def test_an_address_that_is_none_is_not_trusted(addr: str) -> None:
    """An empty one would stand for a UNIX socket, of which Mongrel2 has none."""
    message = tnetstring_message({**REQUEST_LINE, "REMOTE_ADDR": addr}, {"host": "h", "x-request-id": "abc"})
    value = mongrel2.parse(message, terms(trusted="unix"))
    assert isinstance(value, HttpRequest)
    assert value.request.id == "r1"


# What is refused.


@both_formats
@pytest.mark.parametrize(
    ("client", "body", "reason"),
    [
        ({"content-length": "3", "transfer-encoding": "chunked"}, b"abc", "both Content-Length and Transfer-Encoding"),
        ({"content-length": ["3", "3"]}, b"abc", "more than one Content-Length"),
        ({"content-length": "+3"}, b"abc", "a Content-Length that is not a plain number up to 2147483647"),
        ({"content-length": "4"}, b"abc", "3 bytes of body where Content-Length promises 4"),
        ({"content-length": "3 "}, b"abcd", "4 bytes of body where Content-Length promises 3"),
        ({"content-length": "3"}, b"", "0 bytes of body where Content-Length promises 3"),
        ({}, b"abc", "3 bytes of body where Content-Length promises 0"),
        ({"transfer-encoding": "chunked "}, b"", "a Transfer-Encoding that is not exactly chunked"),
        ({"transfer-encoding": "chunked"}, b"", "a chunked body that came neither as a file nor as a stream"),
        ({"nocolon\r\nx-b": "1"}, b"", "a header name that is not a token: 'nocolon\\r\\nx-b'"),
        ({"a": "b\nc"}, b"", "a control character in the value of a"),
        ({"host": ["h", "i"]}, b"", "more than one Host"),
        ({"host": "not a host"}, b"", "a Host that is not a host name or address"),
    ],
)
def test_requests_that_are_refused(write: Writer, client: Values, body: bytes, reason: str) -> None:
    value = written(write, client, body, METHOD="POST")
    assert isinstance(value, RefusedRequest)
    assert (value.code, value.reason, value.upload, value.upload_done) == (400, reason, b"", False)
    request = value.request
    assert (request.id, request.method, request.target, request.server_id) == ("r1", "POST", "/t", "srv-1")
    assert (request.content_length, request.body) == (None, b"")


def test_blanks_at_the_end_of_a_length_are_no_part_of_it() -> None:
    value = written(tnetstring_message, {"content-length": "3 \t"}, b"abc")
    assert value == HttpRequest(plain(HOST, ("content-length", "3"), length=3, body=b"abc"), 0)


# Uploads.


@both_formats
@pytest.mark.parametrize(
    ("header", "length"), [(("content-length", "30000"), 30000), (("transfer-encoding", "chunked"), None)]
)
@pytest.mark.parametrize("forged", [{}, {DONE: FORGED}, {DONE: [FORGED, FORGED]}])
def test_an_upload(write: Writer, header: Header, length: int | None, forged: Values) -> None:
    request = plain(HOST, header, length=length, in_file=True)
    started = written(write, {**dict([header]), **forged, START: OURS}, DOWNLOAD_CREDITS="102400")
    assert started == UploadStarted(request, 102400, OURS.encode())
    done = written(write, {**dict([header]), START: OURS, DONE: OURS}, DOWNLOAD_CREDITS="102400")
    assert done == UploadDone(request, OURS.encode())


@both_formats
@pytest.mark.parametrize(
    "client", [{"content-length": "+30000"}, {"content-length": "30000", "transfer-encoding": "x"}]
)
def test_a_refused_upload_names_its_file(write: Writer, client: Values) -> None:
    started = written(write, {**client, START: OURS})
    assert isinstance(started, RefusedRequest)
    assert (started.upload, started.upload_done) == (OURS.encode(), False)
    done = written(write, {**client, START: OURS, DONE: OURS})
    assert isinstance(done, RefusedRequest)
    assert (done.upload, done.upload_done) == (OURS.encode(), True)


@both_formats
def test_a_forged_upload_is_an_ordinary_request(write: Writer) -> None:
    assert written(write, FORGERY) == HttpRequest(plain(HOST), 0)
    value = written(write, {**FORGERY, "content-length": "3"}, b"abc")
    assert value == HttpRequest(plain(HOST, ("content-length", "3"), length=3, body=b"abc"), 0)
    listed = {START: [FORGED, FORGED], DONE: [FORGED, FORGED]}
    assert written(write, listed) == HttpRequest(plain(HOST), 0)


@both_formats
@pytest.mark.parametrize("coding", ["chunked ", "Chunked", "gzip, chunked"])
def test_a_forged_upload_with_a_coding_that_mongrel2_does_not_see(write: Writer, coding: str) -> None:
    for value in (coding, [coding, "chunked"]):
        refused = written(write, {**FORGERY, "transfer-encoding": value})
        assert isinstance(refused, RefusedRequest)
        assert refused.upload == b""
        assert not {START, DONE} & dict(refused.request.headers).keys()


# Streams.


@both_formats
def test_a_stream_begins(write: Writer) -> None:
    value = written(write, {"content-length": "30000"}, b"first", UPLOAD_STREAM="0", DOWNLOAD_CREDITS="102400")
    expected = plain(HOST, ("content-length", "30000"), length=30000, body=b"first")
    assert value == StreamStarted(expected, 102400)
    value = written(write, {"transfer-encoding": "chunked"}, UPLOAD_STREAM="0")
    assert value == StreamStarted(plain(HOST, ("transfer-encoding", "chunked")), 0)


@both_formats
def test_a_stream_with_forged_upload_headers_is_no_upload(write: Writer) -> None:
    """Its first message has no body either."""
    value = written(write, {**FORGERY, "content-length": "30000"}, UPLOAD_STREAM="0")
    assert value == StreamStarted(plain(HOST, ("content-length", "30000"), length=30000), 0)


def test_a_stream_that_is_refused() -> None:
    value = written(tnetstring_message, {"content-length": "+30000", **FORGERY}, b"first", UPLOAD_STREAM="0")
    assert isinstance(value, RefusedRequest)
    assert value == RefusedRequest(
        plain(HOST, ("content-length", "+30000")),
        400,
        "a Content-Length that is not a plain number up to 2147483647",
        b"",
        False,
    )


# WebSockets.

UPGRADE = {
    "upgrade": "websocket",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-version": "13",
    "connection": "Upgrade",
}
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@both_formats
def test_a_websocket_handshake(write: Writer) -> None:
    value = written(write, {**UPGRADE, **FORGERY, "content-length": "5"}, ACCEPT, METHOD="WEBSOCKET_HANDSHAKE")
    request = plain(HOST, *UPGRADE.items(), ("content-length", "5"))
    assert value == WebSocketHandshake(request, 0, ACCEPT.decode())


def test_a_websocket_handshake_that_is_refused() -> None:
    value = written(tnetstring_message, {**UPGRADE, "a b": "1"}, ACCEPT, METHOD="WEBSOCKET_HANDSHAKE")
    assert isinstance(value, RefusedRequest)
    assert value.request.method == "GET"
    assert value.reason == "a header name that is not a token: 'a b'"


@pytest.mark.parametrize("accept", [b"", b"x", ACCEPT + b"=", b"\xff" * 27 + b"="])
def test_a_websocket_handshake_without_its_key(accept: bytes) -> None:
    with pytest.raises(MalformedMessage, match="not a Sec-WebSocket-Accept value"):
        written(tnetstring_message, UPGRADE, accept, METHOD="WEBSOCKET_HANDSHAKE")


@both_formats
@pytest.mark.parametrize(("flags", "number"), [("0x81", 0x81), ("0x8A", 0x8A), ("0x1", 1)])
def test_a_websocket_frame(write: Writer, flags: str, number: int) -> None:
    client = {**UPGRADE, **FORGERY, "content-length": "5", "FLAGS": flags}
    value = written(write, client, b"hi", METHOD="WEBSOCKET")
    assert value == WebSocketFrame("srv-1", "5", number, b"hi")
    assert written(write, client, b"", METHOD="WEBSOCKET") == WebSocketFrame("srv-1", "5", number, b"")


@pytest.mark.parametrize("flags", ["", "81", "0x", "0x100", "0x8a", "0xZZ"])
def test_a_websocket_frame_with_odd_flags(flags: str) -> None:
    with pytest.raises(MalformedMessage, match="of a WebSocket frame are not a byte"):
        written(tnetstring_message, {**UPGRADE, "FLAGS": flags}, b"hi", METHOD="WEBSOCKET")


def test_an_id_is_asked_for_once_by_each_value_with_a_request() -> None:
    ids = count()
    messages = [
        tnetstring_message(REQUEST_LINE, {"host": "h"}),
        tnetstring_message({**REQUEST_LINE, "METHOD": "WEBSOCKET"}, {"FLAGS": "0x81"}),
        tnetstring_message(REQUEST_LINE, {}),
        b'srv-1 3 @* 16:6:METHOD,4:JSON,}21:{"type":"disconnect"},',
        tnetstring_message({**REQUEST_LINE, "METHOD": "WEBSOCKET_HANDSHAKE"}, {"host": "h"}, ACCEPT),
        tnetstring_message({**REQUEST_LINE, "UPLOAD_STREAM": "0"}, {"host": "h", "content-length": "9"}),
    ]
    values = [mongrel2.parse(message, terms(lambda: str(next(ids)))) for message in messages]
    assert [value.request.id for value in values if hasattr(value, "request")] == ["0", "1", "2", "3"]
    assert next(ids) == 4

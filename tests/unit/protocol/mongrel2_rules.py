"""What must hold of every message from Mongrel2 that is accepted: the rest of the program relies on it."""

from tests.unit.protocol.mongrel2_writer import terms
from wsgid.protocol import mongrel2_replies
from wsgid.protocol.host import is_host
from wsgid.protocol.limits import FIELD_OVERHEAD, HttpLimits
from wsgid.protocol.mongrel2 import parse
from wsgid.protocol.mongrel2_messages import (
    Credits,
    Disconnected,
    HttpRequest,
    MalformedMessage,
    Message,
    RefusedRequest,
    SocketMessage,
    StreamPart,
    StreamStarted,
    UploadDone,
    UploadStarted,
    WebSocketFrame,
    WebSocketHandshake,
)
from wsgid.protocol.mongrel2_uploads import DONE, START
from wsgid.protocol.request_id import is_request_id
from wsgid.protocol.values import Request

LINE_ENDS = {"\r", "\n", "\0"}
CONTROLS = set(map(chr, (*range(0x20), 0x7F))) - {"\t"}
LIMITS = HttpLimits(request_line=60, fields=8, headers=250, body=60)
"""So low that inputs of few bytes meet them."""
TERMS = terms(limits=LIMITS, trusted="127.0.0.1")

NO_NAME = set(map(chr, range(0x21))) | set('"(),/:;<=>?@[\\]{}\x7f')
"""ASCII that is no part of a token (RFC 9110 section 5.6.2)."""


def check_message(message: bytes) -> None:
    """Any bytes are a legal value or the one error. Raises AssertionError, and whatever else `parse` may raise."""
    try:
        value = parse(message, TERMS)
    except MalformedMessage as malformed:
        check_malformed(malformed)
    else:
        check_legal(value, LIMITS)


def check_legal(value: Message, limits: HttpLimits) -> None:
    """Raises AssertionError."""
    match value:
        case StreamPart() | Disconnected() | Credits() | SocketMessage() | WebSocketFrame():
            check_answerable(value.server_id, value.client_id)
        case RefusedRequest():
            _check_line(value.request)
            assert 400 <= value.code <= 499
            assert value.reason
            assert value.upload or not value.upload_done
        case HttpRequest(request=request):
            _check_request(request, limits)
            assert len(request.body) == (request.content_length or 0)
            assert not request.body_in_file
            assert "transfer-encoding" not in dict(request.headers)
        case UploadStarted(request=request) | UploadDone(request=request):
            _check_request(request, limits)
            assert request.body == b""
            assert request.body_in_file
            assert value.path
            assert b"\0" not in value.path
        case StreamStarted() | WebSocketHandshake():
            _check_request(value.request, limits)


def check_malformed(malformed: MalformedMessage) -> None:
    assert str(malformed)
    if malformed.server_id is None or malformed.client_id is None:
        assert malformed.server_id is malformed.client_id
    else:
        check_answerable(malformed.server_id, malformed.client_id)


def check_answerable(server_id: str, client_id: str) -> None:
    """Mongrel2 reads what is sent to it; this raises ValueError for what it would not."""
    assert mongrel2_replies.close(server_id, client_id)


def _check_request(request: Request, limits: HttpLimits) -> None:
    _check_line(request)
    assert len(request.target) <= limits.request_line
    assert request.key == "r1"
    assert request.id == "r1" or (is_request_id(request.id) and ("x-request-id", request.id) in request.headers)
    _check_headers(request, limits)
    _check_framing(request)


def _check_line(request: Request) -> None:
    check_answerable(request.server_id, request.client_id)
    whole = request.script_name + request.path
    assert request.target.startswith(whole)
    assert whole.startswith("/")
    assert request.version in ("HTTP/1.0", "HTTP/1.1")
    assert request.scheme in ("http", "https")
    assert request.method.isalnum()
    assert request.server_name
    assert request.server_port.isdigit()
    assert not LINE_ENDS & set(request.target + request.query + request.remote_addr)
    assert not {START, DONE} & {name for name, _ in request.headers}


def _check_headers(request: Request, limits: HttpLimits) -> None:
    for name, header in request.headers:
        assert name
        assert name == name.lower()
        assert name.isascii()
        assert not NO_NAME & set(name)
        assert not CONTROLS & set(header)
    assert len(request.headers) <= limits.fields
    assert sum(len(name) + len(header) + FIELD_OVERHEAD for name, header in request.headers) <= limits.headers


def _check_framing(request: Request) -> None:
    """RFC 9112 sections 3.2 and 6.3, as narrowly as can be."""
    lengths, codings, hosts = (
        [value for name, value in request.headers if name == wanted]
        for wanted in ("content-length", "transfer-encoding", "host")
    )
    assert len(hosts) == 1 or (request.version == "HTTP/1.0" and not hosts)
    assert all(map(is_host, hosts))
    assert len(lengths) + len(codings) <= 1
    assert codings in ([], ["chunked"])
    assert not (codings and request.version == "HTTP/1.0")
    if lengths:
        assert lengths[0].isascii()
        assert lengths[0].isdigit()
        assert request.content_length == int(lengths[0]) < 2**31
    else:
        assert request.content_length is None

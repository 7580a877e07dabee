"""Messages that carry a client's HTTP request: an ordinary one, an upload, a stream, a WebSocket.

What tells them apart are Mongrel2's own names, never the method alone, which a client may choose.
"""

import re
from typing import Final

from wsgid.protocol.host import is_host, split_host
from wsgid.protocol.http_request import Refused
from wsgid.protocol.limits import HttpLimits
from wsgid.protocol.mongrel2_envelope import Envelope
from wsgid.protocol.mongrel2_fields import Fields, Repeats
from wsgid.protocol.mongrel2_framing import bad_body, bad_framing, bad_header, content_length, too_large
from wsgid.protocol.mongrel2_line import HANDSHAKE, Line, take_line
from wsgid.protocol.mongrel2_messages import (
    HttpRequest,
    RefusedRequest,
    StreamStarted,
    UploadDone,
    UploadStarted,
    WebSocketFrame,
    WebSocketHandshake,
)
from wsgid.protocol.mongrel2_routes import split_path
from wsgid.protocol.mongrel2_terms import Terms
from wsgid.protocol.mongrel2_uploads import DONE, START, Upload, drop_upload, take_upload
from wsgid.protocol.values import Header, Request

HttpMessage = (
    HttpRequest | RefusedRequest | UploadStarted | UploadDone | StreamStarted | WebSocketHandshake | WebSocketFrame
)

_FLAGS: Final = re.compile(r"0x[0-9A-F]{1,2}").fullmatch
_ACCEPT: Final = re.compile(rb"[A-Za-z0-9+/]{27}=").fullmatch
_ABOUT_BODIES: Final = ("content-length", "transfer-encoding", START, DONE)
_ABSENT: Final = "/"
"""In the place of a Host that is not there: no host either."""
_NO_UPLOAD: Final = Upload(b"", False)
_COUNT: Final = re.compile(r"[0-9]{1,10}").fullmatch


def read_http(envelope: Envelope, terms: Terms) -> HttpMessage:
    """Raises MalformedMessage when what Mongrel2 itself says is incomplete or makes no sense."""
    line = take_line(envelope, terms.limits)
    if line.extras:
        if line.method == "WEBSOCKET" and "FLAGS" in line.extras:
            return _frame(envelope, line)
        if "UPLOAD_STREAM" in line.extras:
            return _stream(envelope, line, terms)
    if line.method == HANDSHAKE:
        return _handshake(envelope, line, terms)
    return _whole(envelope, line, terms)


def _whole(envelope: Envelope, line: Line, terms: Terms) -> HttpMessage:
    """A request whose body is in the message or in a file."""
    fields, body = envelope.fields, envelope.body
    if line.usual and not body and is_host(fields.get("host", _ABSENT)) and fields.keys().isdisjoint(_ABOUT_BODIES):
        # The usual GET: none of the rules below has anything to say about it.
        return HttpRequest(_request(envelope, line, terms, None, b"", False), 0)
    upload = take_upload(fields, envelope.repeats, body)
    refused = _bad_head(envelope, line, terms.limits)
    if refused is None and upload is None and (fault := bad_body(fields, body)):
        refused = Refused(400, fault)
    if refused is not None:
        return _refused(envelope, line, terms, refused, upload or _NO_UPLOAD)
    request = _request(envelope, line, terms, content_length(fields), body, upload is not None)
    if upload is None:
        return HttpRequest(request, _credits(envelope, line))
    if upload.done:
        return UploadDone(request, upload.path)
    return UploadStarted(request, _credits(envelope, line), upload.path)


def _stream(envelope: Envelope, line: Line, terms: Terms) -> StreamStarted | RefusedRequest:
    drop_upload(envelope.fields, envelope.repeats)
    refused = _bad_head(envelope, line, terms.limits)
    if refused is not None:
        return _refused(envelope, line, terms, refused, _NO_UPLOAD)
    request = _request(envelope, line, terms, content_length(envelope.fields), envelope.body, False)
    return StreamStarted(request, _credits(envelope, line))


def _handshake(envelope: Envelope, line: Line, terms: Terms) -> WebSocketHandshake | RefusedRequest:
    if not _ACCEPT(envelope.body):
        raise envelope.malformed("the body of a WebSocket handshake is not a Sec-WebSocket-Accept value")
    drop_upload(envelope.fields, envelope.repeats)
    refused = _bad_head(envelope, line, terms.limits)
    if refused is not None:
        return _refused(envelope, line, terms, refused, _NO_UPLOAD)
    request = _request(envelope, line, terms, None, b"", False)
    return WebSocketHandshake(request, _credits(envelope, line), envelope.body.decode())


def _frame(envelope: Envelope, line: Line) -> WebSocketFrame:
    """The handshake's headers come again with each frame, and were looked at then."""
    flags = line.extras["FLAGS"]
    if not _FLAGS(flags):
        raise envelope.malformed(f"FLAGS {flags[:40]!r} of a WebSocket frame are not a byte in hexadecimal")
    return WebSocketFrame(envelope.server_id, envelope.client_id, int(flags, 16), envelope.body)


def _bad_head(envelope: Envelope, line: Line, limits: HttpLimits) -> Refused | None:
    fields, repeats = envelope.fields, envelope.repeats
    fault = None
    if not line.usual:
        if refused := too_large(limits, line.target, fields, repeats):
            return refused
        fault = bad_header(fields, repeats)
    fault = fault or bad_framing(line.version, fields, repeats)
    return Refused(400, fault) if fault else None


def _refused(envelope: Envelope, line: Line, terms: Terms, refused: Refused, upload: Upload) -> RefusedRequest:
    request = _request(envelope, line, terms, None, b"", False)
    return RefusedRequest(request, refused.code, refused.why, upload.path, upload.done)


def _request(envelope: Envelope, line: Line, terms: Terms, length: int | None, body: bytes, in_file: bool) -> Request:
    key = terms.next_key()
    default_port = "443" if line.scheme == "https" else "80"
    server_name, server_port = split_host(envelope.fields.get("host", ""), default_port)
    script_name, path = split_path(line.pattern, line.path)
    return Request(
        key,
        terms.request_id(key, envelope.fields, envelope.repeats, line.remote_addr),
        "GET" if line.method == HANDSHAKE else line.method,
        line.target,
        script_name,
        path,
        line.query,
        line.version,
        _headers(envelope.fields, envelope.repeats),
        line.scheme,
        server_name,
        server_port,
        line.remote_addr,
        "",
        envelope.server_id,
        envelope.client_id,
        length,
        body,
        in_file,
    )


def _headers(fields: Fields, repeats: Repeats) -> list[Header]:
    headers = list(fields.items())
    for name, values in repeats.items():
        headers += [(name, value) for value in values]
    return headers


def _credits(envelope: Envelope, line: Line) -> int:
    if not line.extras:
        return 0
    count = line.extras.get("DOWNLOAD_CREDITS", "0")
    if not _COUNT(count):
        raise envelope.malformed(f"DOWNLOAD_CREDITS {count[:40]!r} are not a number")
    return int(count)

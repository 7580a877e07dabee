"""Writes answers as HTTP/1.1: the head, and how the body is told apart from what follows it.

Every edge uses this one writer, so that the same application gives the same bytes whichever way the request came.
The worker has checked status and headers before they come here (see `wsgid.protocol.values.Head`), and writes what is
the same for every client; the edge adds the rest.
"""

import enum
from typing import Final

import msgspec

from wsgid.protocol.values import (
    GAVE_DATE,
    GAVE_REQUEST_ID,
    GAVE_SERVER,
    Head,
    UnwritableHead,
    WrittenHead,
)

BODILESS: Final = frozenset({204, 205, 304})
"""Codes whose answers have no body whatever the application gives (RFC 9110 sections 15.3.5, 15.3.6, 15.4.5)."""

LAST_CHUNK: Final = b"0\r\n\r\n"


class Framing(enum.Enum):
    """How the client finds the end of the body (RFC 9112 section 6.3)."""

    NONE = enum.auto()
    """There is no body: the request was HEAD, or the code has none."""
    LENGTH = enum.auto()
    CHUNKED = enum.auto()
    UNTIL_CLOSE = enum.auto()
    """Only the end of the connection tells: an HTTP/1.0 client and a body of unknown length."""


NONE, LENGTH, CHUNKED, UNTIL_CLOSE = Framing
"""A global name costs a fraction of an enum's attribute (Python 3.11)."""


class Opening(msgspec.Struct, frozen=True, gc=False):
    """The bytes an answer begins with, and what they promise."""

    head: bytes
    framing: Framing
    keep_alive: bool
    """The connection can carry another request after this answer."""


def written(head: Head) -> WrittenHead:
    """Raises UnwritableHead."""
    code, headers, length = head.code, head.headers, head.content_length
    if code in BODILESS and length is not None:
        # RFC 9110 section 8.6: none in a 204, and in a 304 none but that of the 200, which cannot be checked here: what
        # Django gives is mostly 0. A 205 has the length 0 whatever the application said.
        headers, length = [header for header in headers if header[0].lower() != "content-length"], None
    text = f"HTTP/1.1 {head.status}\r\n"
    for name, value in headers:
        text += f"{name}: {value}\r\n"  # which CPython does in place: half the price of a join, for few and for many
    lowered = text.lower()
    gave = 0
    if "\r\ndate:" in lowered:
        gave = GAVE_DATE
    if "\r\nserver:" in lowered:
        gave |= GAVE_SERVER
    if "\r\nx-request-id:" in lowered:
        gave |= GAVE_REQUEST_ID
    try:
        return WrittenHead(code, text.encode("latin-1"), length, gave)
    except UnicodeEncodeError as error:
        raise UnwritableHead(f"not latin-1: {error.object[error.start :][:40]!r}") from None


def opening(
    head: WrittenHead,
    *,
    method: str,
    version: str,
    keep_alive: bool,
    body_length: int | None,
    date: str,
    server: str,
    request_id: str,
) -> Opening:
    """How the answer begins.

    `body_length` is the number of body bytes when the whole body is at hand, None when it comes in parts.
    `keep_alive` is the client's wish. `date`, `server` and `request_id` are sent unless the application gave
    its own; those that are empty are not sent.
    """
    if head.content_length is not None and head.code not in BODILESS and method != "HEAD":
        framing, line = LENGTH, ""
    else:
        framing, line = _framing(head, method, version, body_length)
    if framing is UNTIL_CLOSE:
        keep_alive = False
    if not keep_alive:
        line += "Connection: close\r\n"
    elif version == "HTTP/1.0":
        line += "Connection: keep-alive\r\n"
    gave = head.gave
    if not gave & GAVE_DATE:
        line += f"Date: {date}\r\n"
    if server and not gave & GAVE_SERVER:
        line += f"Server: {server}\r\n"
    if request_id and not gave & GAVE_REQUEST_ID:
        line += f"X-Request-Id: {request_id}\r\n"
    return Opening(head.lines + line.encode("latin-1") + b"\r\n", framing, keep_alive)


def _framing(head: WrittenHead, method: str, version: str, body_length: int | None) -> tuple[Framing, str]:
    """The framing and the header line that announces it, where the application's own Content-Length does not."""
    code = head.code
    if code in BODILESS:
        return NONE, "Content-Length: 0\r\n" if code == 205 else ""
    if method == "HEAD":
        # The length of what GET would have sent is the application's to know; an empty body says nothing about it.
        if head.content_length is None and body_length:
            return NONE, f"Content-Length: {body_length}\r\n"
        return NONE, ""
    if body_length is not None:
        return LENGTH, f"Content-Length: {body_length}\r\n"
    if version == "HTTP/1.0":
        return UNTIL_CLOSE, ""
    return CHUNKED, "Transfer-Encoding: chunked\r\n"


def chunk(part: bytes) -> bytes:
    """One chunk of a chunked body (RFC 9112 section 7.1). An empty part gives nothing: it would end the body."""
    return b"%x\r\n%b\r\n" % (len(part), part) if part else b""


_REASONS: Final = {
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    411: "Length Required",
    413: "Content Too Large",
    414: "URI Too Long",
    417: "Expectation Failed",
    421: "Misdirected Request",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
}

RETRY_AFTER_SECONDS: Final = 5
"""What a refused client is told to wait: long enough for a queue of quick requests to empty, short for a person."""


def refusal(code: int, why: str) -> tuple[WrittenHead, bytes]:
    """An answer of our own: the reason in one line of plain text."""
    body = f"{code} {_REASONS[code]}: {why}\n".encode("latin-1", "replace")
    headers = [("Content-Type", "text/plain; charset=iso-8859-1"), ("Content-Length", str(len(body)))]
    if code == 503:
        headers.append(("Retry-After", str(RETRY_AFTER_SECONDS)))
    return written(Head(f"{code} {_REASONS[code]}", headers, len(body))), body

"""The rules by which a request from Mongrel2 is refused before anything is done with it.

Mongrel2 reads lengths as C's ``strtol`` does, prefers Content-Length to Transfer-Encoding, takes the first of
several, and treats what it cannot read as "no body": the body is then its next request. Whoever stands before it may
have read the same bytes otherwise, which is all that request smuggling needs (RFC 9112, sections 6.3 and 11.2). So
everything that could be read in two ways is refused.
"""

import re
from typing import Final

from wsgid.protocol.host import NOT_A_HOST, is_host
from wsgid.protocol.http_request import NOT_CHUNKED, Refused
from wsgid.protocol.limits import FIELD_OVERHEAD, HttpLimits
from wsgid.protocol.mongrel2_fields import Fields, Repeats

MAX_LENGTH: Final = 2**31 - 1
"""The largest Content-Length that Mongrel2 reads; a larger one is 0 to it."""

CONTROLS: Final = bytes({*range(0x20), 0x7F} - {ord("\t")})
"""Control characters, but for the tab, which is a blank (RFC 9110 section 5.5)."""

_SINGLE: Final = {"content-length": "Content-Length", "host": "Host", "transfer-encoding": "Transfer-Encoding"}

_TOKEN: Final = re.compile(r"[0-9a-z!#$%&'*+.^_`|~-]+").fullmatch
_DIGITS: Final = re.compile(r"[0-9]{1,10}").fullmatch
_CONTROL: Final = re.compile(f"[{re.escape(CONTROLS.decode())}]").search


def bad_header(fields: Fields, repeats: Repeats) -> str | None:
    """The first header whose name is not a lower-cased token (RFC 9110, section 5.6.2) or whose value has a control
    character (section 5.5), in words; None when there is none.

    A line without a colon and the line after it arrive as one name, ``"nocolon\\r\\nx-b"``. CR, LF and NUL have to be
    refused; of the other control characters, which Mongrel2 lets through as well, the RFC leaves that to us, and by
    HTTP the parser refuses them.
    """
    for name in (*fields, *repeats):
        if not _TOKEN(name):
            return f"a header name that is not a token: {name[:80]!r}"
    for name, value in fields.items():
        if has_controls(value):
            return f"a control character in the value of {name[:80]}"
    for name, values in repeats.items():
        if any(map(has_controls, values)):
            return f"a control character in the value of {name[:80]}"
    return None


def has_controls(text: str) -> bool:
    return _CONTROL(text) is not None


def too_large(limits: HttpLimits, target: str, fields: Fields, repeats: Repeats) -> Refused | None:
    """The first limit that the request's head exceeds, in the order in which it comes."""
    if len(target) > limits.request_line:
        return limits.long_target()
    lines = [*fields.items(), *((name, value) for name, values in repeats.items() for value in values)]
    if len(lines) > limits.fields:
        return limits.many_fields()
    if sum(len(name) + len(value) + FIELD_OVERHEAD for name, value in lines) > limits.headers:
        return limits.large_headers()
    return None


def bad_framing(version: str, fields: Fields, repeats: Repeats) -> str | None:
    """The rule that the request's length or Host headers break, in words; None when they break none."""
    if repeats:
        for name, title in _SINGLE.items():
            if name in repeats:
                return f"more than one {title}"
    host = fields.get("host")
    if host is None and version != "HTTP/1.0":
        return "HTTP/1.1 without Host"
    if host is not None and not is_host(host):
        return NOT_A_HOST
    length, coding = fields.get("content-length"), fields.get("transfer-encoding")
    if coding is None:
        if length is not None and not (_DIGITS(length) and int(length) <= MAX_LENGTH):
            return f"a Content-Length that is not a plain number up to {MAX_LENGTH}"
    elif length is not None:
        return "both Content-Length and Transfer-Encoding"
    elif version == "HTTP/1.0":
        return "Transfer-Encoding on HTTP/1.0"
    elif coding != "chunked":
        # "Chunked" and "chunked " are legal, but Mongrel2 sees no body there.
        return NOT_CHUNKED
    return None


def content_length(fields: Fields) -> int | None:
    """Of headers in which `bad_framing` found nothing; None when they have none."""
    length = fields.get("content-length")
    return None if length is None else int(length)


def bad_body(fields: Fields, body: bytes) -> str | None:
    """Why this cannot be the whole body of such a request, in words; None when it can. Mongrel2 puts the whole body
    into the message, unless it goes to a file or is streamed; a chunked one always does."""
    if "transfer-encoding" in fields:
        return "a chunked body that came neither as a file nor as a stream"
    expected = content_length(fields) or 0
    if len(body) != expected:
        return f"{len(body)} bytes of body where Content-Length promises {expected}"
    return None

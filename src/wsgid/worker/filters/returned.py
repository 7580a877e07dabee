"""Judges what a post filter has returned: it has to be as good as what an application gives.

Values of headers may be anything that has a text: the first wsgid's own filter gave a number. How the body is framed is
not the filter's to say: Content-Length follows the body.
"""

from typing import Any, ClassVar, Final

from wsgid.protocol.http_answer import BODILESS
from wsgid.protocol.values import Head, Header
from wsgid.worker.checks import GAVE, check_status, checked_headers, shown
from wsgid.worker.errors import ApplicationError

CONTENT_LENGTH: Final = "Content-Length"


class Unusable(Exception):
    """What was returned is of no use. The text completes "returned", and says what to do."""

    INSTEAD: ClassVar = "The answer stays as it was before it"


def judge(
    returned: object, head: Head, body: bytes | None, *, took_body: bool, to_head: bool
) -> tuple[Head, bytes | None]:
    """Head and body as they are after a filter; ``head`` and ``body`` are those before it.

    A ``body`` of None is on its way already. ``took_body``: the filter was given it. ``to_head``: the request is a
    HEAD, whose Content-Length speaks of a body that nobody sees. Raises Unusable, and whatever the values of headers
    raise when they are asked for their text.
    """
    status, headers, changed = _triple(returned)
    if (changed is None or changed is body) and status == head.status and headers == head.headers:
        return head, body  # which has been judged before
    if changed is not None:
        _check_body(changed, took_body)
    code, pairs, length = _judged_head(status, headers)
    if body is None:
        if (code in BODILESS) != (head.code in BODILESS):
            raise Unusable(f"the status {status!r} in the place of {head.status!r}, whose body is about to be sent")
        return _framed(status, pairs, head.content_length), None
    if to_head or code in BODILESS:
        return Head(status, pairs, length), b""
    whole = body if changed is None else changed
    return _framed(status, pairs, len(whole)), whole


def _triple(returned: object) -> tuple[Any, Any, Any]:
    if not isinstance(returned, tuple | list) or len(returned) != 3:
        raise Unusable(f"{shown(returned)}: return (status, headers, body)")
    status, headers, body = returned
    return status, headers, body


def _check_body(body: object, took_body: bool) -> None:
    if not took_body:
        raise Unusable(f"{shown(body)} as the body, for which it was given None: return None, or set needs_body = True")
    if type(body) is not bytes:
        remedy = "encode it: body.encode('utf-8')" if isinstance(body, str) else "make it bytes"
        raise Unusable(f"{shown(body)} as the body: {remedy}")


def _judged_head(status: Any, headers: object) -> tuple[int, list[Header], int | None]:
    try:
        code = check_status(status)
        good, length = checked_headers(_pairs(headers))
    except ApplicationError as error:
        raise Unusable(f"what cannot be sent: {str(error).replace(GAVE, 'it gave')}") from None
    return code, good, length


def _pairs(headers: object) -> list[Header]:
    if not isinstance(headers, list):
        raise Unusable(f"{shown(headers)} as the headers: return a list of (name, value)")
    return [_pair(header) for header in headers]


def _pair(header: object) -> Header:
    if not isinstance(header, tuple | list) or len(header) != 2:
        raise Unusable(f"{shown(header)} as a header: give ('Name', 'value')")
    name, value = header
    return name, value if type(value) is str else str(value)


def _framed(status: str, headers: list[Header], length: int | None) -> Head:
    """With this Content-Length and no other, in the place of the one that there is."""
    right = None if length is None else (CONTENT_LENGTH, str(length))
    framed: list[Header] = []
    for header in headers:
        if header[0].lower() != "content-length":
            framed.append(header)
        elif right is not None:
            framed.append(right)
            right = None
    if right is not None:
        framed.append(right)
    return Head(status, framed, length)

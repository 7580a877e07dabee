"""Judges what an upload filter has returned: whether the upload may go on, and else what its client gets."""

from http import HTTPStatus
from typing import Final

from wsgid.interfaces.filters import Verdict
from wsgid.protocol.values import Head
from wsgid.worker.checks import check_status, shown
from wsgid.worker.errors import ApplicationError
from wsgid.worker.filters.returned import Unusable

Refusal = tuple[Head, bytes]

MAX_BODY: Final = 16 * 1024
"""Bytes. It is to be read by a client that is still sending, whose connection is about to end: a few lines of text."""

_REASONS: Final = {each.value: each.phrase for each in HTTPStatus}


class UnusableVerdict(Unusable):
    INSTEAD = "The upload goes on"


def refusal(returned: Verdict | object) -> Refusal | None:
    """None: the upload may go on. Raises UnusableVerdict."""
    if returned is None or returned is True:
        return None
    if isinstance(returned, tuple | list):
        if len(returned) != 2:
            raise UnusableVerdict(f"{shown(returned)}: return True, False, a status, or a pair of status and body")
        status, body = _status(returned[0]), _body(returned[1])
    else:
        status = _status(returned)
        body = f"{status}\n".encode("latin-1")
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    return Head(status, headers, len(body)), body


def _status(given: object) -> str:
    status = HTTPStatus.FORBIDDEN if given is False else given
    if isinstance(status, int) and status is not True:
        status = f"{status:d} {_REASONS.get(status, 'Refused')}"
    if type(status) is str and _code(status) >= 400:
        return status
    raise UnusableVerdict(f"{shown(given)} as a status: return a code from 400 to 599, or text such as '403 Forbidden'")


def _code(status: str) -> int:
    """0 when it is no status line."""
    try:
        return check_status(status)
    except ApplicationError:
        return 0


def _body(given: object) -> bytes:
    if not isinstance(given, str | bytes):
        raise UnusableVerdict(f"{shown(given)} as a body: return str or bytes")
    body = given.encode() if isinstance(given, str) else given
    if len(body) > MAX_BODY:
        raise UnusableVerdict(f"a body of {len(body)} bytes: return at most {MAX_BODY}")
    return body

"""Judges what an application gives to ``start_response`` by PEP 3333, and tells its mistakes in words.

Types are exact, as in wsgiref and waitress: an application that works under Django's development server passes here.
Status lines and names are judged once and remembered, as applications use the same few again and again.
"""

import re
from types import TracebackType
from typing import Final
from wsgiref.util import is_hop_by_hop

from wsgid.protocol.values import Header
from wsgid.worker.errors import ApplicationError

ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

MAX_STATUS: Final = 1024
"""Characters of a status line: clients bound the lines that they read, Python's own at 65,536 bytes, others sooner."""

MAX_HEADERS: Final = 1024 * 1024
"""Bytes of all headers of an answer: what the edges allow a request. With the largest body an ANSWER then stays below
the channel's MAX_FRAME."""

HEADER_OVERHEAD: Final = 32
"""Bytes that each header counts beside its name and value, as in RFC 9113 section 6.5.2: many tiny ones cost, too."""

MAX_LENGTH_DIGITS: Final = 18
"""So many are below 2**63, which is what the channel and every client can hold."""

MAX_KNOWN: Final = 512
"""Names, and status lines, that are remembered. Applications that make up new ones are served all the same."""

MAX_KNOWN_NAME: Final = 64
"""Characters of a name that is remembered: 512 of a megabyte each would be half a gigabyte."""

MAX_SHOWN: Final = 80
"""Characters of a wrong value that a message repeats: enough to find it again, too few to flood the log."""

GAVE: Final = "the application gave"
"""In every message. What a filter returns is judged here as well, and its author is told in other words."""

TRAILER: Final = "trailer"
"""The standard library calls it "trailers", as RFC 2616 section 13.5.1 does by mistake. No answer of ours has any."""

_STATUS: Final = re.compile(r"[2-5][0-9]{2} [ -~\x80-\xff]*").fullmatch
_INFORMATIONAL: Final = re.compile(r"1[0-9]{2}(?: |$)").match
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_VALUE: Final = re.compile(r"[ -~\x80-\xff]*").fullmatch

_known_statuses: dict[str, int] = {}
"""Those found good, and their codes. As the names below, written by all threads: at worst two learn the same."""

_known_names: dict[str, bool] = {}
"""Those found good, and whether each is Content-Length."""


def check_status(status: object) -> int:
    """The code of a status line. Raises ApplicationError."""
    if type(status) is not str:
        raise _broken("the status must be a str", status, "give text such as '200 OK'")
    code = _known_statuses.get(status)
    if code is None:
        code = _learn_status(status)
    return code


def _learn_status(status: str) -> int:
    if len(status) > MAX_STATUS:
        raise _broken(f"the status may have {MAX_STATUS} characters", status, "give a short reason")
    if _STATUS(status):
        code = int(status[:3])
        if len(_known_statuses) < MAX_KNOWN:
            _known_statuses[status] = code
        return code
    if _INFORMATIONAL(status):
        raise _broken(
            "the status must be that of the final answer",
            status,
            "leave 1xx to the server, which alone can send an answer before the answer",
        )
    raise _broken(
        "the status must be a code, one space and a reason, without control characters or characters beyond latin-1",
        status,
        "give a code from 200 to 599, such as '200 OK'",
    )


def checked_headers(headers: object) -> tuple[list[Header], int | None]:
    """The headers of an answer, and the Content-Length among them, if there is one. Raises ApplicationError.

    What has been checked must not change any more, so it is a copy. Blanks at a value's ends are no part of it (RFC
    9110 section 5.5): clients drop them, and we do not send them (RFC 9110 section 5.6.3).
    """
    if type(headers) is not list:
        raise _broken("the headers must be a list", headers, "give a list of (name, value) tuples")
    content_length: int | None = None
    size, blanks = len(headers) * HEADER_OVERHEAD, False
    for header in headers:
        if type(header) is not tuple or len(header) != 2:
            raise _broken(
                "each header must be a tuple of name and value", header, "give ('Content-Type', 'text/plain')"
            )
        name, value = header
        if type(name) is not str or type(value) is not str:
            raise _broken("name and value of a header must be str", header, "convert them, for example with str()")
        # The first two methods together are the expression's ASCII half, at a third of its price.
        if not (value.isascii() and value.isprintable()) and not _VALUE(value):
            raise _bad_value(name, value)
        size += len(name) + len(value)
        if value.strip() is not value:
            blanks = True
        is_length = _known_names.get(name)
        if is_length is None:
            is_length = _learn_name(name)
        if is_length:
            if content_length is not None:
                raise _broken("Content-Length may be given once", headers, "remove all but one")
            content_length = _length(value)
    if size > MAX_HEADERS:
        raise ApplicationError(
            f"the headers of an answer may have {MAX_HEADERS} bytes together; {GAVE} {len(headers)} "
            f"headers of {size} bytes; send such data in the body"
        )
    good = [(name, value.strip(" ")) for name, value in headers] if blanks else headers.copy()
    return good, content_length


def check_exc_info(exc_info: object) -> None:
    """Raises ApplicationError."""
    good = type(exc_info) is tuple and len(exc_info) == 3 and isinstance(exc_info[1], BaseException | None)
    if not good:
        raise _broken("exc_info must be that of sys.exc_info()", exc_info, "pass sys.exc_info() from an 'except' block")


def _learn_name(name: str) -> bool:
    if not _TOKEN(name):
        raise _broken("a header's name must be a token (RFC 9110 section 5.6.2)", name, "use letters, digits and '-'")
    if is_hop_by_hop(name) or name.lower() == TRAILER:
        raise _broken(
            "hop-by-hop headers belong to the server",
            name,
            "leave it out: how the connection is used and how the body is framed is settled between wsgid and client",
        )
    is_length = name.lower() == "content-length"
    if len(_known_names) < MAX_KNOWN and len(name) <= MAX_KNOWN_NAME:
        _known_names[name] = is_length
    return is_length


def _length(value: str) -> int:
    # At a third of the price of a regular expression.
    if not (value.isascii() and value.isdigit() and len(value) <= MAX_LENGTH_DIGITS):
        raise _broken("Content-Length must be a plain decimal number", value, "give the body's length: str(len(body))")
    return int(value)


def _bad_value(name: str, value: str) -> ApplicationError:
    return _broken(
        "a header's value must have no control characters (CR, LF and TAB are such) and none beyond latin-1",
        (name, value),
        "remove line ends; encode other text by the header's own rules, such as RFC 8187 or percent-encoding",
    )


def _broken(rule: str, given: object, remedy: str) -> ApplicationError:
    return ApplicationError(f"PEP 3333: {rule}; {GAVE} {shown(given)}; {remedy}")


def shown(value: object) -> str:
    """Type and short form of a value, for messages to the application's author."""
    text = repr(value[:MAX_SHOWN] if isinstance(value, str | bytes) else value)
    if len(text) > MAX_SHOWN:
        text = text[: MAX_SHOWN - 3] + "..."
    return text if value is None else f"the {type(value).__name__} {text}"

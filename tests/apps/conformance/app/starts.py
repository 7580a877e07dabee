"""Ways to call ``start_response`` (PEP 3333, "The start_response() Callable" and "Error Handling"), and ``write()``."""

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from given import TEXT, given, note, pass_gate


def raised() -> Any:
    """What sys.exc_info() gives where an exception is being handled."""
    try:
        raise RuntimeError("raised on request")
    except RuntimeError:
        return sys.exc_info()


# Once


def returns(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Starts with ``status`` and ``headers`` and returns ``value``, of whatever type they are."""
    start_response(given(environ, "status", "200 OK"), given(environ, "headers", [TEXT]))
    value: Iterable[bytes] = given(environ, "value", [b"body"])
    return value


def never(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    value: Iterable[bytes] = given(environ, "value", [b"body"])
    return value


def late(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    """Only when the first part is asked for: this is a generator."""
    start_response("200 OK", [TEXT])
    yield b"late"


def late_behind_an_empty_part(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    yield b""
    start_response("200 OK", [TEXT])
    yield b"late"


def too_late(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    yield b"body"
    start_response("200 OK", [TEXT])


def changes_its_headers(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    headers = [TEXT, ("X-Kept", "yes")]
    start_response("200 OK", headers)
    headers[1] = ("X-Kept", "no\r\nX-Slipped-In: yes")
    return [b"body"]


def has_large_headers(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT, ("X-Large", "x" * 1024 * 1024)])
    return [b"body"]


# Again


def twice(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT])
    start_response("404 Not Found", [TEXT])
    return [b"body"]


def twice_and_catches(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT])
    try:
        start_response("404 Not Found", [TEXT])
    except AssertionError:
        return [b"the first one stands"]
    return [b"the second one was taken"]


def replaces(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT, ("X-First", "yes"), ("Content-Length", "4")])
    start_response("503 Service Unavailable", [TEXT, ("X-Second", "yes")], raised())
    return [b"replaced"]


def replaces_behind_an_empty_part(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [TEXT])
    yield b""
    start_response("503 Service Unavailable", [TEXT], raised())
    yield b"replaced"


def first_call_has_exc_info(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("500 Internal Server Error", [TEXT], raised())
    return [b"an error page"]


def replaces_what_was_sent(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [TEXT])
    yield b"part"
    start_response("503 Service Unavailable", [TEXT], raised())
    yield b"replaced"


def in_close(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    class Body(list[bytes]):
        def close(self) -> None:
            note("closed")
            start_response("404 Not Found", [TEXT])

    start_response("200 OK", [TEXT])
    return Body([b"body"])


# write()


def writes(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Each of ``written``, then returns ``value``."""
    write: Callable[[Any], object] = start_response("200 OK", given(environ, "headers", [TEXT]))
    for each in given(environ, "written", []):
        write(each)
    value: Iterable[bytes] = given(environ, "value", [])
    return value


def writes_and_waits(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    write = start_response("200 OK", [TEXT])
    write(b"written")
    pass_gate(given(environ, "gate", ""))
    return [b", returned"]


def writes_and_raises(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT])(b"written")
    raise RuntimeError("raised on request")


JUDGED: dict[str, WSGIApplication] = {
    "late": late,
    "first-call-has-exc-info": first_call_has_exc_info,
    "replaces": replaces,
    "replaces-behind-an-empty-part": replaces_behind_an_empty_part,
    "writes-and-waits": writes_and_waits,
}

UNJUDGED: dict[str, WSGIApplication] = {
    "returns": returns,
    "never": never,
    "late-behind-an-empty-part": late_behind_an_empty_part,
    "too-late": too_late,
    "changes-its-headers": changes_its_headers,
    "has-large-headers": has_large_headers,
    "twice": twice,
    "twice-and-catches": twice_and_catches,
    "replaces-what-was-sent": replaces_what_was_sent,
    "in-close": in_close,
    "writes": writes,
    "writes-and-raises": writes_and_raises,
}

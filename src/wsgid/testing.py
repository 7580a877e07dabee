"""For the tests of filters: a message made up, and a request that passes through filters without a daemon.

A filter's test takes three lines::

    def test_a_greeting_is_added():
        answer = run_filters(Greeting(), path="/hello")
        assert answer.header("X-Greeting") == "hello"
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication

from wsgid.core.message import STARTED, Message
from wsgid.interfaces.filters import IPostRequestFilter, IPreRequestFilter
from wsgid.plugins import Interface, Plugin
from wsgid.protocol.values import Head, Header, Request
from wsgid.worker.environ import Environ, environ_template
from wsgid.worker.file_wrapper import Opened
from wsgid.worker.filters import Filters
from wsgid.worker.filters.complaints import Complaints
from wsgid.worker.filters.returned import Unusable
from wsgid.worker.in_hand import InHand
from wsgid.worker.outlet import SERVER_ERROR, SERVER_ERROR_BODY
from wsgid.worker.serve import serve

NO_HEADERS: Final[Mapping[str, str]] = {}


def hello(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """The application that answers when a test has none of its own."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "6")])
    return [b"hello\n"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has come of a request."""

    environ: Environ
    """As the application got it; empty when a filter has kept the request from it."""
    status: str
    headers: list[Header]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first of this name, in upper or lower case."""
        return next((value for each, value in self.headers if each.lower() == name.lower()), None)


def fake_message(
    path: str = "/",
    *,
    method: str = "GET",
    query: str = "",
    headers: Mapping[str, str] = NO_HEADERS,
    body: bytes = b"",
    request_id: str = "test",
    upload_start: bool = False,
) -> Message:
    """As `process` and `exception` get it; with ``upload_start`` as `accept` does. ``path`` and ``query`` are
    percent-encoded, as a client sends them."""
    return Message.of(_request(path, method, query, headers, body, request_id), STARTED if upload_start else None)


def run_filters(
    *filters: Plugin,
    application: WSGIApplication = hello,
    path: str = "/",
    method: str = "GET",
    query: str = "",
    headers: Mapping[str, str] = NO_HEADERS,
    body: bytes = b"",
    request_id: str = "test",
) -> Outcome:
    """A request goes through these filters, in this order, and through the application, as it does in a worker.

    What a worker would only log is raised here: whatever a filter raises, and an AssertionError for one that returns
    what cannot be sent. Answers without a Content-Length are collected however long they take. Raises TypeError for
    what is no filter.
    """
    faults = _Faults()
    answer = _Answer()
    request = _request(path, method, query, headers, body, request_id)
    found: list[Environ] = []

    def noting(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        found.append(environ.copy())
        return application(environ, start_response)

    pre, post = _chosen(filters, IPreRequestFilter), _chosen(filters, IPostRequestFilter)
    for each in filters:
        if each not in pre and each not in post:
            raise TypeError(f"{type(each).__qualname__} implements neither IPreRequestFilter nor IPostRequestFilter")
    serve(noting, request, None, answer, environ_template(threads=1), InHand(), Filters(pre, post, faults))
    for fault in faults.found:
        raise fault
    return Outcome(found[0] if found else {}, answer.head.status, answer.head.headers, b"".join(answer.parts))


def _request(path: str, method: str, query: str, headers: Mapping[str, str], body: bytes, request_id: str) -> Request:
    return Request(
        key=request_id,
        id=request_id,
        method=method,
        target=f"{path}?{query}" if query else path,
        script_name="",
        path=path,
        query=query,
        version="HTTP/1.1",
        headers=[("host", "localhost"), *((name.lower(), value) for name, value in headers.items())],
        scheme="http",
        server_name="localhost",
        server_port="80",
        remote_addr="127.0.0.1",
        remote_port="",
        server_id="test",
        client_id="1",
        content_length=len(body) if body else None,
        body=body,
        body_in_file=False,
    )


def _chosen(filters: Iterable[Plugin], interface: type[Interface]) -> list[Any]:
    """Those that implement it, whether they derive from it or only name it."""
    return [
        each
        for each in filters
        if isinstance(each, interface) or any(issubclass(named, interface) for named in each.implements)
    ]


class _Faults(Complaints):
    """Keeps what the log would be told."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[BaseException] = []

    def failed(self, plugin: object, method: str, request_id: str, error: BaseException) -> None:
        if isinstance(error, Unusable):
            error = AssertionError(f"{type(plugin).__qualname__} returned {error}")
        self.found.append(error)


@dataclass
class _Answer:
    """An outlet that keeps an answer."""

    head: Head = SERVER_ERROR
    parts: list[bytes] = field(default_factory=list)
    largest_whole: int = 2**63
    """Files are read, however large."""

    def answer(self, head: Head, body: bytes, *, done: bool) -> bool:
        self.head, self.parts = head, [body]
        return done

    def file(self, head: Head, opened: Opened) -> None:
        raise AssertionError("no file is larger than the largest")

    def part(self, head: Head | None, part: bytes, *, last: bool) -> None:
        self.head = head or self.head
        self.parts.append(part)

    def end(self, *, done: bool) -> bool:
        return done

    def done(self) -> None:
        """Nobody waits for it."""

    def fail(self, error: BaseException, *, begun: bool, bodiless: bool) -> None:
        """Not cut, so that a test sees what there was."""
        if not begun:
            self.head, self.parts = SERVER_ERROR, [SERVER_ERROR_BODY]

"""Filters are tested without a daemon, and as a worker would have them."""

from collections.abc import Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse

import pytest

from wsgid.core import Message, Plugin
from wsgid.interfaces.filters import IPostRequestFilter, IPreRequestFilter
from wsgid.plugins import isolated
from wsgid.testing import fake_message, run_filters
from wsgid.worker.filters.collecting import MAX_COLLECTED


@pytest.fixture(autouse=True)
def only_here() -> Iterator[None]:
    with isolated():
        yield


def pre(function: Any) -> Plugin:
    class Pre(Plugin, IPreRequestFilter):
        def process(self, m2message: Message, environ: dict[str, Any]) -> object:
            return function(m2message, environ)

    return Pre()


def post(function: Any, exception: Any = lambda message, error: None) -> Plugin:
    class Post(Plugin):
        implements = [IPostRequestFilter]

        def process(self, *given: Any) -> Any:
            return function(*given)

        def exception(self, message: Message, e: BaseException) -> None:
            exception(message, e)

    return Post()


def echo(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("X-Path", environ["PATH_INFO"] + environ["QUERY_STRING"])])
    yield environ["wsgi.input"].read()
    yield environ["HTTP_ACCEPT"].encode()


def test_a_message_is_a_message() -> None:
    message = fake_message("/a%20b", method="PUT", query="c=d", headers={"Accept": "text/html"}, body=b"hello")
    assert (message.path, message.body, message.request_id) == ("/a%20b", b"hello", "test")
    assert message.headers["URI"] == "/a%20b?c=d"
    assert message.headers["accept"] == "text/html"
    assert not message.is_upload_done()


def test_a_request_goes_through_filters_and_application() -> None:
    asked = pre(lambda message, environ: environ.update(HTTP_ACCEPT=message.path))
    upper = post(lambda message, status, headers, body: (status, [*headers, ("X-Length", len(body))], body.upper()))
    outcome = run_filters(asked, upper, application=echo, path="/hello", query="a", method="POST", body=b"body, ")
    assert outcome.status == "200 OK"
    assert outcome.body == b"BODY, /HELLO"
    assert outcome.header("x-length") == "12"
    assert outcome.header("X-Path") == "/helloa"
    assert outcome.header("X-Other") is None
    assert outcome.environ["HTTP_ACCEPT"] == "/hello"


def test_there_is_an_application_for_those_who_need_none() -> None:
    outcome = run_filters(post(lambda message, *answer: answer))
    assert (outcome.status, outcome.body) == ("200 OK", b"hello\n")


def test_what_a_filter_raises_is_raised() -> None:
    def fail(*_: object) -> None:
        raise KeyError("mine")

    for each in (pre(fail), post(fail)):
        with pytest.raises(KeyError, match="mine"):
            run_filters(each)


def test_what_cannot_be_sent_is_told() -> None:
    with pytest.raises(AssertionError, match=r"Post returned None: return \(status, headers, body\)"):
        run_filters(post(lambda *_: None))


def test_an_application_that_fails_is_no_failure_of_the_test() -> None:
    told: list[BaseException] = []
    error = ValueError()

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        raise error

    outcome = run_filters(post(lambda *_: None, lambda message, e: told.append(e)), application=app)
    assert outcome.status == "500 Internal Server Error"
    assert told == [error]


def test_an_answer_that_passes_by() -> None:
    bodies: list[object] = []

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        yield b"a"
        yield bytes(MAX_COLLECTED)

    def note(message: Message, status: str, headers: list[Any], body: object) -> Any:
        bodies.append(body)
        return status, headers, body

    assert len(run_filters(post(note), application=app).body) == MAX_COLLECTED + 1
    assert bodies == [None]


def test_what_is_no_filter_is_told() -> None:
    class Other(Plugin): ...

    with pytest.raises(TypeError, match="Other implements neither"):
        run_filters(Other())

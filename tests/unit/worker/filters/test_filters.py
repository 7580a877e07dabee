"""Whole answers through filters: who is called with what, in which order, and what the client gets."""

import logging
import sys
import threading
from typing import Any
from wsgiref.types import StartResponse

import pytest

from tests.unit.worker.dispatcher_side import a_request
from tests.unit.worker.filters.filtering import Post, adding, complaints, filter_by, registered
from tests.unit.worker.serving import PLAIN, Bench, application
from wsgid.channel.frames import PART_SIZE, Kind
from wsgid.core.message import Message
from wsgid.interfaces.filters import IPreRequestFilter
from wsgid.plugins import Plugin, PluginError, isolated
from wsgid.worker.errors import UnusableAnswer
from wsgid.worker.filters import Filters

HEAD = a_request(method="HEAD")
HELLO = [("Content-Type", "text/plain"), ("Content-Length", "5")]
LENGTH_KEPT = ("Content-Length", "5")


def hello() -> Any:
    return application([b"hello"], HELLO)


def echo(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("X-Seen", str(environ.get("seen"))), ("X-Type", type(environ).__name__)])
    return [environ["wsgi.input"].read()]


def raising(error: BaseException) -> Any:
    def fail(*_: object) -> Any:
        raise error

    return fail


class TestTheOrder:
    def test_pre_filters_the_application_post_filters(self, bench: Bench) -> None:
        seen: list[str] = []

        def app(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
            seen.append("application")
            start_response("200 OK", PLAIN)
            return [b""]

        def noting(name: str) -> Any:
            def note(*given: object) -> object:
                seen.append(name)
                return given

            return note

        filter_by(bench, Post(noting("post 1")), Post(noting("post 2")), pre=[noting("pre 1"), noting("pre 2")])
        bench.serve(app)
        assert seen == ["pre 1", "pre 2", "application", "post 1", "post 2"]

    def test_what_one_returns_the_next_gets(self, bench: Bench) -> None:
        first = Post(lambda status, headers, body: ("201 Made", [*headers, ("X-First", 1)], body + b", world"))
        second = Post(lambda status, headers, body: ["202 Taken", [*headers, ["X-Second", None]], body.upper()])
        filter_by(bench, first, second)
        answered = bench.serve(hello())
        assert first.called == [("200 OK", HELLO, b"hello")]
        longer = ("Content-Length", "12")
        assert second.called == [("201 Made", [HELLO[0], longer, ("X-First", "1")], b"hello, world")]
        assert (answered.status, answered.body) == ("202 Taken", b"HELLO, WORLD")
        assert answered.headers == [HELLO[0], longer, ("X-First", "1"), ("X-Second", "None")]
        assert answered.kinds == [Kind.ANSWER]

    def test_one_that_does_not_need_the_body_has_its_place_in_it(self, bench: Bench) -> None:
        first, second, third = adding("X-A"), adding("X-B", needs_body=False), adding("X-C")
        filter_by(bench, first, second, third)
        assert [name for name, _ in bench.serve(hello()).headers[2:]] == ["X-A", "X-B", "X-C"]
        assert [each.called[0][2] for each in (first, second, third)] == [b"hello", None, b"hello"]

    def test_the_message_is_one_and_the_same(self, bench: Bench) -> None:
        messages: list[Message] = []
        filter_by(bench, adding("X-A"), pre=[lambda message, environ: messages.append(message)] * 2)
        bench.serve(hello(), a_request(id="r9"))
        assert messages[0] is messages[1]
        assert messages[0].request_id == "r9"


class TestPreFilters:
    def test_change_the_environ(self, bench: Bench) -> None:
        filter_by(bench, pre=[lambda message, environ: environ.update(seen=message.path)])
        assert bench.serve(echo, a_request(path="/there")).headers == [("X-Seen", "/there"), ("X-Type", "dict")]

    def test_one_that_fails_has_changed_nothing(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        def spoil(message: Message, environ: dict[str, Any]) -> None:
            environ["wsgi.input"].read()
            environ.clear()
            raise KeyError("spoilt")

        filter_by(bench, pre=[lambda _, environ: environ.update(seen="first"), spoil])
        answered = bench.serve(echo, a_request(method="POST", body=b"the body", content_length=8))
        assert answered.headers[0] == ("X-Seen", "first")
        assert answered.body == b"the body"
        [told] = complaints(caplog)
        assert "failed in process(), and has changed nothing" in told
        assert told.endswith("KeyError: 'spoilt'")

    def test_one_that_fails_may_have_closed_the_body(self, bench: Bench) -> None:
        def close(message: Message, environ: dict[str, Any]) -> None:
            environ["wsgi.input"].close()
            raise ValueError

        filter_by(bench, pre=[close])
        assert bench.serve(hello()).body == b"hello"

    @pytest.mark.parametrize("error", [SystemExit(), KeyboardInterrupt()])
    def test_one_that_leaves_ends_the_request(self, bench: Bench, error: BaseException) -> None:
        post = Post()
        filter_by(bench, post, pre=[raising(error)])
        assert bench.serve(hello()).status == "500 Internal Server Error"
        assert post.called == [error]
        assert bench.serve(hello()).status == "500 Internal Server Error"


MISBEHAVED = {
    "raises": (raising(ValueError("mine")), "ValueError: mine"),
    "raises at the end of a thread": (raising(GeneratorExit()), "GeneratorExit"),
    "returns None": (lambda *_: None, "returned None: return (status, headers, body)"),
    "returns two": (lambda status, headers, body: (status, headers), "return (status, headers, body)"),
    "a str body": (lambda status, headers, body: (status, headers, "text"), "the str 'text' as the body: encode it"),
    "a bytearray": (lambda status, headers, body: (status, headers, bytearray(body)), "make it bytes"),
    "a status of bytes": (
        lambda status, headers, body: (b"200 OK", headers, body),
        "the status must be a str; it gave",
    ),
    "a status without a reason": (lambda status, headers, body: ("299", headers, body), "it gave the str '299'"),
    "a dict of headers": (lambda status, headers, body: (status, dict(headers), body), "as the headers: return a list"),
    "a header of one": (lambda status, headers, body: (status, [*headers, ("X-A",)], body), "as a header: give ("),
    "a number as name": (lambda status, headers, body: (status, [*headers, (1, "x")], body), "must be str; it gave"),
    "a line end": (lambda status, headers, body: (status, [*headers, ("X-A", "b\r\nX-C: d")], body), "line ends"),
    "a hop-by-hop header": (lambda status, headers, body: (status, [("Connection", "close")], body), "hop-by-hop"),
    "a value without text": (
        lambda status, headers, body: (status, [("X", type("No", (), {"__str__": raising(OSError())})())], body),
        "OSError",
    ),
}


class TestAPostFilterThatMisbehaves:
    @pytest.mark.parametrize(("process", "told"), MISBEHAVED.values(), ids=MISBEHAVED.keys())
    def test_has_changed_nothing(self, bench: Bench, process: Any, told: str, caplog: pytest.LogCaptureFixture) -> None:
        wrong, after = Post(process), adding("X-After")
        filter_by(bench, adding("X-Before"), wrong, after)
        answered = bench.serve(hello())
        assert answered.headers == [*HELLO, ("X-Before", "yes"), ("X-After", "yes")]
        assert (answered.status, answered.body) == ("200 OK", b"hello")
        assert len(wrong.called) == 1
        [complaint] = complaints(caplog)
        assert complaint.startswith("request r1: the filter ")
        assert told in complaint

    def test_is_told_of_once_a_minute(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        filter_by(bench, Post(raising(ValueError())))
        for _ in range(5):
            bench.serve(hello())
        assert len(complaints(caplog)) == 1

    def test_may_spoil_the_list_it_was_given(self, bench: Bench) -> None:
        def spoil(status: str, headers: list[Any], body: bytes) -> None:
            headers.clear()

        filter_by(bench, Post(spoil))
        assert bench.serve(hello()).headers == HELLO

    @pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
    def test_by_leaving_ends_the_request_alone(self, bench: Bench, error: BaseException) -> None:
        after = Post()
        filter_by(bench, Post(raising(error)), after)
        answered = bench.serve(hello())
        assert answered.status == "500 Internal Server Error"
        assert after.called == []
        assert bench.serve(hello()).status == "500 Internal Server Error"


class TestHeaders:
    def test_may_be_changed_in_place(self, bench: Bench) -> None:
        def change(status: str, headers: list[Any], body: bytes) -> Any:
            headers[0] = ("Content-Type", "text/html")
            return status, headers, body

        filter_by(bench, Post(change))
        assert bench.serve(hello()).headers == [("Content-Type", "text/html"), LENGTH_KEPT]

    @pytest.mark.parametrize(
        "headers",
        [[], [("content-length", "7")], [("X", "y"), ("Content-Length", "1"), ("Content-Length", "2")]],
        ids=["removed", "wrong", "twice"],
    )
    def test_content_length_is_the_bodys(
        self, bench: Bench, headers: list[Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        filter_by(bench, Post(lambda status, _, body: (status, headers, body)))
        answered = bench.serve(hello())
        if len(headers) == 3:  # two of them are a mistake
            assert answered.headers == HELLO
            assert len(complaints(caplog)) == 1
        else:
            assert answered.headers == [LENGTH_KEPT]
        assert answered.head is not None
        assert answered.head.content_length == 5

    @pytest.mark.parametrize("size", [0, 4, 6, PART_SIZE + 1])
    @pytest.mark.parametrize("headers", [PLAIN, HELLO])
    def test_content_length_follows_the_body(self, bench: Bench, size: int, headers: Any) -> None:
        filter_by(bench, Post(lambda status, headers, body: (status, headers, b"x" * size)))
        answered = bench.serve(application([b"hello"], headers))
        assert answered.headers == [PLAIN[0], ("Content-Length", str(size))]
        assert answered.body == b"x" * size
        assert bench.serve(hello()).body == b"x" * size

    def test_no_body_returned_is_no_change_of_it(self, bench: Bench) -> None:
        filter_by(bench, Post(lambda status, headers, body: ("404 Gone", headers, None)))
        answered = bench.serve(hello())
        assert (answered.status, answered.body, answered.headers) == ("404 Gone", b"hello", HELLO)


class TestWithoutABody:
    def test_of_a_head_the_length_is_the_applications(self, bench: Bench) -> None:
        post = Post(lambda status, headers, body: (status, [*headers, ("X-A", "b")], b"a body"))
        filter_by(bench, post)
        answered = bench.serve(hello(), HEAD)
        assert post.called[0][2] == b""
        assert (answered.headers, answered.body) == ([*HELLO, ("X-A", "b")], b"")

    def test_of_a_head_the_length_may_be_changed(self, bench: Bench) -> None:
        filter_by(bench, Post(lambda status, headers, body: (status, [("Content-Length", "7")], body)))
        assert bench.serve(hello(), HEAD).headers == [("Content-Length", "7")]

    @pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
    def test_a_body_for_an_answer_that_has_none_is_dropped(self, bench: Bench, status: str) -> None:
        filter_by(bench, Post(lambda status, headers, body: (status, [*headers, ("X-A", "b")], b"a body")))
        answered = bench.serve(application([], [], status))
        assert (answered.status, answered.headers, answered.body) == (status, [("X-A", "b")], b"")

    def test_an_answer_may_lose_its_body_and_get_one(self, bench: Bench) -> None:
        filter_by(bench, Post(lambda status, headers, body: ("204 No Content", [], body)))
        answered = bench.serve(hello())
        assert (answered.status, answered.headers, answered.body) == ("204 No Content", [], b"")
        filter_by(bench, Post(lambda status, headers, body: ("200 OK", PLAIN, b"here")))
        answered = bench.serve(application([], [], "304 Not Modified"))
        assert (answered.body, answered.headers) == (b"here", [*PLAIN, ("Content-Length", "4")])


class TestFailure:
    def test_of_the_application_is_told_alone(self, bench: Bench) -> None:
        error = ValueError("the application's")
        posts = [Post(), Post(needs_body=False)]
        filter_by(bench, *posts)
        answered = bench.serve(raising(error))
        assert answered.status == "500 Internal Server Error"
        assert [each.called for each in posts] == [[error], [error]]

    def test_of_its_answer_too(self, bench: Bench) -> None:
        post = Post()
        filter_by(bench, post)
        bench.serve(application("text"))
        [error] = post.called
        assert isinstance(error, UnusableAnswer)

    def test_that_the_application_answers_itself_is_none(self, bench: Bench) -> None:
        post = adding("X-Seen")
        filter_by(bench, post)
        answered = bench.serve(application([b"sorry"], PLAIN, "500 Sorry"))
        assert (answered.status, answered.body) == ("500 Sorry", b"sorry")
        assert post.called == [("500 Sorry", PLAIN, b"sorry")]

    def test_replaced_by_the_application_is_none_either(self, bench: Bench) -> None:
        def app(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
            start_response("200 OK", PLAIN)
            try:
                raise ValueError
            except ValueError:
                start_response("503 Later", [], sys.exc_info())
            return [b"later"]

        post = Post()
        filter_by(bench, post)
        assert bench.serve(app).status == "503 Later"
        assert post.called == [("503 Later", [], b"later")]

    @pytest.mark.parametrize("error", [ValueError(), SystemExit()])
    def test_of_exception_is_told_and_the_next_is_called(
        self, bench: Bench, error: BaseException, caplog: pytest.LogCaptureFixture
    ) -> None:
        after = Post()
        filter_by(bench, Post(exception=raising(error)), after)
        assert bench.serve(raising(KeyError())).status == "500 Internal Server Error"
        assert len(after.called) == 1
        [told] = complaints(caplog)
        assert "failed in exception()" in told
        assert bench.serve(hello()).body == b"hello"


class TestRegistration:
    def test_nobody_is_no_filter(self) -> None:
        assert registered() is None

    def test_one_that_cannot_be_constructed_is_told(self) -> None:
        with isolated():

            class Bad(Plugin, IPreRequestFilter):
                def __init__(self, needed: int) -> None: ...

                def process(self, m2message: Message, environ: dict[str, Any]) -> None: ...

            with pytest.raises(PluginError, match=r"Bad\(\) raised TypeError"):
                Filters.registered()

    def test_only_who_waits_for_bodies_takes_a_thread(self) -> None:
        def threads() -> int:
            return sum(each.name == "patience" for each in threading.enumerate())

        before = threads()
        for needs_body, more in ((False, 0), (True, 1)):
            filters = registered(post=[Post(needs_body=needs_body)])
            assert filters is not None
            filters.start()
            assert threads() == before + more


def test_the_log_says_where_the_filter_is(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    filter_by(bench, Post(raising(ValueError("mine"))))
    bench.serve(hello())
    [told] = complaints(caplog)
    assert "in fail\n" in told
    assert "wsgid/worker/" not in told

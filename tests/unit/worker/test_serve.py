"""The story of one request: whatever the application does, the answer ends and everything is closed."""

import io
import logging
import logging.config
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication
from wsgiref.validate import validator

import pytest

from tests.deadlines import POLL, seconds, wait_for
from tests.unit.main_log import loggers_kept
from tests.unit.worker.dispatcher_side import GET, a_request
from tests.unit.worker.serving import PLAIN, Bench, Closing, application
from wsgid.channel.frames import PART_SIZE, Kind
from wsgid.worker.errors import DispatcherGone, RequestTimeout

FAILED = "500 Internal Server Error"


def raising(error: BaseException) -> WSGIApplication:
    def app(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        raise error

    return app


def raising_after(error: BaseException, *parts: bytes) -> Any:
    def body() -> Iterator[bytes]:
        yield from parts
        raise error

    return body


def echo(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
    body = environ["wsgi.input"].read()
    start_response("200 OK", PLAIN)
    return [body]


FAILURES = [ValueError("bad"), SystemExit(3), KeyboardInterrupt(), GeneratorExit(), MemoryError()]


@pytest.mark.parametrize("error", FAILURES, ids=repr)
def test_a_failure_before_the_answer_is_a_500(
    bench: Bench, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    answered = bench.serve(raising(error), a_request(id="r5", method="POST", target="/x?y"))
    assert (answered.status, answered.body) == (FAILED, b"Internal Server Error\n")
    assert ("Content-Length", "22") in answered.headers
    [record] = caplog.records
    assert record.getMessage() == "POST /x?y (request r5): the application failed"
    assert "raise error" in caplog.text  # the application's own line
    assert type(error).__name__ in caplog.text


@pytest.mark.parametrize("error", FAILURES, ids=repr)
def test_a_failure_after_the_first_part_cuts_the_answer(bench: Bench, error: BaseException) -> None:
    body = Closing(raising_after(error, b"part")())
    answered = bench.serve(application(body))
    assert answered.kinds == [Kind.HEAD, Kind.PART, Kind.CUT, Kind.DONE]
    assert body.closed == 1


def test_a_failure_before_the_first_part_is_a_500(bench: Bench) -> None:
    body = Closing(raising_after(ValueError())())
    assert bench.serve(application(body)).status == FAILED
    assert body.closed == 1


def test_a_failure_after_the_answer_harms_nothing(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    answered = bench.serve(application(raising_after(ValueError("late"), b"hello"), [("Content-Length", "5")]))
    assert (answered.kinds, answered.body) == ([Kind.ANSWER, Kind.DONE], b"hello")
    assert "late" in caplog.text


def test_a_failed_head_request_gets_no_body(bench: Bench) -> None:
    answered = bench.serve(raising(ValueError()), a_request(method="HEAD"))
    assert (answered.status, answered.body) == (FAILED, b"")


def test_close_is_called_once_after_the_answer_has_gone(bench: Bench) -> None:
    gone = threading.Event()
    body = Closing([b"he", b"llo"], close=lambda: gone.wait(seconds()))
    served = bench.start(application(body))
    assert [bench.peer.frame()[0] for _ in range(4)] == [Kind.HEAD, Kind.PART, Kind.PART, Kind.END]
    assert not bench.peer.heard
    assert not served.done()
    gone.set()
    assert bench.peer.frame()[0] is Kind.DONE
    served.result()
    assert body.closed == 1


@pytest.mark.parametrize("error", [ValueError("in close"), SystemExit()], ids=repr)
def test_a_failure_in_close_is_told_and_harms_nothing(
    bench: Bench, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    def close() -> None:
        raise error

    answered = bench.serve(application(Closing([b"hello"], close), [("Content-Length", "5")]))
    assert (answered.kinds, answered.body) == ([Kind.ANSWER, Kind.DONE], b"hello")
    assert caplog.messages == ["GET / (request r1): close() failed, after the answer"]
    assert type(error).__name__ in caplog.text


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (None, "it returned None; return a list such as [body]; is a 'return' missing?"),
        (5, "it returned the int 5; return a list"),
        (
            "text",
            "it returned the str 'text', which would be sent character by character; return [text.encode('utf-8')]",
        ),
        (b"data", "it returned the bytes b'data', which would be sent character by character; return [body]"),
        (["text"], "each part of the body must be bytes; the application gave the str 'text'; encode it"),
        ([b"a", None], "the application gave None; make it bytes"),
        ([bytearray(b"a")], "the application gave the bytearray bytearray(b'a'); make it bytes: bytes(part)"),
        ({"a": 1}, "the application gave the str 'a'"),
        (Closing(["text"]), "the application gave the str 'text'"),
    ],
)
def test_what_is_no_body_is_told_in_words(
    bench: Bench, caplog: pytest.LogCaptureFixture, body: Any, words: str
) -> None:
    assert bench.serve(application(body)).status == FAILED
    [message] = caplog.messages
    assert message.startswith("GET / (request r1): PEP 3333: ")
    assert words in message
    assert "Traceback" not in caplog.text


def test_a_later_part_that_is_no_bytes_cuts_the_answer(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    answered = bench.serve(application(Closing([b"a", "b"])))
    assert answered.kinds == [Kind.HEAD, Kind.PART, Kind.CUT, Kind.DONE]
    assert "the application gave the str 'b'" in caplog.text


@pytest.mark.parametrize("body", [[b"hello"], [], Closing([b"hello"]), Closing([]), (part for part in [b"hello"])])
def test_an_application_that_never_starts_is_told_so(bench: Bench, caplog: pytest.LogCaptureFixture, body: Any) -> None:
    answered = bench.serve(lambda environ, start_response: body)
    assert answered.status == FAILED
    assert "start_response must be called before the first part of the body" in caplog.text


def test_what_start_response_refuses_is_told_with_the_applications_line(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    assert bench.serve(application([b"x"], [("Connection", "close")])).status == FAILED
    assert "start_response(status, list(headers))" in caplog.text
    assert "PEP 3333: hop-by-hop headers belong to the server" in caplog.text


def test_an_old_sequence_is_an_iterable(bench: Bench) -> None:
    class Old:
        def __getitem__(self, index: int) -> bytes:
            return [b"he", b"llo"][index]

    assert bench.serve(application(Old())).body == b"hello"


def test_the_body_in_memory_and_in_a_file(bench: Bench) -> None:
    assert bench.serve(echo, a_request(method="POST", body=b"abc", content_length=3)).body == b"abc"
    descriptor = os.memfd_create("body", os.MFD_CLOEXEC)
    os.write(descriptor, b"abcdef")
    request = a_request(method="POST", content_length=3, body_in_file=True)
    assert bench.serve(echo, request, descriptor).body == b"abc"


@pytest.mark.parametrize("app", [echo, raising(ValueError()), application([b"x"]), application(Closing([b"x"]))])
def test_the_file_is_closed_when_the_request_has_ended(bench: Bench, app: WSGIApplication) -> None:
    read_end, write_end = os.pipe()
    bench.serve(app, a_request(content_length=0, body_in_file=True), write_end)
    os.set_blocking(read_end, False)
    assert os.read(read_end, 1) == b""  # no end for writing is left
    os.close(read_end)


def test_the_body_is_there_until_close_has_returned(bench: Bench) -> None:
    read = []

    def app(environ: dict[str, Any], start_response: StartResponse) -> Any:
        start_response("200 OK", PLAIN)
        return Closing([b"x"], lambda: read.append(environ["wsgi.input"].read()))

    bench.serve(app, a_request(body=b"abc", content_length=3))
    assert read == [b"abc"]


@pytest.mark.parametrize(
    "app", [application([b"x"]), application(Closing([b"x"])), application([], write=[b"x"]), raising(ValueError())]
)
def test_an_answer_to_a_dead_dispatcher_is_dropped_with_a_line(
    bench: Bench, caplog: pytest.LogCaptureFixture, app: WSGIApplication
) -> None:
    bench.peer.close()
    caplog.clear()
    with pytest.raises(DispatcherGone):
        bench.start(app, a_request(id="r7", target="/x")).result()
    assert "GET /x (request r7): the dispatcher died before the answer had ended, which is dropped" in caplog.text


def test_a_dead_dispatcher_does_not_keep_the_application_from_being_closed(bench: Bench) -> None:
    body = Closing([b"x"])
    bench.peer.close()
    with pytest.raises(DispatcherGone):
        bench.start(application(body)).result()
    assert body.closed == 1


def test_an_application_that_hides_the_dispatchers_death_does_not_hide_it_from_us(bench: Bench) -> None:
    def app(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        write = start_response("200 OK", PLAIN)
        try:
            write(b"x")
        except OSError:
            return [b"y"]
        return []

    bench.peer.sock.shutdown(socket.SHUT_RDWR)
    with pytest.raises(DispatcherGone):
        bench.start(app).result()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ([b"hello!"], "gave at least 1 more"),
        (Closing([b"hello"], lambda: 1 / 0), "close() failed, after the answer"),
        ([b"hell"], "1 of them never came"),
        ([b"hello"], ""),
    ],
)
def test_logging_that_is_configured_only_now_does_not_silence_us(
    bench: Bench, caplog: pytest.LogCaptureFixture, body: Any, told: str
) -> None:
    def app(environ: dict[str, Any], start_response: StartResponse) -> Any:
        logging.config.dictConfig({"version": 1})
        start_response("200 OK", [("Content-Length", "5")])
        return body

    with loggers_kept():
        bench.serve(app)
        assert told in caplog.text
        assert not logging.getLogger("wsgid.worker.control").disabled


def test_the_next_request_is_served_after_a_failed_one(bench: Bench) -> None:
    bench.serve(raising(SystemExit()))
    assert bench.serve(application([b"next"])).body == b"next"


# Requests that have taken too long.


class Held:
    """A place in the application at which the test interrupts it."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.reached = threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        while True:
            time.sleep(POLL)

    def interrupt(self) -> None:
        assert self.reached.wait(seconds())
        self._bench.interrupt()


@pytest.fixture
def held(bench: Bench) -> Held:
    return Held(bench)


def test_a_call_that_is_interrupted_is_over(bench: Bench, held: Held, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    served = bench.start(application(held))
    held.interrupt()
    answered = bench.peer.answer()
    served.result()
    assert (answered.status, answered.kinds) == (FAILED, [Kind.ANSWER, Kind.DONE])
    assert caplog.messages == ["GET / (request r1): the application was interrupted, the answer is given up"]
    assert "Traceback" not in caplog.text
    assert bench.serve(application([b"next"]), a_request(id="r2")).body == b"next"


@pytest.mark.parametrize("wrap", [lambda parts: parts, Closing], ids=["generator", "iterable"])
def test_an_answer_that_is_interrupted_is_cut_and_closed(bench: Bench, held: Held, wrap: Callable[[Any], Any]) -> None:
    tidied = []

    def parts() -> Iterator[bytes]:
        try:
            yield b"first"
            held()
        finally:
            tidied.append(True)

    body = wrap(parts())
    served = bench.start(application(body))
    held.interrupt()
    answered = bench.peer.answer()
    served.result()
    assert answered.kinds == [Kind.HEAD, Kind.PART, Kind.CUT, Kind.DONE]
    assert tidied == [True]
    if isinstance(body, Closing):
        assert body.closed == 1


def test_close_can_be_interrupted(bench: Bench, held: Held, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    served = bench.start(application(Closing([b"hello"], held), [("Content-Length", "5")]))
    held.interrupt()
    assert bench.peer.answer().kinds == [Kind.ANSWER, Kind.DONE]
    served.result()
    assert caplog.messages == ["GET / (request r1): close() was interrupted"]


def test_what_the_application_catches_is_met_again_when_it_answers(bench: Bench, held: Held) -> None:
    raised = []

    def app(environ: dict[str, Any], start_response: StartResponse) -> Any:
        write = start_response("200 OK", PLAIN)
        steps: list[Callable[[], object]] = [held, lambda: start_response("500 Sorry", PLAIN, sys.exc_info())]
        steps.append(lambda: write(b"x"))
        for step in steps:
            try:
                step()
            except RequestTimeout as error:
                raised.append(error)
        return [b"never mind"]

    served = bench.start(app)
    held.interrupt()
    bench.peer.answer()
    served.result()
    assert len(raised) == 3


def test_a_thread_that_waits_for_the_dispatcher_is_not_interrupted(bench: Bench) -> None:
    """An answer that nobody reads fills the channel; the thread then waits in our code."""
    asked = threading.Event()

    def parts() -> Iterator[bytes]:
        for _ in range(100):
            asked.set()
            yield bytes(PART_SIZE)
            asked.clear()

    served = bench.start(application(parts()))
    assert asked.wait(seconds())
    wait_for(lambda: bench.is_sending(), "the channel to be full")
    bench.interrupt()
    answered = bench.peer.answer()
    served.result()
    assert not answered.whole
    assert {len(part) for part in answered.parts} == {PART_SIZE}


# wsgiref's judgement of what we give to an application.


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("in_file", [False, True])
def test_the_validator_has_no_complaint(
    bench: Bench, caplog: pytest.LogCaptureFixture, method: str, in_file: bool
) -> None:
    seen = []

    @validator
    def app(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        body = environ["wsgi.input"]
        seen.append((body.read(2), body.readline(), body.readlines(), body.read(5)))
        environ["wsgi.errors"].flush()
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
        return [b"hello"]

    content = b"first\nsecond\nthird"
    descriptor = None
    if in_file:
        descriptor = os.memfd_create("body", os.MFD_CLOEXEC)
        os.write(descriptor, content)
    request = a_request(
        method=method,
        content_length=len(content),
        body=b"" if in_file else content,
        body_in_file=in_file,
        headers=[("content-type", "text/plain"), ("content-length", str(len(content))), ("x-a", "b")],
    )
    answered = bench.serve(app, request, descriptor)
    assert answered.body == (b"" if method == "HEAD" else b"hello")
    assert seen == [(b"fi", b"rst\n", [b"second\n", b"third"], b"")]
    assert not caplog.messages


def test_the_validator_has_no_complaint_about_write_and_streaming(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    @validator
    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterator[bytes]:
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        write(b"a")
        return iter([b"b", b"", b"c"])

    assert bench.serve(app).body == b"abc"
    assert not caplog.messages


def test_file_wrapper(bench: Bench) -> None:
    file = io.BytesIO(b"x" * 100_000)

    def app(environ: dict[str, Any], start_response: StartResponse) -> Any:
        start_response("200 OK", PLAIN)
        return environ["wsgi.file_wrapper"](file, 4096)

    assert bench.serve(app, GET).body == b"x" * 100_000
    assert file.closed

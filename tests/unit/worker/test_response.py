"""What goes out for what the application gives, and when."""

import contextlib
import gc
import logging
import os
import re
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.deadlines import seconds
from tests.proc import descriptors
from tests.unit.worker.dispatcher_side import a_request
from tests.unit.worker.serving import PLAIN, Bench, Closing, application, bench
from wsgid.channel.frames import PART_SIZE, Kind
from wsgid.protocol.http_answer import written
from wsgid.protocol.values import Head, Header, WrittenHead
from wsgid.worker.errors import ApplicationError
from wsgid.worker.in_hand import Held
from wsgid.worker.outlet import Frames
from wsgid.worker.response import Response

HEAD = a_request(method="HEAD")
ANSWER, HEAD_FRAME, PART, END, CUT, DONE = (
    Kind.ANSWER,
    Kind.HEAD,
    Kind.PART,
    Kind.END,
    Kind.CUT,
    Kind.DONE,
)


LONG = bytes(PART_SIZE + 1)


def a_head(status: str, headers: list[Header], length: int | None) -> WrittenHead:
    return written(Head(status, headers, length))


def with_length(length: int) -> list[tuple[str, str]]:
    return [("Content-Length", str(length))]


def generated(*parts: bytes) -> Any:
    return lambda: (part for part in parts)


# The whole body at once.


@pytest.mark.parametrize("body", [[b"hello"], (b"hello",), [b"he", b"", b"llo"]])
def test_a_body_in_memory_is_one_frame(bench: Bench, body: Any) -> None:
    answered = bench.serve(application(body, status="201 Made"))
    assert answered.kinds == [ANSWER]
    assert answered.head == a_head("201 Made", PLAIN, None)
    assert answered.body == b"hello"


def test_a_list_with_an_iterator_of_its_own_is_iterated_once(bench: Bench) -> None:
    class Lazy(list[bytes]):
        def __iter__(self) -> Iterator[bytes]:
            while self:
                yield self.pop(0).upper()

    assert bench.serve(application(Lazy([b"he", b"llo"]))).body == b"HELLO"


def test_an_empty_list_is_an_empty_answer(bench: Bench) -> None:
    answered = bench.serve(application([], with_length(0)))
    assert (answered.kinds, answered.body) == ([ANSWER], b"")


def test_the_largest_body_that_is_one_frame(bench: Bench) -> None:
    assert bench.serve(application([bytes(PART_SIZE)])).kinds == [ANSWER]


def test_a_large_body_in_memory_goes_in_parts_with_its_length(bench: Bench) -> None:
    body = [b"x" * PART_SIZE, b"y" * 10, b"z" * PART_SIZE]
    answered = bench.serve(application(body))
    assert answered.kinds == [HEAD_FRAME, PART, PART, PART, END, DONE]
    assert [len(part) for part in answered.parts] == [PART_SIZE, PART_SIZE, 10]
    assert answered.body == b"".join(body)
    assert answered.head == a_head("200 OK", [*PLAIN, *with_length(2 * PART_SIZE + 10)], 2 * PART_SIZE + 10)


def test_a_list_with_close_is_closed(bench: Bench) -> None:
    class Body(list[bytes]):
        closed = 0

        def close(self) -> None:
            self.closed += 1

    body = Body([b"hello"])
    answered = bench.serve(application(body, with_length(5)))
    assert answered.kinds == [ANSWER, DONE]
    assert body.closed == 1


# A body that comes in parts.


def test_each_part_goes_at_once_before_the_next_is_asked_for(bench: Bench) -> None:
    seen = threading.Event()

    def body() -> Iterator[bytes]:
        yield b"first"
        assert seen.wait(seconds())
        yield b""
        yield b"second"

    served = bench.start(application(body))
    assert [bench.peer.frame()[0] for _ in range(2)] == [HEAD_FRAME, PART]
    seen.set()
    assert bench.peer.frame() == (PART, b"second")
    assert [bench.peer.frame()[0] for _ in range(2)] == [END, DONE]
    served.result()


def test_a_first_part_that_reaches_the_length_is_the_answer(bench: Bench) -> None:
    answered = bench.serve(application(generated(b"", b"hello"), with_length(5)))
    assert (answered.kinds, answered.body) == ([ANSWER, DONE], b"hello")


def test_the_end_goes_with_the_part_that_reaches_the_length(bench: Bench) -> None:
    seen = threading.Event()

    def body() -> Iterator[bytes]:
        yield b"he"
        yield b"llo"
        assert seen.wait(seconds())

    served = bench.start(application(body, with_length(5)))
    assert [bench.peer.frame()[0] for _ in range(4)] == [HEAD_FRAME, PART, PART, END]
    seen.set()
    assert bench.peer.frame()[0] is DONE
    served.result()


def test_a_large_part_is_split(bench: Bench) -> None:
    answered = bench.serve(application(generated(bytes(PART_SIZE * 2), bytes(PART_SIZE + 1), b"x")))
    assert [len(part) for part in answered.parts] == [PART_SIZE, PART_SIZE, PART_SIZE, 1, 1]
    assert answered.kinds[-2:] == [END, DONE]


def test_a_large_first_part_of_known_length(bench: Bench) -> None:
    answered = bench.serve(application(generated(bytes(PART_SIZE + 1)), with_length(PART_SIZE + 1)))
    assert answered.kinds == [HEAD_FRAME, PART, PART, END, DONE]


@pytest.mark.parametrize("headers", [PLAIN, with_length(0)])
@pytest.mark.parametrize("parts", [[], [b""], [b"", b""]])
def test_an_iterable_without_a_byte_is_an_empty_answer(
    bench: Bench, headers: list[tuple[str, str]], parts: list[bytes]
) -> None:
    answered = bench.serve(application(generated(*parts), headers))
    assert (answered.kinds, answered.body) == ([ANSWER], b"")


def test_start_response_may_come_with_the_first_part(bench: Bench) -> None:
    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        yield b"hello"

    assert bench.serve(app).body == b"hello"


def test_bytes_of_another_class_are_bytes(bench: Bench) -> None:
    class Safe(bytes):
        pass

    assert bench.serve(application([Safe(b"a"), Safe(b"b")])).body == b"ab"
    assert bench.serve(application(generated(Safe(b"a"), Safe(b"b")))).body == b"ab"
    assert bench.serve(application(generated(Safe(b"ab")), with_length(2))).body == b"ab"
    assert bench.serve(application([], write=[Safe(b"a"), Safe(b"b")])).body == b"ab"


# Answers without a body.


@pytest.mark.parametrize("body", [[b"hello"], [b"he", b"llo"], generated(b"he", b"llo"), [], generated()])
@pytest.mark.parametrize("headers", [PLAIN, with_length(5), with_length(999)])
def test_head_gets_no_body(
    bench: Bench, caplog: pytest.LogCaptureFixture, body: Any, headers: list[tuple[str, str]]
) -> None:
    answered = bench.serve(application(body, headers), HEAD)
    assert answered.body == b""
    assert answered.kinds[0] is ANSWER
    assert answered.headers == headers or headers == PLAIN  # then it may have been added
    assert not caplog.messages


def test_head_of_a_body_in_memory_tells_its_length(bench: Bench) -> None:
    assert bench.serve(application([b"he", b"llo"]), HEAD).head == a_head("200 OK", [*PLAIN, *with_length(5)], 5)
    assert bench.serve(application([]), HEAD).headers == PLAIN  # the application may have left the body out
    assert bench.serve(application([b"hello"], status="304 Same"), HEAD).headers == PLAIN


@pytest.mark.parametrize("status", ["204 No Content", "205 Reset Content", "304 Not Modified"])
@pytest.mark.parametrize("body", [[b"hello"], generated(b"he", b"llo"), [], generated()])
def test_codes_without_a_body(bench: Bench, caplog: pytest.LogCaptureFixture, status: str, body: Any) -> None:
    answered = bench.serve(application(body, with_length(5), status))
    assert (answered.kinds[0], answered.body) == (ANSWER, b"")
    assert not caplog.messages


def test_a_body_that_nobody_gets_is_not_run_to_its_end(bench: Bench) -> None:
    body = Closing(iter(lambda: b"tick", None))
    assert bench.serve(application(body), HEAD).kinds == [ANSWER, DONE]
    assert body.closed == 1


def test_write_to_a_head_request(bench: Bench) -> None:
    answered = bench.serve(application([b"c"], write=[b"a", b"b"]), HEAD)
    assert (answered.kinds, answered.body) == ([ANSWER, DONE], b"")


# Content-Length and the body do not agree.


@pytest.mark.parametrize(
    "body",
    [[b"hello"], [b"he", b"llo"], generated(b"hello"), generated(b"he", b"llo"), generated(b"he", b"l", b"lo", b"!")],
)
def test_a_body_that_is_too_long_is_cut_off(bench: Bench, caplog: pytest.LogCaptureFixture, body: Any) -> None:
    answered = bench.serve(application(body, with_length(3)))
    assert answered.body == b"hel"
    assert answered.whole
    [message] = caplog.messages
    assert re.match(r"GET / \(request r1\): PEP 3333: .*announced 3 and gave at least \d more, which are cut", message)


def test_a_large_body_that_is_too_long_is_cut_off(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    answered = bench.serve(application([LONG, LONG], with_length(len(LONG))))
    assert answered.kinds == [HEAD_FRAME, PART, PART, END, DONE]
    assert answered.body == LONG
    assert answered.headers == with_length(len(LONG))
    assert f"announced {len(LONG)} and gave at least {len(LONG)} more" in caplog.text


def test_a_body_without_end_is_left_at_its_length(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    body = Closing(iter(lambda: b"tick", None))
    assert bench.serve(application(body, with_length(8))).body == b"ticktick"
    assert body.closed == 1
    assert len(caplog.messages) == 1


def test_an_application_may_work_on_after_its_last_part(bench: Bench) -> None:
    worked = []

    def body() -> Iterator[bytes]:
        yield b"hello"
        yield b""
        worked.append(True)

    assert bench.serve(application(body, with_length(5))).body == b"hello"
    assert bench.serve(application(body), HEAD).body == b""
    assert worked == [True, True]


@pytest.mark.parametrize(("body", "announced"), [([b"he"], 5), ([], 5), (generated(), 5), ([LONG], len(LONG) + 3)])
def test_a_body_that_is_too_short_fails_while_it_can(
    bench: Bench, caplog: pytest.LogCaptureFixture, body: Any, announced: int
) -> None:
    answered = bench.serve(application(body, with_length(announced)))
    assert answered.status == "500 Internal Server Error"
    assert re.search(rf"announced {announced} and \d of them never came; correct the header", caplog.text)
    assert "Traceback" not in caplog.text


def test_a_body_that_is_too_short_is_cut(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    answered = bench.serve(application(generated(b"he"), with_length(5)))
    assert answered.kinds == [HEAD_FRAME, PART, CUT, DONE]
    assert "announced 5 and 3 of them never came" in caplog.text


# write().


def test_write_goes_out_at_once(bench: Bench) -> None:
    seen = threading.Event()

    def app(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        write = start_response("200 OK", PLAIN)
        write(b"")
        write(b"first")
        assert seen.wait(seconds())
        return [b"second", b"third"]

    served = bench.start(app)
    assert [bench.peer.frame()[0] for _ in range(2)] == [HEAD_FRAME, PART]
    seen.set()
    assert [bench.peer.frame() for _ in range(2)] == [(PART, b"second"), (PART, b"third")]
    assert [bench.peer.frame()[0] for _ in range(2)] == [END, DONE]
    served.result()


def test_write_that_reaches_the_length(bench: Bench) -> None:
    answered = bench.serve(application([], with_length(5), write=[b"hello"]))
    assert (answered.kinds, answered.body) == ([ANSWER, DONE], b"hello")


def test_write_beyond_the_length_is_told_once(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    answered = bench.serve(application([b"!"], with_length(3), write=[b"he", b"llo", b"!"]))
    assert answered.body == b"hel"
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("headers", [PLAIN, with_length(7)], ids=["whole", "cut"])
def test_write_after_the_end_is_refused_where_it_happens(
    bench: Bench, caplog: pytest.LogCaptureFixture, headers: list[tuple[str, str]]
) -> None:
    def app(environ: dict[str, Any], start_response: StartResponse) -> Any:
        write = start_response("200 OK", list(headers))
        return Closing([b"hello"], lambda: write(b"late"))

    answered = bench.serve(app)
    assert (answered.whole, answered.body) == (headers is PLAIN, b"hello")
    assert "the application wrote the bytes b'late' after that, which is not sent" in caplog.text
    assert 'lambda: write(b"late")' in caplog.text


def test_write_of_text_is_refused_where_it_happens(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    text: Any = "héllo"
    assert bench.serve(application([], write=[text])).status == "500 Internal Server Error"
    assert "the application gave the str 'héllo'; encode it: text.encode('utf-8')" in caplog.text
    assert "writer(data)" in caplog.text  # the application's own line


# start_response.


def test_a_second_call_without_exc_info_is_refused(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    def app(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", PLAIN)
        start_response("404 Not Found", PLAIN)
        return []

    assert bench.serve(app).status == "500 Internal Server Error"
    assert "the status '200 OK' first and now '404 Not Found'; call it once, or pass sys.exc_info()" in caplog.text
    assert 'start_response("404 Not Found", PLAIN)' in caplog.text


@pytest.mark.parametrize("starts", [True, False])
def test_a_call_after_the_end_is_refused(bench: Bench, caplog: pytest.LogCaptureFixture, starts: bool) -> None:
    def app(environ: dict[str, Any], start_response: StartResponse) -> Any:
        if starts:
            start_response("200 OK", PLAIN)
        return Closing([b"whole"], lambda: start_response("404 Not Found", PLAIN))

    assert bench.serve(app).status == ("200 OK" if starts else "500 Internal Server Error")
    assert "before the answer has ended; the application gave '404 Not Found' after that" in caplog.text


def test_what_was_refused_and_hidden_is_no_call(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    def app(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        with contextlib.suppress(Exception):
            start_response("200", PLAIN)
        return [b"hello"]

    assert bench.serve(app).status == "500 Internal Server Error"
    assert "the application never called it, or hid what it raised" in caplog.text


# A file.


def wrapped(path: Path, *headers: tuple[str, str], position: int = 0, write: bytes = b"") -> Any:
    def app(environ: dict[str, Any], start_response: StartResponse) -> Any:
        writer = start_response("200 OK", [*PLAIN, *headers])
        if write:
            writer(write)
        file = path.open("rb")
        file.seek(position)
        return environ["wsgi.file_wrapper"](file)

    return app


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large"
    path.write_bytes(bytes(range(256)) * (2 * PART_SIZE // 256))
    return path


def test_a_large_file_is_passed_on_with_its_length(bench: Bench, large: Path) -> None:
    answered = bench.serve(wrapped(large, position=10))
    assert answered.kinds == [Kind.FILE, Kind.DESCRIPTOR, DONE]
    assert answered.headers == [*PLAIN, *with_length(2 * PART_SIZE - 10)]
    assert answered.body == large.read_bytes()[10:]
    assert str(large) not in descriptors(os.getpid()).values()


def test_a_large_file_is_cut_to_its_content_length(bench: Bench, large: Path, caplog: pytest.LogCaptureFixture) -> None:
    """PEP 3333 has it end there, and has nothing against that."""
    answered = bench.serve(wrapped(large, *with_length(PART_SIZE + 1)))
    assert answered.kinds == [Kind.FILE, Kind.DESCRIPTOR, DONE]
    assert answered.body == large.read_bytes()[: PART_SIZE + 1]
    assert bench.serve(wrapped(large, *with_length(5))).body == large.read_bytes()[:5]
    assert caplog.messages == []


def test_a_small_file_is_an_ordinary_answer(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "small").write_bytes(b"small")
    answered = bench.serve(wrapped(tmp_path / "small", *with_length(5)))
    assert (answered.kinds, answered.body) == ([ANSWER, DONE], b"small")


def test_a_file_behind_something_written_goes_in_parts(bench: Bench, large: Path) -> None:
    answered = bench.serve(wrapped(large, write=b"first, "))
    assert Kind.FILE not in answered.kinds
    assert answered.body == b"first, " + large.read_bytes()


def test_a_file_that_is_too_short_is_told(bench: Bench, large: Path, caplog: pytest.LogCaptureFixture) -> None:
    answered = bench.serve(wrapped(large, *with_length(2 * PART_SIZE + 1)))
    assert not answered.whole
    assert "and 1 of them never came" in caplog.text


def test_the_length_of_a_file_is_told_to_head(bench: Bench, large: Path) -> None:
    answered = bench.serve(wrapped(large), HEAD)
    assert (answered.kinds, answered.body) == ([ANSWER, DONE], b"")
    assert answered.headers == [*PLAIN, *with_length(2 * PART_SIZE)]


def test_a_file_without_a_size_is_read(bench: Bench) -> None:
    answered = bench.serve(wrapped(Path("/proc/self/status")))
    assert answered.body.startswith(b"Name:")
    assert bench.serve(wrapped(Path("/proc/self/status")), HEAD).headers == PLAIN


def response(sent: list[bytes]) -> Response:
    outlet = Frames(sent.append, lambda pieces: sent.append(b"".join(pieces)), lambda data, _: sent.append(data))
    return Response(a_request(), outlet, Held(request_id="r1"))


def exc_info() -> Any:
    error = ValueError("the application's")
    return (ValueError, error, None)


def test_exc_info_replaces_the_head_before_it_has_gone(bench: Bench) -> None:
    def app(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", with_length(100))
        start_response("500 Sorry", PLAIN, exc_info())
        return [b"sorry"]

    answered = bench.serve(app)
    assert (answered.head, answered.body) == (a_head("500 Sorry", PLAIN, None), b"sorry")


def test_exc_info_may_come_with_the_first_call() -> None:
    response([]).start_response("500 Sorry", PLAIN, exc_info=exc_info())


def test_exc_info_is_raised_after_the_head_has_gone() -> None:
    sent: list[bytes] = []
    answer = response(sent)
    answer.start_response("200 OK", PLAIN)(b"hello")
    for _ in range(2):
        with pytest.raises(ValueError, match="the application's"):
            answer.start_response("500 Sorry", PLAIN, exc_info())
        answer.stream([], done=False)  # the second time the answer has ended
    assert len(sent) == 2


class Mistake(Exception):
    """Unlike those of the interpreter it can be looked after by a weak reference."""


def test_an_exception_that_is_raised_again_is_in_no_cycle() -> None:
    """PEP 3333, "Error Handling": it would be kept, with all that its frames hold, until a collection."""
    answer = response([])
    answer.start_response("200 OK", PLAIN)(b"hello")
    gc.disable()
    try:
        assert _raised_again(answer)() is None
    finally:
        gc.enable()


def _raised_again(answer: Response) -> weakref.ref[Mistake]:
    given: Any = (Mistake, Mistake(), None)
    try:
        answer.start_response("500 Sorry", PLAIN, given)
    except Mistake as error:
        return weakref.ref(error)
    finally:
        del given
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize("nothing", [None, (None, None, None)])
def test_exc_info_of_no_exception_is_none(nothing: Any) -> None:
    answer = response([])
    answer.start_response("200 OK", PLAIN, nothing)(b"hello")
    with pytest.raises(ApplicationError, match="may be called again only with exc_info"):
        answer.start_response("200 OK", PLAIN, nothing)


def test_what_start_response_refuses_is_not_the_answer() -> None:
    sent: list[bytes] = []
    answer = response(sent)
    with pytest.raises(ApplicationError, match="hop-by-hop"):
        answer.start_response("200 OK", [("Connection", "close")])
    answer.start_response("200 OK", PLAIN)  # has not been called before, as far as the answer goes
    with pytest.raises(ApplicationError, match="exc_info must be"):
        answer.start_response("500 Sorry", PLAIN, ValueError())  # type: ignore[arg-type]  # as some applications do
    with pytest.raises(ApplicationError, match="leave 1xx"):
        answer.start_response("100 Continue", PLAIN, exc_info())


def test_blanks_at_the_ends_of_a_value_do_not_go_out(bench: Bench) -> None:
    answered = bench.serve(application([b""], [("X-A", " b "), ("X-C", "d")]))
    assert answered.headers == [("X-A", "b"), ("X-C", "d")]


def test_headers_that_the_application_changes_afterwards_stay_as_they_were_checked(bench: Bench) -> None:
    def app(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        headers = list(PLAIN)
        start_response("200 OK", headers)
        headers.append(("Bad\r\n", "x"))
        return [b""]

    assert bench.serve(app).headers == PLAIN


# Who has left.


def test_the_next_part_ends_an_answer_that_nobody_waits_for(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    bench.in_hand.client_gone("r0")  # an older request's
    asked = threading.Event()

    def body() -> Iterator[bytes]:
        yield b"first"
        assert asked.wait(seconds())
        yield b"second"
        raise AssertionError("never asked for")

    parts = Closing(body())
    served = bench.start(application(parts))
    assert [bench.peer.frame()[0] for _ in range(2)] == [HEAD_FRAME, PART]
    bench.in_hand.client_gone("r1")
    asked.set()
    assert [bench.peer.frame()[0] for _ in range(2)] == [CUT, DONE]
    served.result()
    assert parts.closed == 1
    assert caplog.messages == ["GET / (request r1): its client has left, the answer is given up"]


def test_write_ends_an_application_whose_client_has_left(bench: Bench) -> None:
    bench.in_hand.client_gone("r1")
    answered = bench.serve(application([], write=iter(lambda: b"tick", None)))
    assert answered.kinds == [HEAD_FRAME, PART, CUT, DONE]
    assert bench.serve(application([b"next"])).body == b"next"


@pytest.mark.parametrize("length", [None, 5, 2 * PART_SIZE])
@pytest.mark.parametrize("close", [False, True])
def test_a_whole_answer_is_sent_to_a_client_that_may_have_left(bench: Bench, length: int | None, close: bool) -> None:
    """Frameworks give even a whole answer as an iterable with ``close``."""
    bench.in_hand.client_gone("r1", certain=False)
    body = [bytes(length or 5)]
    headers = PLAIN if length is None else with_length(length)
    answered = bench.serve(application(Closing(body) if close else body, headers))
    assert answered.whole
    assert answered.body == body[0]


def test_a_streamed_answer_goes_on_for_a_client_that_may_have_left(bench: Bench) -> None:
    """It may only have finished sending."""
    bench.in_hand.client_gone("r1", certain=False)
    answered = bench.serve(application([b"b", b"c"], write=[b"a"]))
    assert answered.whole
    assert answered.body == b"abc"


# All of it.


@given(
    parts=st.lists(st.sampled_from([b"", b"a", b"bc", b"d" * PART_SIZE, b"e" * (PART_SIZE + 7)]), max_size=4),
    length=st.sampled_from([None, 0, 1, 3, PART_SIZE, 2 * PART_SIZE + 7]),
    written=st.integers(0, 2),
    listed=st.booleans(),
    method=st.sampled_from(["GET", "HEAD"]),
)
def test_whichever_way_the_body_comes_the_client_gets_what_was_promised(
    parts: list[bytes], length: int | None, written: int, listed: bool, method: str
) -> None:
    headers = PLAIN if length is None else with_length(length)
    written = min(written, len(parts))
    rest = parts[written:]
    body = list(rest) if listed else generated(*rest)
    given_bytes = b"".join(parts)
    with bench() as made:
        answered = made.serve(application(body, headers, write=parts[:written]), a_request(method=method))
    if method == "HEAD":
        assert (answered.whole, answered.body) == (True, b"")
    elif length is None or len(given_bytes) >= length:
        assert answered.whole
        assert answered.body == given_bytes[:length]
    elif answered.whole:
        assert answered.status == "500 Internal Server Error"
    else:
        assert given_bytes.startswith(answered.body)

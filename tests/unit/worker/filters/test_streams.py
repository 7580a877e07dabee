"""Answers that come in parts, through filters that want their bodies and others that do not."""

import io
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse

import pytest

from tests.deadlines import POLL, seconds, wait_for
from tests.unit.worker.filters.filtering import LOG, Post, adding, complaints, filter_by
from tests.unit.worker.serving import PLAIN, Bench, Closing, application
from wsgid.channel.frames import PART_SIZE, Kind
from wsgid.worker.errors import ClientGone, DispatcherGone, RequestTimeout
from wsgid.worker.file_wrapper import FileWrapper
from wsgid.worker.filters import patience
from wsgid.worker.filters.collecting import MAX_COLLECTED

ANSWER, HEAD, PART, END, CUT, DONE = Kind.ANSWER, Kind.HEAD, Kind.PART, Kind.END, Kind.CUT, Kind.DONE


def with_length(length: int) -> list[tuple[str, str]]:
    return [*PLAIN, ("Content-Length", str(length))]


def upper(status: str, headers: list[Any], body: bytes | None) -> Any:
    return status, [*headers, ("X-Upper", "yes")], body and body.upper()


def generated(*parts: bytes) -> Any:
    return lambda: (part for part in parts)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine even a short answer may take longer than it is waited for."""
    monkeypatch.setattr(patience, "LIMIT", seconds())


class Events:
    """A generator of parts, each of which waits for the test."""

    def __init__(self, *parts: bytes, error: BaseException | None = None) -> None:
        self.go = threading.Semaphore(0)
        self._parts = parts
        self._error = error

    def __call__(self) -> Iterator[bytes]:
        for part in self._parts:
            yield part
            assert self.go.acquire(timeout=seconds())
        if self._error is not None:
            raise self._error


def kinds(bench: Bench, count: int) -> list[Kind]:
    """The next frames; waits for them."""
    return [bench.peer.frame()[0] for _ in range(count)]


class TestNobodyNeedsTheBody:
    def test_the_head_is_changed_and_the_answer_streams(self, bench: Bench) -> None:
        events = Events(b"one", b"two")
        post = adding("X-Worker", 7, needs_body=False)
        filter_by(bench, post)
        served = bench.start(application(events))
        kind, head = bench.peer.frame()
        assert (kind, b"X-Worker" in head) == (HEAD, True)
        assert kinds(bench, 1) == [PART]  # while the application waits
        assert post.called == [("200 OK", PLAIN, None)]
        events.go.release()
        assert bench.peer.frame() == (PART, b"two")
        events.go.release()
        assert kinds(bench, 2) == [END, DONE]
        served.result()
        assert len(post.called) == 1

    def test_the_body_is_not_theirs(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        filter_by(bench, Post(lambda status, headers, body: (status, [("X", "y")], b"mine"), needs_body=False))
        for body in (generated(b"a", b"b"), [b"ab"]):
            answered = bench.serve(application(body))
            assert (answered.headers, answered.body) == (PLAIN, b"ab")
        assert "for which it was given None" in complaints(caplog)[0]

    @pytest.mark.parametrize("headers", [[], [("Content-Length", "9")]])
    def test_nor_is_the_length(self, bench: Bench, headers: Any) -> None:
        filter_by(bench, Post(lambda status, _, body: (status, headers, body), needs_body=False))
        answered = bench.serve(application(generated(b"ab", b"cd"), with_length(4)))
        assert (answered.headers, answered.body) == ([("Content-Length", "4")], b"abcd")
        answered = bench.serve(application(generated(b"ab", b"cd")))
        assert (answered.headers, answered.body) == ([], b"abcd")
        assert (answered.kinds[0], answered.whole) == (HEAD, True)

    def test_a_status_without_a_body_is_refused(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        filter_by(bench, Post(lambda status, headers, body: ("204 No", headers, body), needs_body=False))
        assert bench.serve(application(generated(b"ab", b"cd"))).status == "200 OK"
        assert "whose body is about to be sent" in complaints(caplog)[0]

    def test_a_large_file_is_still_a_file(self, bench: Bench, tmp_path: Path) -> None:
        filter_by(bench, adding("X-A", needs_body=False))
        answered = bench.serve(file_of(tmp_path, PART_SIZE + 1))
        assert answered.kinds == [Kind.FILE, Kind.DESCRIPTOR, DONE]
        assert answered.headers == [*PLAIN, ("Content-Length", str(PART_SIZE + 1)), ("X-A", "yes")]
        assert len(answered.body) == PART_SIZE + 1

    def test_leaving_before_the_first_part_is_a_500(self, bench: Bench) -> None:
        def leave(*_: object) -> Any:
            raise SystemExit

        filter_by(bench, Post(leave, needs_body=False), Post(needs_body=False))
        answered = bench.serve(application(generated(b"a", b"b")))
        assert (answered.kinds, answered.status) == ([ANSWER, DONE], "500 Internal Server Error")


def file_of(folder: Path, size: int) -> Any:
    (folder / "file").write_bytes(b"x" * size)
    return application(lambda: FileWrapper((folder / "file").open("rb")))


@pytest.mark.usefixtures("unhurried")
class TestSomebodyDoes:
    @pytest.mark.parametrize("headers", [PLAIN, with_length(6)])
    @pytest.mark.parametrize("wrap", [lambda parts: parts, Closing])
    def test_the_parts_are_collected(self, bench: Bench, headers: Any, wrap: Any) -> None:
        filter_by(bench, Post(upper), adding("X-A", needs_body=False))
        answered = bench.serve(application(lambda: wrap(part for part in (b"abc", b"def")), headers))
        assert answered.kinds[0] == ANSWER
        assert answered.body == b"ABCDEF"
        assert sorted(answered.headers) == sorted([*with_length(6), ("X-Upper", "yes"), ("X-A", "yes")])

    def test_nobody_waits_for_what_has_been_sent(self, bench: Bench) -> None:
        filter_by(bench, Post(upper))
        bench.serve(application(generated(b"a", b"b")))
        assert bench.filters is not None
        assert bench.filters._patience is not None
        assert not bench.filters._patience._due

    def test_what_is_written_too(self, bench: Bench) -> None:
        filter_by(bench, Post(upper))
        assert bench.serve(application([b"c"], write=[b"a", b"b"])).body == b"ABC"
        assert bench.serve(application([], with_length(2), write=[b"a", b"b"])).body == b"AB"

    def test_a_file_too(self, bench: Bench, tmp_path: Path) -> None:
        filter_by(bench, Post(upper))
        for size in (3, PART_SIZE + 1, MAX_COLLECTED):
            assert bench.serve(file_of(tmp_path, size)).body == b"X" * size
        assert bench.serve(application(lambda: FileWrapper(io.BytesIO(b"abc")))).body == b"ABC"

    def test_the_most_that_is_collected(self, bench: Bench) -> None:
        filter_by(bench, Post(upper))
        half = MAX_COLLECTED // 2
        for body in ([b"x" * MAX_COLLECTED], generated(b"x" * half, b"x" * half)):
            assert bench.serve(application(body)).body == b"X" * MAX_COLLECTED

    def test_who_leaves_before_the_head_of_a_large_one_ends_the_request_alone(self, bench: Bench) -> None:
        def leave(*_: object) -> Any:
            raise SystemExit

        hungry = Post(upper)
        filter_by(bench, hungry, Post(leave, needs_body=False))
        assert bench.serve(application([bytes(MAX_COLLECTED + 1)])).status == "500 Internal Server Error"
        assert hungry.called == []

    @pytest.mark.parametrize(
        "make",
        [
            lambda folder: application([b"x" * (MAX_COLLECTED + 1)]),
            lambda folder: application(generated(b"x", b"x" * MAX_COLLECTED)),
            lambda folder: application(generated(b"x", b"x" * MAX_COLLECTED), with_length(MAX_COLLECTED + 1)),
            lambda folder: application(generated(b"x" * (MAX_COLLECTED + 1)), with_length(MAX_COLLECTED + 1)),
            lambda folder: application([], with_length(MAX_COLLECTED + 1), write=[b"x" * (MAX_COLLECTED + 1)]),
            lambda folder: file_of(folder, MAX_COLLECTED + 1),
        ],
        ids=["list", "parts", "length", "one part", "write", "file"],
    )
    def test_more_passes_it_by(self, bench: Bench, tmp_path: Path, make: Any, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        hungry, other = Post(upper), adding("X-A", needs_body=False)
        filter_by(bench, hungry, other)
        for _ in range(2):
            answered = bench.serve(make(tmp_path))
            assert answered.body == b"x" * (MAX_COLLECTED + 1)
            assert answered.kinds[-1] == DONE
            assert answered.headers[-1] == ("X-A", "yes")
            assert "X-Upper" not in dict(answered.headers)
        assert hungry.called == [("200 OK", answered.headers, None)] * 2
        assert len(other.called) == 2
        [told] = complaints(caplog)
        assert told.endswith("by: it is longer than 1048576 bytes. What it changes is lost")

    def test_the_body_goes_in_frames_when_it_has_become_large(self, bench: Bench) -> None:
        filter_by(bench, Post(lambda status, headers, body: (status, headers, bytes(PART_SIZE + 1))))
        answered = bench.serve(application([b""], PLAIN))
        assert answered.kinds == [HEAD, PART, PART, END, DONE]
        assert answered.headers == with_length(PART_SIZE + 1)


class TestEvents:
    """No Content-Length, and no end."""

    def test_flow(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        events = Events(b"one", b"two")
        hungry, other = Post(upper), adding("X-A", needs_body=False)
        filter_by(bench, hungry, other)
        served = bench.start(application(events))
        kind, head = bench.peer.frame()
        assert (kind, b"X-A" in head, b"X-Upper" in head) == (HEAD, True, False)
        assert bench.peer.frame() == (PART, b"one")  # while the application waits
        assert hungry.called == []
        events.go.release()
        assert bench.peer.frame() == (PART, b"two")
        events.go.release()
        assert kinds(bench, 2) == [END, DONE]
        served.result()
        assert hungry.called == [("200 OK", [*PLAIN, ("X-A", "yes")], None)]
        assert len(other.called) == 1
        assert "by: it has no Content-Length and does not end" in complaints(caplog)[0]

    def test_with_a_length_are_waited_for(self, bench: Bench) -> None:
        events = Events(b"one", b"two")
        filter_by(bench, Post(upper))
        served = bench.start(application(events, with_length(6)))
        events.go.release(2)
        assert bench.peer.answer().body == b"ONETWO"
        served.result()

    def test_are_let_go_although_others_are_not(self, bench: Bench) -> None:
        """One answer after the other, each with its own time."""
        filter_by(bench, Post(upper))
        for _ in range(3):
            bench.serve(application(generated(b"a", b"b")))
        events = Events(b"one")
        served = bench.start(application(events))
        assert kinds(bench, 2) == [HEAD, PART]
        events.go.release()
        assert kinds(bench, 2) == [END, DONE]
        served.result()

    def test_that_end_just_then_end_once(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        """Both threads come to the answer at any time; whoever is first, the client gets all of it.

        Of two answers it is certain: one with a Content-Length is not let go, and one that waits for it is.
        """
        monkeypatch.setattr(patience, "LIMIT", 0.0)
        hungry, other = Post(upper), adding("X-A", needs_body=False)
        filter_by(bench, hungry, other)

        def parts(number: int) -> Iterator[bytes]:
            for part in (b"one", b"two", b"three"):
                yield part
                for _ in range(number % 15):
                    time.sleep(0)  # another thread's turn
            if number == 1:
                wait_for(lambda: len(other.called) == 2, "it to be let go")

        for number in range(150):
            headers = PLAIN if number else with_length(len(b"onetwothree"))
            answered = bench.serve(application(lambda number=number: parts(number), headers))
            assert answered.body in (b"onetwothree", b"ONETWOTHREE")
            assert answered.whole
            assert ("X-Upper" in dict(answered.headers)) == (answered.body == b"ONETWOTHREE")
            assert len(hungry.called) == len(other.called) == number + 1
        assert [body is None for _, _, body in hungry.called[:2]] == [False, True]

    def test_a_filter_in_the_thread_that_lets_them_go_may_fail(
        self, bench: Bench, caplog: pytest.LogCaptureFixture
    ) -> None:
        def leave(*_: object) -> Any:
            raise SystemExit

        events = Events(b"one")
        filter_by(bench, Post(leave, needs_body=False), adding("X-A", needs_body=False), Post(upper))
        served = bench.start(application(events))
        kind, head = bench.peer.frame()
        assert (kind, b"X-A" in head) == (HEAD, True)
        events.go.release()
        assert kinds(bench, 3) == [PART, END, DONE]
        served.result()
        assert "SystemExit in a thread that does not serve the request" in complaints(caplog)[0]

    def test_the_worker_is_done_behind_the_last_filter(self, bench: Bench) -> None:
        go = threading.Event()

        def wait(status: str, headers: list[Any], body: object) -> Any:
            assert go.wait(seconds())
            return status, headers, body

        filter_by(bench, Post(wait))
        half = b"x" * MAX_COLLECTED
        served = bench.start(application(generated(half, half)))
        while bench.peer.frame()[0] != END:
            assert not served.done()
        assert not bench.peer.heard
        go.set()
        assert kinds(bench, 1) == [DONE]
        served.result()

    def test_a_filter_behind_them_may_leave(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        def leave(*_: object) -> Any:
            raise SystemExit

        filter_by(bench, Post(leave))
        for _ in range(2):
            assert bench.serve(application([bytes(MAX_COLLECTED + 1)])).kinds[-2:] == [END, DONE]


class TestFailure:
    def test_while_it_is_collected_is_a_500(self, bench: Bench) -> None:
        error = ValueError()
        events = Events(b"half a page", error=error)
        post = Post(upper)
        filter_by(bench, post)
        events.go.release()
        answered = bench.serve(application(events, with_length(100)))
        assert (answered.kinds, answered.status) == ([ANSWER, DONE], "500 Internal Server Error")
        assert post.called == [error]

    def test_of_an_answer_that_is_too_short(self, bench: Bench) -> None:
        post = Post(upper)
        filter_by(bench, post)
        assert bench.serve(application(generated(b"a", b"b"), with_length(3))).status == "500 Internal Server Error"
        assert [type(each).__name__ for each in post.called] == ["UnusableAnswer"]

    def test_after_it_was_let_go_is_a_cut(self, bench: Bench) -> None:
        error = ValueError()
        events = Events(b"one", error=error)
        hungry, other = Post(upper), Post(needs_body=False)
        filter_by(bench, hungry, other)
        served = bench.start(application(events))
        assert kinds(bench, 2) == [HEAD, PART]
        events.go.release()
        assert kinds(bench, 2) == [CUT, DONE]
        served.result()
        assert hungry.called == [error]
        assert other.called == [("200 OK", PLAIN, None)]  # once: its turn was the head

    def test_behind_the_end_comes_too_late(self, bench: Bench) -> None:
        def parts() -> Iterator[bytes]:
            yield b"one"
            yield b"two"
            raise ValueError

        post = Post(upper)
        filter_by(bench, post)
        assert bench.serve(application(parts, with_length(6))).body == b"ONETWO"
        assert len(post.called) == 1

    @pytest.mark.usefixtures("unhurried")
    def test_the_head_cannot_be_replaced_behind_the_first_part(self, bench: Bench) -> None:
        """As without filters: what PEP 3333 says of headers that have been sent does not depend on plug-ins."""

        def app(environ: dict[str, Any], start_response: StartResponse) -> Iterator[bytes]:
            start_response("200 OK", PLAIN)
            yield b"one"
            error = ValueError()
            start_response("500 Sorry", [], (ValueError, error, None))  # type: ignore[arg-type]
            yield b"sorry"

        post = Post(upper)
        filter_by(bench, post)
        assert bench.serve(app).status == "500 Internal Server Error"
        assert [type(each) for each in post.called] == [ValueError]


class Hang:
    """Code that never returns, unless it is interrupted."""

    def __init__(self) -> None:
        self.reached = threading.Event()

    def __call__(self, *_: object) -> Any:
        self.reached.set()
        while True:
            time.sleep(POLL)

    def interrupt(self, bench: Bench) -> None:
        assert self.reached.wait(seconds())
        bench.interrupt()


@pytest.mark.usefixtures("unhurried")
class TestTheTimeLimit:
    def test_interrupts_the_application(self, bench: Bench) -> None:
        hang, post = Hang(), Post()
        filter_by(bench, post)
        served = bench.start(application(hang))
        hang.interrupt(bench)
        assert bench.peer.answer().status == "500 Internal Server Error"
        served.result()
        assert [type(each) for each in post.called] == [RequestTimeout]

    @pytest.mark.parametrize("needs_body", [True, False])
    def test_interrupts_a_post_filter(self, bench: Bench, needs_body: bool, caplog: pytest.LogCaptureFixture) -> None:
        hang, after = Hang(), Post()
        filter_by(bench, Post(hang, needs_body=needs_body), after)
        served = bench.start(application(generated(b"a", b"b")))
        hang.interrupt(bench)
        assert bench.peer.answer().status == "500 Internal Server Error"
        served.result()
        assert after.called == []
        assert complaints(caplog) == []

    def test_interrupts_a_pre_filter(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        hang = Hang()
        filter_by(bench, pre=[hang])
        served = bench.start(application([b"never"]))
        hang.interrupt(bench)
        assert bench.peer.answer().status == "500 Internal Server Error"
        served.result()
        assert complaints(caplog) == []

    def test_interrupts_the_application_behind_a_pre_filter_that_failed(self, bench: Bench) -> None:
        def fail(*_: object) -> None:
            raise ValueError

        hang = Hang()
        filter_by(bench, pre=[fail])
        served = bench.start(application(hang))
        hang.interrupt(bench)
        assert bench.peer.answer().status == "500 Internal Server Error"
        served.result()

    def test_does_not_interrupt_what_tells_of_a_pre_filter_that_failed(self, bench: Bench) -> None:
        class Telling(logging.Handler):
            told = False

            def emit(self, record: logging.LogRecord) -> None:
                bench.interrupt()
                for _ in range(3):
                    continue  # here it would be struck
                self.told = True

        def fail(*_: object) -> None:
            raise ValueError

        filter_by(bench, pre=[fail])
        telling = Telling()
        logging.getLogger(LOG).addHandler(telling)
        try:
            assert bench.serve(application([b"never"])).status == "500 Internal Server Error"
        finally:
            logging.getLogger(LOG).removeHandler(telling)
        assert telling.told

    def test_that_was_met_while_a_pre_filter_failed_is_met(self, bench: Bench) -> None:
        def fail(*_: object) -> None:
            bench.interrupt()
            raise ValueError

        filter_by(bench, pre=[fail])
        assert bench.serve(application([b"never"])).status == "500 Internal Server Error"


class TestWhoHasLeft:
    @pytest.mark.parametrize("length", [None, 100])
    def test_the_client(self, bench: Bench, length: int | None) -> None:
        events = Events(b"one", b"two", b"three")
        post = Post(upper)
        filter_by(bench, post)
        served = bench.start(application(events, PLAIN if length is None else with_length(length)))
        wait_for(lambda: "r1" in bench.in_hand._held, "the request to be served")
        if length is None:
            assert kinds(bench, 2) == [HEAD, PART]
        bench.in_hand.client_gone("r1")
        events.go.release()
        assert kinds(bench, 2)[1] == DONE
        served.result()
        assert [type(each) for each in post.called] == [ClientGone]

    def test_the_dispatcher(self, bench: Bench) -> None:
        """The answer is let go to nobody; the thread that serves the request finds out by itself."""
        events = Events(b"one", b"two")
        post = Post(upper)
        filter_by(bench, post)
        served = bench.start(application(events))
        bench.peer.close()
        events.go.release(2)
        with pytest.raises(DispatcherGone):
            served.result()

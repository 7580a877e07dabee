"""What the application writes to ``wsgi.errors``, and what the main log says then."""

import contextlib
import io
import logging
import logging.config
import re
import subprocess
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse
from wsgiref.validate import ErrorWrapper

import bottle
import flask
import pytest
from flask.logging import default_handler
from markupsafe import Markup

from tests.deadlines import seconds
from tests.unit.main_log import loggers_kept, worker_log
from tests.unit.worker.dispatcher_side import a_request
from tests.unit.worker.serving import Bench
from tests.unit.worker.test_interrupt import Interrupter
from wsgid import logs
from wsgid.worker import wsgi_errors
from wsgid.worker.errors import RequestTimeout
from wsgid.worker.wsgi_errors import MAX_UNFINISHED, ErrorsStream

FIRST_LINE = re.compile(r"\S+ \S+ (?P<level>\w+) +worker\[\d+\] request (?P<id>\S+): (?P<text>.*)")


class Log:
    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def records(self) -> list[str]:
        """The text of each, its further lines with the four blanks before them."""
        found: list[str] = []
        for line in self._file.read_text().splitlines():
            if first := FIRST_LINE.fullmatch(line):
                assert (first["level"], first["id"]) == ("ERROR", "r1")
                found.append(first["text"])
            else:
                assert line.startswith("    ")
                found[-1] += f"\n{line}"
        return found


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with worker_log(tmp_path) as file:
        yield Log(file)


@pytest.fixture
def stream() -> ErrorsStream:
    return ErrorsStream("r1")


# Lines


def test_each_line_that_is_printed_is_a_record(stream: ErrorsStream, log: Log) -> None:
    print("one", 1, None, file=stream)
    print("caf\xe9 %s", file=stream)
    assert log.records == ["one 1 None", "caf\xe9 %s"]


def test_the_lines_that_one_write_completes_are_one_record(stream: ErrorsStream, log: Log) -> None:
    assert stream.write("begun ") == 6
    stream.write("here\nand\n\nthere\nrest")
    assert log.records == ["begun here\n    and\n    \n    there"]
    stream.writelines([" of it\n", "the last\n"])
    assert log.records[1:] == ["rest of it\n    the last"]


def test_empty_lines_alone_are_no_record(stream: ErrorsStream, log: Log) -> None:
    for text in ("\n", "", "\n\n"):
        stream.write(text)
    stream.write("\n\ntext\n\n")
    assert log.records == ["text"]


def test_what_is_unfinished_waits_for_its_end_or_for_flush(stream: ErrorsStream, log: Log) -> None:
    for dot in "...":
        print(dot, end="", file=stream)
    assert log.records == []
    print("!", end="", file=stream, flush=True)
    stream.flush()
    assert log.records == ["...!"]


def test_a_line_without_an_end_is_written_in_pieces(stream: ErrorsStream, log: Log) -> None:
    for _ in range(2 * MAX_UNFINISHED + 100):
        stream.write("x")
    assert [len(each) for each in log.records] == [MAX_UNFINISHED + 1] * 2
    stream.write("one line\n" + "y" * (MAX_UNFINISHED + 1))
    assert log.records[3:] == ["y" * (MAX_UNFINISHED + 1)]


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (b"abc", "the application wrote the bytes b'abc'; decode it: data.decode()"),
        (5, "the application wrote the int 5; make it text: str(value)"),
        (None, "the application wrote None; make it text: str(value)"),
    ],
)
def test_what_is_no_text_is_told_in_words(stream: ErrorsStream, log: Log, what: Any, words: str) -> None:
    for write in (stream.write, lambda value: stream.writelines(["good\n", value])):
        with pytest.raises(TypeError) as told:
            write(what)
        assert str(told.value) == f"PEP 3333: wsgi.errors takes str; {words}"
    assert log.records == []


def test_text_that_has_ideas_of_its_own_is_text(stream: ErrorsStream, log: Log) -> None:
    stream.write("1 < 2, ")
    stream.write(Markup("<b>markup</b>\n"))
    stream.writelines(["3 > ", Markup("2\n")])
    assert log.records == ["1 < 2, <b>markup</b>", "3 > 2"]


def test_no_line_forges_another_record(stream: ErrorsStream, log: Log) -> None:
    stream.write("a\r\n2026-11-21 07:33:24,123 ERROR worker[1] request r1: b\x1b[2J\n")
    assert log.records == ["a\\x0d\n    2026-11-21 07:33:24,123 ERROR worker[1] request r1: b\\x1b[2J"]


# The request


def test_what_is_left_is_written_when_the_request_has_ended(bench: Bench, log: Log) -> None:
    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterator[bytes]:
        environ["wsgi.errors"].write("begun, ")
        start_response("200 OK", [])
        yield b"served"
        environ["wsgi.errors"].write("ended")

    assert bench.serve(app, a_request(id="r1")).body == b"served"
    assert log.records == ["begun, ended"]


def test_it_is_there_after_the_end_and_for_any_thread(bench: Bench, log: Log) -> None:
    ended, threads = threading.Event(), []

    def late(errors: ErrorsStream) -> None:
        assert ended.wait(seconds())
        print("from a thread", file=errors)

    def app(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        threads.append(threading.Thread(target=late, args=(environ["wsgi.errors"],)))
        threads[0].start()
        start_response("200 OK", [])
        return [b"served"]

    bench.serve(app, a_request(id="r1"))
    ended.set()
    threads[0].join(seconds())
    assert log.records == ["from a thread"]


def test_nothing_that_threads_write_together_is_lost(stream: ErrorsStream, log: Log) -> None:
    together = threading.Barrier(4)

    def write(character: str) -> None:
        together.wait(seconds())
        for number in range(1000):
            stream.write(character if number % 10 else character + "\n")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, "abcd"))
    stream.flush()
    written = "".join(log.records)
    assert {character: written.count(character) for character in "abcd"} == dict.fromkeys("abcd", 1000)


# Those who write


def failing() -> str:
    raise LookupError("not there")


def by_a_handler(stream: Any) -> None:
    handler = logging.StreamHandler(stream)
    assert "wsgi.errors" in repr(handler)
    logger = logging.Logger("of the application")
    logger.addHandler(handler)
    try:
        failing()
    except LookupError:
        logger.exception("it failed")


def by_traceback(stream: Any) -> None:
    try:
        failing()
    except LookupError:
        stream.write("it failed\n" + traceback.format_exc())


def test_a_traceback_is_one_record(stream: ErrorsStream, log: Log) -> None:
    for write in (by_a_handler, by_traceback):
        write(stream)
        assert log.records[-1].startswith("it failed\n    Traceback (most recent call last):\n")
        assert log.records[-1].endswith("\n    LookupError: not there")
    assert len(log.records) == 2


def test_it_is_the_text_stream_that_others_take_it_for(stream: Any, log: Log) -> None:
    validated = ErrorWrapper(stream)
    validated.write("validated ")
    validated.writelines(["by ", "wsgiref\n"])
    validated.flush()
    with contextlib.redirect_stderr(stream), contextlib.closing(stream):
        traceback.print_stack(limit=1)
        print("closed", end="", file=stream)
    print("still open", file=stream)
    assert [log.records[0], *log.records[-2:]] == ["validated by wsgiref", "closed", "still open"]
    assert (stream.isatty(), stream.closed) == (False, False)
    assert "\udce9".encode(stream.encoding, stream.errors) == b"\\udce9"
    with pytest.raises(io.UnsupportedOperation, match=r"wsgi\.errors is no file of the system"):
        subprocess.run(["true"], stderr=stream, check=True)


def flask_application() -> Any:
    app = flask.Flask("shop")
    app.logger = logging.Logger("shop")
    app.logger.addHandler(default_handler)  # as Flask does by itself where nobody else has configured logging
    app.add_url_rule("/", view_func=failing)
    return app


def bottle_application() -> Any:
    app = bottle.Bottle()
    app.get("/")(failing)
    return app


@pytest.mark.parametrize("make", [flask_application, bottle_application])
def test_what_frameworks_tell_of_a_failure_names_the_request(bench: Bench, log: Log, make: Callable[[], Any]) -> None:
    assert bench.serve(make(), a_request(id="r1")).status.startswith("500")
    [told] = log.records
    assert "Traceback (most recent call last)" in told
    assert told.endswith("\n    LookupError: not there")


# The log


def test_the_applications_own_logging_does_not_silence_it(stream: ErrorsStream, log: Log) -> None:
    with loggers_kept():
        logging.config.dictConfig({"version": 1})
        logging.disable(logging.CRITICAL)
        print("heard", file=stream)
        logging.disable(logging.NOTSET)
    assert log.records == ["heard"]


def is_free(lock: Any) -> bool:
    """For the calling thread."""
    if free := lock.acquire(blocking=False):
        lock.release()
    return bool(free)


def test_wherever_an_interruption_strikes_no_lock_is_left_behind(log: Log) -> None:
    [handler] = (each for each in logging.getLogger("wsgid").handlers if isinstance(each, logs.DescriptorHandler))

    def strike(step: int) -> bool:
        """Whether it came to that many instructions."""
        stream = ErrorsStream("r1")
        # Where that lock is held the interpreter itself interrupts nothing: nothing is called there.
        interrupter = Interrupter(step, (wsgi_errors.__file__, logs.__file__, logging.__file__), wsgi_errors._changing)
        with contextlib.suppress(RequestTimeout):
            interrupter.call(lambda request: print("one", "two", file=stream))
        assert [other.submit(is_free, lock).result() for lock in (wsgi_errors._changing, handler.lock)] == [True, True]
        return interrupter.left <= 0

    with ThreadPoolExecutor(1) as serving, ThreadPoolExecutor(1) as other:
        # Not in this thread: CPython 3.11 may leave such an exception behind as one that is being handled.
        steps = serving.submit(lambda: next(step for step in count(1) if not strike(step))).result()
    assert steps > 100
    assert set(log.records) == {"one two"}, "a record is there or not, and never in part"

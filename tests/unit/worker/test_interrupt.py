"""The exception that ends a request: in the application's code and nowhere else."""

import sys
import threading
import time
from collections.abc import Callable, Container, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from threading import Lock
from traceback import StackSummary
from types import FrameType
from typing import Any

import pytest

from tests.deadlines import POLL, seconds, wait_for
from wsgid.worker import interrupt
from wsgid.worker.errors import RequestTimeout
from wsgid.worker.interrupt import Interruptible


def endless() -> None:
    while True:
        time.sleep(POLL)


class Thread:
    """A thread with a request of its own."""

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self._executor = executor
        self.inside = threading.Event()
        self.request: Interruptible = executor.submit(Interruptible).result()

    def start(self, code: Callable[[], object]) -> "Future[object]":
        """Calls the code as the application, and waits until it is there."""

        def application() -> object:
            self.inside.set()
            return code()

        called = self._executor.submit(self.request.call, application)
        assert self.inside.wait(seconds())
        return called

    def still_serves(self) -> None:
        """Lines of Python in which an exception that is still pending would be raised."""
        assert self._executor.submit(lambda: sum(number for number in range(1000))).result() == 499500


@pytest.fixture
def thread() -> Iterator[Thread]:
    with ThreadPoolExecutor(1) as executor:
        yield Thread(executor)


def test_the_application_is_interrupted_where_it_is(thread: Thread) -> None:
    called = thread.start(endless)
    thread.request.interrupt()
    assert isinstance(called.exception(seconds()), RequestTimeout)
    assert str(called.exception()) == "the request has taken longer than --timeout allows"
    thread.still_serves()


def test_frameworks_do_not_catch_it() -> None:
    assert not issubclass(RequestTimeout, Exception)


def test_the_thread_that_is_interrupted_is_told() -> None:
    request = Interruptible()
    assert request.thread == threading.get_ident()
    with ThreadPoolExecutor(1) as executor:
        stack = executor.submit(request.stack).result()
    assert "test_the_thread_that_is_interrupted_is_told" in {frame.name for frame in stack}


def test_where_the_application_was_is_told(thread: Thread) -> None:
    called = thread.start(endless)
    stack = thread.request.stack()
    thread.request.interrupt()
    assert called.exception(seconds())
    # What leads to the application is left out.
    assert [frame.name for frame in stack][:1] == ["application"]


def test_what_the_code_gives_and_raises_passes() -> None:
    request = Interruptible()
    assert request.call(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        request.call(divmod, 7, 0)


def test_it_comes_once(thread: Thread) -> None:
    caught = threading.Event()
    go_on = threading.Event()

    def application() -> str:
        try:
            endless()
        except RequestTimeout:
            caught.set()
            while not go_on.wait(POLL):
                pass
        return "went on"

    called = thread.start(application)
    thread.request.interrupt()
    assert caught.wait(seconds())
    thread.request.interrupt()
    go_on.set()
    assert called.result(seconds()) == "went on"


def test_our_own_code_is_not_interrupted_and_the_application_is_when_it_is_back(thread: Thread) -> None:
    ours, go_on = threading.Event(), threading.Event()
    steps: list[str] = []

    def application() -> None:
        thread.request.leave()
        try:
            ours.set()
            while not go_on.wait(POLL):
                pass
            steps.append("ours")
        finally:
            thread.request.enter()
        steps.append("the application's")

    called = thread.start(application)
    assert ours.wait(seconds())
    thread.request.interrupt()
    go_on.set()
    assert isinstance(called.exception(seconds()), RequestTimeout)
    assert steps == ["ours"]


def test_code_is_not_begun_when_the_time_is_over() -> None:
    request = Interruptible()
    request.interrupt()
    with pytest.raises(RequestTimeout):
        request.call(pytest.fail, "was called")


def test_an_interrupted_request_is_closed_to_the_end(thread: Thread) -> None:
    called = thread.start(endless)
    thread.request.interrupt()
    assert called.exception(seconds())
    closed: list[int] = []
    thread.request.call(lambda: closed.append(sum(number for number in range(100_000))), also_late=True)
    assert closed


def test_closing_is_interrupted_like_all_the_rest(thread: Thread) -> None:
    closing = threading.Event()

    def close() -> None:
        closing.set()
        endless()

    with ThreadPoolExecutor(1) as executor:
        request: Interruptible = executor.submit(Interruptible).result()
        closed = executor.submit(request.call, close, also_late=True)
        assert closing.wait(seconds())
        request.interrupt()
        assert isinstance(closed.exception(seconds()), RequestTimeout)


def test_an_exception_that_comes_too_late_is_taken_back() -> None:
    """The interpreter has been told to raise it, but the application's code has nothing more to run."""
    request = Interruptible()
    # It comes to an end by itself, and the exception meets the thread only on its way out.
    with pytest.raises(RequestTimeout):
        request.call(request.interrupt)
    assert sum(number for number in range(1000)) == 499500


def test_who_leaves_while_the_exception_is_being_set_waits_for_it(
    thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    decided, go_on = threading.Event(), threading.Event()
    set_exception = interrupt._set_exception

    def set_late(*arguments: Any) -> object:
        decided.set()
        assert go_on.wait(seconds())
        return set_exception(*arguments)

    def leaves() -> bool:
        frame = sys._current_frames()[thread.request.thread]
        return frame.f_code is Interruptible.leave.__code__

    monkeypatch.setattr(interrupt, "_set_exception", set_late)
    with ThreadPoolExecutor(1) as executor:
        called = thread.start(lambda: decided.wait(seconds()))
        interrupted = executor.submit(thread.request.interrupt)
        wait_for(leaves, "the application to be done")
        go_on.set()
        interrupted.result(seconds())
    assert called.result(seconds()), "it met the exception on its way out"
    thread.still_serves()


# Wherever it strikes.


class Interrupter:
    """Interrupts a request before the interpreter's so-manieth instruction in these files.

    That is more than the interpreter does: it raises such an exception only between some of its instructions.
    """

    def __init__(self, step: int, files: Container[str], *spared: Lock) -> None:
        """It does not strike who holds one of the locks."""
        self.left = step
        """Instructions until then."""
        self.request = Interruptible()
        self._files = files
        self._spared = (self.request.held_off, *spared)

    def call(self, code: Callable[[Interruptible], object]) -> None:
        """Calls the code as the application."""
        earlier = sys.gettrace()
        sys.settrace(self._trace)
        try:
            self.request.call(code, self.request)
        finally:
            sys.settrace(earlier)

    def _trace(self, frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_code.co_filename not in self._files:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            self.left -= 1
            # Whoever interrupts waits for the request's lock.
            if self.left <= 0 and not self.request.timed_out and not any(lock.locked() for lock in self._spared):
                self.request.interrupt()
        return self._trace


def outcomes(code: Callable[[Interruptible], object]) -> set[str]:
    """All that comes of it, for each place where it can be interrupted.

    Not in this thread: CPython 3.11 may leave such an exception behind there as one that is still being handled, which
    later tests would meet as the context of their own.
    """
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(_outcomes, code).result()


def _outcomes(code: Callable[[Interruptible], object]) -> set[str]:
    found: set[str] = set()
    for step in count(1):
        interrupter = Interrupter(step, (__file__, interrupt.__file__))
        try:
            interrupter.call(code)
            found.add("a result")
        except (RequestTimeout, LookupError) as error:
            found.add(type(error).__name__)
        # Nothing is left behind.
        assert sum(number for number in range(100)) == 4950
        assert not interrupter.request._inside
        assert not interrupter.request.held_off.locked()
        if interrupter.left > 0:
            return found
    raise AssertionError("never reached")


def test_wherever_it_strikes_nothing_comes_later() -> None:
    assert outcomes(lambda request: None) == {"a result", "RequestTimeout"}


def test_wherever_it_strikes_nothing_comes_after_an_exception() -> None:
    def fail(request: Interruptible) -> None:
        raise LookupError

    assert outcomes(fail) == {"LookupError", "RequestTimeout"}


def test_wherever_it_strikes_our_own_code_is_all_done_or_not_begun() -> None:
    done: list[list[str]] = []

    def application(request: Interruptible) -> None:
        done.append([])
        request.leave()
        try:
            done[-1].append("begun")
            done[-1].append("ended")
        finally:
            request.enter()

    assert outcomes(application) == {"a result", "RequestTimeout"}
    assert {"".join(steps) for steps in done} == {"", "begunended"}


def test_of_a_deep_stack_the_innermost_calls_are_told() -> None:
    def go_down(depth: int) -> StackSummary:
        return go_down(depth - 1) if depth else innermost()

    def innermost() -> StackSummary:
        return request.stack()

    request = Interruptible()
    stack = request.call(go_down, interrupt.MOST_CALLS + 10)
    assert len(stack) == interrupt.MOST_CALLS
    assert [each.name for each in stack[-3:]] == ["go_down", "innermost", "stack"]


def test_a_thread_that_has_ended_is_nowhere() -> None:
    with ThreadPoolExecutor(1) as executor:
        request = executor.submit(Interruptible).result()
    assert list(request.stack()) == []

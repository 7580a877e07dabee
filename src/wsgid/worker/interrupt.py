"""Ends a request that has taken too long by an exception in the thread that serves it, only in the application's code.

The exception is one that the interpreter raises in another thread (``PyThreadState_SetAsyncExc``): at the next line of
Python there. A thread that waits in C, be it ``time.sleep``, a lock, a database's socket, or a regular expression that
never ends, is not woken: it meets the exception when that call returns. The worker is killed before long anyhow.

It may come between any two lines, also between taking a lock and the ``try`` that gives it back. So the state of the
process is not to be trusted afterwards, and an interrupted worker is always replaced.

Each request has one `Interruptible`, whose lock makes "the thread is in the application's code" and "the exception is
set" exclude each other: what is set while the thread is inside has been raised before the thread is outside again, if
need be on a line that is there to be struck. It is set at most once for a request. That is what the nested ``try`` of
`_run` relies on: once it has struck, in the application or on the few lines between the application and the lock,
nothing else can. (What the application had just returned is then dropped, as if it had been struck on its last line.)
"""

import ctypes
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from wsgid.worker.errors import RequestTimeout

Result = TypeVar("Result")

_set_exception: Final = ctypes.pythonapi.PyThreadState_SetAsyncExc
"""With NULL it would also take an exception back that has not been raised yet. But CPython 3.11 and 3.12 then look for
it for ever after: slower, and where lines are traced (coverage, debuggers) without coming further."""

LINES_TO_STRIKE: Final = 2
"""Rounds of a loop: the interpreter raises what is pending at the first jump back, if it has not before."""


class Interruptible:
    """One request's time in the application's code.

    `interrupt` is for any thread, all else for the one that has made it, which serves the request.
    """

    __slots__ = ("_inside", "_lock", "_thread", "_timed_out")

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._inside = False
        """The application's code is running."""
        self._timed_out = False

    def call(self, code: Callable[..., Result], *arguments: object) -> Result:
        """Runs the application's code. Raises RequestTimeout when the request is interrupted meanwhile, or has been
        before, and whatever the code raises."""
        return self._run(code, arguments, also_late=False)

    def close(self, code: Callable[[], object]) -> None:
        """Runs the application's ``close()``, which PEP 3333 promises to it, also for a request that has been
        interrupted, and then to its end. Raises RequestTimeout when it is itself interrupted, and whatever it raises.
        """
        self._run(code, (), also_late=True)

    def leave(self) -> None:
        """From here to `enter` the thread is in our code, which the application has called: nothing is interrupted."""
        try:
            with self._lock:
                self._inside = False
            if self._timed_out:
                for _ in range(LINES_TO_STRIKE):
                    continue
        except RequestTimeout:  # which whoever calls `enter` meets again
            self._inside = False

    def enter(self) -> None:
        """Goes back to the application's code. Raises RequestTimeout when the request has been interrupted, now or
        before: the application can catch it, but nobody takes its answer any more."""
        with self._lock:
            if self._timed_out:
                raise RequestTimeout
            self._inside = True

    def interrupt(self) -> int:
        """Raises RequestTimeout in the application's code; in our own it waits until the thread comes back to it.
        Gives the thread's identifier."""
        with self._lock:
            again, self._timed_out = self._timed_out, True
            if self._inside and not again:
                _set_exception(ctypes.c_ulong(self._thread), ctypes.py_object(RequestTimeout))
        return self._thread

    def _run(self, code: Callable[..., Result], arguments: tuple[Any, ...], *, also_late: bool) -> Result:
        try:
            try:
                if not (also_late and self._timed_out):
                    self.enter()
                return code(*arguments)
            finally:
                self.leave()
        except RequestTimeout:
            self.leave()  # the exception may have come before the one above had begun
            raise

"""Ends a request that has taken too long by an exception in the thread that serves it, only in the application's code.

The exception is one that the interpreter raises in another thread (``PyThreadState_SetAsyncExc``): at the next line of
Python there. A thread that waits in C, be it ``time.sleep``, a lock, a database's socket, or a regular expression that
never ends, is not woken: it meets the exception when that call returns. The worker is killed before long anyhow.

It may come between any two lines, also between taking a lock and the ``try`` that gives it back. So the state of the
process is not to be trusted afterwards, and an interrupted worker is always replaced.

Each request has one `Interruptible`, which sees to it that what is set while the thread is inside the application has
been raised before the thread is outside again, if need be on a line that is there to be struck. A lock for it would be
a twentieth of what a request costs its worker. So each side first writes what the other one reads, and then reads what
the other one writes: the thread `_inside`, whoever interrupts `timed_out`. Of two who do so at once, at least one sees
the other, as the interpreter lock keeps the order of what they write (a Python without it would not). A thread that
sees `timed_out` waits, by the lock, until the exception is set if it is going to be.

It is set at most once for a request. That is what the nested ``try`` of
`call` relies on: once it has struck, in the application or on the few lines between the application and the lock,
nothing else can. (What the application had just returned is then dropped, as if it had been struck on its last line.)
"""

import ctypes
import sys
import threading
from collections.abc import Callable
from itertools import islice, takewhile
from traceback import StackSummary, walk_stack
from typing import Final, TypeVar

import msgspec

from wsgid.worker.errors import RequestTimeout

Result = TypeVar("Result")

_set_exception: Final = ctypes.pythonapi.PyThreadState_SetAsyncExc
"""With NULL it would also take an exception back that has not been raised yet. But CPython 3.11 then goes on looking
for it: every thread becomes slower, and one whose lines are traced (coverage, a debugger) stands still (tried with
3.11.7).
"""

MOST_CALLS: Final = 500
"""Of a stack, the innermost: more than anyone reads, of a recursion without an end as well. The application stands
still while they are looked at."""

LINES_TO_STRIKE: Final = 2
"""Rounds of a loop: the interpreter raises what is pending at the first jump back, if it has not before."""


class Interruptible(msgspec.Struct, eq=False):
    """One request's time in the application's code. (A Struct is made in C, in a quarter of the time.)

    `interrupt` and `stack` are for any thread, all else for the one that has made it, which serves the request.
    """

    thread: int = msgspec.field(default_factory=threading.get_ident)
    """The identifier of the thread that serves the request."""
    held_off: threading.Lock = msgspec.field(default_factory=threading.Lock)
    """Whoever holds it is not interrupted meanwhile; for what is over at once, after a look at `timed_out`."""
    timed_out: bool = False
    """The request has been interrupted: whoever would go on with it raises RequestTimeout."""
    _inside: bool = False
    """The application's code is running."""

    def call(self, code: Callable[..., Result], *arguments: object, also_late: bool = False) -> Result:
        """Runs the application's code. Raises RequestTimeout when the request is interrupted meanwhile, or has been
        before, and whatever the code raises.

        ``also_late`` is for ``close()``, which PEP 3333 promises to the application: it runs also for a request that
        has been interrupted before, and then to its end.
        """
        try:
            try:
                self._inside = True
                if self.timed_out:
                    if not also_late:
                        raise RequestTimeout
                    self.leave()
                return code(*arguments)
            finally:
                self.leave()
        except RequestTimeout:
            self.leave()  # the exception may have come before the one above had begun
            raise

    def leave(self) -> None:
        """From here to `enter` the thread is in our code, which the application has called: nothing is interrupted."""
        try:
            self._inside = False
            if self.timed_out:
                with self.held_off:
                    pass  # whoever has seen us inside has set the exception by now
                for _ in range(LINES_TO_STRIKE):
                    continue
        except RequestTimeout:  # which whoever calls `enter` meets again
            self._inside = False

    def enter(self) -> None:
        """Goes back to the application's code. Raises RequestTimeout when the request has been interrupted, now or
        before: the application can catch it, but nobody takes its answer any more."""
        self._inside = True
        if self.timed_out:
            self.leave()
            raise RequestTimeout

    def interrupt(self) -> None:
        """Raises RequestTimeout in the application's code; in our own it waits until the thread comes back to it."""
        with self.held_off:
            again, self.timed_out = self.timed_out, True
            if self._inside and not again:
                _set_exception(ctypes.c_ulong(self.thread), ctypes.py_object(RequestTimeout))

    def stack(self) -> StackSummary:
        """Where the thread is now, innermost last; what is inside the application only, if it is there. Empty when the
        thread has ended."""
        walked = walk_stack(frame) if (frame := sys._current_frames().get(self.thread)) else iter(())
        inside = takewhile(lambda place: place[0].f_code is not Interruptible.call.__code__, walked)
        stack = StackSummary.extract(islice(inside, MOST_CALLS), lookup_lines=False)
        stack.reverse()
        return stack

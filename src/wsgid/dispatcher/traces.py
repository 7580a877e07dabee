"""Where the thread of a request is: its own process says so, or else the master has it written down from outside.

A thread of the worker that runs Python can say it best: by lines of source, of the one request that is meant, and while
nobody else moves. It cannot when another thread holds the interpreter lock; then the master has faulthandler write it,
whose signal handler looks at the stacks without the lock. In a process that runs it should not: it may meet a stack
that changes at this moment, and the signal ends system calls of the application. With the lock held, nothing moves.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from wsgid.channel.frames import Stack
from wsgid.channel.orders import FromDispatcher, StackWanted, StackWritten
from wsgid.dispatcher.slots import Slot
from wsgid.dispatcher.work import Work

ANSWER_TIME: Final = 1.0
"""Seconds that the worker has. Its thread needs a millisecond, and on a machine that is busy with others more."""

WRITE_TIME: Final = 5.0
"""Seconds that the master has. It waits half a second for what faulthandler writes."""


NOT_WRITTEN: Final = "worker {} has not written where it is: it is stopped, in the kernel, or has more than 100 threads"

OVER: Final = "it has ended meanwhile"


@dataclass(frozen=True, slots=True)
class Found:
    text: str
    """The innermost call last."""
    from_outside: bool


class NotFound(Exception):
    """Says why."""


Heard = Callable[[Found | NotFound], None]


class Traces:
    """Those that are under way. Each ends once: there are no more of them than callers at the control socket."""

    def __init__(self, loop: asyncio.AbstractEventLoop, tell_master: Callable[[FromDispatcher], None]) -> None:
        self._loop = loop
        self._tell_master = tell_master
        self._open: list[Trace] = []

    def begin(self, slot: Slot, work: Work, heard: Heard) -> None:
        """`heard` is called later, once."""
        trace = Trace(slot, work, heard)
        self._open.append(trace)
        slot.worker.trace(work.request)
        trace.timer = self._loop.call_later(ANSWER_TIME, self._no_answer, trace)

    def told(self, pid: int, stack: Stack) -> None:
        """The worker's answer."""
        for trace in [each for each in self._open if (each.pid, each.key) == (pid, stack.key)]:
            if trace.over:  # also with a stack: its answer, on another connection, has overtaken that
                self._end(trace, NotFound(OVER))
            elif stack.text is not None:
                self._end(trace, Found(stack.text, from_outside=False))
            else:
                self._end(trace, NotFound("its worker is about to take it, or to be done with it"))

    def written(self, order: StackWritten) -> None:
        """The master's answer."""
        for trace in [each for each in self._open if (each.pid, each.thread) == (order.pid, order.thread)]:
            if trace.over:
                self._end(trace, NotFound(OVER))
            elif order.stack:
                self._end(trace, Found(order.stack, from_outside=True))
            else:
                self._end(trace, NotFound(NOT_WRITTEN.format(order.pid)))

    def _no_answer(self, trace: "Trace") -> None:
        if trace.over:
            self._end(trace, NotFound(OVER))
            return
        self._tell_master(StackWanted(trace.pid, trace.thread))
        trace.timer = self._loop.call_later(
            WRITE_TIME, self._end, trace, NotFound(f"neither worker {trace.pid} nor the master has told where it is")
        )

    def _end(self, trace: "Trace", found: Found | NotFound) -> None:
        self._open.remove(trace)
        trace.timer.cancel()
        trace.heard(found)


class Trace:
    """One that is under way."""

    timer: asyncio.TimerHandle

    def __init__(self, slot: Slot, work: Work, heard: Heard) -> None:
        self.pid = slot.worker.pid
        self.thread = slot.identifier
        self.key = work.request.key
        self.heard = heard
        self._slot = slot
        self._work = work

    @property
    def over(self) -> bool:
        """The thread does something else now, or is no more."""
        slot = self._slot
        return slot.work is not self._work or slot.done or slot not in slot.worker.slots

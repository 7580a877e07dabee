"""An outlet that holds an answer back until it is whole, for the post filters that need its body.

What is too large for that, or has no Content-Length and is still open after a while (events that a server sends, a
long poll), is let go: the head as the other filters leave it, and what has been collected. Then these filters are
called behind the answer, and all they change is lost.

The application may be inside its iterable when an answer is let go, so another thread does it (`patience`), and a lock
keeps the two apart.
"""

import enum
import logging
import threading
from collections.abc import Callable
from typing import Any, Final

from wsgid.protocol.values import Head
from wsgid.worker.errors import DispatcherGone
from wsgid.worker.file_wrapper import Opened
from wsgid.worker.filters.calls import Call, Calls
from wsgid.worker.filters.patience import Patience
from wsgid.worker.interrupt import Interruptible
from wsgid.worker.outlet import SERVER_ERROR, Outlet

log = logging.getLogger(__name__)

MAX_COLLECTED: Final = 1024 * 1024
"""Bytes of an answer that are held for filters, in each thread of a worker: more than nearly every page has, and what
is larger is a download, which no filter has any business with."""

TOO_LARGE: Final = f"it is longer than {MAX_COLLECTED} bytes"
STILL_OPEN: Final = "it has no Content-Length and does not end"


class Stage(enum.Enum):
    COLLECTING = enum.auto()
    """Nothing has been sent."""
    STREAMING = enum.auto()
    """It was let go."""
    OVER = enum.auto()
    """It has been sent to its end, or cut."""


COLLECTING, STREAMING, OVER = Stage


class Collecting:
    """One answer on its way through the post filters. `overdue` is for another thread, all else for the one that serves
    the request. Everything that sends also raises what is no failure of a filter (`calls.PASSES`)."""

    __slots__ = (
        "_calls",
        "_head",
        "_inside",
        "_lock",
        "_outlet",
        "_parts",
        "_patience",
        "_size",
        "_stage",
        "_unsent",
        "_why",
    )

    def __init__(self, outlet: Outlet, calls: Calls, inside: Interruptible, patience: Patience | None) -> None:
        """``patience``: None when no filter needs the body, so that nothing is held back."""
        self._outlet = outlet
        self._calls = calls
        self._inside = inside
        self._patience = patience
        self._lock = threading.Lock()
        self._stage = COLLECTING
        self._head = SERVER_ERROR
        """The answer's, once its first part is there."""
        self._unsent: Head | None = None
        """The head, when it was let go and has to go with the next part."""
        self._parts: list[bytes] = []
        self._size = 0
        """Bytes of them."""
        self._why = ""
        """What let it go."""

    @property
    def largest_whole(self) -> int:
        return MAX_COLLECTED if self._patience else self._outlet.largest_whole

    def answer(self, head: Head, body: bytes, *, done: bool) -> bool:
        with self._lock:
            if self._patience is None or len(body) <= MAX_COLLECTED:
                return self._send_whole(head, body, done=done)
            head = self._calls.head_only(head, self._inside.call)
            said = self._outlet.answer(head, body, done=False)
            self._end(head, TOO_LARGE)
            return said

    def file(self, head: Head, opened: Opened) -> None:
        with self._lock:
            head = self._calls.head_only(head, self._inside.call)
            self._outlet.file(head, opened)
            self._end(head, TOO_LARGE)

    def part(self, head: Head | None, part: bytes, *, last: bool) -> None:
        with self._lock:
            if head is not None:
                self._begin(head)
            if self._stage is not COLLECTING:
                self._pass_on(part, last=last)
                return
            self._parts.append(part)
            self._size += len(part)
            if last:
                self._send_whole(self._head, b"".join(self._parts), done=False)
            elif self._size > MAX_COLLECTED:
                self._let_go(TOO_LARGE, self._inside.call)

    def end(self, *, done: bool) -> bool:
        with self._lock:
            if self._stage is COLLECTING:
                return self._send_whole(self._head, b"".join(self._parts), done=done)
            said = self._outlet.end(done=done and not self._calls.waiting)
            self._end(self._head, self._why)
            return said

    def done(self) -> None:
        self._outlet.done()

    def fail(self, error: BaseException, *, begun: bool, bodiless: bool) -> None:
        """``begun``: as the application sees it. What is still collected has not been sent."""
        with self._lock:
            if self._stage is not OVER:
                begun = self._stage is STREAMING
                self._close()
                self._outlet.fail(error, begun=begun, bodiless=bodiless)
            self._calls.failed(error)

    def overdue(self) -> None:
        """Time is up: lets the answer go, if it is still collected."""
        with self._lock:
            if self._stage is COLLECTING:
                try:
                    self._let_go(STILL_OPEN, _out_of_turn)
                except DispatcherGone as error:
                    log.debug("an answer could not be let go: %s", error)  # whoever serves the request meets it, too

    def _begin(self, head: Head) -> None:
        self._head = head
        if self._patience is None or (head.content_length or 0) > MAX_COLLECTED:
            self._let_go(TOO_LARGE, self._inside.call)
        elif head.content_length is None:
            self._patience.watch(self)

    def _let_go(self, why: str, call: Call) -> None:
        self._head = self._unsent = self._calls.head_only(self._head, call)
        self._why = why
        self._stage = STREAMING
        if self._parts:
            collected = b"".join(self._parts)
            self._parts.clear()
            self._pass_on(collected, last=False)

    def _pass_on(self, part: bytes, *, last: bool) -> None:
        head, self._unsent = self._unsent, None
        self._outlet.part(head, part, last=last)
        if last:
            self._end(self._head, self._why)

    def _send_whole(self, head: Head, body: bytes, *, done: bool) -> bool:
        head, body = self._calls.whole(head, body)
        said = self._outlet.answer(head, body, done=done)
        self._close()
        return said

    def _end(self, head: Head, why: str) -> None:
        """The answer has been sent without those that are waiting."""
        self._close()
        self._calls.late(head, why)

    def _close(self) -> None:
        self._stage = OVER
        self._parts.clear()
        if self._patience is not None:
            self._patience.forget(self)


class LeftElsewhere(Exception):
    """A filter wanted to end a thread that is not the one that serves the request."""


def _out_of_turn(code: Callable[..., Any], *arguments: object) -> Any:
    """Calls a filter in a thread where nothing can end by it but the thread."""
    try:
        return code(*arguments)
    except (SystemExit, KeyboardInterrupt) as error:
        raise LeftElsewhere(f"{type(error).__name__} in a thread that does not serve the request") from error

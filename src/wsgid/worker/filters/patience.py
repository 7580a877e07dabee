"""Waits for answers that do not end: one thread, in workers that have a filter for bodies.

It only waits. Each answer that is overdue is let go by a thread of its own, as that may take long: filters are called,
and the channel may be full. Few answers come to that, so the thread costs little.
"""

import threading
import time
from typing import Final, Protocol

LIMIT: Final = 0.1
"""Seconds that an answer without a Content-Length is held back at most. Pages that a framework makes in pieces are over
by then; of a stream of events a person does not notice them."""


class Watched(Protocol):
    def overdue(self) -> None:
        """Called in another thread."""


class Patience:
    """The answers that are being collected, the oldest first: all are given the same time."""

    def __init__(self) -> None:
        self._due: dict[Watched, float] = {}
        self._idle = False
        """The thread waits for the first of them. It is not woken for each: it looks when its time is up."""
        self._changed = threading.Condition()

    def start(self) -> None:
        """Starts the thread. It is a daemon: the process ends without asking it."""
        threading.Thread(target=self._run, name="patience", daemon=True).start()

    def watch(self, answer: Watched) -> None:
        with self._changed:
            self._due[answer] = time.monotonic() + LIMIT
            if self._idle:
                self._changed.notify()

    def forget(self, answer: Watched) -> None:
        with self._changed:
            self._due.pop(answer, None)

    def _run(self) -> None:
        while True:
            overdue = self._next().overdue
            try:
                threading.Thread(target=overdue, name="let-go", daemon=True).start()
            except RuntimeError:  # the system has no thread left
                overdue()

    def _next(self) -> Watched:
        """Waits for the next one that is overdue."""
        with self._changed:
            while True:
                answer, due = next(iter(self._due.items()), (None, 0.0))
                left = due - time.monotonic()
                if answer is None:
                    self._idle = True
                    self._changed.wait()
                    self._idle = False
                elif left > 0:
                    self._changed.wait(left)
                else:
                    del self._due[answer]
                    return answer

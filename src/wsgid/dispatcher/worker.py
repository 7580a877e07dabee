"""One worker process as the dispatcher knows it: its slots, its control connection, what it held when it died."""

import logging
import math
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from wsgid.channel import frames
from wsgid.dispatcher.slots import Slot
from wsgid.dispatcher.work import Work
from wsgid.logs import about
from wsgid.protocol.values import Request

log = logging.getLogger("wsgid.dispatcher")

NO_LIMIT: Final = sys.maxsize
"""Requests."""


NOTHING: Final = "no request"
"""What most workers hold when they die, in the words of the log."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A request that a worker held when its channel ended."""

    method: str
    path: str
    told: str
    """The request and what became of it, in the words of the log."""


class Worker:
    """The connection beside the slots, ``control``, carries what must be heard while the application runs."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.busy = 0
        """Requests in its hands."""
        self.served = 0
        """Requests that it has finished."""
        self.most = NO_LIMIT
        """Requests after which it is worn out."""
        self.slots: list[Slot] = []
        self.ready = False
        self.filters_uploads = True
        """It has upload filters, or has not said yet that it has none."""
        self.leaving = False
        """It gets nothing new, and each thread is released once it has nothing in hand."""
        self.leave_by = math.inf
        """When a leaving one must have finished."""
        self.shut = False
        """It gets nothing new: it is hung, or dead."""
        self.hung = False
        """A request of it has reached the time limit: it will be killed."""
        self.to_interrupt: list[Request] = []
        """The requests that have just reached it."""
        self.spent = False
        """Hung, and holding nothing else: the master has been told."""
        self.control: socket.socket | None = None
        self.lost: list[Lost] = []
        """For the line about its death."""

    def late(self, now: float) -> bool:
        """It has not left in time: the master kills it, a moment later."""
        return now >= self.leave_by

    @property
    def connected(self) -> bool:
        """By any of its connections. With the last of them its process has ended."""
        return bool(self.slots) or self.control is not None

    @property
    def held(self) -> str:
        """What it has lost, in the words of the log."""
        return "; ".join(each.told for each in self.lost) or NOTHING

    def idle_slots(self) -> Iterator[Slot]:
        """Of those there are now; it may lose them meanwhile."""
        return (slot for slot in tuple(self.slots) if slot.work is None)

    def client_gone(self, request: Request) -> None:
        # Untold, the worker goes on: the answer is read and forgotten, and an endless one ends with the worker.
        self._tell(frames.client_gone(request.key), f"the client of {request.id} left")

    def client_may_be_gone(self, request: Request) -> None:
        # Untold, the application asks in vain, and its answer is sent to whoever is there.
        self._tell(frames.client_may_be_gone(request.key), f"the client of {request.id} may have left")

    def interrupt(self, request: Request) -> None:
        # Untold, the request goes on until the worker is killed, a few seconds later.
        self._tell(frames.interrupt(request.key), f"{request.id} is to be interrupted")

    def trace(self, request: Request) -> None:
        # Untold, it says nothing, which others do as well: nobody waits for it for long.
        self._tell(frames.trace(request.key), f"it is asked where the thread of {request.id} is")

    def _tell(self, frame: bytes, what: str) -> None:
        if self.control is not None:
            try:
                self.control.send(frame)
            except OSError as error:  # a full buffer or a dead worker
                log.debug("worker %d was not told that %s: %s", self.pid, what, error, extra=about(worker=self.pid))


def described(work: Work, outcome: str, now: float) -> str:
    """A request in the words of the log."""
    request = work.request
    return (
        f"{work.ABOUT}{request.method} {request.target} (id {request.id}, {now - work.served_at:.2f} s in its hands, "
        f"client {request.remote_addr or 'unknown'}): {outcome}"
    )

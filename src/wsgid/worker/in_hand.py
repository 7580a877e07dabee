"""The requests in this worker's hands: what the control thread hears about one finds it here.

The word about a request may come before the request itself, which is on another connection, or after it has ended. So
words are kept by the request's id, which no other has, and never hit "the current request".
"""

import threading
from collections import OrderedDict
from typing import Final

from wsgid.worker.interrupt import Interruptible

MAX_EARLY: Final = 1024
"""Words that are kept for requests that have not come yet. Most are for those that have ended: nobody looks for them,
and they are pushed out in time."""


class Held(Interruptible):
    """One request in a thread's hands."""

    __slots__ = ("client_left",)

    def __init__(self) -> None:
        super().__init__()
        self.client_left = False

    def client_gone(self) -> bool:
        """``wsgid.client_gone``: true for ever once the client has left. Any thread may ask, also after the end."""
        return self.client_left


class InHand:
    """All requests that the threads of this process are serving."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, Held] = {}
        self._gone_early: OrderedDict[str, None] = OrderedDict()
        self._timed_out_early: OrderedDict[str, None] = OrderedDict()

    def take(self, request_id: str) -> Held:
        """The calling thread begins to serve this request."""
        held = Held()
        with self._lock:
            self._held[request_id] = held
            if self._gone_early and self._gone_early.pop(request_id, self) is None:
                held.client_left = True
            if self._timed_out_early and self._timed_out_early.pop(request_id, self) is None:
                held.interrupt()
        return held

    def release(self, request_id: str) -> None:
        """The request has ended."""
        # One step of the interpreter: without the lock, which would cost a third of a microsecond.
        del self._held[request_id]

    def client_gone(self, request_id: str) -> None:
        """The dispatcher's word that this request's client has left."""
        with self._lock:
            held = self._held.get(request_id)
            if held is None:
                _keep(self._gone_early, request_id)
            else:
                held.client_left = True

    def taken_too_long(self, request_id: str) -> Held | None:
        """The dispatcher's word about this request: it is to be interrupted. None when no thread serves it; one that
        takes it later interrupts it itself."""
        with self._lock:
            held = self._held.get(request_id)
            if held is None:
                _keep(self._timed_out_early, request_id)
            return held


def _keep(early: OrderedDict[str, None], request_id: str) -> None:
    early[request_id] = None
    if len(early) > MAX_EARLY:
        early.popitem(last=False)

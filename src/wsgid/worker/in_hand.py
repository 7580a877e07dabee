"""The requests in this worker's hands: what the control thread hears about one finds it here.

The word about a request may come before the request itself, which is on another connection, or after it has ended. So
words are kept by the request's key, which no other has, and never hit "the current request".
"""

import threading
from collections import OrderedDict
from traceback import StackSummary
from typing import Final

from wsgid.worker.interrupt import Interruptible

MAX_EARLY: Final = 1024
"""Words that are kept for requests that have not come yet. Most are for those that have ended: nobody looks for them,
and they are pushed out in time."""


class Held(Interruptible, kw_only=True, eq=False):
    """One request in a thread's hands."""

    request_id: str
    """For the log."""
    client_left: bool = False
    """It certainly has left: nobody takes what is still to come of the answer."""
    _doubtful: bool = False
    """The client sends nothing more."""

    def client_gone(self) -> bool:
        """``wsgid.client_gone``: true for ever once the client has left, or may have. Any thread may ask, also after
        the end."""
        return self._doubtful

    def doubt(self, *, certain: bool) -> None:
        """The client may have left, or certainly has."""
        self._doubtful = True
        self.client_left = self.client_left or certain


class InHand:
    """All requests that the threads of this process are serving."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, Held] = {}
        self._gone_early: OrderedDict[str, bool] = OrderedDict()
        """Whether they certainly are."""
        self._timed_out_early: OrderedDict[str, bool] = OrderedDict()

    def take(self, key: str, request_id: str) -> Held:
        """The calling thread begins to serve this request."""
        # Without the lock, which would be a fortieth of what a request costs its worker: we first put down the request
        # and then look for a word, who has a word does it the other way round. So one of the two finds the other's.
        held = self._held[key] = Held(request_id=request_id)
        if self._gone_early and (certain := self._gone_early.pop(key, None)) is not None:
            held.doubt(certain=certain)
        if self._timed_out_early and self._timed_out_early.pop(key, False):
            held.interrupt()
        return held

    def release(self, key: str) -> None:
        """The request has ended."""
        # One step of the interpreter.
        del self._held[key]

    def stack(self, key: str) -> StackSummary | None:
        """Where the thread is that serves this request; None when no thread does."""
        if (held := self._held.get(key)) is None:
            return None
        stack = held.stack()
        # If it has ended meanwhile, this was another's stack perhaps, which the thread has taken since.
        return stack if self._held.get(key) is held else None

    def client_gone(self, key: str, *, certain: bool = True) -> None:
        """The dispatcher's word that this request's client has left, or, when it is not certain, may have."""
        if (held := self._find(key, self._gone_early, certain)) is not None:
            held.doubt(certain=certain)

    def taken_too_long(self, key: str) -> Held | None:
        """The dispatcher's word about this request: it is to be interrupted. None when no thread serves it; one that
        takes it later interrupts it itself."""
        return self._find(key, self._timed_out_early, True)

    def _find(self, key: str, early: OrderedDict[str, bool], word: bool) -> Held | None:
        """The request that the word is for; None when the word is kept for it."""
        with self._lock:
            if (held := self._held.get(key)) is None:
                early[key] = word
                if (held := self._held.get(key)) is not None:  # it has come meanwhile, and need not have seen the word
                    early.pop(key, None)
                elif len(early) > MAX_EARLY:
                    early.popitem(last=False)
            return held

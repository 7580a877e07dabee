"""Which requests' clients have left: the control thread hears it, the threads that serve look it up.

Ids are kept, not a mark on "the current request": the word may come before the request itself, which is on another
connection, or after it has ended, and must not hit the next one.
"""

import threading
from collections import OrderedDict
from typing import Final

MAX_DEPARTED: Final = 1024
"""Ids that are kept. Those of requests that ended before the word came are never looked up, and pushed out in time."""


class Departed:
    """A set of request ids, for many threads."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, request_id: str) -> None:
        with self._lock:
            self._ids[request_id] = None
            if len(self._ids) > MAX_DEPARTED:
                self._ids.popitem(last=False)

    def __contains__(self, request_id: str) -> bool:
        return request_id in self._ids

    def forget(self, request_id: str) -> None:
        """The request has ended."""
        if request_id in self._ids:
            with self._lock:
                self._ids.pop(request_id, None)

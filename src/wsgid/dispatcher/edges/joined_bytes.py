"""How many bytes all answers of one edge hold together, while they are joined to messages.

How many clients download at the same time is theirs to choose, and a message has up to 8 MiB: so there is a limit for
all. Above it one of them goes on, until its message is sent; the others wait for that, and with them their workers and
files. So a message never goes out early for want of memory, and none has to wait for ever.
"""

import asyncio
from collections.abc import Callable
from typing import Final

LIMIT: Final = 32 * 1024 * 1024
"""Bytes. One message of each client that downloads, on a machine where few do so at once."""


ALWAYS: Final = 64 * 1024
"""Bytes that each may hold above it: who wants no more, as most answers, waits for nobody."""


class JoinedBytes:
    __slots__ = ("_first", "_loop", "_room", "_turned_away", "size")

    def __init__(self, loop: asyncio.AbstractEventLoop, room: Callable[[], None]) -> None:
        """Calls ``room`` when those who were turned away may try again."""
        self.size = 0
        self._loop = loop
        self._room = room
        self._first: object = None
        """Who goes on above the limit: whoever was there first."""
        self._turned_away = False

    def admits(self, answer: object) -> bool:
        """Whether this one may hold more."""
        admitted = self.size < LIMIT or self._first is None or self._first is answer
        self._turned_away = self._turned_away or not admitted
        return admitted

    def add(self, answer: object, count: int) -> None:
        self.size += count
        if self.size >= LIMIT and self._first is None:
            self._first = answer

    def remove(self, answer: object, count: int) -> None:
        """All that it held."""
        self.size -= count
        if self._first is answer:
            self._first = None
        if self._turned_away and (self.size < LIMIT or self._first is None):
            self._turned_away = False
            self._loop.call_soon(self._room)

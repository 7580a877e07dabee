"""Asks the master how much memory the daemon's processes hold, for those who read the metrics."""

import asyncio
from collections.abc import Callable

from wsgid.channel.orders import Sizes, SizesWanted

PATIENCE = 1.0
"""Seconds. The master answers within milliseconds; one that is stopped or gone shall not keep the rest from anybody."""

Told = Callable[[Sizes | None], None]


class Weighing:
    """One question at a time."""

    def __init__(self, say: Callable[[SizesWanted], None], loop: asyncio.AbstractEventLoop) -> None:
        self._say = say
        self._loop = loop
        self._told: Told | None = None
        self._given_up: asyncio.TimerHandle | None = None

    def ask(self, told: Told) -> None:
        """`told` is called once, later; with None when the master does not answer. Not to be called before that."""
        self._told = told
        self._given_up = self._loop.call_later(PATIENCE, self._tell, None)
        self._say(SizesWanted())

    def answered(self, sizes: Sizes) -> None:
        """By the master."""
        if self._given_up is not None:
            self._given_up.cancel()
            self._tell(sizes)

    def _tell(self, sizes: Sizes | None) -> None:
        told, self._told, self._given_up = self._told, None, None
        if told is not None:
            told(sizes)

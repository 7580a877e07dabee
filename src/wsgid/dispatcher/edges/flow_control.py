"""Does this Mongrel2 run with ``download.flow_control``, and what may its idle connections be sent?

It says with the first request of a connection how many bytes may wait there, and never again: so the balance outlives
each request. Whether flow control is on it does not say at all to a dispatcher that has just begun and meets only
connections that are older. Both ways then hold: no more bytes at a time than with flow control, no more messages than
without. The first answer decides: with flow control its credits come back as soon as it is written, in a millisecond.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable

from wsgid.protocol.mongrel2_credits import DownloadCredits

log = logging.getLogger("wsgid.dispatcher")

Key = tuple[str, str]
"""A connection: its server and client id."""

SIZE = 100 * 1024
"""Bytes. Mongrel2 knows no other number (``MAX_CREDITS`` in its connection.c)."""

DECISION_TIME = 0.25
"""Seconds after the first answer in which credits can show that there are any. Only an answer larger than SIZE waits
for it. Should they come later, for a client that was stalled when we began, we learn it then."""

REMEMBERED = 20_480
"""Idle connections: twice as many as Mongrel2 has at most (``superpoll.max_fd``, 10,240 as it comes). It does not tell
of those that its reaper ends; the ones that were idle for longest make room."""


class FlowControl:
    """Of one generation of one Mongrel2."""

    __slots__ = ("_decided", "_deciding", "_idle", "_loop", "on")

    def __init__(self, loop: asyncio.AbstractEventLoop, decided: Callable[[], None], on: bool | None = None) -> None:
        """Calls ``decided`` when there turns out to be none."""
        self.on = on
        """None: not known yet."""
        self._loop = loop
        self._decided = decided
        self._deciding: asyncio.TimerHandle | None = None
        self._idle: OrderedDict[Key, DownloadCredits] = OrderedDict()

    def begun(self, key: Key, size: int) -> None:
        """The first request of an idle connection. An upload says so when it starts, and again when it is done: nothing
        was sent in between."""
        self._is_on()
        self.rest(key, DownloadCredits(size, counted=True))

    def take(self, key: Key) -> DownloadCredits | None:
        """The balance of a connection on which something is in progress from now on; None without flow control."""
        if self.on is False:
            return None
        return self._idle.pop(key, None) or DownloadCredits(SIZE, counted=False)

    def rest(self, key: Key, credits: DownloadCredits) -> None:
        """Nothing is in progress on it any more."""
        if self.on is not False:
            self._idle[key] = credits
            if len(self._idle) > REMEMBERED:
                self._idle.popitem(last=False)

    def returned(self, key: Key, count: int) -> None:
        """Mongrel2 has written so many bytes to an idle connection."""
        if (credits := self._idle.get(key)) is not None:
            credits.returned(count)

    def left(self, key: Key) -> None:
        self._idle.pop(key, None)

    # Is it on?

    def credited(self) -> None:
        """Credits have come, of whichever connection."""
        self._is_on()

    def _is_on(self) -> None:
        if not self.on:
            log.info("Mongrel2 runs with download.flow_control: answers go out as clients take them")
            self.on = True
            self.forget_timer()

    def answered(self) -> None:
        """Something was sent while it is not known."""
        if self._deciding is None:
            self._deciding = self._loop.call_later(DECISION_TIME, self._is_off)

    def _is_off(self) -> None:
        self._deciding = None
        self.on = False
        self._idle.clear()
        self._decided()

    def forget_timer(self) -> None:
        if self._deciding is not None:
            self._deciding.cancel()
            self._deciding = None

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
from typing import NamedTuple

from wsgid.dispatcher.edges.client import WRITE_TIMEOUT
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


class Unwritten(NamedTuple):
    credits: DownloadCredits
    since: float
    """When something was last sent or written."""


class FlowControl:
    """Of one generation of one Mongrel2."""

    __slots__ = ("_decided", "_deciding", "_idle", "_loop", "_unwritten", "on")

    def __init__(self, loop: asyncio.AbstractEventLoop, decided: Callable[[], None], on: bool | None = None) -> None:
        """Calls ``decided`` when there turns out to be none."""
        self.on = on
        """None: not known yet."""
        self._loop = loop
        self._decided = decided
        self._deciding: asyncio.TimerHandle | None = None
        self._idle: OrderedDict[Key, DownloadCredits] = OrderedDict()
        self._unwritten: OrderedDict[Key, Unwritten] = OrderedDict()
        """Connections, idle here or closed by us, to which Mongrel2 has yet to write; the latest last."""

    def begun(self, key: Key, size: int) -> None:
        """The first request of an idle connection. An upload says so when it starts, and again when it is done: nothing
        was sent in between."""
        self._is_on()
        self.rest(key, DownloadCredits(size, counted=True))

    def take(self, key: Key) -> DownloadCredits | None:
        """The balance of a connection on which something is in progress from now on; None without flow control."""
        if self.on is False:
            return None
        self._unwritten.pop(key, None)
        return self._idle.pop(key, None) or DownloadCredits(SIZE, counted=False)

    def rest(self, key: Key, credits: DownloadCredits) -> None:
        """Nothing is in progress on it any more."""
        if self.on is not False:
            self._idle[key] = credits
            if len(self._idle) > REMEMBERED:
                self._idle.popitem(last=False)
            self._note(key, credits)

    def closed(self, key: Key, credits: DownloadCredits) -> None:
        """We have closed it: Mongrel2 does that when it has written what was sent before."""
        self._note(key, credits)

    def _note(self, key: Key, credits: DownloadCredits) -> None:
        if self.on is not False and credits.oldest:
            self._unwritten[key] = Unwritten(credits, self._loop.time())
            self._unwritten.move_to_end(key)
            if len(self._unwritten) > REMEMBERED:
                self._unwritten.popitem(last=False)

    @property
    def written(self) -> bool:
        """Has Mongrel2 written all that it was sent, as far as clients take it? As it writes it tells us, and when
        nobody is there to be told it stands still, and the client in vain waits for the rest. Of a client that it has
        ended without a word no credits ever come."""
        latest = next(reversed(self._unwritten.values()), None)
        return not self.on or latest is None or self._loop.time() - latest.since > WRITE_TIMEOUT

    def returned(self, key: Key, count: int) -> None:
        """Mongrel2 has written so many bytes to a connection that is idle, or closed by us."""
        unwritten = self._unwritten.pop(key, None)
        credits = unwritten.credits if unwritten is not None else self._idle.get(key)
        if credits is not None:
            credits.returned(count)
            self._note(key, credits)

    def left(self, key: Key) -> None:
        self._idle.pop(key, None)
        self._unwritten.pop(key, None)

    def wait_for_nobody(self) -> None:
        self._unwritten.clear()

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
        self._unwritten.clear()
        self._decided()

    def forget_timer(self) -> None:
        if self._deciding is not None:
            self._deciding.cancel()
            self._deciding = None

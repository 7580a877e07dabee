"""One line for every request, whichever way it ended.

    127.0.0.1 - - [21/Nov/2026:07:33:24 +0000] "GET /page?x=1 HTTP/1.1" 200 1234 "-" "curl/8.14" wait=0.1ms \
        service=12.4ms worker=4242 id=5f3a-1

on one line; others by ``--access-log-format`` (`wsgid.dispatcher.access_line`). docs/logs.md says what is in it.
"""

import logging
from collections.abc import Callable
from typing import Final, Protocol

from wsgid import logs
from wsgid.access_fields import JSON, NONE
from wsgid.config import Config
from wsgid.dispatcher.access_file import open_access_file
from wsgid.dispatcher.access_line import Line, line_of
from wsgid.dispatcher.access_syslog import AccessSyslog, LineRefused
from wsgid.dispatcher.clock import Clock
from wsgid.dispatcher.exchange import Exchange

MOST_UNWRITTEN = 1024 * 1024
"""Bytes kept for a reader of ``--stdout`` that does not keep up, some five thousand lines: enough for one that is being
restarted, and no harm when it never comes back."""

GATHER_TIME = 0.005
"""Seconds in which there is one write: of lines that come thicker, several are written together. A write for each turn
of a busy event loop, which is one or two requests, was a sixth of what the dispatcher spent on them."""

RETRY = 0.1
"""Seconds until what found no room is tried again, should no request come before."""

log = logging.getLogger("wsgid.dispatcher")

CallSoon = Callable[[Callable[[], None]], object]
CallLater = Callable[[float, Callable[[], None]], object]


class Destination(Protocol):
    """Where the lines go."""

    @property
    def within_line(self) -> bool:
        """A line has been taken in part."""

    def write(self, lines: bytearray) -> int:
        """Takes what it can without waiting, from the beginning; gives the number of bytes. Raises OSError, or
        LineRefused."""

    def reopen(self) -> None:
        """Somebody has moved the old one away. Raises OSError; then the old one stays in use."""


def open_access_log(config: Config, clock: Clock, call_soon: CallSoon, call_later: CallLater) -> "AccessLog | NoLog":
    """By the options. Raises OSError, which names the file."""
    if config.access_log_format == NONE:
        return NoLog()
    return AccessLog(_destination(config), line_of(config.access_log_format), clock, call_soon, call_later)


def _destination(config: Config) -> Destination:
    """Raises OSError."""
    if (way := logs.syslog()) is not None:
        return AccessSyslog(way, in_json=config.access_log_format == JSON)
    return open_access_file(config)


class NoLog:
    """``--access-log-format none``."""

    __slots__ = ()

    lost_ever: Final = 0

    def ended(self, exchange: Exchange, code: int, note: str, now: float) -> None:
        """Nobody wants to know."""

    def flush(self) -> None:
        """There is nothing."""

    def reopen(self) -> None:
        """There is nothing."""


class AccessLog:
    """Lines are written at the end of the event loop's turn, under load every GATHER_TIME: one write for many requests,
    and nothing held back when there is time. Appending to a file costs no more than handing it to a thread would.

    Nobody's requests wait for whoever reads the log: what is not taken at once is kept, up to MOST_UNWRITTEN.
    """

    __slots__ = (
        "_call_later",
        "_call_soon",
        "_clock",
        "_destination",
        "_line",
        "_lines",
        "_retrying",
        "_unwritten",
        "_written_at",
        "lost",
        "lost_ever",
    )

    def __init__(
        self,
        destination: Destination,
        line: Line,
        clock: Clock,
        call_soon: CallSoon,
        call_later: CallLater,
    ) -> None:
        self._destination = destination
        self._line = line
        self._clock = clock
        self._call_soon = call_soon
        self._call_later = call_later
        self._lines: list[str] = []
        """Since the last write."""
        self._written_at = 0.0
        self._unwritten = bytearray()
        self._retrying = False
        self.lost = 0
        """Lines that could not be written (a full disk, say), since all could be: requests are served all the same."""

        self.lost_ever = 0
        """The same, since the beginning."""

    def ended(self, exchange: Exchange, code: int, note: str, now: float) -> None:
        """As `Journal.ended`; `now` is the time."""
        if not self._lines:
            if now - self._written_at < GATHER_TIME:
                self._call_later(GATHER_TIME, self._due)
            else:
                self._call_soon(self._due)
        self._lines.append(self._line(exchange, code, note, self._clock, now))

    def _due(self) -> None:
        self._written_at = self._clock.now()
        self.flush()

    def flush(self) -> None:
        """Writes what there is, as far as that is possible without waiting."""
        self._unwritten += "".join(self._lines).encode("ascii", "backslashreplace")
        self._lines.clear()
        if not self._unwritten:
            return
        try:
            self._write()
        except OSError:
            self._drop_beyond(0)
        else:
            self._drop_beyond(MOST_UNWRITTEN)
        if self._unwritten and not self._retrying:
            self._retrying = True
            self._call_later(RETRY, self._retry)

    def reopen(self) -> None:
        """Writes to the file that has the log's name now, after somebody has moved the old one away. When it cannot be
        opened the old one stays in use."""
        self.flush()
        try:
            self._destination.reopen()
        except OSError as error:
            log.error("the access log cannot be opened again, the old file stays in use: %s", error)

    def _retry(self) -> None:
        self._retrying = False
        self.flush()

    def _write(self) -> None:
        """Raises OSError."""
        while self._unwritten:
            try:
                taken = self._destination.write(self._unwritten)
            except LineRefused:
                taken = self._unwritten.index(b"\n") + 1
                self._count_lost(1)
            if not taken:
                return
            del self._unwritten[:taken]
        if self.lost:
            log.warning("the access log could not be written for a while: %d lines are missing from it", self.lost)
            self.lost = 0

    def _drop_beyond(self, most: int) -> None:
        """Keeps whole lines of up to ``most`` bytes together, and in any case the rest of one that has been begun."""
        if len(self._unwritten) <= most:
            return
        begun = self._unwritten.find(b"\n") + 1 if self._destination.within_line else 0
        kept = max(begun, self._unwritten.rfind(b"\n", 0, most) + 1)
        self._count_lost(self._unwritten.count(b"\n", kept))
        del self._unwritten[kept:]

    def _count_lost(self, lines: int) -> None:
        self.lost += lines
        self.lost_ever += lines

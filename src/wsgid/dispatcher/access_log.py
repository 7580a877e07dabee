"""One line for every request, whichever way it ended.

    2026-11-21T07:33:24.123Z 127.0.0.1 "GET /page?x=1 HTTP/1.1" 200 1234 wait=0.1ms service=12.4ms worker=4242 id=5f3a-1

Bytes are those of the body as sent to the client. `wait` is the time before a worker had it, `service` the time after;
``end=`` follows when it ended otherwise than by an answer of the application: refused, cut, left, killed.
"""

import logging
import os
import stat
import sys
from collections.abc import Callable

from wsgid.config import Config
from wsgid.dispatcher.clock import Clock
from wsgid.dispatcher.exchange import Exchange
from wsgid.logs import MODE, STDOUT, room

MOST_UNWRITTEN = 1024 * 1024
"""Bytes kept for a reader of ``--stdout`` that does not keep up, some ten thousand lines: enough for one that is being
restarted, and no harm when it never comes back."""

GATHER_TIME = 0.005
"""Seconds in which there is one write: of lines that come thicker, several are written together. A write for each turn
of a busy event loop, which is one or two requests, was a sixth of what the dispatcher spent on them."""

RETRY = 0.1
"""Seconds until what found no room is tried again, should no request come before."""

NEWLINE = ord("\n")

log = logging.getLogger("wsgid.dispatcher")


def line(exchange: Exchange, code: int, note: str, stamp: str, now: float) -> str:
    request = exchange.request
    asked = quoted(f"{request.method} {request.target} {request.version}")
    served_at = exchange.served_at
    wait, service = (served_at - exchange.arrived, now - served_at) if served_at else (now - exchange.arrived, 0.0)
    worker = exchange.slot.worker.pid if exchange.slot is not None else "-"
    end = f" end={note}" if note else ""
    return (
        f'{stamp} {request.remote_addr or "-"} "{asked}" {code} {exchange.sent} '
        f"wait={wait * 1000:.1f}ms service={service * 1000:.1f}ms worker={worker} id={request.id}{end}\n"
    )


def quoted(text: str) -> str:
    """The text in printable ASCII, with quotes and backslashes escaped: nobody forges a line or its fields."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return text.encode("unicode_escape").decode("ascii").replace('"', '\\"')


def open_file(config: Config) -> int:
    """A descriptor for the lines: standard output with ``--stdout``, else ``logs/access.log``. Raises OSError."""
    return STDOUT if config.stdout else _open(config)


def _open(config: Config) -> int:
    path = config.app_path / "logs" / "access.log"
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, MODE)


def _is_regular(descriptor: int) -> bool:
    return stat.S_ISREG(os.fstat(descriptor).st_mode)


class AccessLog:
    """Lines are written at the end of the event loop's turn, under load every GATHER_TIME: one write for many requests,
    and nothing held back when there is time. Appending to a file costs no more than handing it to a thread would.

    A pipe, a socket or a terminal is given no more than there is `room` for, by whole lines where they are not longer
    than that: nobody's requests wait for whoever reads the log.
    """

    __slots__ = (
        "_call_later",
        "_call_soon",
        "_clock",
        "_fd",
        "_lines",
        "_regular",
        "_retrying",
        "_unwritten",
        "_within_line",
        "_written_at",
        "lost",
        "lost_ever",
    )

    def __init__(
        self,
        fd: int,
        clock: Clock,
        call_soon: Callable[[Callable[[], None]], object],
        call_later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        self._fd = fd
        self._regular = _is_regular(fd)
        """It is a file and takes everything: `room` need not be asked, which is a system call for each write."""
        self._clock = clock
        self._call_soon = call_soon
        self._call_later = call_later
        self._lines: list[str] = []
        """Since the last write."""
        self._written_at = 0.0
        self._unwritten = bytearray()
        self._within_line = False
        """The first line of what is unwritten has been written in part."""
        self._retrying = False
        self.lost = 0
        """Lines that could not be written (a full disk, say), since all could be: requests are served all the same."""

        self.lost_ever = 0
        """The same, since the beginning."""

    def ended(self, exchange: Exchange, code: int, note: str) -> None:
        now = self._clock.now()
        if not self._lines:
            if now - self._written_at < GATHER_TIME:
                self._call_later(GATHER_TIME, self._due)
            else:
                self._call_soon(self._due)
        self._lines.append(line(exchange, code, note, self._clock.stamp(), now))

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

    def reopen(self, config: Config) -> None:
        """Writes to the file that has the log's name now, after somebody has moved the old one away. When it cannot be
        opened the old one stays in use."""
        self.flush()
        if config.stdout:
            return
        try:
            new = _open(config)
        except OSError as error:
            log.error("the access log cannot be opened again, the old file stays in use: %s", error)
            return
        os.dup2(new, self._fd, inheritable=False)
        os.close(new)
        self._regular = _is_regular(self._fd)

    def _retry(self) -> None:
        self._retrying = False
        self.flush()

    def _write(self) -> None:
        """Raises OSError."""
        while self._unwritten:
            most = sys.maxsize if self._regular else room(self._fd)
            if not most:
                return
            piece = self._next_piece(most)
            written = os.write(self._fd, piece)
            self._within_line = piece[written - 1] != NEWLINE
            del self._unwritten[:written]
        if self.lost:
            log.warning("the access log could not be written for a while: %d lines are missing from it", self.lost)
            self.lost = 0

    def _next_piece(self, most: int) -> bytearray:
        if len(self._unwritten) <= most:
            return self._unwritten
        return self._unwritten[: self._unwritten.rfind(b"\n", 0, most) + 1 or most]

    def _drop_beyond(self, most: int) -> None:
        """Keeps whole lines of up to ``most`` bytes together, and in any case the rest of one that has been begun."""
        if len(self._unwritten) <= most:
            return
        begun = self._unwritten.find(b"\n") + 1 if self._within_line else 0
        kept = max(begun, self._unwritten.rfind(b"\n", 0, most) + 1)
        lost = self._unwritten.count(b"\n", kept)
        self.lost += lost
        self.lost_ever += lost
        del self._unwritten[kept:]

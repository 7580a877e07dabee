"""The kinds of time a dispatcher tells: durations, and dates for people and for HTTP."""

import time
from email.utils import formatdate
from typing import Final

_MILLISECONDS: Final = tuple(f".{millisecond:03d}Z" for millisecond in range(1000))
"""How a stamp ends. Each line of the access log has one, and formatting is dearer than looking it up."""


class Clock:
    """Dates change once a second and are asked for with every answer, so they are kept for that second. Whether it is
    over is told by the clock for durations: a `now` that is at hand costs nothing, and time.time() would have to be cut
    to a whole second each time."""

    __slots__ = ("_common", "_date", "_second", "_stamp", "_until")

    def __init__(self) -> None:
        self._second = -1
        self._until = 0.0
        self._common = self._date = self._stamp = ""

    now = staticmethod(time.monotonic)
    """Monotonic seconds, for durations and deadlines."""

    def date(self) -> str:
        """For the Date header (RFC 9110 section 5.6.7)."""
        now = self.now()
        if now >= self._until:
            self._turn(time.time(), now)
        return self._date

    def stamp(self) -> str:
        """UTC with milliseconds, for the access log: ``2026-11-21T07:33:24.123Z``."""
        moment = time.time()
        second = int(moment)
        if second != self._second:
            self._turn(moment, self.now())
        return self._stamp + _MILLISECONDS[int((moment - second) * 1000)]

    def common(self, now: float) -> str:
        """UTC as Apache's and nginx's logs have it: ``21/Nov/2026:07:33:24 +0000``. At `now`, which is now."""
        if now >= self._until:
            self._turn(time.time(), now)
        return self._common

    def _turn(self, moment: float, now: float) -> None:
        self._second = second = int(moment)
        self._until = now + second + 1 - moment
        self._date = date = formatdate(second, usegmt=True)
        # Of "Sat, 21 Nov 2026 07:33:24 GMT". strftime would name the month in the language of the locale.
        self._common = f"{date[5:7]}/{date[8:11]}/{date[12:16]}:{date[17:25]} +0000"
        self._stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))

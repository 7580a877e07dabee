"""The two kinds of time a dispatcher tells: durations, and dates for people and for HTTP."""

import time
from email.utils import formatdate


class Clock:
    """Dates change once a second and are asked for with every answer, so they are kept for that second."""

    __slots__ = ("_date", "_second", "_stamp")

    def __init__(self) -> None:
        self._second = -1
        self._date = self._stamp = ""

    @staticmethod
    def now() -> float:
        """Monotonic seconds, for durations and deadlines."""
        return time.monotonic()

    def date(self) -> str:
        """For the Date header (RFC 9110 section 5.6.7)."""
        self._turn(int(time.time()))
        return self._date

    def stamp(self) -> str:
        """UTC with milliseconds, for the access log: ``2026-11-21T07:33:24.123Z``."""
        moment = time.time()
        second = int(moment)
        self._turn(second)
        return f"{self._stamp}.{int((moment - second) * 1000):03d}Z"

    def _turn(self, second: int) -> None:
        if second != self._second:
            self._second = second
            self._date = formatdate(second, usegmt=True)
            self._stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))

"""What became of requests: how each ended, how many in which way, and how long those took that were served."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

LATE = 0.005
"""Seconds by which one request in a hundred may be sent after its time. Being late is counted with the answer's time,
so nothing is hidden; with more than this it is the clients that are measured, and not the server."""


class Fate(StrEnum):
    SERVED = "served"
    REFUSED = "connection refused"
    STALE = "kept connection closed"
    """A connection that had served before ended without a byte of an answer: a browser asks again, on another one."""
    CUT = "cut"
    """The connection ended before the answer did, or was reset."""
    TURNED_AWAY = "503"
    ERROR = "other 5xx"
    OTHER = "other status"
    WRONG = "wrong answer"
    """Not the one to this request, or no HTTP."""
    LEFT = "no answer in time"
    """The client had no patience left."""


@dataclass(frozen=True, slots=True)
class Ended:
    """One request."""

    kind: str
    number: int
    planned: float
    """When, in seconds of time.monotonic()."""
    late: float
    """Seconds from then until it was the clients' turn to send it."""
    took: float
    """Seconds from its planned arrival to the end of its answer, or to its failure."""
    fate: Fate


def fate_of(status: int, body: bytes, beginning: bytes) -> Fate:
    """Of a whole answer."""
    if status == 200:
        return Fate.SERVED if body.startswith(beginning) else Fate.WRONG
    if status == 503:
        return Fate.TURNED_AWAY
    return Fate.ERROR if 500 <= status < 600 else Fate.OTHER


class NothingServed(Exception):
    """There is no time to tell."""


def percentile(values: Iterable[float], percent: float) -> float:
    """The least value that so many of a hundred do not exceed (nearest rank). Raises NothingServed."""
    ordered = sorted(values)
    if not ordered:
        raise NothingServed("no request was served")
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1]


@dataclass(frozen=True, slots=True)
class Outcome:
    ended: Sequence[Ended]

    def of(self, kind: str) -> "Outcome":
        return Outcome([each for each in self.ended if each.kind == kind])

    @property
    def times(self) -> list[float]:
        """Of those that were served, in seconds."""
        return [each.took for each in self.ended if each.fate is Fate.SERVED]

    @property
    def fates(self) -> Counter[Fate]:
        return Counter(each.fate for each in self.ended)

    @property
    def failed(self) -> int:
        return len(self.ended) - self.fates[Fate.SERVED]

    @property
    def lateness(self) -> float:
        """Seconds by which 99 of 100 were sent after their time, at most."""
        return percentile((each.late for each in self.ended), 99)

    @property
    def valid(self) -> bool:
        """Is it the server that was measured?"""
        return self.lateness <= LATE

"""What the dispatcher counts, for those who ask at the control socket and for the metrics.

Everything is a plain number in its place before the first request comes: what a usual request pays is an addition here
and there. Texts, labels and sums are made when somebody asks (`Counters.counts`).
"""

import time
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterable
from typing import Final

from wsgid.channel.counts import BOUNDS, MOST_DEATHS, Counts, Death, EdgeCounts, Histogram
from wsgid.channel.orders import Cause, WorkerDied
from wsgid.dispatcher.exchange import Exchange

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Those of RFC 9110 and RFC 5789 that applications serve. All else is `OTHER`: clients may invent methods, and a time
series for each would be theirs to make."""

OTHER: Final = "other"

CLASSES: Final = ("2xx", "3xx", "4xx", "5xx")

ANSWERED: Final = "answered"
"""The end that the access log has no word for."""

NOT_ANSWERED: Final = ("refused", "cut", "left", "killed")
"""Those that it has one for."""

CODES: Final = frozenset((400, 404, 408, 413, 414, 417, 431, 500, 501, 502, 503, 504, 505))
"""With which we refuse. An upload filter may choose any other."""


class Counters:
    __slots__ = (
        "_began",
        "_by_method",
        "_deaths",
        "_ends",
        "_last_deaths",
        "_others",
        "_refused",
        "_service",
        "_wait",
        "busy_seconds",
        "bytes_in",
        "bytes_out",
        "redelivered",
        "service_seconds",
        "uploads",
        "uploads_asked",
        "uploads_refused",
        "wait_seconds",
    )

    def __init__(self, now: float) -> None:
        self._began = now
        self._by_method = {method: [0] * 6 for method in METHODS}
        """Indexed by the first digit of the status. Of answers none begins with 1: an application may not give them."""
        self._others = [0] * 6
        self._wait = [0] * (len(BOUNDS) + 1)
        self._service = [0] * (len(BOUNDS) + 1)
        self.wait_seconds = self.service_seconds = 0.0
        self._ends: Counter[str] = Counter()
        """Of those that were not answered."""
        self._refused: Counter[int] = Counter()
        self.bytes_in = 0
        self.bytes_out = 0
        self.busy_seconds = 0.0
        """Of what the workers are done with."""
        self.redelivered = 0
        self.uploads = 0
        self.uploads_asked = 0
        self.uploads_refused = 0
        self._deaths: Counter[Cause] = Counter()
        self._last_deaths: deque[Death] = deque(maxlen=MOST_DEATHS)

    def ended(self, exchange: Exchange, code: int, note: str, now: float) -> None:
        """As `Journal.ended`; `now` is the time."""
        request = exchange.request
        (self._by_method.get(request.method) or self._others)[code // 100] += 1
        self.bytes_out += exchange.sent
        if served_at := exchange.served_at:
            wait, service = served_at - exchange.arrived, now - served_at
            self._wait[bisect_left(BOUNDS, wait)] += 1
            self._service[bisect_left(BOUNDS, service)] += 1
            self.wait_seconds += wait
            self.service_seconds += service
            if request.content_length:
                self.bytes_in += request.content_length
        if note:
            self._ends[note] += 1
            if note == "refused":
                self._refused[code] += 1

    def worker_died(self, told: WorkerDied, lost: int) -> None:
        """It held `lost` requests."""
        self._deaths[told.cause] += 1
        self._last_deaths.append(Death(round(time.time(), 3), told.pid, told.cause, told.how, lost))

    def counts(
        self, now: float, *, in_hand_seconds: float, edges: Iterable[EdgeCounts], lost_lines: dict[str, int]
    ) -> Counts:
        """`in_hand_seconds` is how long the workers' threads have been at what they have not done yet."""
        requests = {**self._by_method, OTHER: self._others}
        ends = sum(sum(each) for each in requests.values())
        return Counts(
            since=now - self._began,
            requests={method: dict(zip(CLASSES, counted[2:], strict=True)) for method, counted in requests.items()},
            ends={ANSWERED: ends - self._ends.total(), **{note: self._ends[note] for note in NOT_ANSWERED}},
            refused=self._refusals(),
            wait=Histogram(list(self._wait), self.wait_seconds),
            service=Histogram(list(self._service), self.service_seconds),
            bytes_in=self.bytes_in,
            bytes_out=self.bytes_out,
            busy_seconds=self.busy_seconds + in_hand_seconds,
            redelivered=self.redelivered,
            uploads=self.uploads,
            uploads_asked=self.uploads_asked,
            uploads_refused=self.uploads_refused,
            deaths={cause: self._deaths[cause] for cause in Cause},
            last_deaths=list(self._last_deaths),
            edges=list(edges),
            lost_lines=lost_lines,
        )

    def _refusals(self) -> dict[str, int]:
        found = {str(code): self._refused[code] for code in sorted(CODES)}
        return {**found, OTHER: self._refused.total() - sum(found.values())}

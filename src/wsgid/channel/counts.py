"""What a dispatcher has counted since it began, as the control socket tells it and the metrics show it.

Counts only grow, until a new dispatcher begins at zero: who wants to know how many there were in a while asks twice and
subtracts.
"""

from typing import Final

import msgspec

BOUNDS: Final = (
    *(float(f"{step}e{power}") for power in range(-4, 2) for step in ("1", "1.5", "2", "3", "5", "7")),
    100.0,
)
"""Seconds: from a tenth of a millisecond, below which an answer cannot be made, to beyond most time limits. Six in each
decade, none more than 1.7 times the one before: whatever lies between two, a quantile is known to within a quarter.
Prometheus's usual eleven are known to within a half, and begin where most applications are done. Each bound is a time
series for each of two histograms: 76 in all, which is little for what people look at most."""

MOST_DEATHS: Final = 20
"""Deaths of workers that are told one by one: a screenful."""


class Histogram(msgspec.Struct, frozen=True):
    """How long something took, each time."""

    counts: list[int]
    """How often it took at most each of `BOUNDS`, and longer than the bound before; the last: longer than all."""
    seconds: float
    """All of it together."""

    @property
    def total(self) -> int:
        return sum(self.counts)

    def since(self, earlier: "Histogram") -> "Histogram":
        """What has come since an earlier one of the same dispatcher."""
        counts = [now - then for now, then in zip(self.counts, earlier.counts, strict=True)]
        return Histogram(counts, self.seconds - earlier.seconds)

    def quantile(self, share: float) -> float | None:
        """Seconds within which that share (0 to 1) was done, taken to be spread evenly between two bounds, as
        Prometheus's histogram_quantile does; None when there was nothing. The last bound stands for all beyond it."""
        if not (total := self.total):
            return None
        rank, below, lower = share * total, 0, 0.0
        for count, upper in zip(self.counts, BOUNDS, strict=False):
            if count and below + count >= rank:
                return lower + (upper - lower) * max(0.0, rank - below) / count
            below, lower = below + count, upper
        return BOUNDS[-1]


class Death(msgspec.Struct, frozen=True):
    """The end of a worker, expected or not."""

    at: float
    """Seconds since the epoch."""
    pid: int
    cause: str
    """An `orders.Cause`."""
    how: str
    """In words, as in the log: ``killed by SIGKILL``."""
    lost: int
    """Requests that it had in its hands."""


class EdgeCounts(msgspec.Struct, frozen=True):
    """Connections of clients."""

    edge: str
    """``http``, all addresses of it together, or ``mongrel2 RECV SEND``."""
    open: int
    """Now. Of Mongrel2's those with a request in progress: it keeps the others to itself."""
    accepted: int | None
    """None of Mongrel2, which accepts them."""
    turned_away: int | None
    """Beyond as many as may be, and so answered with 503 unread; not among the accepted."""
    connected: bool | None = None
    """Is Mongrel2 there? None of ``http``."""


class Counts(msgspec.Struct, frozen=True):
    """Requests are counted when they end, as the access log has them."""

    since: float
    """Seconds for which this dispatcher counts, by a clock that nobody sets."""
    requests: dict[str, dict[str, int]]
    """Method (`METHODS` of the dispatcher's counters, or ``other``), then class of the status (``2xx``)."""
    ends: dict[str, int]
    """``answered`` by the application, or else as in the access log: ``refused``, ``cut``, ``left``,
    ``killed``."""
    refused: dict[str, int]
    """Those refused, by the status that we gave."""
    wait: Histogram
    """From a request's arrival until a worker had it; of those that no worker had it tells nothing."""
    service: Histogram
    """From then until the last byte of its answer was handed over."""
    bytes_in: int
    """Of bodies that workers were given."""
    bytes_out: int
    """Of bodies that were handed over to clients."""
    busy_seconds: float
    """That the workers' threads have had something in hand, those that still have included."""
    redelivered: int
    """Requests given to another worker, as theirs had died."""
    uploads: int
    """Bodies in files."""
    uploads_asked: int
    """Upload filters were asked about so many."""
    uploads_refused: int
    """By upload filters."""
    deaths: dict[str, int]
    """Of workers, by `orders.Cause`."""
    last_deaths: list[Death]
    """The latest `MOST_DEATHS`, the last one last."""
    edges: list[EdgeCounts]
    lost_lines: dict[str, int]
    """Lines that could not be written: ``access`` and ``main``, of the latter only the dispatcher's own."""

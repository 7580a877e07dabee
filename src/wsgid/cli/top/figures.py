"""What ``wsgid top`` shows, as values: ``--json`` writes them as they are."""

import msgspec

from wsgid.channel.commands import Served
from wsgid.channel.counts import Death


class Quantiles(msgspec.Struct, frozen=True):
    """Seconds within which so many of a hundred were done."""

    p50: float
    p95: float
    p99: float


class Span(msgspec.Struct, frozen=True):
    """What has ended within a time."""

    seconds: float
    requests: int
    per_second: float
    classes: dict[str, int]
    """Requests by the class of their status: ``2xx``."""
    ends: dict[str, int]
    """The same by how they ended: ``answered``, ``refused``, ``cut``, ``left``, ``killed``."""
    wait: Quantiles | None
    """For a worker; None when no request was given to one."""
    service: Quantiles | None
    """By a worker, until the last of the answer was handed over."""
    busy: float
    """How many threads were at work, on the average."""


class WorkerFigures(msgspec.Struct, frozen=True):
    """What is not known is None."""

    daemon: int
    """Its master."""
    pid: int
    state: str
    threads: int | None
    busy: int | None
    """Threads."""
    served: int | None
    """Requests."""
    per_second: float | None
    rss: int | None
    """Bytes."""
    request: Served | None
    """The oldest of those that it serves."""
    more: int
    """Others that it serves."""


class DaemonFigures(msgspec.Struct, frozen=True):
    pid: int
    uptime: float
    """Seconds."""
    answers: bool
    """At its control socket. Otherwise it is not among the sums."""
    draining: bool
    addresses: list[str]
    rss: int
    """Bytes, of all its processes. What they share is counted for each."""


class LastDeath(msgspec.Struct, frozen=True):
    daemon: int
    death: Death


class Figures(msgspec.Struct, frozen=True):
    at: float
    """Unix time."""
    app_path: str
    daemons: list[DaemonFigures]
    queued: int
    longest_wait: float
    """Seconds that the first in the queue has waited; 0 when none waits."""
    busy: int
    """Threads."""
    threads: int
    last: Span | None
    """Since the reading before; None at the first."""
    window: Span | None
    """Over the last minutes, or since ``wsgid top`` began."""
    workers: list[WorkerFigures]
    deaths: dict[str, int]
    """Workers that have ended, by cause, since the dispatchers began."""
    last_deaths: list[LastDeath]
    """The latest first."""

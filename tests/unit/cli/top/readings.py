"""Readings to reckon with."""

from typing import Any

import msgspec

from tests.unit.channel.counted import NOTHING
from wsgid.channel.commands import Served
from wsgid.channel.counts import BOUNDS, Counts, Death, Histogram
from wsgid.cli.folder_status import CONTROL_SOCKET, PID_FILES, DaemonStatus, FolderStatus, WorkerStatus
from wsgid.cli.top.reading import Reading

REPORT = Served("5f3a-1", "GET", "/report", "127.0.0.1", 3.2)


def counted(**changes: Any) -> Counts:
    return msgspec.structs.replace(NOTHING, **changes)


def histogram(**times: int) -> Histogram:
    """So many that took 10 ms, 100 ms or 1 s: ``ms10=5, ms100=3, s1=2``."""
    counts = [0] * (len(BOUNDS) + 1)
    for name, value in (("ms10", 0.01), ("ms100", 0.1), ("s1", 1.0)):
        counts[BOUNDS.index(value)] = times.get(name, 0)
    return Histogram(counts, 0.0)


def worker(pid: int, served: int = 0, *serving: Served, state: str = "ready", threads: int = 1) -> WorkerStatus:
    return WorkerStatus(pid, state, threads, len(serving), served, list(serving))


def daemon(pid: int, *workers: WorkerStatus, counts: Counts | None = NOTHING, **changes: Any) -> DaemonStatus:
    """Its dispatcher has the next process id. Without counts it does not answer."""
    if counts is None:
        return DaemonStatus(pid, PID_FILES, 60.0, list(workers))
    values: dict[str, Any] = {
        "dispatcher": pid + 1,
        "addresses": ["http://127.0.0.1:8000"],
        "draining": False,
        "unfinished": 0,
        "queued": 0,
        "busy": sum(each.busy or 0 for each in workers),
        "unnamed": 0,
        "longest_wait": 0.0,
        "counts": counts,
        **changes,
    }
    return DaemonStatus(pid, CONTROL_SOCKET, 60.0, list(workers), **values)


def reading(clock: float, *daemons: DaemonStatus, rss: dict[int, int] | None = None) -> Reading:
    status = FolderStatus("Running", "/srv/mysite", list(daemons), [], [], [])
    return Reading(1_700_000_000.0 + clock, clock, status, rss or {})


def a_death(pid: int, at: float, cause: str = "signal", lost: int = 0) -> Death:
    return Death(1_700_000_000.0 + at, pid, cause, "killed by SIGKILL", lost)

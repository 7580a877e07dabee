"""One look at the daemons of a folder: their status, and the memory of their processes."""

import os
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wsgid.app import WsgidApp
from wsgid.channel.counts import Counts
from wsgid.cli.daemons import look_for
from wsgid.cli.folder_status import DEAD, FolderStatus, describe

PAGE_SIZE: Final = os.sysconf("SC_PAGE_SIZE")

WINDOW: Final = 300.0
"""Seconds over which the longer of the two sums goes: what happened while one fetched a coffee."""


@dataclass(frozen=True, slots=True)
class Reading:
    at: float
    """Unix time."""
    clock: float
    """Seconds, by a clock that nobody sets."""
    status: FolderStatus
    rss: Mapping[int, int]
    """Bytes of memory in RAM by process id, of those that can be seen from here."""

    def counts(self) -> dict[tuple[int, int], Counts]:
        """By the process ids of master and dispatcher: a new dispatcher begins to count at zero."""
        return {
            (each.pid, each.dispatcher or 0): each.counts for each in self.status.daemons if each.counts is not None
        }


def read(app: WsgidApp, pid: object) -> Reading:
    """Of the daemon that ``pid`` names (--pid), or of all. Raises CannotDo."""
    status = describe(look_for(pid, app), app)
    return Reading(time.time(), time.monotonic(), status, _memory(_processes(status)))


class History:
    """The readings of the last WINDOW seconds, and the one before them."""

    def __init__(self) -> None:
        self._readings: deque[Reading] = deque()

    def add(self, reading: Reading) -> None:
        self._readings.append(reading)
        while len(self._readings) > 2 and self._readings[1].clock <= reading.clock - WINDOW:
            self._readings.popleft()

    @property
    def latest(self) -> Reading:
        return self._readings[-1]

    @property
    def previous(self) -> Reading | None:
        return self._readings[-2] if len(self._readings) > 1 else None

    @property
    def oldest(self) -> Reading | None:
        return self._readings[0] if len(self._readings) > 1 else None


def _processes(status: FolderStatus) -> Iterable[int]:
    for daemon in status.daemons:
        yield daemon.pid
        if daemon.dispatcher is not None:
            yield daemon.dispatcher
        yield from (worker.pid for worker in daemon.workers if worker.state != DEAD)


def _memory(pids: Iterable[int]) -> dict[int, int]:
    found = {}
    for pid in pids:
        try:
            pages = Path(f"/proc/{pid}/statm").read_text().split()[1]  # proc_pid_statm(5)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it has just ended, is in another container, or /proc is mounted with hidepid (proc(5))
        found[pid] = int(pages) * PAGE_SIZE
    return found

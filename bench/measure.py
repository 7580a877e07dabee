"""What a server takes while it is measured: the processors' time of each of its processes, and its memory. And what it
could not get, because the machine is a virtual one and its host had other things to do.
"""

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bench.contender import Running

TICK = 1 / os.sysconf("SC_CLK_TCK")
"""Seconds: the grain of the times in /proc."""

LOOK = 0.5
"""Seconds between two looks at the memory: each costs every process about a millisecond."""

ENDED = "ended processes"


@dataclass(frozen=True)
class Spent:
    """By one process since it began."""

    role: str
    own: float
    """Seconds."""
    reaped: float
    """Seconds of children that have ended and been waited for."""


Times = Mapping[int, Spent]


def times(running: Running) -> Times:
    """Of each process that is there, by its pid."""
    found = {pid: _spent(pid, role) for pid, role in running.roles().items()}
    return {pid: spent for pid, spent in found.items() if spent}


def _spent(pid: int, role: str) -> Spent | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return Spent(role, *read_stat(stat))


def read_stat(stat: str) -> tuple[float, float]:
    """Seconds of the process itself, and of its children that have ended, from its /proc/PID/stat (proc(5))."""
    user, system, reaped_user, reaped_system = map(int, stat[stat.rindex(")") + 1 :].split()[11:15])
    return (user + system) * TICK, (reaped_user + reaped_system) * TICK


def spent(before: Times, after: Times) -> dict[str, float]:
    """Seconds of the processors by role, between two looks; what has ended meanwhile is told apart."""
    seconds: dict[str, float] = {}
    for pid, now in after.items():
        seconds[now.role] = seconds.get(now.role, 0.0) + now.own - (before[pid].own if pid in before else 0.0)
    reaped = sum(now.reaped - (before[pid].reaped if pid in before else 0.0) for pid, now in after.items())
    # A process that has ended since is in its parent's sum with its whole life.
    reaped -= sum(then.own + then.reaped for pid, then in before.items() if pid not in after)
    return {**seconds, ENDED: reaped} if reaped > TICK else seconds


def processors() -> list[int]:
    """What the processors have done since the machine started, in ticks, as /proc/stat tells it (proc(5))."""
    return [int(each) for each in Path("/proc/stat").read_text().partition("\n")[0].split()[1:]]


def stolen(before: Sequence[int], after: Sequence[int]) -> float:
    """The part of the processors' time that the host of a virtual machine gave to others meanwhile, from 0 to 1."""
    # A guest's time, which comes after it, is counted among the users' as well.
    took = [now - then for then, now in zip(before[:8], after[:8], strict=True)]
    return took[7] / total if (total := sum(took)) else 0.0


def memory(pids: Iterable[int]) -> int:
    """Bytes that these processes take together; what they share counts once (PSS, proc(5))."""
    return sum(map(proportional, pids))


def proportional(pid: int) -> int:
    """Of one process, in bytes; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


class Peak:
    """The most memory that a server takes, looked at in a thread for as long as the block lasts."""

    def __init__(self, running: Running, look: float = LOOK) -> None:
        """``look``: seconds between two looks."""
        self.bytes = 0
        self._running = running
        self._look = look
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.bytes = max(self.bytes, memory(self._running.processes()))
            if self._over.wait(self._look):
                return

"""How much memory the processes of a daemon take, against what they had when they did nothing."""

from pathlib import Path

from tests import proc
from tests.functional.daemon import Daemon

MIB = 1024 * 1024

ROOM = 40 * MIB
"""By which a process may grow above what it has when idle, whatever goes through it."""


def peak(pid: int) -> int:
    """The most resident memory that a process ever had, in bytes: no look at it can come too late."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [kibibytes] = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(kibibytes) * 1024


class Memory:
    """Of the master, the dispatcher and the workers, against what they had when this was made."""

    def __init__(self, daemon: Daemon) -> None:
        self._idle = {pid: proc.rss(pid) for pid in (daemon.pid, daemon.dispatcher_pid, *daemon.worker_pids)}

    def growth(self) -> int:
        """Bytes, at the most, of the one that grew most. Raises FileNotFoundError when one of them has ended."""
        return max(peak(pid) - idle for pid, idle in self._idle.items())

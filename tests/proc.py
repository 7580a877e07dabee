"""Looks at processes through /proc, and adopts those that tests leave without a parent.

The test process makes itself a child subreaper (prctl(2)): whatever a test starts, however often it forks and whatever
session it moves to, stays a descendant of the test process. So "is anything left?" has an exact answer.
"""

import ctypes
import os
import signal
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
"""From <sys/prctl.h>; the standard library has no name for it."""


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    parent: int
    session: int
    state: str
    """One letter: R, S, D, Z (a zombie: dead, not yet waited for)..."""
    started: int
    """Clock ticks since boot: with the pid it names a process for good, however pids are reused."""

    @property
    def zombie(self) -> bool:
        return self.state == "Z"

    @property
    def command(self) -> str:
        """Its command line; ``""`` for a zombie or one that is gone."""
        return _read(self.pid, "cmdline").replace(b"\0", b" ").decode(errors="replace").strip()

    def has_variable(self, assignment: str) -> bool:
        """Was it, or the process it was forked from, executed with ``NAME=value`` in its environment?"""
        return assignment.encode() in _read(self.pid, "environ").split(b"\0")

    def __str__(self) -> str:
        return f"{self.pid} (parent {self.parent}, state {self.state}): {self.command}"


def descriptors(pid: int) -> dict[int, str]:
    """The open ones of a process, and what each leads to; those that it opens or closes meanwhile may be missing."""
    found = {}
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found[int(link.name)] = str(link.readlink())
        except FileNotFoundError:
            continue
    return found


def rss(pid: int) -> int:
    """Resident memory of a process, in bytes. Raises FileNotFoundError when there is no such process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def adopt_orphans() -> None:
    """Raises OSError when the kernel refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")


def processes() -> Iterator[Process]:
    """Every process of the machine, zombies too."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (found := process(int(entry.name))):
            yield found


def process(pid: int) -> Process | None:
    """None when there is no such process."""
    stat = _read(pid, "stat")
    if not stat:
        return None
    # The second field is the command in parentheses, and may itself hold blanks and parentheses.
    fields = stat[stat.rindex(b")") + 1 :].split()
    return Process(
        pid=pid, parent=int(fields[1]), session=int(fields[3]), state=fields[0].decode(), started=int(fields[19])
    )


def alive(pid: int) -> bool:
    """Is there such a process, and is it more than a zombie?"""
    found = process(pid)
    return found is not None and not found.zombie


def descendants(pid: int) -> list[Process]:
    """Children, their children and so on, zombies too."""
    children: defaultdict[int, list[Process]] = defaultdict(list)
    for each in processes():
        children[each.parent].append(each)
    found: list[Process] = []
    parents = [pid]
    while parents:
        born = children[parents.pop()]
        found += born
        parents += [each.pid for each in born]
    return found


def own_descendants() -> list[Process]:
    """Of this process. Costs next to nothing when there are none."""
    return descendants(os.getpid()) if _has_children() else []


def reap() -> None:
    """Waits for children that have ended, as init does for orphans: their starters may not wait for them later."""
    for each in own_descendants():
        if each.zombie and each.parent == os.getpid():
            os.waitpid(each.pid, os.WNOHANG)


def kill(process: Process, how: signal.Signals = signal.SIGKILL) -> None:
    """No harm when it is gone already."""
    try:
        os.kill(process.pid, how)
    except ProcessLookupError:
        return


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):  # gone meanwhile, or another user's
        return b""

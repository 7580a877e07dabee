"""What the master sees of the system while it runs: states and sizes of its children, kills for memory, its terminal.

All is opened at the start, when it can be reached by its path: with ``--chroot`` neither ``/proc`` nor ``/sys`` nor
``/dev/tty`` is there later. A child must hold none of it, for it leads out of the jail (`close_in_child`).
"""

import logging
import os
import re
from pathlib import Path

PROC, CGROUPS, TERMINAL = Path("/proc"), Path("/sys/fs/cgroup"), Path("/dev/tty")

STOPPED = "T"
"""proc_pid_stat(5): stopped on a signal."""

PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")
READ_SIZE = 4096
"""Bytes: each of these files is one or a few lines."""

NONE = -1

_OOM_KILL = re.compile(rb"^oom_kill (\d+)$", re.MULTILINE)

log = logging.getLogger("wsgid.master")


class ProcFiles:
    def __init__(self, *, cgroups: Path = CGROUPS, terminal: Path = TERMINAL) -> None:
        """Raises OSError when there is no ``/proc``: a daemon that cannot look after its children should not start."""
        self._proc = os.open(PROC, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._oom_counter = _open_first(_oom_counters((PROC / "self" / "cgroup").read_text(), cgroups))
        self._terminal = _open(terminal, os.O_RDWR | os.O_NOCTTY)

    def state(self, pid: int) -> str:
        """One letter of proc_pid_stat(5); ``""`` when there is no such process."""
        # The command's name, in parentheses, may hold anything.
        fields = self._read(f"{pid}/stat").rpartition(b")")[2].split()
        return fields[0].decode() if fields else ""

    def rss(self, pid: int) -> int:
        """Bytes of memory in RAM (proc_pid_statm(5)); 0 when there is no such process."""
        fields = self._read(f"{pid}/statm").split()
        return int(fields[1]) * PAGE_SIZE if fields else 0

    def oom_kills(self) -> int | None:
        """How many processes of our control group the kernel has killed for want of memory; None when it does not say.

        The kernel counts before it kills. Sources: cgroup-v2 ("memory.events"); for v1 mm/memcontrol.c of Linux 4.13
        and later.
        """
        if self._oom_counter == NONE:
            return None
        try:
            found = _OOM_KILL.search(os.pread(self._oom_counter, READ_SIZE, 0))
        except OSError as error:  # ENODEV: the group has been removed over our heads
            log.debug("the kernel does not count kills for want of memory any more: %s", error.strerror)
            return None
        return int(found[1]) if found else None

    def terminal_gone(self) -> bool:
        """There was a controlling terminal at the start, and it has hung up."""
        if self._terminal == NONE:
            return False
        try:
            os.tcgetpgrp(self._terminal)
        except OSError:  # EIO: what a terminal that has hung up says to everything
            return True
        return False

    def close_in_child(self) -> None:
        self.close()

    def close(self) -> None:
        for descriptor in (self._proc, self._oom_counter, self._terminal):
            if descriptor != NONE:
                os.close(descriptor)

    def _read(self, name: str) -> bytes:
        """Nothing of a process that is not there, or has just been reaped."""
        try:
            file = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._proc)
        except FileNotFoundError:
            return b""
        try:
            return os.read(file, READ_SIZE)
        except ProcessLookupError:
            return b""
        finally:
            os.close(file)


def _oom_counters(memberships: str, cgroups: Path) -> list[Path]:
    """Where the counter may be, by ``/proc/self/cgroup`` (cgroups(7)): the group's own, or the root of what a container
    sees of the hierarchy, when the path is one of the host."""
    found: list[Path] = []
    for line in memberships.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            found += [cgroups / path.lstrip("/") / "memory.events", cgroups / "memory.events"]
        elif "memory" in controllers.split(","):
            memory = cgroups / "memory"
            found += [memory / path.lstrip("/") / "memory.oom_control", memory / "memory.oom_control"]
    return found


def _open_first(paths: list[Path]) -> int:
    return next((file for path in paths if (file := _open(path, os.O_RDONLY)) != NONE), NONE)


def _open(path: Path, flags: int) -> int:
    try:
        return os.open(path, flags | os.O_CLOEXEC)
    except OSError as error:  # not there, not ours to read, or no terminal (ENXIO): then it tells us nothing
        log.debug("%s cannot be opened: %s", path, error.strerror)
        return NONE

"""The daemons on one app folder, as ``run/`` tells of them: each has a directory there, named by its master's pid.

Whether a daemon lives is told by the lock that its master holds (flock(2)) on the file ``lock`` in that directory. "Is
there a process of that pid" would not do: in a container process 1 meets the files of the process 1 before it.

All that comes and goes in ``run/`` does so under a lock on ``run/`` itself, exclusive for masters, shared for those who
only look.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = "lock"
WORKERS = "workers"
"""Directory with an empty file for each worker, named by its pid."""

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@contextmanager
def locked(run: int, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    """`run` is a descriptor of ``run/``, as everywhere here."""
    fcntl.flock(run, how)
    try:
        yield
    finally:
        fcntl.flock(run, fcntl.LOCK_UN)


def instances(run: int) -> list[str]:
    """The names of their directories, of the dead too."""
    return [name for name in os.listdir(run) if name.isascii() and name.isdigit()]


def is_dead(name: str, run: int) -> bool:
    """Call it with ``run/`` locked: it takes the lock for a moment, which would irritate a master that starts."""
    try:
        lock = os.open(f"{name}/{LOCK}", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=run)
    except FileNotFoundError:
        return True  # its master was killed between making the directory and making the lock
    except PermissionError:
        return False  # another user's: nothing that we could remove
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(lock)


def workers_of(name: str, run: int) -> set[int]:
    """The pids in its ``workers/``; none when it cannot be read."""
    try:
        workers = os.open(f"{name}/{WORKERS}", DIRECTORY, dir_fd=run)
    except (FileNotFoundError, PermissionError):
        return set()
    try:
        return {int(pid) for pid in os.listdir(workers) if pid.isascii() and pid.isdigit()}
    finally:
        os.close(workers)


def has_lock(pid: int, name: str, run: int) -> bool:
    """Is it this process that holds the lock? Not so when the pid is one of another container's, or has passed to a
    process that has nothing to do with us. In doubt it is not: whoever asks wants to send it a signal. Raises OSError.
    """
    wanted = os.stat(f"{name}/{LOCK}", dir_fd=run)
    return _is_listed(pid, wanted.st_ino) or _is_open(pid, wanted)


def _is_listed(pid: int, inode: int) -> bool:
    """By proc_locks(5), which everybody may read and which has only processes that are seen from here. The number of
    the device is left out: several file systems tell stat(2) another one."""
    locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return any("FLOCK" in fields and fields[-4] == str(pid) and fields[-3].endswith(f":{inode}") for fields in locks)


def _is_open(pid: int, wanted: os.stat_result) -> bool:
    """For overlay file systems, which may tell stat(2) another inode as well. It takes the right to trace it."""
    try:
        return any(_is_same(f"/proc/{pid}/fd/{each}", wanted) for each in os.listdir(f"/proc/{pid}/fd"))
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False


def _is_same(path: str, wanted: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(path), wanted)
    except FileNotFoundError:  # closed meanwhile
        return False

"""Another process that holds a lock of flock(2), and one that waits for it, as proc_locks(5) tells."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path


def hold(path: Path) -> Callable[[], None]:
    """Locks a file or directory; gives what lets it go."""
    fd = os.open(path, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    return lambda: os.close(fd)


def is_waited_for(path: Path) -> bool:
    inode = path.stat().st_ino
    return any("-> FLOCK" in line and f":{inode} " in line for line in Path("/proc/locks").read_text().splitlines())

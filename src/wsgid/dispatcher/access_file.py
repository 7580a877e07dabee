"""Where the access log is a file, or the standard output."""

import os
import stat
import sys
from pathlib import Path

from wsgid.config import Config
from wsgid.logs import MODE, STDOUT, Outlet, stdout

NEWLINE = ord("\n")


class AccessFile:
    """See `wsgid.dispatcher.access_log.Destination`.

    A pipe, a socket or a terminal is given no more than there is room for, by whole lines where they are not longer
    than that.
    """

    __slots__ = ("_outlet", "_path", "_regular", "descriptor", "within_line")

    def __init__(self, descriptor: int, path: Path | None = None, outlet: Outlet | None = None) -> None:
        """`path` when it has one by which it can be opened again; `outlet` when there is one of it. Raises OSError."""
        self._outlet = outlet or Outlet(descriptor)
        self._path = path
        self.descriptor = descriptor
        self._regular = _is_regular(self.descriptor)
        """It is a file and takes everything: for room nobody need ask, which is a system call for each write."""
        self.within_line = False

    def write(self, lines: bytearray) -> int:
        most = sys.maxsize if self._regular else self._outlet.room()
        if not most:
            return 0
        piece = _next_piece(lines, most)
        written = self._outlet.write(piece)
        if written:
            self.within_line = piece[written - 1] != NEWLINE
        return written

    def reopen(self) -> None:
        if self._path is None:
            return
        new = _open(self._path)
        os.dup2(new, self.descriptor, inheritable=False)
        os.close(new)
        self._regular = _is_regular(self.descriptor)


def open_access_file(config: Config) -> AccessFile:
    """Standard output with ``--stdout``, else ``logs/access.log``. Raises OSError, which names the file."""
    if config.stdout:
        return AccessFile(STDOUT, outlet=stdout())
    path = config.app_path / "logs" / "access.log"
    return AccessFile(_open(path), path)


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, MODE)


def _is_regular(descriptor: int) -> bool:
    return stat.S_ISREG(os.fstat(descriptor).st_mode)


def _next_piece(lines: bytearray, most: int) -> bytearray:
    if len(lines) <= most:
        return lines
    return lines[: lines.rfind(b"\n", 0, most) + 1 or most]

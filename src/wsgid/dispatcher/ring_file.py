"""A file without a name, written at one end and read at the other: it takes no more of the disk than it may, however
much goes through it."""

import errno
import os
from typing import Final

from wsgid.dispatcher.disk import PIECE, unnamed_file

LEFT_FREE: Final = 1024**3
"""Bytes of the file system that are left to others, and at most a share of it (LEFT_SHARE): what slow clients have yet
to take must not keep logs, uploads and databases from being written."""

LEFT_SHARE: Final = 20
"""A twentieth: what ext4 keeps for root."""


class RingFile:
    """First in, first out. `write`, `read` and `close` block: they are for the threads of `Disk`, one at a time.

    The positions go round at ``capacity``. A file that only grew would keep at its beginning what has long been read:
    Python has no call for fallocate(2), which gives that back.
    """

    __slots__ = ("_capacity", "_descriptor", "_directory", "_read", "_written", "extent")

    def __init__(self, directory: str, capacity: int) -> None:
        """Opens nothing yet. ``capacity``: bytes."""
        self._directory = directory
        self._capacity = capacity
        self._descriptor = -1
        self.extent = 0
        """Bytes that it takes of the disk."""
        self._written = 0
        self._read = 0
        """Bytes, since it was empty."""

    def growth(self, count: int) -> int:
        """By how much `extent` grows at the most when so many bytes are written."""
        end = min(self._written % self._capacity + count, self._capacity)
        return max(0, end - self.extent)

    def within(self, count: int, growth: int) -> int:
        """How many of so many bytes can be written when `extent` may grow by so much."""
        return min(count, self.extent + growth - self._written % self._capacity)

    def write(self, data: bytes) -> int:
        """Puts them behind the others; returns how many there was room for. Raises OSError when the disk refuses, or
        has little left."""
        if self._descriptor < 0:
            self._descriptor = unnamed_file(self._directory)
        if self.growth(len(data)):
            self._spare_the_disk()
        start = self._written % self._capacity
        most = min(self._capacity - start, self._capacity - (self._written - self._read))
        written = os.pwrite(self._descriptor, memoryview(data)[:most], start)
        self._written += written
        self.extent = max(self.extent, start + written)
        return written

    def _spare_the_disk(self) -> None:
        disk = os.fstatvfs(self._descriptor)
        spared = min(LEFT_FREE, disk.f_blocks * disk.f_frsize // LEFT_SHARE)
        if disk.f_bavail * disk.f_frsize < spared:
            raise OSError(errno.ENOSPC, f"less than {spared} bytes are left on the disk")

    def read(self, most: int = PIECE) -> bytes:
        """Takes the oldest bytes, up to `most`; none when there are none. Raises OSError."""
        start = self._read % self._capacity
        data = os.pread(self._descriptor, min(most, self._capacity - start, self._written - self._read), start)
        self._read += len(data)
        if self._read == self._written:
            self._read = self._written = 0
            # A piece or so is in it mostly: let that lie in the blocks that the file has already.
            if self.extent > PIECE:
                os.ftruncate(self._descriptor, 0)
                self.extent = 0
        return data

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

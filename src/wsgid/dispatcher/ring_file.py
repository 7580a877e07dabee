"""A file without a name, written at one end and read at the other: it takes no more of the disk than it may, however
much goes through it."""

import os
import tempfile

from wsgid.dispatcher.disk import PIECE


class RingFile:
    """First in, first out. Its methods block: they are for the threads of `Disk`, one at a time.

    The positions go round at ``capacity``. A file that only grew would keep at its beginning what has long been read:
    Python has no call for fallocate(2), which gives that back.
    """

    __slots__ = ("_capacity", "_descriptor", "_directory", "_read", "_written")

    def __init__(self, directory: str, capacity: int) -> None:
        """Opens nothing yet. ``capacity``: bytes."""
        self._directory = directory
        self._capacity = capacity
        self._descriptor = -1
        self._written = 0
        self._read = 0
        """Bytes, since it was empty."""

    def write(self, data: bytes) -> int:
        """Puts them behind the others; returns how many there was room for. Raises OSError when the disk refuses."""
        if self._descriptor < 0:
            with tempfile.TemporaryFile(buffering=0, dir=self._directory) as file:
                self._descriptor = os.dup(file.fileno())
        start = self._written % self._capacity
        most = min(self._capacity - start, self._capacity - (self._written - self._read))
        written = os.pwrite(self._descriptor, memoryview(data)[:most], start)
        self._written += written
        return written

    def read(self) -> bytes:
        """Takes the oldest bytes, up to PIECE; none when there are none. Raises OSError."""
        start = self._read % self._capacity
        data = os.pread(self._descriptor, min(PIECE, self._capacity - start, self._written - self._read), start)
        self._read += len(data)
        if self._read == self._written:
            self._read = self._written = 0  # little is in it mostly: let it lie in the blocks that the file has already
        return data

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

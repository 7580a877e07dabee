"""A file that is an answer's body: read in pieces, as its client takes them."""

import asyncio
import os
from typing import NamedTuple

from wsgid.dispatcher.disk import PIECE, Disk
from wsgid.dispatcher.outgoing import OutgoingOwner


class PassedFile(NamedTuple):
    """A part of an open file, as a worker passes it."""

    descriptor: int
    """Whoever has this value has to close it."""
    offset: int
    """Bytes."""
    length: int
    """Bytes, not 0."""


class SentFile:
    """An `Outgoing` of some first bytes and a part of a file."""

    __slots__ = ("_busy", "_closed", "_descriptor", "_disk", "_front", "_left", "_owner", "_position", "size")

    def __init__(self, first: bytes, file: PassedFile, disk: Disk, owner: OutgoingOwner) -> None:
        """``first`` goes out in front of the file, and rather together with its beginning:
        the owner is not told that it is there."""
        self.size = len(first) + file.length
        self._front = bytearray(first)
        self._descriptor = file.descriptor
        self._position = file.offset
        self._left = file.length
        """Bytes that have not been read."""
        self._disk = disk
        self._owner = owner
        self._busy = False
        self._closed = False
        self._go_on()

    @property
    def full(self) -> bool:
        return False

    def add(self, data: bytes) -> None:
        raise AssertionError("nothing follows a file: its length is known")

    def take(self, most: int) -> bytes:
        piece = bytes(memoryview(self._front)[: min(most, PIECE)])
        del self._front[: len(piece)]
        self.size -= len(piece)
        self._go_on()
        return piece

    def close(self) -> None:
        self._closed = True
        self._front.clear()
        self._close_file()

    def _close_file(self) -> None:
        if self._descriptor >= 0 and not self._busy:
            self._disk.close(self._descriptor)
            self._descriptor = -1

    def _go_on(self) -> None:
        """Reads ahead, so that disk and network work at the same time."""
        if self._left and len(self._front) < PIECE and not self._busy and not self._closed:
            self._busy = True
            most, position = min(PIECE, self._left), self._position
            self._disk.run(lambda: os.pread(self._descriptor, most, position), self._was_read)

    def _was_read(self, reading: "asyncio.Future[bytes]") -> None:
        self._busy = False
        error = reading.exception()
        if self._closed:
            self._close_file()
        elif isinstance(error, OSError):
            self._fail(f"the file that is its body could not be read: {error}")
        elif not reading.result():
            self._fail(f"the file that is its body ended {self._left} bytes too early: it was cut off meanwhile")
        else:
            self._take_in(reading.result())

    def _take_in(self, data: bytes) -> None:
        self._front += data
        self._position += len(data)
        self._left -= len(data)
        self._owner.outgoing_ready()
        self._go_on()

    def _fail(self, why: str) -> None:
        self.close()
        self._owner.outgoing_failed(why)

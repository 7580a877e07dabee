"""A file that is an answer's body: read in pieces, as its client takes them."""

import asyncio
import os
from typing import Final, NamedTuple

from wsgid.dispatcher.disk import PIECE
from wsgid.dispatcher.outgoing import OutgoingOwner
from wsgid.dispatcher.storage import Storage

FIRST: Final = 32 * 1024
"""Bytes that are read before the client has asked for any, while memory is short."""


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

    __slots__ = (
        "_busy",
        "_closed",
        "_descriptor",
        "_front",
        "_left",
        "_owner",
        "_position",
        "_storage",
        "_wanted",
        "size",
    )

    def __init__(self, first: bytes, file: PassedFile, storage: Storage, owner: OutgoingOwner) -> None:
        """``first`` goes out in front of the file, and rather together with its beginning:
        the owner is not told that it is there."""
        self.size = len(first) + file.length
        self._front = bytearray(first)
        self._wanted = FIRST
        """Bytes that the client would have taken when there were none."""
        self._descriptor = file.descriptor
        self._position = file.offset
        self._left = file.length
        """Bytes that have not been read."""
        self._storage = storage
        self._owner = owner
        self._busy = False
        self._closed = False
        storage.files.count(1)
        storage.memory.count(len(first))
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
        self._storage.memory.give_back(len(piece))
        self._wanted = 0 if piece else min(most, PIECE)
        self._go_on()
        return piece

    def close(self) -> None:
        self._closed = True
        self._storage.memory.give_back(len(self._front))
        self._front.clear()
        self._close_file()

    def _close_file(self) -> None:
        if self._descriptor >= 0 and not self._busy:
            self._storage.disk.close(self._descriptor)
            self._storage.give_back(0, 1)
            self._descriptor = -1

    def _go_on(self) -> None:
        """Reads ahead, so that disk and network work at the same time; while memory is short, what the client takes."""
        ahead = PIECE if len(self._front) < PIECE and self._storage.memory.left > 0 else self._wanted
        if ahead and self._left and not self._busy and not self._closed:
            self._busy = True
            most, position = min(ahead, self._left), self._position
            self._storage.disk.run(lambda: os.pread(self._descriptor, most, position), self._was_read)

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
        self._storage.memory.count(len(data))
        self._wanted = 0
        self._position += len(data)
        self._left -= len(data)
        self._owner.outgoing_ready()
        self._go_on()

    def _fail(self, why: str) -> None:
        self.close()
        self._owner.outgoing_failed(why)

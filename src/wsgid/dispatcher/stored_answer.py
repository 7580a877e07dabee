"""An answer that comes faster than its client takes it: in memory while it is little, beyond that in a file.

Its bytes lie in three places: at the front, in memory and ready to go; behind these in the file; and at the back, in
memory and on their way into the file.
"""

import asyncio
from typing import Any, Final

from wsgid.dispatcher.disk import PIECE, Disk
from wsgid.dispatcher.outgoing import OutgoingOwner
from wsgid.dispatcher.ring_file import RingFile

HIGH_WATER: Final = 2 * PIECE
"""Bytes at the back at which the worker is slowed down: a piece that is being written, and the one after it."""


class StoredAnswer:
    """An `Outgoing`."""

    __slots__ = (
        "_back",
        "_busy",
        "_closed",
        "_disk",
        "_file",
        "_front",
        "_in_file",
        "_memory",
        "_owner",
        "_spool",
        "size",
    )

    def __init__(self, memory: int, spool: int, disk: Disk, owner: OutgoingOwner) -> None:
        """``memory``: bytes that may lie at the front, at least a piece. ``spool``: bytes that may lie in the file."""
        self.size = 0
        self._memory = max(memory, PIECE)
        self._spool = spool
        self._disk = disk
        self._owner = owner
        self._front = bytearray()
        self._in_file = 0
        self._back = bytearray()
        self._file: RingFile | None = None
        self._busy = False
        """A thread is at the file."""
        self._closed = False

    @property
    def full(self) -> bool:
        return len(self._back) > HIGH_WATER

    def add(self, data: bytes) -> None:
        self.size += len(data)
        self._back += data
        self._go_on()

    def take(self, most: int) -> bytes:
        piece = bytes(memoryview(self._front)[: min(most, PIECE)])
        del self._front[: len(piece)]
        self.size -= len(piece)
        self._go_on()
        return piece

    def close(self) -> None:
        self._closed = True
        self._front.clear()
        self._back.clear()
        self._close_file()

    def _close_file(self) -> None:
        if self._file is not None and not self._busy:
            self._disk.close(self._file)
            self._file = None

    def _go_on(self) -> None:
        """Moves what can be moved towards the front. Reading comes before writing: a client waits for it."""
        if self._busy or self._closed:
            return
        room = self._memory - len(self._front)
        if not self._in_file:
            self._front += memoryview(self._back)[:room]
            del self._back[:room]
        if self._in_file and self._file is not None and room >= PIECE:
            self._busy = True
            self._disk.run(self._file.read, self._was_read)
        elif len(self._back) >= PIECE and self._in_file < self._spool:
            self._write()

    def _write(self) -> None:
        self._busy = True
        file = self._file = self._file or RingFile(self._disk.directory, self._spool)
        piece = bytes(memoryview(self._back)[:PIECE])
        self._disk.run(lambda: file.write(piece), self._was_written)

    def _was_read(self, reading: "asyncio.Future[bytes]") -> None:
        if self._succeeded(reading, "read back"):
            data = reading.result()
            self._in_file -= len(data)
            self._front += data
            self._go_on()
            self._owner.outgoing_ready()

    def _was_written(self, writing: "asyncio.Future[int]") -> None:
        if self._succeeded(writing, "written"):
            # Less than asked for is written when the disk fills up; the next write then says why.
            written = writing.result()
            self._in_file += written
            del self._back[:written]
            self._go_on()
            self._owner.outgoing_ready()

    def _succeeded(self, job: "asyncio.Future[Any]", done: str) -> bool:
        self._busy = False
        error = job.exception()
        if self._closed:
            self._close_file()
        elif isinstance(error, OSError):
            self.close()
            self._owner.outgoing_failed(f"what its client has yet to take could not be {done}: {error}")
        else:
            return True
        return False

"""Bodies too large to travel in a frame: written to a file without a name while they arrive.

File I/O blocks, so it happens in a thread, one piece at a time, while the event loop goes on: the file is made with the
first piece, and closed there as well.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Protocol

from wsgid.channel.frames import INLINE_BODY
from wsgid.dispatcher.disk import PIECE, Disk, unnamed_file

ENOUGH = INLINE_BODY
"""Bytes that are worth a write: a body in a file does not take more memory than one that needs none. More of them come
together only while a thread is at the file."""

HIGH_WATER = 4 * PIECE
"""Unwritten bytes at which the sender is to be slowed down."""


class SpoolOwner(Protocol):
    def spool_has_room(self) -> None:
        """What was added is on its way to the disk: more may be added."""

    def spool_failed(self, error: OSError) -> None:
        """The disk refuses, before `finish` was called. Said once; the spool is closed."""


class Spool:
    """Takes bytes, writes them behind the caller's back, says when all are down."""

    __slots__ = (
        "_closed",
        "_descriptor",
        "_disk",
        "_finished",
        "_gathered",
        "_owner",
        "_writing",
        "error",
        "size",
    )

    def __init__(self, disk: Disk, owner: SpoolOwner) -> None:
        self.size = 0
        """Bytes added."""
        self.error: OSError | None = None
        """Why the disk refused, if it did."""
        self._descriptor = -1
        """Of the file, once it has been made."""
        self._disk = disk
        self._owner = owner
        self._finished: Callable[[int | OSError], None] | None = None
        self._gathered = bytearray()
        self._writing = False
        self._closed = False

    @property
    def full(self) -> bool:
        return len(self._gathered) > HIGH_WATER

    def add(self, data: bytes) -> None:
        self._gathered += data
        self.size += len(data)
        if not self._writing and len(self._gathered) >= ENOUGH:
            self._write()

    def finish(self, finished: Callable[[int | OSError], None]) -> None:
        """Calls `finished` once everything is in the file: with a descriptor, which is the callee's, or with the
        reason why there is none. The spool is then closed."""
        self._finished = finished
        if not self._writing:
            self._write()

    def close(self) -> None:
        """Forgets it all; nothing is called back any more."""
        self._closed = True
        self._gathered.clear()
        self._close_file()

    def _close_file(self) -> None:
        if self._descriptor >= 0 and not self._writing:
            self._disk.close(self._descriptor)
            self._descriptor = -1

    def _write(self) -> None:
        """Writes a piece, or finishes when there is none."""
        if not self._gathered and self._finished is not None and self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            self.close()
            self._finished(descriptor)
            return
        piece = bytes(memoryview(self._gathered)[:PIECE])
        self._writing = True
        self._disk.run(lambda: self._put(piece), self._written)

    def _put(self, piece: bytes) -> int:
        """In a thread."""
        if self._descriptor < 0:
            self._descriptor = unnamed_file(self._disk.directory)
        return os.write(self._descriptor, piece)

    def _written(self, writing: "asyncio.Future[int]") -> None:
        self._writing = False
        if self._closed:
            writing.exception()  # whatever became of it, nobody waits for it
            self._close_file()
            return
        error = writing.exception()
        if isinstance(error, OSError):
            self.error = error
            self.close()
            (self._finished or self._owner.spool_failed)(error)
            return
        # Less than asked for is written when the disk fills up; the next write then says why.
        del self._gathered[: writing.result()]
        if not self.full:
            self._owner.spool_has_room()
        idle = not self._writing and not self._closed  # the owner may have added more, or closed
        if idle and (self._finished is not None or len(self._gathered) >= ENOUGH):
            self._write()

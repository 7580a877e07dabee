"""Bodies too large to travel in a frame: written to a file without a name while they arrive.

The file has no name from its first byte on: no crash leaves one behind. File I/O blocks, so it happens in a thread of
its own, one piece at a time, while the event loop goes on.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Protocol

from wsgid.channel.frames import INLINE_BODY

PIECE = 256 * 1024
"""The most that is written at once: little enough that a slow disk holds the thread only shortly."""

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
        "_executor",
        "_file",
        "_finished",
        "_gathered",
        "_loop",
        "_owner",
        "_writing",
        "error",
        "size",
    )

    def __init__(self, directory: str, executor: Executor, loop: asyncio.AbstractEventLoop, owner: SpoolOwner) -> None:
        """Raises OSError when the directory takes no file."""
        self.size = 0
        """Bytes added."""
        self.error: OSError | None = None
        """Why the disk refused, if it did."""
        # Closed by `close`, whichever callback comes last: no block of code lives as long as the file does.
        self._file = tempfile.TemporaryFile(buffering=0, dir=directory)  # noqa: SIM115
        self._executor = executor
        self._loop = loop
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
        if not self._writing:
            self._file.close()

    def _write(self) -> None:
        """Writes a piece, or finishes when there is none."""
        if not self._gathered and self._finished is not None:
            outcome = self._duplicate()
            self.close()
            self._finished(outcome)
            return
        piece = bytes(memoryview(self._gathered)[:PIECE])
        self._writing = True
        self._loop.run_in_executor(self._executor, self._file.write, piece).add_done_callback(self._written)

    def _duplicate(self) -> int | OSError:
        try:
            return os.dup(self._file.fileno())
        except OSError as error:  # too many files are open
            self.error = error
            return error

    def _written(self, writing: "asyncio.Future[int]") -> None:
        self._writing = False
        if self._closed:
            writing.exception()  # whatever became of it, nobody waits for it
            self._file.close()
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

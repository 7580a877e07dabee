"""An answer that comes faster than its client takes it: in memory while it is little, beyond that in a file.

Its bytes lie in three places: at the front, in memory and ready to go; behind these in the file; and at the back, in
memory and on their way into the file. While memory is short (`wsgid.dispatcher.storage`) nothing lies at the front but
what is on its way to the client, and next to nothing at the back. When there is no room in files, or the disk refuses,
the back is where all lies, the worker waits, and the client is given from there.
"""

import asyncio
from typing import Final

from wsgid.dispatcher.disk import PIECE
from wsgid.dispatcher.outgoing import OutgoingOwner
from wsgid.dispatcher.ring_file import RingFile
from wsgid.dispatcher.storage import Storage

HIGH_WATER: Final = 2 * PIECE
"""Bytes at the back at which the worker is slowed down: a piece that is being written, and the one after it."""

LITTLE: Final = 16 * 1024
"""Bytes that each answer may have at the back however short memory is. With fewer, an endless answer of short lines
would cost a thread's job for each line."""


class StoredAnswer:
    """An `Outgoing`."""

    __slots__ = (
        "_back",
        "_busy",
        "_closed",
        "_file",
        "_front",
        "_in_file",
        "_in_line",
        "_memory",
        "_owner",
        "_reserved",
        "_spool",
        "_storage",
        "_wanted",
        "size",
    )

    def __init__(self, memory: int, spool: int, storage: Storage, owner: OutgoingOwner) -> None:
        """``memory``: bytes that may lie at the front, at least a piece. ``spool``: bytes that may lie in the file."""
        self.size = 0
        self._memory = max(memory, PIECE)
        self._spool = spool
        self._storage = storage
        self._owner = owner
        self._front = bytearray()
        self._wanted = 0
        """Bytes that the client would have taken when there were none at the front."""
        self._in_file = 0
        self._back = bytearray()
        self._file: RingFile | None = None
        self._reserved = 0
        """Bytes that it may take of the disk."""
        self._busy = False
        """A thread is at the file."""
        self._in_line = False
        """For room in files."""
        self._closed = False

    @property
    def full(self) -> bool:
        if self._storage.memory.left > 0:
            return len(self._back) > HIGH_WATER
        # What could be written and is not came before memory was short: it fitted, and nothing would call for room.
        waits = self._busy or self._in_line or self._in_file >= self._spool
        return waits and len(self._back) > LITTLE

    def add(self, data: bytes) -> None:
        self.size += len(data)
        self._storage.memory.count(len(data))
        self._back += data
        self._go_on()

    def take(self, most: int) -> bytes:
        most = min(most, PIECE)
        self._advance(most - len(self._front))  # what leaves at once it gets however short memory is
        piece = bytes(memoryview(self._front)[:most])
        del self._front[: len(piece)]
        self.size -= len(piece)
        self._storage.memory.give_back(len(piece))
        self._wanted = 0 if piece else most
        self._go_on()
        return piece

    def close(self) -> None:
        self._closed = True
        self._storage.memory.give_back(len(self._front) + len(self._back))
        self._front.clear()
        self._back.clear()
        self._storage.forget(self)
        self._close_file()

    def _close_file(self) -> None:
        if self._file is not None and not self._busy:
            self._storage.disk.close(self._file)
            self._storage.give_back(self._reserved, 1)
            self._file, self._reserved = None, 0

    def _advance(self, room: int) -> None:
        """From the back to the front, past an empty file."""
        if room > 0 and self._back and not self._in_file and not self._busy:
            self._front += memoryview(self._back)[:room]
            del self._back[:room]

    def _go_on(self) -> None:
        """Moves what can be moved towards the front. Reading comes before writing: a client waits for it."""
        if self._busy or self._closed:
            return
        short = self._storage.memory.left <= 0
        room = self._memory - len(self._front)
        if not short:
            self._advance(room)
        if self._in_file and room >= PIECE and not short:
            self._read(PIECE)
        elif self._in_file and self._wanted and not self._front:
            self._read(self._wanted)
        elif len(self._back) > (LITTLE if short else PIECE - 1) and self._in_file < self._spool and not self._in_line:
            self._write()

    def _read(self, most: int) -> None:
        file = self._file
        assert file is not None, "something is in it"
        self._busy = True
        self._storage.disk.run(lambda: file.read(most), self._was_read)

    def _write(self) -> None:
        file = self._file = self._file or self._new_file()
        most = self._reserve(file, min(PIECE, len(self._back))) if file is not None else 0
        if file is None or not most:
            self._in_line = True
            self._storage.wait(self, file is not None)
            return
        data = bytes(memoryview(self._back)[:most])
        self._busy = True
        self._storage.disk.run(lambda: file.write(data), self._was_written)

    def _new_file(self) -> RingFile | None:
        return RingFile(self._storage.disk.directory, self._spool) if self._storage.files.take(1) else None

    def _reserve(self, file: RingFile, count: int) -> int:
        """How many of these bytes may be written: those for which the file need not grow, and for which it may."""
        growth = file.growth(count)
        taken = self._storage.spool.take(growth)
        self._reserved += taken
        return count if taken == growth else file.within(count, taken)

    def try_again(self) -> None:
        """See `wsgid.dispatcher.storage.Waiting`."""
        self._in_line = False
        self._go_on()

    def _was_read(self, reading: "asyncio.Future[bytes]") -> None:
        self._settle()
        error = reading.exception()
        if isinstance(error, OSError) and not self._closed:
            self.close()
            self._owner.outgoing_failed(f"what its client has yet to take could not be read back: {error}")
        elif not self._closed:
            data = reading.result()
            self._in_file -= len(data)
            self._front += data
            self._storage.memory.count(len(data))
            self._go_on()
            self._owner.outgoing_ready()

    def _was_written(self, writing: "asyncio.Future[int]") -> None:
        self._settle()
        error = writing.exception()
        if self._closed:
            return
        if isinstance(error, OSError):
            self._do_without(error)
        else:
            # Less than asked for is written when the disk fills up; the next write then says why.
            written = writing.result()
            self._in_file += written
            del self._back[:written]
            self._storage.memory.give_back(written)
        self._go_on()
        self._owner.outgoing_ready()

    def _do_without(self, error: OSError) -> None:
        """Nothing is lost: what could not be written is still at the back."""
        self._spool = 0
        self._storage.refused(error)
        if not self._in_file:
            self._close_file()

    def _settle(self) -> None:
        """The thread is done with the file, which may have grown by less than was reserved, or have become smaller."""
        self._busy = False
        if self._closed:
            self._close_file()
        elif self._file is not None and self._reserved > self._file.extent:
            over, self._reserved = self._reserved - self._file.extent, self._file.extent
            self._storage.give_back(over, 0)

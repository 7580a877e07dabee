"""A request's body on its way in: in memory while it is small, in a file without a name when it is not."""

from collections.abc import Callable

from wsgid.channel.frames import INLINE_BODY
from wsgid.dispatcher.disk import Disk
from wsgid.dispatcher.question import Question
from wsgid.dispatcher.spool import Spool, SpoolOwner


class IncomingBody:
    __slots__ = ("_disk", "_owner", "_parts", "_spool", "question", "size")

    def __init__(self, disk: Disk, owner: SpoolOwner) -> None:
        self.size = 0
        self.question: Question | None = None
        self._disk = disk
        self._owner = owner
        self._parts: list[bytes] = []
        self._spool: Spool | None = None

    @property
    def in_file(self) -> bool:
        return self._spool is not None

    @property
    def full(self) -> bool:
        """The disk is behind: take no more for now. `SpoolOwner.spool_has_room` is called when it has caught up."""
        return self._spool is not None and self._spool.full

    @property
    def error(self) -> OSError | None:
        """Why it could not be written, if it could not."""
        return self._spool.error if self._spool is not None else None

    def add(self, part: bytes) -> None:
        """When it grows too large for memory and no file can be made, `SpoolOwner` hears of it, or `finish` says so."""
        self.size += len(part)
        if self._spool is not None:
            self._spool.add(part)
        elif self.size <= INLINE_BODY:
            self._parts.append(part)
        else:
            self._spool = Spool(self._disk, self._owner)
            for earlier in self._parts:
                self._spool.add(earlier)
            self._parts.clear()
            self._spool.add(part)

    def in_memory(self) -> bytes:
        """All of it, when it is not in a file."""
        return b"".join(self._parts)

    def finish(self, finished: Callable[[int | OSError], None]) -> None:
        """When it is in a file: see `Spool.finish`."""
        assert self._spool is not None, "asked only when in_file"
        self._spool.finish(finished)

    def explain(self, error: OSError) -> str:
        return f"its body could not be stored in the run directory: {error}"

    def close(self) -> None:
        if self.question is not None:
            self.question.close()
        self._parts.clear()
        if self._spool is not None:
            self._spool.close()

"""What all answers together may take while they wait for their clients: memory, room in files, and files.

Each answer has limits of its own (`stored_answer`). Without these, twenty thousand clients that do not read would have
as much each, and the kernel would end the dispatcher for want of memory.
"""

import logging
from collections import OrderedDict
from typing import Final, Protocol

from wsgid.dispatcher.disk import Disk

TELL_INTERVAL: Final = 60.0
"""Seconds, at least, between two lines in the log about a disk that refuses."""

log = logging.getLogger("wsgid.dispatcher")


class Total:
    """So much of something, for all."""

    __slots__ = ("_most", "left")

    def __init__(self, most: int) -> None:
        self._most = most
        self.left = most
        """Below 0 when more has been counted than there is."""

    def take(self, most: int) -> int:
        """As much of this as is left."""
        taken = max(0, min(most, self.left))
        self.left -= taken
        return taken

    def count(self, amount: int) -> None:
        """It is in use, whether or not so much was left."""
        self.left -= amount

    def give_back(self, amount: int) -> None:
        self.left += amount

    def change(self, most: int) -> None:
        """What is in use stays so."""
        self.left += most - self._most
        self._most = most


class Waiting(Protocol):
    def try_again(self) -> None:
        """There may be room. Whoever finds none calls `Storage.wait` again."""


class Storage:
    """The disk, and how much of it and of memory may be used.

    Memory is counted, and nobody waits for it: who finds that it is short makes do with little (`stored_answer`). For
    room in files one waits in line, and in the meantime the worker does.
    """

    __slots__ = ("_for_file", "_for_room", "_tell_again", "_waking", "disk", "files", "memory", "spool")

    def __init__(self, disk: Disk, memory: int, spool: int, files: int) -> None:
        """``memory`` and ``spool``: bytes."""
        self.disk = disk
        self.memory = Total(memory)
        self.spool = Total(spool)
        """Bytes in files."""
        self.files = Total(files)
        # Ordered dicts and not deques: who needs nothing any more leaves the middle.
        self._for_room: OrderedDict[Waiting, None] = OrderedDict()
        self._for_file: OrderedDict[Waiting, None] = OrderedDict()
        self._waking = False
        self._tell_again = 0.0

    def change(self, memory: int, spool: int) -> None:
        """These are the totals from now on."""
        self.memory.change(memory)
        self.spool.change(spool)
        self.give_back(0, 0)  # there may be more than there was

    def wait(self, waiting: Waiting, has_file: bool) -> None:
        """`Waiting.try_again` is called once, when others have given back."""
        (self._for_room if has_file else self._for_file)[waiting] = None

    def forget(self, waiting: Waiting) -> None:
        """It waits no more, if it did."""
        self._for_room.pop(waiting, None)
        self._for_file.pop(waiting, None)

    def give_back(self, spool: int, files: int) -> None:
        """Bytes in files, and files."""
        self.spool.give_back(spool)
        self.files.give_back(files)
        if (self._for_room or self._for_file) and not self._waking:
            self._waking = True
            self.disk.soon(self._wake)  # not here: whoever gives back is in the midst of it

    def _wake(self) -> None:
        self._waking = False
        for _ in range(len(self._for_room)):
            if self.spool.left > 0:
                self._for_room.popitem(last=False)[0].try_again()
        for _ in range(len(self._for_file)):
            if self.spool.left > 0 and self.files.left > 0:
                self._for_file.popitem(last=False)[0].try_again()

    def refused(self, error: OSError) -> None:
        """The disk takes no more of an answer."""
        now = self.disk.time()
        if now >= self._tell_again:
            self._tell_again = now + TELL_INTERVAL
            log.error(
                "what slow clients have yet to take of their answers cannot be kept in files: %s; instead the workers "
                "wait for these clients",
                error.strerror,
            )

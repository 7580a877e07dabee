"""Who works on what is decided here, with no socket in sight: a request goes only to an idle slot, the rest wait."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar


class WorkerLoad(Protocol):
    busy: int


class SlotLike(Protocol):
    @property
    def worker(self) -> WorkerLoad: ...


S = TypeVar("S", bound=SlotLike)
E = TypeVar("E")


class QueueFull(Exception):
    """No slot is idle and the queue holds all it may."""


class Pool(Generic[S, E]):
    """Idle slots and waiting requests; never both at once."""

    __slots__ = ("_idle", "_queue", "queue_size")

    def __init__(self, queue_size: int) -> None:
        self.queue_size = queue_size
        self._idle: list[S] = []
        # An ordered dict and not a deque: a client that leaves takes its request out of the middle.
        self._queue: OrderedDict[E, None] = OrderedDict()

    @property
    def queued(self) -> int:
        return len(self._queue)

    @property
    def queue(self) -> Iterable[E]:
        """Those that wait, the first first."""
        return self._queue.keys()

    def arrive(self, request: E) -> S | None:
        """The slot that shall have this request, or None: it waits. Raises QueueFull."""
        if self._idle:
            return self._take()
        if len(self._queue) >= self.queue_size:
            raise QueueFull
        self._queue[request] = None
        return None

    def come_back(self, request: E) -> S | None:
        """As `arrive`, for one that had a slot before: it waits in front of all others, and there is always room."""
        if self._idle:
            return self._take()
        self._queue[request] = None
        self._queue.move_to_end(request, last=False)
        return None

    def free(self, slot: S) -> E | None:
        """The slot has nothing to do: the request it shall have, or None: it is idle."""
        if self._queue:
            slot.worker.busy += 1
            return self._queue.popitem(last=False)[0]
        self._idle.append(slot)
        return None

    def finished(self, slot: S) -> None:
        """The slot's request has ended; `free` or `remove` follows."""
        slot.worker.busy -= 1

    def leave(self, request: E) -> None:
        """The request waits no more, if it did."""
        self._queue.pop(request, None)

    def remove(self, slot: S) -> None:
        """The slot is idle no more, if it was: it gets nothing from now on."""
        if slot in self._idle:
            self._idle.remove(slot)

    def empty_queue(self) -> list[E]:
        """Takes out all that wait, oldest first."""
        waiting = list(self._queue)
        self._queue.clear()
        return waiting

    def _take(self) -> S:
        """The idle slot in the least busy worker: threads of one process share its interpreter lock. Among equals the
        one that was idle last, whose memory is warm."""
        best = len(self._idle) - 1
        least = self._idle[best].worker.busy
        for index in range(best - 1, -1, -1):
            if least == 0:
                break
            busy = self._idle[index].worker.busy
            if busy < least:
                best, least = index, busy
        slot = self._idle.pop(best)
        slot.worker.busy += 1
        return slot

"""Whose time is over. Pure, and asked a few times a second: no request has a timer of its own."""

from collections.abc import Iterable

from wsgid.dispatcher.slots import Slot
from wsgid.dispatcher.work import Work
from wsgid.dispatcher.worker import Worker


def waited_too_long(queue: Iterable[Work], limit: float, now: float) -> list[Work]:
    """Those that have been in the queue for ``limit`` seconds (0: no limit)."""
    found: list[Work] = []
    if limit:
        for work in queue:
            if now - work.queued_at >= limit:
                found.append(work)
            elif not work.returned:
                break  # those behind it came later; only those that came back stand in front of older ones
    return found


def overdue(slots: Iterable[Slot], limit: float, now: float) -> list[Slot]:
    """Those that serve a request for ``limit`` seconds (0: no limit), and have not been found overdue before.

    The time in which a client does not take what it is sent is not the application's. What it does once the client has
    its answer, or is gone, counts: it holds the thread all the same.
    """
    if not limit:
        return []
    return [
        slot
        for slot in slots
        if (work := slot.work) is not None and slot.ground is None and now - work.served_at - slot.excused >= limit
    ]


def spent(worker: Worker) -> bool:
    """A hung worker that serves nothing but what was taken from it."""
    return all(slot.work is None or slot.ground or slot.done for slot in worker.slots)

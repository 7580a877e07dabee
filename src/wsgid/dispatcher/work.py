"""What a slot is given: a request to serve (`wsgid.dispatcher.exchange`), or a question (`wsgid.dispatcher.question`).

Both wait in the same queue, have one slot at a time, and meet the same deaths and limits: that is here.
"""

import enum
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import msgspec

from wsgid.protocol.values import Request, WrittenHead

if TYPE_CHECKING:
    from wsgid.dispatcher.slots import Slot


class Stage(enum.Enum):
    WAITING = enum.auto()
    """For its turn on its connection, then for an idle slot."""
    SERVING = enum.auto()
    """In a worker's hands, nothing sent yet."""
    ANSWERING = enum.auto()
    """The head has gone to the client."""
    SENDING = enum.auto()
    """Its worker has given the whole answer and is free; the client has yet to take the rest of it."""
    ENDED = enum.auto()


WAITING, SERVING, ANSWERING, SENDING, ENDED = Stage
"""Looked at several times for each request: a global name costs a third of an enum's attribute (Python 3.11)."""


class Work(ABC):
    __slots__ = ("arrived", "body_fd", "doubtful", "queued_at", "request", "returned", "served_at", "slot", "stage")

    ABOUT: ClassVar[str] = ""
    """Stands before the request in the log."""

    def __init__(self, request: Request, now: float) -> None:
        self.request = request
        self.arrived = now
        self.queued_at = now
        """When it was last put into the queue."""
        self.returned = False
        """A worker had it that died: it stands at the front of the queue."""
        self.served_at = 0.0
        """When it was given to a worker; 0.0 while it waits."""
        self.stage = WAITING
        self.slot: Slot | None = None
        self.body_fd = -1
        """Descriptor of the body when it is in a file. Ours until the work ends."""
        self.doubtful = False
        """Its client may have left."""

    @property
    def ended(self) -> bool:
        return self.stage is ENDED

    @property
    def settled(self) -> bool:
        """The client has its answer, or we have it for the client: nothing that its worker does changes that."""
        return self.stage is ENDED or self.stage is SENDING

    @property
    def _at_work(self) -> "Slot | None":
        """The slot that had it, unless that has been done with it since, and serves another perhaps."""
        slot = self.slot
        return slot if slot is not None and slot.work is self else None

    @property
    @abstractmethod
    def repeatable(self) -> bool:
        """Nothing is lost when a worker gets it that is not the first."""

    @abstractmethod
    def frame(self) -> bytes:
        """What the worker is told."""

    @abstractmethod
    def answer(self, head: WrittenHead, body: bytes) -> None:
        """The worker has given the whole answer at once."""

    @abstractmethod
    def fail(self, code: int, why: str, note: str = "") -> None:
        """No worker will do it: it is refused with this code. ``note`` is for the access log, if it is not one that is
        refused, or cut, as others are."""

    def given(self, slot: "Slot", now: float) -> None:
        self.slot = slot
        self.served_at = now
        self.stage = SERVING

    def take_back(self, attempt: int, now: float) -> None:
        """Its worker died; it waits for another. `attempt`: which one that will be.

        The body needs nothing: workers read its file at positions of their own.
        """
        self.slot = None
        self.served_at = 0.0
        self.stage = WAITING
        self.queued_at = now
        self.returned = True
        if attempt != self.request.attempt:
            self.request = msgspec.structs.replace(self.request, attempt=attempt)

"""One request and its answer, from arrival to the one end it has.

An exchange ends exactly once: answered, refused, cut, or left by its client. Whoever comes second with an end finds
`ended` set and changes nothing, which is what makes every order of deaths, answers and departures harmless.
"""

import enum
import os
from typing import TYPE_CHECKING, Protocol

import msgspec

from wsgid.protocol.http_answer import refusal
from wsgid.protocol.values import Head, Request

if TYPE_CHECKING:
    from wsgid.dispatcher.slots import Slot


class Stage(enum.Enum):
    WAITING = enum.auto()
    """For its turn on its connection, then for an idle slot."""
    SERVING = enum.auto()
    """In a worker's hands, nothing sent yet."""
    ANSWERING = enum.auto()
    """The head has gone to the client."""
    ENDED = enum.auto()


WAITING, SERVING, ANSWERING, ENDED = Stage
"""Looked at several times for each request: a global name costs a third of an enum's attribute (Python 3.11)."""


class Client(Protocol):
    """The client's side of an exchange, as an edge gives it. It frames what it is told to send."""

    @property
    def choked(self) -> bool:
        """The client does not keep up: hand over no more until `Slot.resume` is called."""

    def send_whole(self, head: Head, body: bytes) -> int:
        """Head and whole body. Returns the number of body bytes that the client will get, as all of these do."""

    def send_head(self, head: Head) -> None: ...

    def send_part(self, part: bytes) -> int: ...

    def send_end(self) -> None: ...

    def cut(self) -> None:
        """Ends the connection so that the client can tell that the answer is not whole."""

    def turn_over(self) -> None:
        """The exchange has ended; the connection's next one may begin."""


class Journal(Protocol):
    """Where the end of each exchange is written down."""

    def ended(self, exchange: "Exchange", code: int, note: str) -> None: ...


class Exchange:
    __slots__ = (
        "_journal",
        "arrived",
        "body_fd",
        "client",
        "code",
        "doubtful",
        "keep_alive",
        "queued_at",
        "request",
        "returned",
        "sent",
        "served_at",
        "slot",
        "stage",
    )

    def __init__(self, request: Request, client: Client, keep_alive: bool, journal: Journal, now: float) -> None:
        self.request = request
        self.client = client
        self.keep_alive = keep_alive
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
        """Descriptor of the body when it is in a file. Ours until the exchange ends."""
        self.code = 0
        self.sent = 0
        self.doubtful = False
        """Its client may have left."""
        self._journal = journal

    @property
    def ended(self) -> bool:
        return self.stage is ENDED

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

    # What the worker says.

    def answer(self, head: Head, body: bytes) -> None:
        """The whole answer at once."""
        if self.stage is not ENDED:
            self.sent = self.client.send_whole(head, body)
            self._end(head.code)

    def begin(self, head: Head) -> None:
        if self.stage is not ENDED:
            self.stage = ANSWERING
            self.code = head.code
            self.client.send_head(head)

    def part(self, data: bytes) -> None:
        if self.stage is not ENDED:
            self.sent += self.client.send_part(data)

    def finish(self) -> None:
        if self.stage is not ENDED:
            self.client.send_end()
            self._end(self.code)

    # What else can happen to it.

    def fail(self, code: int, why: str) -> None:
        """We cannot serve it: refused with this code, or cut when its answer has begun."""
        if self.stage is ANSWERING:
            self.client.cut()
            self._end(self.code, "cut")
        elif self.stage is not ENDED:
            head, body = refusal(code, why)
            self.sent = self.client.send_whole(head, body)
            self._end(code, "refused")

    def client_left(self) -> None:
        """The client is gone. A worker that is at it is told, so that an endless answer ends."""
        if self.stage is ENDED:
            return
        slot = self.slot
        self._end(499, "left")
        if slot is not None:
            slot.client_left(self)

    def client_may_have_left(self) -> None:
        """The client sends nothing more: it has closed its connection, or its half of it, which looks the same.

        One that waits is taken for gone. For one that is being served the application can be asked to stop, but
        whatever it answers is sent.
        """
        self.doubtful = True
        if self.stage is WAITING:
            self.client_left()
        elif self.slot is not None and self.stage is not ENDED:
            self.slot.client_left(self)

    def drop(self, code: int) -> None:
        """Its connection ends before its turn would come: there is nobody to send an answer to."""
        self._leave(code, "refused")

    def leave(self) -> None:
        """The client has left before it was its turn, or before the request was whole."""
        self._leave(499, "left")

    def _end(self, code: int, note: str = "") -> None:
        if self.stage is not ENDED:  # sending can find that the client has gone, and end it before we come to it
            self._leave(code, note)
            self.client.turn_over()

    def _leave(self, code: int, note: str) -> None:
        self.stage = ENDED
        if self.body_fd >= 0:
            os.close(self.body_fd)
            self.body_fd = -1
        if self.slot is not None and self.slot.paused:
            self.slot.resume()  # what the worker still says is read, and forgotten
        self._journal.ended(self, code, note)

"""One request and its answer, from arrival to the one end it has.

An exchange ends exactly once: answered, refused, cut, or left by its client. Whoever comes second with an end finds
`ended` set and changes nothing, which is what makes every order of deaths, answers and departures harmless.
"""

from typing import Final, Protocol

from wsgid.channel import frames
from wsgid.dispatcher.sent_file import PassedFile
from wsgid.dispatcher.work import ANSWERING, ENDED, SENDING, SERVING, WAITING, Work
from wsgid.protocol.http_answer import refusal
from wsgid.protocol.values import Request, UnwritableHead, WrittenHead

METHODS: Final = frozenset({"GET", "HEAD"})
"""Safe by RFC 9110 section 9.2.1, and used as such: what asks twice with them, a browser or a proxy, does so unasked.
PUT and DELETE are idempotent by the same RFC; applications in which they are not are too many."""


class Client(Protocol):
    """The client's side of an exchange, as an edge gives it. It frames what it is told to send: of a head that cannot
    be sent it raises UnwritableHead, before it has done anything."""

    @property
    def choked(self) -> bool:
        """The client does not keep up, and enough is kept for it: hand over no more until `Slot.resume` is called."""

    @property
    def unsent(self) -> int:
        """Bytes of the answer that are kept for the client. With the last of them it calls `Exchange.sent_all`."""

    def send_whole(self, head: WrittenHead, body: bytes) -> int:
        """Head and whole body. Returns the number of body bytes that the client will get, as all of these do."""

    def send_head(self, head: WrittenHead) -> None: ...

    def send_part(self, part: bytes) -> int: ...

    def send_end(self) -> None: ...

    def send_file(self, head: WrittenHead, file: PassedFile) -> None:
        """Head, and the body from a file, which the client closes. Nothing is sent before this returns."""

    def send_cut(self) -> bool:
        """As `cut`, but what is kept of the answer is sent before. False: nothing is; it has been cut."""

    def cut(self) -> None:
        """Ends the connection so that the client can tell that the answer is not whole."""

    def turn_over(self) -> None:
        """The exchange has ended; the connection's next one may begin."""


class Journal(Protocol):
    """Where the end of each exchange is written down."""

    def unserved(self, exchange: "Exchange") -> None:
        """It is refused, and no worker may have it any more. Its client has yet to take the refusal; then it ends."""

    def ended(self, exchange: "Exchange", code: int, note: str) -> None: ...

    def close_file(self, descriptor: int) -> None:
        """Closes it where that may take a while: a large file without a name goes with its last descriptor."""


class Exchange(Work):
    __slots__ = ("_journal", "_note", "client", "code", "keep_alive", "sent")

    def __init__(self, request: Request, client: Client, keep_alive: bool, journal: Journal, now: float) -> None:
        Work.__init__(self, request, now)  # super() costs several times as much (Python 3.11)
        self.client = client
        self.keep_alive = keep_alive
        self.code = 0
        self.sent = 0
        self._note = ""
        """How it ends, for the access log, once the rest of its answer has been sent."""
        self._journal = journal

    @property
    def repeatable(self) -> bool:
        return self.request.method in METHODS

    def frame(self) -> bytes:
        return frames.request(self.request)

    # What the worker says. Of a head that nobody could send they raise UnwritableHead, and nothing has changed.

    def answer(self, head: WrittenHead, body: bytes) -> None:
        if self.stage is not ENDED and self.stage is not SENDING:
            self.sent = self.client.send_whole(head, body)
            self._all_said(head.code)

    def begin(self, head: WrittenHead) -> None:
        if not self.settled:
            self.code = head.code
            self.stage = ANSWERING
            try:
                self.client.send_head(head)
            except UnwritableHead:
                self.stage = SERVING
                raise

    def part(self, data: bytes) -> None:
        if not self.settled:
            self.sent += self.client.send_part(data)

    def finish(self) -> None:
        if not self.settled:
            self.client.send_end()
            self._all_said(self.code)

    def file(self, head: WrittenHead, file: PassedFile) -> None:
        """The whole answer; its body is in a file, which is closed in any case."""
        if self.settled:
            self._journal.close_file(file.descriptor)
            return
        try:
            self.client.send_file(head, file)
        except UnwritableHead:
            self._journal.close_file(file.descriptor)
            raise
        self.sent = file.length
        self._all_said(head.code)

    def _all_said(self, code: int, note: str = "") -> None:
        if self.stage is ENDED:
            return  # sending can find that the client has gone
        if not self.client.unsent:
            self._leave(code, note)
            self.client.turn_over()
            return
        self.stage = SENDING
        self.code, self._note = code, note
        if self.slot is None:
            self._journal.unserved(self)
        if not self.client.choked:
            self.room()

    # What the client's connection says.

    def sent_all(self) -> None:
        """The last that was kept for the client has been handed over."""
        self._end(self.code, self._note)

    def room(self) -> None:
        """What the worker says can be taken again: there is room for it, or it is not waited for any more."""
        if (slot := self._at_work) is not None:
            slot.resume()

    # What else can happen to it.

    def fail(self, code: int, why: str, note: str = "") -> None:
        """We cannot serve it: refused with this code; an answer that has begun is sent as far as it has come, and cut
        there. A whole answer is sent."""
        if self.stage is ANSWERING:
            if self.client.send_cut():
                self._all_said(self.code, note or "cut")
            else:
                self._end(self.code, note or "cut")
        else:
            self.refuse(*refusal(code, why), note or "refused")

    def refuse(self, head: WrittenHead, body: bytes, note: str = "refused") -> None:
        """This is sent instead of an answer of the application, of which nothing has been."""
        if not self.settled:
            self.sent = self.client.send_whole(head, body)
            self._all_said(head.code, note)

    def cut(self, note: str = "cut") -> None:
        """The rest of its answer will not be sent. A worker that is at it is told, so that an endless answer ends.

        ``note`` is for the access log."""
        if self.stage is ANSWERING or self.stage is SENDING:
            self.client.cut()
            self._end_early(self.code, note)

    def client_left(self) -> None:
        """The client is gone. A worker that is at it is told as well."""
        if self.stage is not ENDED:
            self._end_early(499, "left")

    def _end_early(self, code: int, note: str) -> None:
        slot = self._at_work
        self._end(code, note)
        if slot is not None:
            slot.client_left(self)

    def client_may_have_left(self) -> None:
        """The client sends nothing more: it has closed its connection, or its half of it, which looks the same.

        One that waits is taken for gone. For one that is being served the application can ask whether to go on, but
        whatever it answers is sent: should the client really have gone, the first bytes that reach it say so.
        """
        self.doubtful = True
        if self.stage is WAITING:
            self.client_left()
        elif self.stage is not ENDED and (slot := self._at_work) is not None:
            slot.client_may_have_left(self)

    def drop(self, code: int) -> None:
        """Its connection ends before its turn would come: there is nobody to send an answer to."""
        self._leave(code, "refused")

    def leave(self) -> None:
        """The client has left before it was its turn, or before the request was whole."""
        self._leave(499, "left")

    def _end(self, code: int, note: str = "") -> None:
        if self.stage is not ENDED:
            self._leave(code, note)
            self.client.turn_over()

    def _leave(self, code: int, note: str) -> None:
        if self.stage is ANSWERING or self.stage is SENDING:
            self.sent = max(0, self.sent - self.client.unsent)  # what is unsent may have a head, and marks of chunks
        self.stage = ENDED
        if self.body_fd >= 0:
            self._journal.close_file(self.body_fd)
            self.body_fd = -1
        if (slot := self.slot) is not None and slot.paused:
            self.room()
        self._journal.ended(self, code, note)

"""The question whether an upload may go on, which the upload filters of a worker answer while its body arrives.

It has no line in the access log, and no client: what becomes of the upload is told by its request.
"""

from collections.abc import Callable
from typing import ClassVar, Protocol

from wsgid.channel import frames
from wsgid.dispatcher.work import ENDED, Work
from wsgid.protocol.http_request import Refused
from wsgid.protocol.values import Request, WrittenHead

Judged = Callable[[Refused | None], None]
"""Called with the verdict: None, or why the upload is refused."""


def in_its_turn(verdict: Refused | None) -> None:
    """For a body that is whole already: before there is a verdict the question is handed on."""


class Asker(Protocol):
    def unasked(self, question: "Question") -> None:
        """No worker need be asked any more."""

    def upload_refused(self) -> None:
        """By the worker that was asked."""


class RefusedByFilter(Refused):
    """The filter says how."""

    def __init__(self, head: WrittenHead, body: bytes) -> None:
        super().__init__(head.code, "an upload filter refused it")
        self._answer = (head, body)

    def answer(self) -> tuple[WrittenHead, bytes]:
        return self._answer


class Question(Work):
    """Ends once: with a verdict, with `fail`, or with `close`, and only the first of these has an effect."""

    __slots__ = ("_asker", "_judged")

    ABOUT: ClassVar[str] = "the upload filters' verdict on "

    def __init__(self, request: Request, judged: Judged, asker: Asker, now: float) -> None:
        super().__init__(request, now)
        self._judged = judged
        self._asker = asker

    @property
    def repeatable(self) -> bool:
        """Whatever the method: the application has no part in it, and a filter only looks at what has come."""
        return True

    def frame(self) -> bytes:
        return frames.ask(self.request)

    def hand_on(self, judged: Judged) -> None:
        """The verdict is awaited by somebody else now."""
        self._judged = judged

    # What the worker says.

    def admit(self) -> None:
        self._settle(None)

    def answer(self, head: WrittenHead, body: bytes) -> None:
        if self.stage is not ENDED:
            self._asker.upload_refused()
        self._settle(RefusedByFilter(head, body))

    # What else can happen to it.

    def fail(self, code: int, why: str, note: str = "") -> None:
        """Nobody could be asked: a filter that is there to refuse must not be got round by load or by a death."""
        self._settle(Refused(code, why))

    def close(self) -> None:
        """The upload is over. A worker that is being asked is not told: its answer is read and forgotten."""
        if self.stage is not ENDED:
            self._end()

    def _settle(self, verdict: Refused | None) -> None:
        if self.stage is not ENDED:
            self._end()
            self._judged(verdict)

    def _end(self) -> None:
        self.stage = ENDED
        if self.slot is None:
            self._asker.unasked(self)

"""What may come of a request: the steps of a rule's case after its first request, in order.

Those that end a request also say which records of the main log and which notes of the application there must be, and
there must be no others.
"""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass

Record = tuple[str, ...]
"""Texts that all stand in one record of the main log."""


class Known(enum.Enum):
    """Values that only the site knows on which a rule is tried."""

    PORT = enum.auto()
    """Where the edge listens."""
    REQUEST_ID = enum.auto()
    """The one in the access log."""
    NOW = enum.auto()
    """The time of the answer, as HTTP writes it."""


NOW = Known.NOW

Told = str | bool | int | list[object] | re.Pattern[str] | Known | None
"""A value of the environ, or of a header; None: there must be none."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a request ends."""

    log: tuple[Record, ...] = ()
    notes: tuple[str, ...] = ()
    """Lines that the application has noted."""
    end: str = ""
    """What follows ``end=`` in the access log."""
    asked: str = ""
    """What the access log says was asked for, where that matters."""
    remote: str = ""
    """Whose request that was, by the access log."""


@dataclass(frozen=True)
class Answer(Ending):
    """A whole answer, which h11 finds nothing wrong with."""

    status: int
    body: bytes | None = None
    """None: whatever it is."""
    headers: Mapping[str, Told] | None = None
    """Repeats are joined with ``, ``."""
    says: str = ""
    """Is in the body."""
    environ: Mapping[str, Told] | None = None
    """Of what the mirror tells."""
    played: list[object] | None = None
    """The mirror's calls of wsgi.input gave these."""
    reason: str | None = None
    """Behind the code; None: whatever it is."""
    closes: bool = False
    """It says that the connection ends, and the connection ends."""
    to: str = ""
    """The method asked with, where it is not that of what was sent last."""
    informational: tuple[int, ...] = ()
    ours: bool = True
    """False: Mongrel2 has answered by itself, and wsgid has not heard of the request."""


@dataclass(frozen=True)
class Cut(Ending):
    """An answer that the client can tell not to be whole: the connection ends within it."""

    status: int
    body: bytes = b""
    reset: bool = False
    """By a reset, for nothing else would tell the client."""
    code: int = 0
    """In the access log, when it is not the status."""


@dataclass(frozen=True)
class Gone(Ending):
    """The connection ends without an answer."""

    code: int = 0
    """In the access log; 0: it has no line."""


@dataclass(frozen=True)
class Dropped(Ending):
    """A request that nobody reads an answer to: there is a line in the access log."""

    code: int


@dataclass(frozen=True)
class Sends:
    data: bytes


@dataclass(frozen=True)
class FinishesSending:
    """The client half-closes."""


@dataclass(frozen=True)
class Comes:
    """These bytes have come, of head or body as they are on the wire; what follows may have yet to be made."""

    data: bytes


@dataclass(frozen=True)
class Opens:
    """The gate of this name, at which the application waits."""

    gate: str


@dataclass(frozen=True)
class Continue:
    """``100 Continue``, and nothing yet behind it."""


Step = Answer | Cut | Gone | Dropped | Sends | FinishesSending | Comes | Opens | Continue


def refused(code: int, says: str = "", *, asked: str = "") -> Answer:
    """wsgid itself says no, with these words among others, and nothing more is read from this client."""
    return Answer(code, says=says, closes=True, end="refused", asked=asked)


def by_mongrel2(code: int, closes: bool = True) -> Answer:
    return Answer(code, closes=closes, ours=False)


BROKEN_RULE = "PEP 3333: "

FAILED = "the application failed"

TRACEBACK = "Traceback (most recent call last)"


def failed(*words: str, notes: tuple[str, ...] = ()) -> Answer:
    """The application is to blame, and nothing has been sent: 500, and these words in the log and not in the answer."""
    return Answer(500, b"Internal Server Error\n", log=(words,), notes=notes)


def cut(body: bytes, *words: str, notes: tuple[str, ...] = (), status: int = 200) -> Cut:
    """The application is to blame, and a part has been sent."""
    return Cut(status, body, end="cut", log=(words,), notes=notes)

"""What becomes of a request whose worker died, or that has reached the time limit."""

import enum
from dataclasses import dataclass
from typing import Final

from wsgid.dispatcher.work import ANSWERING, Work


class Fate(enum.Enum):
    """Each in the words of the log."""

    ENDED = "already answered or left by its client"
    OVERDUE = "ended by the time limit"
    KILLED = "killed by hand"
    CUT = "answer cut"
    DOUBTFUL = "answered with 502, as its client may have left"
    REFUSED = "answered with 502"
    AGAIN = "given to another worker"
    UNREAD = "given to another worker, as this one had not read it"


@dataclass(frozen=True, slots=True)
class Ground:
    """On which a request is taken from the worker that has it in hand."""

    code: int
    why: str
    """For its client."""
    note: str
    """For the access log; ``""``: as any that we refuse, or cut."""
    told: str
    """For the log."""
    settled: Fate
    """What became of the request, should its worker die with it."""


TIME_LIMIT: Final = Ground(
    504, "the application took longer than the time limit", "", "has reached the time limit", Fate.OVERDUE
)
BY_HAND: Final = Ground(503, "it was killed by hand", "killed", "is killed by hand", Fate.KILLED)


def fate(work: Work, *, read: bool, ground: Ground | None, redeliver: bool) -> Fate:
    """`read`: the worker may have read the request; `ground`: on which it was taken from it; `redeliver`: it may run a
    second time, by the option and by the limits on its worker.

    What a worker had not read cannot have done anything: it goes to another whatever its method, and as often as that
    happens. One whose client may have left is not run for nobody; the answer is for a client that has only finished
    sending.
    """
    if work.settled:
        return ground.settled if ground is not None else Fate.ENDED
    if work.stage is ANSWERING:
        return Fate.CUT
    if work.doubtful:
        return Fate.DOUBTFUL
    if not read:
        return Fate.UNREAD
    if redeliver and work.repeatable and work.request.attempt == 1:
        return Fate.AGAIN
    return Fate.REFUSED


def taken_away(work: Work, ground: Ground) -> str:
    """What becomes of a request that is taken from its worker, in the words of the log."""
    if work.settled:
        return Fate.ENDED.value
    return Fate.CUT.value if work.stage is ANSWERING else f"answered with {ground.code}"

"""What becomes of a request whose worker died, or that has reached the time limit."""

import enum

from wsgid.dispatcher.work import ANSWERING, Work


class Fate(enum.Enum):
    """Each in the words of the log."""

    ENDED = "already answered or left by its client"
    OVERDUE = "ended by the time limit"
    CUT = "answer cut"
    DOUBTFUL = "answered with 502, as its client may have left"
    REFUSED = "answered with 502"
    AGAIN = "given to another worker"
    UNREAD = "given to another worker, as this one had not read it"


def fate(work: Work, *, read: bool, overdue: bool, redeliver: bool) -> Fate:
    """`read`: the worker may have read the request; `overdue`: it had reached the time limit; `redeliver`: it may run a
    second time, by the option and by the limits on its worker.

    What a worker had not read cannot have done anything: it goes to another whatever its method, and as often as that
    happens. One whose client may have left is not run for nobody; the answer is for a client that has only finished
    sending.
    """
    if work.settled:
        return Fate.OVERDUE if overdue else Fate.ENDED
    if work.stage is ANSWERING:
        return Fate.CUT
    if work.doubtful:
        return Fate.DOUBTFUL
    if not read:
        return Fate.UNREAD
    if redeliver and work.repeatable and work.request.attempt == 1:
        return Fate.AGAIN
    return Fate.REFUSED


def at_the_limit(work: Work) -> str:
    """What becomes of a request that has reached the time limit, in the words of the log."""
    if work.settled:
        return Fate.ENDED.value
    return Fate.CUT.value if work.stage is ANSWERING else "answered with 504"

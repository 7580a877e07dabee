"""Makes certain that requests are in the dispatcher's queue: one more is sent than it holds.

That a request was sent says little: it may be on its way still, and behind Mongrel2 those of two connections may
overtake each other. But while no worker is free, the only answer that can come is the refusal of the one that found the
queue full. So when it is there, the dispatcher has all the others, whichever they are.
"""

import select
from collections.abc import Sequence

from tests.deadlines import seconds
from tests.functional.clients import Answer, Connection


def refused_one(asked: Sequence[Connection]) -> tuple[Connection, Answer]:
    """Of connections that have each asked for one thing, one more than ``--queue-size``: the refused one and its
    refusal. All others are in the queue then. Every worker must be held. Raises AssertionError."""
    readable = select.select([each.socket for each in asked], [], [], seconds())[0]
    assert len(readable) == 1, f"{len(readable)} of {len(asked)} were answered, where one was to be refused"
    refused = next(each for each in asked if each.socket is readable[0])
    answer = refused.answer()
    assert answer.status == 503
    return refused, answer

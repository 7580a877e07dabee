"""Workers that retire, those that take their places, and how many there are."""

import logging
import math
from dataclasses import replace
from signal import SIGKILL, SIGTERM

import pytest

from tests.unit.master.histories import (
    FORKED,
    GRACE,
    LISTENING,
    READY,
    TWO,
    TWO_MORTAL,
    UP,
    Chapter,
    killed,
    left,
    lines,
    tell,
    told,
)
from wsgid.channel.orders import Cause, Drain, Drained, Exit, Retire, WorkerLeaving, WorkerReady, WornOut
from wsgid.config import MAX_PARALLEL
from wsgid.master.actions import Finish, ForkDispatcher, ForkWorker, Kill, Log, Tell, Weigh
from wsgid.master.facts import (
    Died,
    DispatcherForked,
    StopAsked,
    Weighed,
    WorkerForked,
    WorkersAsked,
)
from wsgid.master.plan import begin, decide, next_moment
from wsgid.master.replacing import CALM, WEIGH_EVERY
from wsgid.master.retirement import LEAVE_MARGIN

LEAVE_TIME = GRACE + LEAVE_MARGIN
WORN = "it has served 7 requests"
MORE, FEWER = WorkersAsked("SIGTTIN", 1), WorkersAsked("SIGTTOU", -1)
MIB = 1024 * 1024
LEAN = replace(TWO, max_rss=100 * MIB)

RETIRING: list[Chapter] = [
    *UP,
    (5.0, [WornOut(11, WORN)], [ForkWorker()]),
    (5.0, [WorkerForked(13)], []),
    (6.0, [WorkerReady(13)], [Tell(Retire(11))]),
]

HISTORIES: dict[str, list[Chapter]] = {
    "a worn-out worker goes when its successor is ready": [
        *RETIRING,
        (7.0, [left(11)], [told(left(11), expected=True, cause=Cause.MAX_REQUESTS)]),
    ],
    "never two at once": [
        *UP,
        (5.0, [WornOut(12, WORN), WornOut(11, WORN)], [ForkWorker()]),
        (5.0, [WorkerForked(13)], []),
        (6.0, [WorkerReady(13)], [Tell(Retire(11)), ForkWorker()]),
        (6.0, [WorkerForked(14)], []),
        (7.0, [WorkerReady(14)], [Tell(Retire(12))]),
    ],
    "said twice": [
        *UP,
        (5.0, [WornOut(11, WORN)], [ForkWorker()]),
        (5.0, [WorkerForked(13)], []),
        (5.1, [WornOut(11, WORN)], []),
        (5.2, [WornOut(99, WORN)], []),
    ],
    "the worn-out one dies before": [
        *UP,
        (5.0, [WornOut(11, WORN)], [ForkWorker()]),
        (5.0, [WorkerForked(13)], []),
        (5.5, [killed(11)], [told(killed(11))]),
        (6.0, [WorkerReady(13)], []),
    ],
    "its successor cannot be loaded: it goes on, and another is tried later": [
        *UP,
        (5.0, [WornOut(11, WORN)], [ForkWorker()]),
        (5.0, [WorkerForked(13)], []),
        (5.5, [killed(13)], [told(killed(13))]),
        (5.6, [], [ForkWorker()]),
    ],
    "who does not leave in time is killed": [
        *RETIRING,
        (6.0 + LEAVE_TIME, [], [Kill(11, SIGKILL)]),
        (40.0, [killed(11)], [told(killed(11), cause=Cause.LATE)]),
    ],
    "a new dispatcher is told who was to go": [
        *RETIRING,
        (6.5, [killed(10)], [ForkDispatcher()]),
        (6.5, [DispatcherForked(20)], []),
        (7.0, [LISTENING], [Tell(Retire(11))]),
    ],
    "nobody retires while there is no dispatcher": [
        *UP,
        (5.0, [killed(10)], [ForkDispatcher()]),
        (5.0, [DispatcherForked(20), FEWER], []),
        (5.5, [LISTENING], [Tell(Retire(11))]),
    ],
    "a worker that leaves by itself is replaced at once": [
        *UP,
        (5.0, [WorkerLeaving(11)], [ForkWorker()]),
        (5.0, [WorkerForked(13)], []),
        (5.1, [WorkerLeaving(11)], []),
        (6.0, [left(11)], [told(left(11), expected=True)]),
        (7.0, [WorkerReady(13)], []),
    ],
    "and killed like any other when it does not": [
        *UP,
        (5.0, [WorkerLeaving(11)], [ForkWorker()]),
        (5.0 + LEAVE_TIME, [WorkerForked(13)], [Kill(11, SIGKILL)]),
    ],
    "a worker that says so when it is dead already": [
        *UP,
        (5.0, [WorkerLeaving(99)], []),
    ],
    "one that leaves during the start is replaced too": [
        *FORKED,
        (1.0, [WorkerReady(11), WorkerLeaving(11)], [ForkWorker()]),
        (1.0, [WorkerForked(13)], []),
        (1.5, [left(11)], [told(left(11), expected=True)]),
        (2.0, [WorkerReady(12), WorkerReady(13)], [READY]),
    ],
    "one more": [
        *UP,
        (5.0, [MORE], [ForkWorker()]),
        (5.0, [WorkerForked(13)], []),
        (6.0, [WorkerReady(13)], []),
    ],
    "one fewer: the oldest": [
        *UP,
        (5.0, [FEWER], [Tell(Retire(11))]),
        (6.0, [left(11)], [told(left(11), expected=True)]),
        (6.0, [FEWER], []),
    ],
    "one fewer, while one is worn out: that one, and no successor": [
        *UP,
        (5.0, [WornOut(12, WORN)], [ForkWorker()]),
        (5.0, [WorkerForked(13)], []),
        (5.5, [FEWER], [Tell(Retire(12)), Kill(13, SIGTERM)]),
    ],
    "one fewer, while one is loading: that one": [
        *UP,
        (5.0, [MORE], [ForkWorker()]),
        (5.0, [WorkerForked(13)], []),
        (5.1, [FEWER], [Kill(13, SIGTERM)]),
        (5.2, [Died(13, -15, "killed by SIGTERM")], [told(Died(13, -15, "killed by SIGTERM"), expected=True)]),
    ],
    "one more during the start": [
        *FORKED,
        (1.0, [MORE], [ForkWorker()]),
        (1.0, [WorkerForked(13)], []),
        (2.0, [WorkerReady(11), WorkerReady(12)], []),
    ],
    "not during the stop": [
        *UP,
        (5.0, [StopAsked("SIGTERM")], [Tell(Drain(GRACE))]),
        (5.1, [MORE], []),
    ],
}


@pytest.mark.parametrize("name", HISTORIES)
def test_history(name: str) -> None:
    tell(HISTORIES[name])


MORTAL: dict[str, list[Chapter]] = {
    "who leaves by itself is not replaced either; the daemon ends with the last": [
        *UP,
        (5.0, [WorkerLeaving(11)], []),
        (5.5, [left(11)], [told(left(11), expected=True)]),
        (6.0, [WorkerLeaving(12)], []),
        (6.5, [left(12)], [told(left(12), expected=True), Tell(Drain(GRACE))]),
        (6.6, [Drained(0)], [Tell(Exit())]),
        (6.7, [left(10)], [Finish(1, "")]),
    ],
    "who is worn out has a successor": [
        *RETIRING,
        (7.0, [left(11)], [told(left(11), expected=True, cause=Cause.MAX_REQUESTS)]),
        (7.1, [killed(12)], [told(killed(12))]),
        (7.2, [killed(13)], [told(killed(13)), Tell(Drain(GRACE))]),
    ],
    "a successor that cannot be loaded leaves no gap": [
        *UP,
        (5.0, [WornOut(11, WORN)], [ForkWorker()]),
        (5.0, [WorkerForked(13)], []),
        (5.5, [killed(13)], [told(killed(13))]),
        (5.6, [], [ForkWorker()]),
    ],
}


@pytest.mark.parametrize("name", MORTAL)
def test_where_the_dead_are_not_replaced(name: str) -> None:
    tell(MORTAL[name], TWO_MORTAL)


HEAVY = 105 * MIB
WEIGHING: list[Chapter] = [*UP[:-1], (2.0, [WorkerReady(12)], [READY]), (2.0, [], [Weigh(11), Weigh(12)])]

LEAN_HISTORIES: dict[str, list[Chapter]] = {
    "all are light": [
        *WEIGHING,
        (2.0, [Weighed(11, 100 * MIB), Weighed(12, 5)], []),
        (2.0 + WEIGH_EVERY, [], [Weigh(11), Weigh(12)]),
    ],
    "one is heavy": [
        *WEIGHING,
        (2.0, [Weighed(11, 5), Weighed(12, HEAVY)], [ForkWorker()]),
        (2.0, [WorkerForked(13)], []),
        (2.0 + CALM - 1, [WorkerReady(13)], [Tell(Retire(12))]),
        (2.0 + CALM, [], [Weigh(11), Weigh(13)]),
    ],
    "all are heavy: one at a time": [
        *WEIGHING,
        (2.0, [Weighed(11, HEAVY), Weighed(12, HEAVY)], [ForkWorker()]),
        (2.0, [WorkerForked(13)], []),
        (2.0 + CALM, [], []),
        (2.5 + CALM, [WorkerReady(13)], [Tell(Retire(11))]),
        (2.0 + CALM + WEIGH_EVERY, [], [Weigh(12), Weigh(13)]),
    ],
}


@pytest.mark.parametrize("name", LEAN_HISTORIES)
def test_memory(name: str) -> None:
    tell(LEAN_HISTORIES[name], LEAN)


def test_when_to_weigh_again() -> None:
    state, _ = tell(LEAN_HISTORIES["all are light"][:-1], LEAN)
    assert next_moment(state) == pytest.approx(2.0 + WEIGH_EVERY)
    state, _ = tell(UP)
    assert next_moment(state) == math.inf


def test_the_limits_of_more_and_fewer() -> None:
    state = begin(replace(TWO, workers=MAX_PARALLEL))
    state, actions = decide(state, [MORE], 0.0)
    assert actions[0] == Log(
        logging.WARNING, f"SIGTTIN: the number of workers stays {MAX_PARALLEL}, which is the limit"
    )
    state, actions = decide(begin(replace(TWO, workers=1)), [FEWER], 0.0)
    assert actions[0] == Log(logging.WARNING, "SIGTTOU: the number of workers stays 1, which is the limit")


LOGGED = {
    "a worn-out worker goes when its successor is ready": f"worker 11 is to be replaced: {WORN}",
    "who does not leave in time is killed": "worker 11 has not left in time: killing it",
    "a worker that leaves by itself is replaced at once": "worker 11 finishes its requests and leaves, as somebody has "
    "told it to",
    "one more": "SIGTTIN: the number of workers goes from 2 to 3",
}


@pytest.mark.parametrize("name", LOGGED)
def test_the_log_has_it(name: str) -> None:
    assert LOGGED[name] in [line.text for line in lines(HISTORIES[name])]


def test_the_log_tells_the_weight() -> None:
    text = "worker 12 is to be replaced: it holds 105 MiB of memory, more than --max-rss (100 MiB)"
    assert Log(logging.INFO, text) in lines(LEAN_HISTORIES["one is heavy"], LEAN)

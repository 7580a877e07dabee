"""Workers that take too long. What a restart does about one is in test_restarts, what takes too long to leave in
test_replacing."""

import logging
from dataclasses import replace
from signal import SIGKILL, SIGTERM, SIGUSR1

import pytest

from tests.unit.master.histories import (
    FORKED,
    GRACE,
    LISTENING,
    START,
    TIMEOUT,
    TWO,
    TWO_TIMED,
    UP,
    Chapter,
    killed,
    lines,
    tell,
    told,
)
from wsgid.channel.orders import (
    Cause,
    Drain,
    Exit,
    Hung,
    Retire,
    Spent,
    StackWanted,
    WorkerLeaving,
    WorkerReady,
    WornOut,
)
from wsgid.master.actions import Finish, ForkDispatcher, ForkWorker, Kill, Log, ReopenLogs, Tell, WriteStacks
from wsgid.master.facts import DispatcherForked, ReopenAsked, StacksFound, StopAsked, WorkerForked
from wsgid.master.lateness import DUMP_TIME, HUNG_TIME
from wsgid.master.plan import decide, next_moment
from wsgid.master.retirement import LEAVE_MARGIN
from wsgid.master.starting import CALL_TIME, TELL_AFTER
from wsgid.master.state import Settings
from wsgid.posts import DUMP_SIGNAL

HUNG = Hung(11, "GET /slow (id 7, 3.01 s in its hands)")
HANGS: list[Chapter] = [
    *UP,
    (5.0, [HUNG], [Kill(11, DUMP_SIGNAL), ForkWorker()]),
    (5.0, [WorkerForked(13)], []),
]
LATE = 0.5 + START
RESPAWNED: list[Chapter] = [
    *UP,
    (5.0, [killed(11)], [told(killed(11)), ForkWorker()]),
    (5.0, [WorkerForked(13)], []),
]

HISTORIES: dict[str, list[Chapter]] = {
    "a hung worker has some time for its other requests": [
        *HANGS,
        (5.0 + DUMP_TIME, [], [WriteStacks(11)]),
        (6.0, [WorkerReady(13)], []),
        (5.0 + HUNG_TIME, [], [Kill(11, SIGKILL)]),
        (11.0, [killed(11)], [told(killed(11), cause=Cause.TIMEOUT)]),
    ],
    "one is killed by hand": [
        *UP,
        (5.0, [Hung(11, "GET /x", by_hand=True), Spent(11)], [Kill(11, DUMP_SIGNAL), ForkWorker()]),
        (5.0, [WorkerForked(13)], []),
        (5.0 + DUMP_TIME, [], [WriteStacks(11), Kill(11, SIGKILL)]),
        (6.0, [killed(11)], [told(killed(11), cause=Cause.KILLED)]),
    ],
    "it has nothing else in hand": [
        *HANGS,
        (5.0 + DUMP_TIME, [], [WriteStacks(11)]),
        (7.0, [Spent(11)], [Kill(11, SIGKILL)]),
    ],
    "nothing from the first: it still writes its stacks": [
        *UP,
        (5.0, [HUNG, Spent(11)], [Kill(11, DUMP_SIGNAL), ForkWorker()]),
        (5.0, [WorkerForked(13)], []),
        (5.0 + DUMP_TIME, [], [WriteStacks(11), Kill(11, SIGKILL)]),
    ],
    "where a thread is can be asked without harm": [
        *UP,
        (5.0, [StackWanted(11, 1)], [Kill(11, DUMP_SIGNAL)]),
        (5.1, [StackWanted(11, 2), StacksFound(11)], []),
        (5.0 + DUMP_TIME, [], [WriteStacks(11, (1, 2), for_trace=True)]),
        (6.0, [StackWanted(99, 1)], []),
        (7.0, [StackWanted(11, 1)], [Kill(11, DUMP_SIGNAL)]),
        (7.0 + DUMP_TIME, [], [WriteStacks(11, (1,), for_trace=True)]),
        (60.0, [], []),
    ],
    "where a thread is of a worker that hangs": [
        *HANGS,
        (5.1, [StackWanted(11, 1)], []),
        (5.0 + DUMP_TIME, [], [WriteStacks(11, (1,))]),
    ],
    "all hang": [
        *UP,
        (
            5.0,
            [HUNG, Hung(12, "GET /slow")],
            [Kill(11, DUMP_SIGNAL), Kill(12, DUMP_SIGNAL), ForkWorker(), ForkWorker()],
        ),
        (5.0, [WorkerForked(13), WorkerForked(14)], []),
        (5.0 + DUMP_TIME, [], [WriteStacks(11), WriteStacks(12)]),
    ],
    "dead before its stacks are due": [
        *HANGS,
        (5.2, [killed(11)], [told(killed(11), cause=Cause.TIMEOUT)]),
        (5.0 + DUMP_TIME, [], []),
    ],
    "it is asked for its stacks by somebody": [
        *UP,
        (5.0, [StacksFound(11)], []),
        (5.25, [StacksFound(11)], []),
        (5.0 + DUMP_TIME, [], [WriteStacks(11)]),
        (6.0, [], []),
        (7.0, [StacksFound(11)], []),
        (7.0 + DUMP_TIME, [], [WriteStacks(11)]),
    ],
    "its stacks are found before they are due": [
        *HANGS,
        (5.25, [StacksFound(11)], []),
        (5.0 + DUMP_TIME, [], [WriteStacks(11)]),
        (6.0, [], []),
    ],
    "those of a dispatcher are written at its death": [*UP, (5.0, [StacksFound(10)], []), (6.0, [], [])],
    "it hangs more than once": [
        *HANGS,
        (6.0, [HUNG], [WriteStacks(11)]),
        (5.0 + HUNG_TIME, [], [Kill(11, SIGKILL)]),
        (11.0, [HUNG, Spent(11)], []),
    ],
    "it hangs while it leaves": [
        *UP,
        (5.0, [WornOut(11, "served")], [ForkWorker()]),
        (5.0, [WorkerForked(13)], []),
        (6.0, [WorkerReady(13)], [Tell(Retire(11))]),
        (7.0, [HUNG], [Kill(11, DUMP_SIGNAL)]),
        (7.0 + DUMP_TIME, [], [WriteStacks(11)]),
        (7.0 + HUNG_TIME, [], [Kill(11, SIGKILL)]),
    ],
    "a new dispatcher must not give it requests": [
        *HANGS,
        (5.0 + DUMP_TIME, [], [WriteStacks(11)]),
        (6.0, [killed(10)], [ForkDispatcher()]),
        (6.0, [DispatcherForked(20)], []),
        (7.0, [LISTENING], [Tell(Retire(11))]),
        (5.0 + HUNG_TIME, [], [Kill(11, SIGKILL)]),
    ],
    "it hangs before all of its threads have called": [
        *RESPAWNED,
        (6.0, [Hung(13, "GET /slow")], [Kill(13, DUMP_SIGNAL), ForkWorker()]),
        (6.0, [WorkerForked(14)], []),
        (6.0 + DUMP_TIME, [], [WriteStacks(13)]),
        (7.0, [WorkerReady(13), ReopenAsked()], [ReopenLogs(), *(Kill(pid, SIGUSR1) for pid in (12, 13, 10))]),
    ],
    "it is dead already": [*UP, (5.0, [Hung(99, "GET /"), Spent(99), Spent(11)], [])],
    "during the stop it is not replaced": [
        *UP,
        (5.0, [StopAsked("SIGTERM")], [Tell(Drain(GRACE))]),
        (6.0, [HUNG], [Kill(11, DUMP_SIGNAL)]),
        (7.0, [Spent(11)], [WriteStacks(11), Kill(11, SIGKILL)]),
    ],
    "a start that hangs": [
        *FORKED,
        (1.0, [WorkerReady(11)], []),
        (LATE, [], [Kill(12, DUMP_SIGNAL), Tell(Retire(12))]),
        (
            LATE + DUMP_TIME,
            [],
            [WriteStacks(12), Kill(12, SIGKILL), Kill(11, SIGTERM), Kill(12, SIGTERM), Tell(Exit())],
        ),
        (LATE + 1, [killed(11), killed(12)], []),
        (
            LATE + 2,
            [killed(10)],
            [
                Finish(
                    1,
                    "worker 12 was not ready within --start-timeout (60 s); where it was then is in "
                    "/app/logs/wsgid.log",
                )
            ],
        ),
    ],
    "ready too late is too late": [
        *RESPAWNED,
        (5.0 + START, [], [Kill(13, DUMP_SIGNAL), Tell(Retire(13))]),
        (5.1 + START, [WorkerReady(13), WorkerLeaving(13), Hung(13, "GET /"), Spent(13)], []),
        (5.0 + START + DUMP_TIME, [], [WriteStacks(13), Kill(13, SIGKILL)]),
        (6.0 + START, [killed(13)], [told(killed(13), cause=Cause.START), ForkWorker()]),
    ],
    "dead of it before it is killed": [
        *RESPAWNED,
        (5.0 + START, [], [Kill(13, DUMP_SIGNAL), Tell(Retire(13))]),
        (5.1 + START, [killed(13)], [told(killed(13), cause=Cause.START)]),
        (5.2 + START, [], [ForkWorker()]),
    ],
    "stuck in the kernel: it is not waited for": [
        *RESPAWNED,
        (5.0 + START, [], [Kill(13, DUMP_SIGNAL), Tell(Retire(13))]),
        (5.0 + START + DUMP_TIME, [], [WriteStacks(13), Kill(13, SIGKILL)]),
        (5.2 + START + DUMP_TIME, [], [ForkWorker()]),
    ],
    "without a dispatcher nobody can say that it is ready": [
        *RESPAWNED,
        (6.0, [killed(10)], [ForkDispatcher()]),
        (6.0, [DispatcherForked(20)], []),
        (5.0 + START, [], []),
        (5.5 + START, [LISTENING], []),
        (5.5 + START + CALL_TIME, [], [Kill(13, DUMP_SIGNAL), Tell(Retire(13))]),
    ],
}


# A dispatcher dies while a request is in a worker's hands: no other knows of it.
TAKEN_OVER: list[Chapter] = [
    *UP,
    (5.0, [killed(10)], [ForkDispatcher()]),
    (5.0, [DispatcherForked(20)], []),
    (6.0, [LISTENING], []),
    (6.5, [WorkerReady(12)], []),
]
TIMED: dict[str, list[Chapter]] = {
    "one that does not call the new dispatcher hangs": [
        *TAKEN_OVER,
        (5.9 + TIMEOUT, [], []),
        (6.0 + TIMEOUT, [], [Kill(11, DUMP_SIGNAL), Tell(Retire(11)), ForkWorker()]),
        (6.0 + TIMEOUT, [WorkerForked(13)], []),
        (6.0 + TIMEOUT + DUMP_TIME, [], [WriteStacks(11)]),
        (6.0 + TIMEOUT + HUNG_TIME, [], [Kill(11, SIGKILL)]),
        (13.0 + TIMEOUT, [killed(11)], [told(killed(11), cause=Cause.TIMEOUT)]),
    ],
    "one that calls late is well": [
        *TAKEN_OVER,
        (5.9 + TIMEOUT, [WorkerReady(11)], []),
        (6.0 + TIMEOUT, [], []),
    ],
    "one may call before it is heard that the dispatcher listens": [
        *TAKEN_OVER[:-2],
        (5.5, [WorkerReady(11), WorkerReady(12), LISTENING], []),
        (6.0 + TIMEOUT, [], []),
    ],
    "who does not live any more need not call": [
        *TAKEN_OVER,
        (7.0, [killed(11)], [told(killed(11)), ForkWorker()]),
        (7.0, [WorkerForked(13)], []),
        (8.0, [WorkerReady(13)], []),
        (6.0 + TIMEOUT, [], []),
    ],
    "nobody can call while there is no dispatcher": [
        *TAKEN_OVER,
        (7.0, [killed(20)], [ForkDispatcher()]),
        (7.0, [DispatcherForked(21)], []),
        (8.0 + TIMEOUT, [], []),
        (9.0 + TIMEOUT, [LISTENING], []),
        (9.5 + TIMEOUT, [WorkerReady(12)], []),
        (9.0 + 2 * TIMEOUT, [], [Kill(11, DUMP_SIGNAL), Tell(Retire(11)), ForkWorker()]),
    ],
    "it leaves meanwhile, and has the time for that": [
        *TAKEN_OVER,
        (7.0, [WornOut(11, "served")], [ForkWorker()]),
        (7.0, [WorkerForked(13)], []),
        (8.0, [WorkerReady(13)], [Tell(Retire(11))]),
        (6.0 + TIMEOUT, [], []),
        (8.0 + GRACE + LEAVE_MARGIN, [], [Kill(11, SIGKILL)]),
    ],
}
SHORT = replace(TWO_TIMED, timeout=0.5)


@pytest.mark.parametrize("name", TIMED)
def test_history_of_a_dispatchers_death(name: str) -> None:
    tell(TIMED[name], TWO_TIMED)


def test_a_short_time_limit_is_none_for_calling() -> None:
    tell([*TAKEN_OVER, (6.0 + CALL_TIME - 0.1, [], []), (6.0 + CALL_TIME - 0.1, [WorkerReady(11)], [])], SHORT)
    tell([*TAKEN_OVER, (6.0 + CALL_TIME, [], [Kill(11, DUMP_SIGNAL), Tell(Retire(11)), ForkWorker()])], SHORT)


@pytest.mark.parametrize(
    ("settings", "at", "line"),
    [
        (
            TWO,
            6.0 + TELL_AFTER,
            Log(
                logging.WARNING,
                "worker 11 still is at a request of the dispatcher that died; as there is no --timeout, it may stay so "
                "for ever",
            ),
        ),
        (
            TWO_TIMED,
            6.0 + TIMEOUT,
            Log(
                logging.ERROR,
                "worker 11 hangs and will be replaced; its stacks follow. It still is at a request of the dispatcher "
                "that died, for longer than --timeout (20 s)",
            ),
        ),
    ],
)
def test_the_log_tells_of_a_request_that_has_lost_its_dispatcher(settings: Settings, at: float, line: Log) -> None:
    state, actions = tell(TAKEN_OVER, settings)
    assert next_moment(state) == pytest.approx(at)
    assert line not in actions
    state, actions = decide(state, [], at)
    assert line in actions
    assert line not in decide(state, [], at + 1)[1]


@pytest.mark.parametrize("name", HISTORIES)
def test_history(name: str) -> None:
    tell(HISTORIES[name])


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (
            "it has nothing else in hand",
            "worker 11 hangs and will be replaced; its stacks follow. GET /slow (id 7, 3.01 s in its hands)",
        ),
        (
            "one is killed by hand",
            "worker 11 has a request that is killed by hand, and will be replaced; its stacks follow. GET /x",
        ),
        (
            "ready too late is too late",
            "worker 13 was not ready within --start-timeout (60 s): its stacks follow, then it is killed",
        ),
        ("ready too late is too late", "worker 13 was not ready yet; the next one comes in 0.1 s"),
    ],
)
def test_the_log_has_it(name: str, line: str) -> None:
    assert Log(logging.ERROR, line) in lines(HISTORIES[name])


def test_how_long_to_wait() -> None:
    assert next_moment(tell(HANGS)[0]) == pytest.approx(5.0 + DUMP_TIME)
    assert next_moment(tell(HISTORIES["it has nothing else in hand"][:-1])[0]) == pytest.approx(5.0 + HUNG_TIME)
    assert next_moment(tell(RESPAWNED)[0]) == pytest.approx(5.0 + START)
    orphaned, _ = tell(HISTORIES["without a dispatcher nobody can say that it is ready"][:-3])
    assert next_moment(orphaned) == pytest.approx(6.0 + START), "when the dispatcher has to listen"

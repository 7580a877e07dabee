"""Dispatchers that say nothing, and those who watch the watchman."""

import logging
import math
from dataclasses import replace
from signal import SIGKILL

import pytest

from tests.unit.master.histories import (
    FORKED,
    GRACE,
    START,
    TWO,
    UP,
    Chapter,
    killed,
    left,
    lines,
    tell,
)
from wsgid.channel.orders import HEARTBEAT, Alive, Drain, Drained, Exit
from wsgid.master.actions import Abort, FeedWatchdog, Finish, ForkDispatcher, Kill, Log, LookAt, Tell
from wsgid.master.facts import Died, DispatcherForked, Looked, StopAsked
from wsgid.master.plan import decide, next_moment
from wsgid.master.silence import LAST_WORDS, LOOK_AFTER, OVERSLEPT, SILENCE

ALIVE = Alive(0, 0)
RUNS, STOPPED = Looked(10, stopped=False), Looked(10, stopped=True)
ABORTED = [Abort(10)]
SAID: list[Chapter] = [*UP, (3.0, [ALIVE], [])]
LOOKED: list[Chapter] = [*SAID, (3.0 + LOOK_AFTER, [], [LookAt(10)])]


def silent_until(moment: float) -> list[Chapter]:
    """Looked at every time, and seen to run."""
    chapters, now = list(SAID), 3.0 + LOOK_AFTER
    while now < moment:
        chapters += [(now, [], [LookAt(10)]), (now, [RUNS], [])]
        now += HEARTBEAT
    return chapters


HISTORIES: dict[str, list[Chapter]] = {
    "one that is well": [*SAID, (3.25, [ALIVE], []), (3.5, [ALIVE], []), (3.75, [ALIVE], [])],
    "stopped": [
        *LOOKED,
        (3.5, [STOPPED], [*ABORTED]),
        (3.6, [killed(10)], [ForkDispatcher()]),
    ],
    "it does not die of it": [
        *LOOKED,
        (3.5, [STOPPED], [*ABORTED]),
        (3.6, [ALIVE, STOPPED], []),
        (3.5 + LAST_WORDS, [], [Kill(10, SIGKILL)]),
        (4.0, [], []),
        (4.1, [killed(10)], [ForkDispatcher()]),
    ],
    "runs, and has some time": [
        *silent_until(3.0 + SILENCE),
        (3.0 + SILENCE, [], [LookAt(10)]),
        (3.0 + SILENCE, [RUNS], [*ABORTED]),
    ],
    "runs, and speaks again": [
        *silent_until(2.0 + SILENCE),
        (2.0 + SILENCE, [ALIVE], []),
        (2.0 + SILENCE + LOOK_AFTER, [], [LookAt(10)]),
        (2.0 + SILENCE + LOOK_AFTER, [RUNS], []),
    ],
    "it had spoken when it was looked at": [*LOOKED, (3.5, [ALIVE, STOPPED], [])],
    "it was another that was looked at": [*LOOKED, (3.5, [Looked(99, stopped=True)], [])],
    "it was us who slept": [
        *SAID,
        (4.0 + OVERSLEPT, [], []),
        (4.0 + OVERSLEPT + LOOK_AFTER, [], [LookAt(10)]),
        (4.0 + OVERSLEPT + LOOK_AFTER, [STOPPED], [*ABORTED]),
    ],
    "one that never spoke is not missed": [*UP, (100.0, [], [])],
    "one that does not listen": [
        *UP,
        (5.0, [killed(10)], [ForkDispatcher()]),
        (5.0, [DispatcherForked(20)], []),
        (5.0 + START, [], [Abort(20)]),
        (5.0 + START + LAST_WORDS, [], [Kill(20, SIGKILL)]),
        (6.0 + START, [killed(20)], []),
        (6.1 + START, [], [ForkDispatcher()]),
    ],
    "one that does not listen at the start": [
        *FORKED[:2],
        (START, [], [*ABORTED]),
        (
            START + 0.1,
            [Died(10, -6, "killed by SIGABRT")],
            [Finish(1, "the dispatcher 10 died: killed by SIGABRT: more may be in /app/logs/wsgid.log")],
        ),
    ],
    "during the stop": [
        *SAID,
        (3.1, [StopAsked("SIGTERM")], [Tell(Drain(GRACE))]),
        (3.5, [], [LookAt(10)]),
        (3.5, [STOPPED], [*ABORTED]),
        (3.6, [killed(10)], [Kill(11, 15), Kill(12, 15)]),
    ],
    "one that ends by our order need not speak": [
        *SAID,
        (3.1, [StopAsked("SIGTERM")], [Tell(Drain(GRACE))]),
        (3.2, [Drained(0)], [Kill(11, 15), Kill(12, 15), Tell(Exit())]),
        (4.5, [], []),
    ],
    "of one that is gone nothing is heard": [
        *UP,
        (5.0, [killed(10)], [ForkDispatcher()]),
        (5.0, [ALIVE, STOPPED], [ForkDispatcher()]),
    ],
}


@pytest.mark.parametrize("name", HISTORIES)
def test_history(name: str) -> None:
    tell(HISTORIES[name])


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("stopped", "dispatcher 10 is stopped, and silent for 0.5 s: its stacks follow, then it is ended"),
        (
            "runs, and has some time",
            "dispatcher 10 runs, but has been silent for 5.0 s: its stacks follow, then it is ended",
        ),
        (
            "one that does not listen",
            "dispatcher 20 does not listen within --start-timeout (60 s): its stacks follow, then it is ended",
        ),
    ],
)
def test_the_log_has_it(name: str, line: str) -> None:
    assert Log(logging.ERROR, line) in lines(HISTORIES[name])


def test_how_long_to_wait() -> None:
    assert next_moment(tell(SAID)[0]) == pytest.approx(3.0 + LOOK_AFTER)
    assert next_moment(tell(LOOKED)[0]) == pytest.approx(3.0 + LOOK_AFTER + HEARTBEAT)
    assert next_moment(tell(HISTORIES["stopped"][:-1])[0]) == pytest.approx(3.5 + LAST_WORDS)


# The watchdog

WATCHED = replace(TWO, watchdog=2.0)
FED = FeedWatchdog()

FEEDING: dict[str, list[Chapter]] = {
    "while it serves": [*UP, (3.9, [ALIVE], []), (4.0, [], [FED]), (4.2, [ALIVE], []), (6.1, [], [FED])],
    "not while the dispatcher is missing": [
        *UP,
        (3.9, [killed(10)], [ForkDispatcher()]),
        (4.0, [DispatcherForked(20)], []),
        (6.0, [], []),
    ],
    "while it stops": [
        *UP,
        (3.9, [StopAsked("SIGTERM")], [Tell(Drain(GRACE))]),
        (4.0, [], [FED]),
        (4.5, [Drained(0)], [Kill(11, 15), Kill(12, 15), Tell(Exit())]),
        (6.0, [left(11), left(12)], []),
    ],
}


@pytest.mark.parametrize("name", FEEDING)
def test_the_watchdog_is_fed(name: str) -> None:
    tell(FEEDING[name], WATCHED)


def test_not_while_the_dispatcher_is_silent() -> None:
    fed = [now for now, actions in _told(6.0 + SILENCE) if FED in actions]
    assert fed
    assert all(now <= 3.0 + SILENCE for now in fed)
    assert next_moment(tell(UP, WATCHED)[0]) == pytest.approx(4.0)
    assert next_moment(tell(UP)[0]) == math.inf


def _told(until: float) -> list[tuple[float, list[object]]]:
    """What is done at each moment while the dispatcher, which runs, says nothing."""
    state, _ = tell(UP, WATCHED)
    state, _ = decide(state, [ALIVE], 3.0)
    now, done = 3.0, list[tuple[float, list[object]]]()
    while now < until:
        now += HEARTBEAT
        state, actions = decide(state, [], now)
        done.append((now, [*actions]))
    return done

"""Decisions, told as histories: at this time this has happened, so these things are to be done."""

import logging
import math
from dataclasses import replace
from signal import SIGKILL, SIGTERM, SIGUSR1

import msgspec
import pytest

from tests.unit.master.histories import (
    FORKED,
    GRACE,
    LISTENING,
    READY,
    START,
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
from wsgid.channel.orders import Cause, Drain, Drained, Exit, Listening, SizesWanted, WorkerDied, WorkerReady
from wsgid.master.actions import (
    AnnounceReady,
    Finish,
    ForkDispatcher,
    ForkWatcher,
    ForkWorker,
    Kill,
    Log,
    ReopenLogs,
    ReportDeath,
    Tell,
    TellServiceManager,
    TellSizes,
    Word,
)
from wsgid.master.deaths import FRUITFUL
from wsgid.master.facts import (
    Died,
    DispatcherForked,
    DispatcherForkFailed,
    MeaninglessSignal,
    ReopenAsked,
    StopAsked,
    WatcherForked,
    WatcherForkFailed,
    WorkerForked,
    WorkerForkFailed,
)
from wsgid.master.plan import begin, decide, next_moment
from wsgid.master.state import FIRST_DELAY, LONGEST_DELAY
from wsgid.master.stopping import DRAIN_MARGIN, GIVE_UP_AFTER, KILL_AFTER
from wsgid.posts import EXIT_LOAD_FAILED

HISTORIES: dict[str, list[Chapter]] = {
    "comes up, one step after the other": UP,
    "no action twice": [*UP, (3.0, [], []), (4.0, [], [])],
    "a dead worker is replaced at once": [
        *UP,
        (5.0, [killed(11)], [told(killed(11)), ForkWorker()]),
        (5.0, [WorkerForked(13)], []),
        (6.0, [WorkerReady(13)], []),
    ],
    "a worker that left as it was asked to by somebody is expected to": [
        *UP,
        (5.0, [left(12)], [told(left(12), expected=True, cause=Cause.EXIT), ForkWorker()]),
    ],
    "an orphan that fell to us is nobody's": [*UP, (5.0, [killed(99)], [])],
    "a word from a worker that is dead already changes nothing": [
        *UP,
        (5.0, [killed(11)], [told(killed(11)), ForkWorker()]),
        (5.0, [WorkerForked(13)], []),
        (5.1, [WorkerReady(11)], []),
    ],
    "nor does one from a dispatcher": [*UP, (5.0, [killed(10), LISTENING], [ForkDispatcher()])],
    "two deaths in one lot: no signal to who is dead": [
        *FORKED,
        (1.0, [killed(11), killed(12)], [told(killed(11)), Tell(Exit())]),
    ],
    "workers that die before they are ready come later and later": [
        *UP,
        (5.0, [killed(11)], [told(killed(11)), ForkWorker()]),
        (5.0, [WorkerForked(13)], []),
        (6.0, [killed(13)], [told(killed(13))]),
        (6.05, [], []),
        (6.1, [], [ForkWorker()]),
        (6.1, [WorkerForked(14)], []),
        (7.0, [killed(14)], [told(killed(14))]),
        (7.15, [], []),
        (7.2, [], [ForkWorker()]),
        # Once one is ready, that is forgotten.
        (7.2, [WorkerForked(15)], []),
        (8.0, [WorkerReady(15)], []),
        (9.0, [killed(15)], [told(killed(15)), ForkWorker()]),
        (9.0, [WorkerForked(16)], []),
        (10.0, [killed(16)], [told(killed(16))]),
        (10.1, [], [ForkWorker()]),
    ],
    "two that fail together are one failure": [
        *UP,
        (5.0, [killed(11), killed(12)], [told(killed(11)), told(killed(12)), ForkWorker(), ForkWorker()]),
        (5.0, [WorkerForked(13), WorkerForked(14)], []),
        (6.0, [killed(13)], [told(killed(13))]),
        (6.05, [killed(14)], [told(killed(14))]),
        (6.1, [], [ForkWorker(), ForkWorker()]),
    ],
    "no process for a worker: again a little later": [
        *UP,
        (5.0, [killed(11)], [told(killed(11)), ForkWorker()]),
        (5.0, [WorkerForkFailed("out of memory")], []),
        (5.1, [], [ForkWorker()]),
    ],
    "a dead dispatcher is replaced at once, workers stay": [
        *UP,
        (5.0, [killed(10)], [ForkDispatcher()]),
        (5.0, [DispatcherForked(20)], []),
        (5.5, [LISTENING], []),
        (6.0, [WorkerReady(11), WorkerReady(12)], []),
    ],
    "a dispatcher that dies before it listens comes later and later": [
        *UP,
        (5.0, [killed(10)], [ForkDispatcher()]),
        (5.0, [DispatcherForked(20)], []),
        (5.0, [killed(20)], []),
        (5.05, [], []),
        (5.1, [], [ForkDispatcher()]),
        (5.1, [DispatcherForkFailed("out of memory")], []),
        (5.25, [], []),
        (5.3, [], [ForkDispatcher()]),
        (5.3, [DispatcherForked(21)], []),
        (5.4, [LISTENING], []),
        (6.0, [killed(21)], [ForkDispatcher()]),
        # Once one has listened, that is forgotten.
        (6.0, [DispatcherForked(22)], []),
        (6.0, [killed(22)], []),
        (6.1, [], [ForkDispatcher()]),
    ],
    "a worker that dies while there is no dispatcher waits for one": [
        *UP,
        (5.0, [killed(10)], [ForkDispatcher()]),
        (5.0, [DispatcherForked(20)], []),
        (5.1, [killed(11)], []),
        (5.5, [LISTENING], [ForkWorker()]),
    ],
    "a worker that cannot load the application fails the start": [
        *FORKED,
        (
            1.0,
            [Died(11, EXIT_LOAD_FAILED, "exited with code 3", "no module named x")],
            [
                ReportDeath(WorkerDied(11, "exited with code 3", False, Cause.START)),
                Kill(12, SIGTERM),
                Tell(Exit()),
            ],
        ),
        (1.1, [killed(12)], []),
        (1.2, [left(10)], [Finish(1, "no module named x")]),
    ],
    "so does one that dies without a word": [
        *FORKED,
        (1.0, [WorkerReady(11)], []),
        (1.0, [killed(11)], [told(killed(11)), Kill(12, SIGTERM), Tell(Exit())]),
        (
            1.2,
            [left(12), left(10)],
            [Finish(1, "worker 11 died before it was ready: killed by SIGKILL; more may be in /app/logs/wsgid.log")],
        ),
    ],
    "and one that lost its report": [
        *FORKED,
        (
            1.0,
            [Died(11, EXIT_LOAD_FAILED, "exited with code 3")],
            [
                ReportDeath(WorkerDied(11, "exited with code 3", False, Cause.START)),
                Kill(12, SIGTERM),
                Tell(Exit()),
            ],
        ),
        (
            1.2,
            [left(12), left(10)],
            [Finish(1, "the application could not be loaded; the reason is in /app/logs/wsgid.log")],
        ),
    ],
    "and a dispatcher that dies": [
        (0.0, [], [ForkDispatcher()]),
        (0.0, [DispatcherForked(10)], []),
        (
            1.0,
            [Died(10, 70, "exited with code 70", "OSError: no such endpoint")],
            [Finish(1, "the dispatcher 10 died: exited with code 70: OSError: no such endpoint")],
        ),
    ],
    "and a fork that fails; a later one of the same lot is ended": [
        *FORKED[:3],
        (0.5, [WorkerForkFailed("out of memory"), WorkerForked(12)], [Tell(Exit()), Kill(12, SIGTERM)]),
        (0.6, [killed(12), left(10)], [Finish(1, "a worker could not be forked: out of memory")]),
    ],
    "and no process for the dispatcher": [
        (0.0, [], [ForkDispatcher()]),
        (
            0.0,
            [DispatcherForkFailed("out of memory")],
            [Finish(1, "the dispatcher could not be forked: out of memory")],
        ),
    ],
    "workers that are not replaced: the daemon ends with the last": [
        *UP,
        (5.0, [killed(11)], [told(killed(11))]),
        (6.0, [killed(12)], [told(killed(12)), Tell(Drain(GRACE))]),
        (6.1, [Drained(0)], [Tell(Exit())]),
        (6.2, [left(10)], [Finish(1, "")]),
    ],
    "a stop: first the requests, then the processes": [
        *UP,
        (5.0, [StopAsked("SIGTERM")], [Tell(Drain(GRACE))]),
        (9.0, [Drained(0)], [Kill(11, SIGTERM), Kill(12, SIGTERM), Tell(Exit())]),
        (9.1, [left(11), left(10)], []),
        (9.2, [left(12)], [Finish(0, "")]),
    ],
    "what dies while it drains is not replaced": [
        *UP,
        (5.0, [StopAsked("SIGTERM"), left(11)], [Tell(Drain(GRACE)), told(left(11), expected=True)]),
        (6.0, [left(12)], [told(left(12), expected=True)]),
        (7.0, [Drained(2)], [Tell(Exit())]),
        (7.1, [left(10)], [Finish(0, "")]),
    ],
    "a dispatcher that does not say that it is done": [
        *UP,
        (5.0, [StopAsked("SIGTERM")], [Tell(Drain(GRACE))]),
        (5.0 + GRACE, [], []),
        (5.0 + GRACE + DRAIN_MARGIN, [], [Kill(11, SIGTERM), Kill(12, SIGTERM), Tell(Exit())]),
    ],
    "a dispatcher that dies while it drains": [
        *UP,
        (5.0, [StopAsked("SIGTERM")], [Tell(Drain(GRACE))]),
        (6.0, [killed(10)], [Kill(11, SIGTERM), Kill(12, SIGTERM)]),
        (6.1, [left(11), left(12)], [Finish(0, "")]),
    ],
    "what does not end is killed, and what cannot be killed is left": [
        *UP,
        (5.0, [StopAsked("SIGTERM")], [Tell(Drain(GRACE))]),
        (6.0, [Drained(0)], [Kill(11, SIGTERM), Kill(12, SIGTERM), Tell(Exit())]),
        (7.0, [left(12)], []),
        (6.0 + KILL_AFTER, [], [Kill(11, SIGKILL), Kill(10, SIGKILL)]),
        (6.5 + KILL_AFTER, [killed(10)], []),
        (6.0 + KILL_AFTER + GIVE_UP_AFTER, [], [Finish(1, "")]),
    ],
    "a second signal: at once": [
        *UP,
        (5.0, [StopAsked("SIGINT")], [Tell(Drain(GRACE))]),
        (6.0, [StopAsked("SIGINT")], [Kill(11, SIGKILL), Kill(12, SIGKILL), Tell(Exit())]),
        (6.1, [killed(11), killed(12)], []),
        (6.2, [Drained(3)], []),
        (6.3, [left(10)], [Finish(0, "")]),
    ],
    "a third: the dispatcher too; a fourth has nothing to add": [
        *UP,
        (5.0, [StopAsked("SIGINT")], [Tell(Drain(GRACE))]),
        (6.0, [StopAsked("SIGINT")], [Kill(11, SIGKILL), Kill(12, SIGKILL), Tell(Exit())]),
        (6.1, [killed(11), killed(12), StopAsked("SIGINT")], [Kill(10, SIGKILL)]),
        (6.2, [StopAsked("SIGINT")], []),
        (6.3, [killed(10)], [Finish(0, "")]),
    ],
    "SIGQUIT: at once": [
        *UP,
        (5.0, [StopAsked("SIGQUIT", at_once=True)], [Kill(11, SIGKILL), Kill(12, SIGKILL), Tell(Exit())]),
        (5.1, [killed(11), killed(12), left(10)], [Finish(0, "")]),
    ],
    "a stop before anything is there": [
        (0.0, [StopAsked("SIGTERM")], [Finish(0, "stopped by SIGTERM before it was ready")]),
    ],
    "a stop while workers load the application: requests may be in the queue": [
        *FORKED,
        (1.0, [StopAsked("SIGINT")], [Tell(Drain(GRACE))]),
        (1.1, [WorkerReady(11), Drained(0)], [Kill(11, SIGTERM), Kill(12, SIGTERM), Tell(Exit())]),
        (1.2, [left(11), killed(12), left(10)], [Finish(0, "stopped by SIGINT before it was ready")]),
    ],
    "a stop while no worker is there": [
        *UP,
        (5.0, [killed(11), killed(12)], [told(killed(11)), told(killed(12)), ForkWorker(), ForkWorker()]),
        (5.0, [WorkerForkFailed("out of memory"), WorkerForkFailed("out of memory")], []),
        (5.05, [StopAsked("SIGTERM")], [Tell(Drain(GRACE))]),
        (5.1, [Drained(0)], [Tell(Exit())]),
        (5.2, [left(10)], [Finish(0, "")]),
    ],
    "a stop while the first serves and the second loads": [
        *FORKED,
        (1.0, [WorkerReady(11)], []),
        (1.5, [StopAsked("SIGINT")], [Tell(Drain(GRACE))]),
        (1.6, [WorkerReady(12)], []),
        (2.0, [Drained(0)], [Kill(11, SIGTERM), Kill(12, SIGTERM), Tell(Exit())]),
        (2.2, [left(11), left(12), left(10)], [Finish(0, "stopped by SIGINT before it was ready")]),
    ],
    "a stop while there is no dispatcher": [
        *UP,
        (5.0, [killed(10)], [ForkDispatcher()]),
        (5.0, [DispatcherForked(20)], []),
        (5.1, [StopAsked("SIGTERM")], [Kill(11, SIGTERM), Kill(12, SIGTERM), Tell(Exit())]),
        (5.2, [LISTENING], []),
        (5.3, [left(11), left(12), left(20)], [Finish(0, "")]),
    ],
    "the logs are reopened": [
        *UP,
        (5.0, [ReopenAsked()], [ReopenLogs(), Kill(11, SIGUSR1), Kill(12, SIGUSR1), Kill(10, SIGUSR1)]),
    ],
    "who does not know the signal yet is told later, once": [
        *FORKED,
        (1.0, [WorkerReady(11)], []),
        (1.5, [ReopenAsked()], [ReopenLogs(), Kill(11, SIGUSR1), Kill(10, SIGUSR1)]),
        (2.0, [WorkerReady(12)], [Kill(12, SIGUSR1), READY]),
        (3.0, [WorkerReady(12)], []),
    ],
    "so is a dispatcher": [
        *UP,
        (5.0, [killed(10)], [ForkDispatcher()]),
        (5.0, [DispatcherForked(20)], []),
        (5.1, [ReopenAsked()], [ReopenLogs(), Kill(11, SIGUSR1), Kill(12, SIGUSR1)]),
        (5.5, [LISTENING], [Kill(20, SIGUSR1)]),
        (5.6, [LISTENING], []),
    ],
    "a signal without a meaning": [*UP, (5.0, [MeaninglessSignal("SIGUSR2")], [])],
}

MORTAL = {"workers that are not replaced: the daemon ends with the last"}


WATCHED = replace(TWO, reload=True)
WATCHED_UP: list[Chapter] = [*UP, (2.0, [], [ForkWatcher()]), (2.0, [WatcherForked(30)], [])]

WITH_A_WATCHER: dict[str, list[Chapter]] = {
    "one is enough": [*WATCHED_UP, (3.0, [], [])],
    "it dies again and again": [
        *WATCHED_UP,
        (3.0, [killed(30)], []),
        (3.1, [], [ForkWatcher()]),
        (3.1, [WatcherForkFailed("no memory")], []),
        (3.35, [], [ForkWatcher()]),
        (3.35, [WatcherForked(31)], []),
        (3.4, [killed(31)], []),
        (3.7, [], []),
        (3.9, [], [ForkWatcher()]),
        # One that has lived for a while is no failure to start.
        (3.9, [WatcherForked(32)], []),
        (4.0 + FRUITFUL, [killed(32)], []),
        (4.2 + FRUITFUL, [], [ForkWatcher()]),
    ],
    "it ends with the others": [
        *WATCHED_UP,
        (5.0, [StopAsked("SIGTERM")], [Tell(Drain(GRACE))]),
        (6.0, [Drained(0)], [Kill(11, SIGTERM), Kill(12, SIGTERM), Kill(30, SIGTERM), Tell(Exit())]),
        (6.1, [left(11), left(12), left(10)], []),
        (6.2, [Died(30, -15, "killed by SIGTERM")], [Finish(0, "")]),
    ],
    "and is not replaced then": [
        *WATCHED_UP,
        (5.0, [StopAsked("SIGTERM")], [Tell(Drain(GRACE))]),
        (5.5, [killed(30)], []),
        (6.0, [Drained(0)], [Kill(11, SIGTERM), Kill(12, SIGTERM), Tell(Exit())]),
    ],
}


@pytest.mark.parametrize("name", WITH_A_WATCHER)
def test_a_watcher(name: str) -> None:
    tell(WITH_A_WATCHER[name], WATCHED)


def test_the_log_tells_of_a_watcher() -> None:
    said = lines(WITH_A_WATCHER["it dies again and again"], WATCHED)
    assert Log(logging.ERROR, "watcher 30 died: killed by SIGKILL; the next one comes in 0.1 s") in said
    assert Log(logging.ERROR, "the watcher could not be forked: no memory") in said


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("comes up, one step after the other", []),
        ("a stop: first the requests, then the processes", ["stopping"]),
        ("SIGQUIT: at once", ["stopping"]),
        ("a stop before anything is there", ["stopped by SIGTERM before it was ready"]),
        ("and no process for the dispatcher", ["the dispatcher could not be forked: out of memory"]),
        ("a dispatcher that dies while it drains", ["stopping"]),
    ],
)
def test_the_service_manager_hears_of_the_end(name: str, words: list[str]) -> None:
    _, actions = tell(HISTORIES[name])
    heard = [each for each in actions if isinstance(each, TellServiceManager)]
    assert heard == [TellServiceManager(Word.STOPPING, each) for each in words]


@pytest.mark.parametrize("name", HISTORIES)
def test_history(name: str) -> None:
    tell(HISTORIES[name], TWO_MORTAL if name in MORTAL else TWO)


LOGGED: dict[str, tuple[list[Chapter], Log]] = {
    "ready": (UP, Log(logging.INFO, READY.text)),
    "a worker dies while no dispatcher is there to say so": (
        HISTORIES["a worker that dies while there is no dispatcher waits for one"],
        Log(
            logging.ERROR,
            "worker 11 died: killed by SIGKILL; there was no dispatcher to say which requests it held",
        ),
    ),
    "a worker leaves while no dispatcher is there to say so": (
        HISTORIES["a dispatcher that dies while it drains"],
        Log(logging.INFO, "worker 11 ended: left"),
    ),
    "the dispatcher dies": (
        HISTORIES["a dead dispatcher is replaced at once, workers stay"],
        Log(logging.ERROR, "dispatcher 10 died: killed by SIGKILL; a new one takes over"),
    ),
    "the dispatcher dies young": (
        HISTORIES["a dispatcher that dies before it listens comes later and later"],
        Log(logging.ERROR, "dispatcher 20 died: killed by SIGKILL; the next one comes in 0.1 s"),
    ),
    "a worker dies young": (
        HISTORIES["workers that die before they are ready come later and later"],
        Log(logging.ERROR, "worker 14 was not ready yet (failure 2 in a row); the next one comes in 0.2 s"),
    ),
    "where the dispatcher listens": (FORKED, Log(logging.INFO, "dispatcher 10 listens: http://127.0.0.1:8000")),
    "who is killed": (
        HISTORIES["what does not end is killed, and what cannot be killed is left"],
        Log(logging.WARNING, "worker 11 has not ended within 5 s: killing it"),
    ),
    "who cannot be killed": (
        HISTORIES["what does not end is killed, and what cannot be killed is left"],
        Log(logging.CRITICAL, "still there 5 s after SIGKILL, stuck in the kernel: worker 11"),
    ),
    "requests that were cut": (
        HISTORIES["what dies while it drains is not replaced"],
        Log(logging.WARNING, "2 unfinished requests were cut"),
    ),
    "a signal without a meaning": (
        HISTORIES["a signal without a meaning"],
        Log(logging.WARNING, "SIGUSR2 means nothing to wsgid: ignored"),
    ),
}


@pytest.mark.parametrize("what", LOGGED)
def test_the_log_has_it(what: str) -> None:
    chapters, line = LOGGED[what]
    assert line in lines(chapters)


def test_the_log_says_why_the_daemon_ends_with_its_last_worker() -> None:
    said = lines(HISTORIES["workers that are not replaced: the daemon ends with the last"], TWO_MORTAL)
    assert Log(logging.ERROR, "no worker is left and none will come (keep-alive is off): stopping") in said


def test_a_failed_start_is_one_line_in_the_log() -> None:
    state, _ = tell(FORKED)
    _, actions = decide(state, [Died(11, EXIT_LOAD_FAILED, "exited with code 3", "first\nsecond")], 1.0)
    assert Log(logging.ERROR, "the start failed: first") in actions


def test_every_address_has_its_line() -> None:
    one = replace(TWO, pid=7, workers=1)
    state, _ = decide(begin(one), [DispatcherForked(10)], 0.0)
    state, _ = decide(state, [Listening(["http://[::1]:80", "mongrel2 tcp://a:1 tcp://a:2"])], 0.0)
    state, _ = decide(state, [WorkerForked(11)], 0.0)
    _, actions = decide(state, [WorkerReady(11)], 0.0)
    text = "wsgid 7 serves http://[::1]:80 with 1 worker\nwsgid 7 serves mongrel2 tcp://a:1 tcp://a:2 with 1 worker"
    assert AnnounceReady(text) in actions


def test_without_an_address_it_is_ready_all_the_same() -> None:
    chapters: list[Chapter] = [*FORKED[:2], (0.5, [Listening([])], [ForkWorker(), ForkWorker()]), *FORKED[3:]]
    tell([*chapters, (1.0, [WorkerReady(11), WorkerReady(12)], [AnnounceReady("wsgid 1 is ready with 2 workers")])])


def test_the_wait_doubles_up_to_a_limit() -> None:
    state, _ = tell(UP)
    now, waits = 10.0, list[float]()
    for pid in range(12, 24):
        state, _ = decide(state, [killed(pid)], now)
        waits.append(max(0.0, next_moment(state) - now))
        now += 2 * LONGEST_DELAY
        state, _ = decide(state, [WorkerForked(pid + 1)], now)
    assert waits[:4] == pytest.approx([0.0, FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY])
    assert waits[-2:] == pytest.approx([LONGEST_DELAY, LONGEST_DELAY])


MOMENTS: dict[str, tuple[list[Chapter], float]] = {
    "at first: now": ([], -math.inf),
    "while the dispatcher opens its edges": (FORKED[:2], START),
    "while workers load": (FORKED, 0.5 + START),
    "while all is well": (UP, math.inf),
    "until the next worker": (
        HISTORIES["workers that die before they are ready come later and later"][:9],
        6.0 + FIRST_DELAY,
    ),
    "until the next dispatcher": (HISTORIES["a dispatcher that dies before it listens comes later and later"][:9], 5.1),
    "while a dispatcher is missing, workers cannot be forked": (
        HISTORIES["a worker that dies while there is no dispatcher waits for one"][:-1],
        5.0 + START,
    ),
    "until the grace is over": (
        HISTORIES["a stop: first the requests, then the processes"][:7],
        5.0 + GRACE + DRAIN_MARGIN,
    ),
    "until what is left is killed": (
        HISTORIES["a stop: first the requests, then the processes"][:8],
        9.0 + KILL_AFTER,
    ),
    "until we give up": (
        HISTORIES["what does not end is killed, and what cannot be killed is left"][:-2],
        6.0 + KILL_AFTER + GIVE_UP_AFTER,
    ),
    "never again": (HISTORIES["a stop: first the requests, then the processes"], math.inf),
}


@pytest.mark.parametrize("until", MOMENTS)
def test_how_long_to_wait(until: str) -> None:
    chapters, moment = MOMENTS[until]
    state, _ = tell(chapters)
    assert next_moment(state) == pytest.approx(moment)


@pytest.mark.parametrize(
    ("death", "cause"),
    [
        (killed(11), Cause.SIGNAL),
        (msgspec.structs.replace(killed(11), for_memory=True), Cause.MEMORY),
        (Died(11, 1, "exited with code 1"), Cause.EXIT),
        (Died(11, 0, "left"), Cause.EXIT),
    ],
)
def test_of_what_a_worker_that_serves_has_died(death: Died, cause: Cause) -> None:
    state, _ = tell(UP)
    [told] = [each for each in decide(state, [death], 3.0)[1] if isinstance(each, ReportDeath)]
    assert told.death.cause is cause


def test_the_dispatcher_asks_for_sizes() -> None:
    state, _ = tell(UP)
    assert decide(state, [SizesWanted()], 3.0)[1] == [TellSizes(10, (11, 12))]


def test_one_that_has_died_since_hears_none() -> None:
    state, _ = tell(UP)
    assert not [each for each in decide(state, [killed(10), SizesWanted()], 3.0)[1] if isinstance(each, TellSizes)]

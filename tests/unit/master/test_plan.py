"""Decisions, told as histories: at this time this has happened, so these things are to be done."""

import logging
import math
from collections.abc import Iterable
from signal import SIGKILL, SIGTERM

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from wsgid.channel.orders import Drain, Drained, Exit, Listening, WorkerDied, WorkerReady
from wsgid.master.actions import (
    Action,
    AnnounceReady,
    Deed,
    Finish,
    ForkDispatcher,
    ForkWorker,
    Kill,
    Log,
    ReportDeath,
    Tell,
)
from wsgid.master.facts import (
    Died,
    DispatcherForked,
    DispatcherForkFailed,
    Fact,
    MeaninglessSignal,
    StopAsked,
    WorkerForked,
    WorkerForkFailed,
)
from wsgid.master.plan import (
    DRAIN_MARGIN,
    GIVE_UP_AFTER,
    KILL_AFTER,
    begin,
    decide,
    next_moment,
)
from wsgid.master.state import FIRST_DELAY, LONGEST_DELAY, Phase, Settings, State
from wsgid.posts import EXIT_LOAD_FAILED

GRACE = 30.0
TWO = Settings(pid=1, workers=2, keep_alive=True, graceful_timeout=GRACE, log_file="/app/logs/wsgid.log")
TWO_MORTAL = Settings(pid=1, workers=2, keep_alive=False, graceful_timeout=GRACE, log_file="/app/logs/wsgid.log")

LISTENING = Listening(["http://127.0.0.1:8000"])
READY = AnnounceReady("wsgid 1 serves http://127.0.0.1:8000 with 2 workers")

Chapter = tuple[float, list[Fact], list[Action]]
"""A time, what has happened, and what is to be done about it, leaving out lines for the log."""

FORKED: list[Chapter] = [
    (0.0, [], [ForkDispatcher()]),
    (0.0, [DispatcherForked(10)], []),
    (0.5, [LISTENING], [ForkWorker(), ForkWorker()]),
    (0.5, [WorkerForked(11), WorkerForked(12)], []),
]
UP: list[Chapter] = [*FORKED, (1.0, [WorkerReady(11)], []), (2.0, [WorkerReady(12)], [READY])]


def killed(pid: int) -> Died:
    return Died(pid, -9, "killed by SIGKILL")


def left(pid: int) -> Died:
    return Died(pid, 0, "left")


def told(death: Died, *, expected: bool = False) -> ReportDeath:
    return ReportDeath(WorkerDied(death.pid, death.how, expected))


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
        (5.0, [left(12)], [told(left(12), expected=True), ForkWorker()]),
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
                ReportDeath(WorkerDied(11, "exited with code 3", expected=False)),
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
                ReportDeath(WorkerDied(11, "exited with code 3", expected=False)),
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
        (6.0, [killed(12)], [told(killed(12)), Tell(Exit())]),
        (6.1, [left(10)], [Finish(1, "")]),
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
    "a stop while workers load the application: nobody has a request": [
        *FORKED,
        (1.0, [StopAsked("SIGINT")], [Kill(11, SIGTERM), Kill(12, SIGTERM), Tell(Exit())]),
        (1.1, [WorkerReady(11), WorkerReady(12)], []),
        (1.2, [left(11), killed(12), left(10)], [Finish(0, "stopped by SIGINT before it was ready")]),
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
    "a signal without a meaning": [*UP, (5.0, [MeaninglessSignal("SIGHUP")], [])],
}

MORTAL = {"workers that are not replaced: the daemon ends with the last"}


def tell(chapters: Iterable[Chapter], settings: Settings = TWO) -> tuple[State, list[Action]]:
    """Lives through a history, checking it; the state at its end, and all actions."""
    state, all_actions = begin(settings), list[Action]()
    for now, facts, expected in chapters:
        state, actions = decide(state, facts, now)
        assert [each for each in actions if not isinstance(each, Log)] == expected, f"at {now}"
        all_actions += actions
    return state, all_actions


def lines(chapters: Iterable[Chapter], settings: Settings = TWO) -> list[Log]:
    return [each for each in tell(chapters, settings)[1] if isinstance(each, Log)]


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
        Log(logging.ERROR, "worker 14 was not ready yet; the next one comes in 0.2 s"),
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
        Log(logging.WARNING, "SIGHUP means nothing to wsgid: ignored"),
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
    one = Settings(pid=7, workers=1, keep_alive=True, graceful_timeout=GRACE, log_file="/log")
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
    "while the dispatcher opens its edges": (FORKED[:2], math.inf),
    "while workers load": (FORKED, math.inf),
    "while all is well": (UP, math.inf),
    "until the next worker": (
        HISTORIES["workers that die before they are ready come later and later"][:9],
        6.0 + FIRST_DELAY,
    ),
    "until the next dispatcher": (HISTORIES["a dispatcher that dies before it listens comes later and later"][:9], 5.1),
    "while a dispatcher is missing, workers cannot be forked": (
        HISTORIES["a worker that dies while there is no dispatcher waits for one"][:-1],
        math.inf,
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


class AnyHistory(RuleBasedStateMachine):
    """Any deaths, words and signals at any time: the plan keeps its promises, and always comes to an end.

    The children live and say what they like; they do not even have to die of SIGKILL.
    """

    WORKERS = 3

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.state = begin(Settings(1, self.WORKERS, keep_alive=True, graceful_timeout=GRACE, log_file="/log"))
        self.workers: dict[int, bool] = {}
        """Those alive, by pid: ready?"""
        self.dispatchers: dict[int, bool] = {}
        """The same; one at most."""
        self.told_to_end: set[int] = set()
        self.killed: set[int] = set()
        self.pids = 100
        self.no_memory = False
        self.asked_to_stop = False
        self.start_failed = False
        self.announced = False
        self.finish: Finish | None = None
        self.happens()

    # The one who carries out the plan

    def happens(self, *facts: Fact) -> None:
        news = list(facts)
        while True:
            self.note(news)
            self.state, actions = decide(self.state, news, self.now)
            news = [fact for action in actions for fact in self.do(action)]
            if not news:
                return

    def note(self, news: list[Fact]) -> None:
        for fact in news:
            if isinstance(fact, StopAsked):
                self.asked_to_stop = True
            elif isinstance(fact, Died | WorkerForkFailed | DispatcherForkFailed) and not self.asked_to_stop:
                self.start_failed |= not self.announced

    def do(self, action: Action) -> list[Fact]:
        assert self.finish is None, "something to do after the end"
        match action:
            case Finish():
                self.finish = action
            case AnnounceReady():
                assert not self.announced
                assert list(self.dispatchers.values()) == [True]
                assert list(self.workers.values()) == [True] * self.WORKERS
                self.announced = True
            case Kill(pid, number):
                assert pid in self.workers or pid in self.dispatchers
                (self.killed if number == SIGKILL else self.told_to_end).add(pid)
            case Tell(Exit()):
                self.told_to_end |= self.dispatchers.keys()
            case ForkDispatcher() | ForkWorker():
                return [self.fork(action)]
        return []

    def fork(self, action: Deed) -> Fact:
        assert not self.asked_to_stop
        assert not (self.start_failed and not self.announced and self.state.phase is not Phase.STARTING)
        if self.no_memory:
            return (
                WorkerForkFailed("no memory") if isinstance(action, ForkWorker) else DispatcherForkFailed("no memory")
            )
        self.pids += 1
        if isinstance(action, ForkWorker):
            self.workers[self.pids] = False
            return WorkerForked(self.pids)
        self.dispatchers[self.pids] = False
        return DispatcherForked(self.pids)

    # The world

    @rule(seconds=st.floats(0, 40))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.happens()

    @precondition(lambda self: self.now < next_moment(self.state) < math.inf)
    @rule()
    def the_moment_comes(self) -> None:
        self.now = next_moment(self.state)
        self.happens()

    @precondition(lambda self: self.dispatchers and not self.finish)
    @rule()
    def the_dispatcher_listens(self) -> None:
        self.dispatchers = dict.fromkeys(self.dispatchers, True)
        self.happens(LISTENING)

    @precondition(lambda self: any(self.dispatchers.values()) and not self.finish)
    @rule(unfinished=st.integers(0, 3))
    def the_dispatcher_is_done(self, unfinished: int) -> None:
        self.happens(Drained(unfinished))

    @precondition(lambda self: any(self.dispatchers.values()) and self.workers and not self.finish)
    @rule(data=st.data())
    def a_worker_is_ready(self, data: st.DataObject) -> None:
        pid = data.draw(st.sampled_from(sorted(self.workers)))
        self.workers[pid] = True
        self.happens(WorkerReady(pid))

    @precondition(lambda self: any(self.dispatchers.values()) and self.workers and not self.finish)
    @rule()
    def all_workers_are_ready(self) -> None:
        self.workers = dict.fromkeys(self.workers, True)
        self.happens(*(WorkerReady(pid) for pid in self.workers))

    @precondition(lambda self: (self.workers or self.dispatchers) and not self.finish)
    @rule(data=st.data(), code=st.sampled_from([0, 1, EXIT_LOAD_FAILED, -9]))
    def some_die(self, data: st.DataObject, code: int) -> None:
        living = sorted([*self.workers, *self.dispatchers])
        dead = data.draw(st.lists(st.sampled_from(living), min_size=1, unique=True))
        for pid in dead:
            self.workers.pop(pid, None)
            self.dispatchers.pop(pid, None)
        self.happens(*(Died(pid, code, "somehow") for pid in dead))

    @precondition(lambda self: not self.finish)
    @rule(at_once=st.booleans())
    def stop(self, at_once: bool) -> None:
        self.happens(StopAsked("SIGTERM", at_once))

    @rule()
    def memory_comes_and_goes(self) -> None:
        self.no_memory = not self.no_memory

    # The promises

    @invariant()
    def never_too_many(self) -> None:
        assert len(self.workers) <= self.WORKERS
        assert len(self.dispatchers) <= 1

    @invariant()
    def what_is_missing_comes_soon(self) -> None:
        complete = self.dispatchers and len(self.workers) == self.WORKERS
        waiting = self.dispatchers and not all(self.dispatchers.values())
        if self.state.up and not complete and not waiting:
            assert next_moment(self.state) <= self.now + LONGEST_DELAY

    @invariant()
    def a_stop_or_a_failure_is_obeyed(self) -> None:
        if self.asked_to_stop or self.start_failed:
            assert not self.state.up
            assert self.finish or next_moment(self.state) <= self.now + GRACE + DRAIN_MARGIN

    @invariant()
    def all_have_been_told(self) -> None:
        if self.state.phase in (Phase.ENDING, Phase.KILLING):
            assert self.workers.keys() | self.dispatchers.keys() <= self.told_to_end | self.killed

    @invariant()
    def the_end_is_the_end(self) -> None:
        if self.finish:
            assert self.workers.keys() | self.dispatchers.keys() <= self.killed, "left, and not for being stuck"
            stuck = bool(self.workers or self.dispatchers)
            assert self.finish.exit_code == (1 if stuck or self.start_failed else 0)
            assert bool(self.finish.failure) == (not self.announced)

    def teardown(self) -> None:
        """Asked to stop, it ends, even when no child ever does."""
        if not self.finish:
            self.happens(StopAsked("SIGTERM"))
        latest = self.now + GRACE + DRAIN_MARGIN + KILL_AFTER + GIVE_UP_AFTER
        while not self.finish:
            self.now = next_moment(self.state)
            assert self.now <= latest
            self.happens()
        self.the_end_is_the_end()


AnyHistory.TestCase.settings = hypothesis_settings(max_examples=100, stateful_step_count=40, deadline=None)
test_any_history = AnyHistory.TestCase

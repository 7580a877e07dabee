"""Any deaths, words and signals at any time: the plan keeps its promises, and always comes to an end."""

import math
from dataclasses import dataclass, replace
from signal import SIGKILL, SIGTERM, SIGUSR1

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.unit.master.histories import GRACE, LISTENING, TIMEOUT, TWO
from wsgid.channel.orders import (
    Alive,
    Drained,
    Exit,
    Hung,
    RestartNews,
    RestartWanted,
    Retire,
    Spent,
    WorkerLeaving,
    WorkerReady,
    WornOut,
)
from wsgid.master.actions import (
    Abort,
    Action,
    AdoptOptions,
    AnnounceReady,
    DropOptions,
    Finish,
    ForkDispatcher,
    ForkWatcher,
    ForkWorker,
    Kill,
    LookAt,
    ReadOptions,
    Tell,
    Weigh,
    WriteStacks,
)
from wsgid.master.facts import (
    Died,
    DispatcherForked,
    DispatcherForkFailed,
    Fact,
    Looked,
    OptionsRead,
    OptionsWrong,
    ReopenAsked,
    RestartAsked,
    StacksFound,
    StopAsked,
    WatcherForked,
    WatcherForkFailed,
    Weighed,
    WorkerForked,
    WorkerForkFailed,
    WorkersAsked,
)
from wsgid.master.lateness import DUMP_TIME, HUNG_TIME
from wsgid.master.plan import begin, decide, next_moment
from wsgid.master.retirement import LEAVE_MARGIN
from wsgid.master.silence import LAST_WORDS, SILENCE
from wsgid.master.state import LONGEST_DELAY, Phase
from wsgid.master.stopping import DRAIN_MARGIN, GIVE_UP_AFTER, KILL_AFTER
from wsgid.posts import DUMP_SIGNAL, EXIT_LOAD_FAILED

LIMIT = 1000
"""Bytes: --max-rss."""

ENDS = [0, 1, EXIT_LOAD_FAILED, -9]


@dataclass
class Process:
    ready: bool = False
    going: bool = False
    """Retired, told to end, or found to hang: nobody counts on it."""
    dumped: bool = False
    stacks: float = math.inf
    """Since when they wait to be logged."""
    killed: bool = False


class AnyHistory(RuleBasedStateMachine):
    """The children live and say what they like; they do not even have to die of SIGKILL."""

    WORKERS = 3

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.settings = replace(TWO, workers=self.WORKERS, timeout=TIMEOUT, max_rss=LIMIT, reload=True, watchdog=10.0)
        self.state = begin(self.settings)
        self.workers: dict[int, Process] = {}
        """Those alive, by pid."""
        self.dispatchers: dict[int, Process] = {}
        """The same; one at most."""
        self.watchers: dict[int, Process] = {}
        """The same."""
        self.pids = 100
        self.no_memory = False
        self.dispatcher_stopped = False
        self.fat = False
        """The workers hold too much."""
        self.read: OptionsRead | OptionsWrong = OptionsRead(self.settings, ())
        """What comes when the options are read again."""
        self.tried: OptionsRead | None = None
        self.asked_to_stop = False
        self.start_failed = False
        self.announced = False
        self.client_waits = False
        """For the last word on a restart."""
        self.finish: Finish | None = None
        self.happens()

    # The one who carries out the plan

    def happens(self, *facts: Fact) -> None:
        news = list(facts)
        while True:
            self.note(news)
            self.state, actions = decide(self.state, news, self.now)
            self.start_failed |= not (self.announced or self.asked_to_stop or self.state.up)
            news = [fact for action in actions for fact in self.do(action)]
            if not news:
                return

    def note(self, news: list[Fact]) -> None:
        for fact in news:
            match fact:
                case StopAsked():
                    self.asked_to_stop = True
                case WorkerLeaving(pid) | Hung(pid):
                    # Of one that is late, and about to be killed, it changes nothing.
                    self.workers[pid].going |= not self.workers[pid].dumped
                case RestartWanted():
                    self.client_waits = True

    def do(self, action: Action) -> list[Fact]:
        assert self.finish is None, "something to do after the end"
        match action:
            case Finish():
                self.finish = action
            case AnnounceReady():
                assert not self.announced
                assert all(each.ready for each in self.dispatchers.values())
                assert all(each.ready for each in self.staff.values())
                assert len(self.staff) >= self.state.wanted
                self.announced = True
            case Abort(pid):
                self.dispatcher_stopped = False
                self.dispatchers[pid].going = True
            case Kill(pid, number):
                self.kill(self.living[pid], number)
            case WriteStacks(pid):
                assert self.workers[pid].stacks < math.inf, "nobody has asked for them"
                self.workers[pid].stacks = math.inf
            case Tell(Retire(pid)):
                self.retire(pid)
            case Tell(Exit()):
                for each in self.dispatchers.values():
                    each.going = True
            case Tell(RestartNews(over=over)) if self.dispatchers:
                assert self.client_waits, "news for nobody"
                self.client_waits = not over
            case AdoptOptions():
                assert self.tried is not None
                assert self.state.wanted == self.tried.settings.workers
                self.tried = None
            case DropOptions():
                self.tried = None
            case ReadOptions():
                self.tried = self.read if isinstance(self.read, OptionsRead) else self.tried
                return [self.read]
            case Weigh(pid):
                return [Weighed(pid, LIMIT + 1 if self.fat else LIMIT)]
            case LookAt(pid):
                return [Looked(pid, self.dispatcher_stopped)]
            case ForkDispatcher() | ForkWorker() | ForkWatcher():
                return [self.fork(action)]
        return []

    def kill(self, whom: Process, number: int) -> None:
        if number == DUMP_SIGNAL:
            whom.dumped = True
            whom.going |= whom.ready  # it hangs; one that loads is late, and is counted until it is killed
            whom.stacks = self.now
        elif number == SIGUSR1:
            assert whom.ready, "it would die of it"
        elif number == SIGKILL:
            whom.killed = whom.going = True
        else:
            assert number == SIGTERM
            whom.going = True

    def retire(self, pid: int) -> None:
        worker = self.workers.get(pid)
        if worker is None or worker.going or worker.dumped:
            return  # said again, to a new dispatcher; or it is late, and about to be killed
        worker.going = True
        assert sum(each.ready for each in self.staff.values()) >= self.state.wanted, "before its successor was ready"

    def fork(self, action: ForkDispatcher | ForkWorker | ForkWatcher) -> Fact:
        assert self.state.up
        self.pids += 1
        match action:
            case ForkWorker():
                if self.no_memory:
                    return WorkerForkFailed("no memory")
                self.workers[self.pids] = Process()
                assert len(self.staff) <= self.state.wanted + bool(self.state.outgoing)
                return WorkerForked(self.pids)
            case ForkDispatcher():
                if self.no_memory:
                    return DispatcherForkFailed("no memory")
                self.dispatchers[self.pids] = Process()
                return DispatcherForked(self.pids)
            case ForkWatcher():
                if self.no_memory:
                    return WatcherForkFailed("no memory")
                self.watchers[self.pids] = Process()
                return WatcherForked(self.pids)

    @property
    def living(self) -> dict[int, Process]:
        return self.workers | self.dispatchers | self.watchers

    @property
    def staff(self) -> dict[int, Process]:
        return {pid: each for pid, each in self.workers.items() if not each.going}

    @property
    def listening(self) -> bool:
        """Listens, and can speak."""
        return any(each.ready for each in self.dispatchers.values()) and not self.finish

    def some_worker(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(sorted(self.workers)))

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
        for each in self.dispatchers.values():
            each.ready = True
        self.happens(LISTENING)

    @precondition(lambda self: self.listening)
    @rule()
    def the_dispatcher_is_alive(self) -> None:
        self.happens(Alive(0, 0))

    @precondition(lambda self: self.listening)
    @rule()
    def the_dispatcher_is_stopped(self) -> None:
        self.dispatcher_stopped = True

    @precondition(lambda self: self.listening)
    @rule(unfinished=st.integers(0, 3))
    def the_dispatcher_is_done(self, unfinished: int) -> None:
        self.happens(Drained(unfinished))

    @precondition(lambda self: self.listening and self.workers)
    @rule(data=st.data())
    def a_worker_is_ready(self, data: st.DataObject) -> None:
        pid = self.some_worker(data)
        self.workers[pid].ready = True
        self.happens(WorkerReady(pid))

    @precondition(lambda self: self.listening and self.workers)
    @rule()
    def all_workers_are_ready(self) -> None:
        for worker in self.workers.values():
            worker.ready = True
        self.happens(*(WorkerReady(pid) for pid in self.workers))

    @precondition(lambda self: self.listening and self.staff)
    @rule(data=st.data())
    def a_worker_wants_to_leave(self, data: st.DataObject) -> None:
        pid = data.draw(st.sampled_from(sorted(self.staff)))
        self.workers[pid].ready = True
        self.happens(WorkerLeaving(pid))

    @precondition(lambda self: self.listening and self.workers)
    @rule(data=st.data())
    def a_worker_is_worn_out(self, data: st.DataObject) -> None:
        self.happens(WornOut(self.some_worker(data), "it has served enough"))

    @precondition(lambda self: self.listening and any(each.ready for each in self.staff.values()))
    @rule(data=st.data(), spent=st.booleans())
    def a_worker_hangs(self, data: st.DataObject, spent: bool) -> None:
        pid = data.draw(st.sampled_from([pid for pid, each in self.staff.items() if each.ready]))
        self.happens(Hung(pid, "GET /"), *([Spent(pid)] if spent else []))

    @precondition(lambda self: self.workers and not self.finish)
    @rule(data=st.data())
    def somebody_asks_a_worker_for_its_stacks(self, data: st.DataObject) -> None:
        pid = self.some_worker(data)
        self.workers[pid].stacks = min(self.workers[pid].stacks, self.now)
        self.happens(StacksFound(pid))

    @rule()
    def the_workers_grow_or_shrink(self) -> None:
        self.fat = not self.fat

    @precondition(lambda self: (self.workers or self.dispatchers) and not self.finish)
    @rule(data=st.data(), code=st.sampled_from(ENDS))
    def some_die(self, data: st.DataObject, code: int) -> None:
        dead = data.draw(st.lists(st.sampled_from(sorted(self.living)), min_size=1, unique=True))
        must_fail = not self.announced and any(not self.living[pid].going for pid in dead) and not self.asked_to_stop
        for pid in dead:
            self.client_waits &= pid not in self.dispatchers
            for role in (self.workers, self.dispatchers, self.watchers):
                role.pop(pid, None)
        self.happens(*(Died(pid, code, "somehow") for pid in dead))
        assert self.start_failed or not must_fail

    @precondition(lambda self: not self.finish)
    @rule()
    def a_signal_asks_for_a_restart(self) -> None:
        self.happens(RestartAsked("SIGHUP"))

    @precondition(lambda self: self.listening)
    @rule()
    def a_client_asks_for_a_restart(self) -> None:
        self.happens(RestartWanted())

    @rule(workers=st.integers(0, 5))
    def options_change(self, workers: int) -> None:
        changed = OptionsRead(replace(self.settings, workers=workers), ("--bind stays",))
        self.read = changed if workers else OptionsWrong(("--workers: 0 is not a whole number",))

    @precondition(lambda self: not self.finish)
    @rule(change=st.sampled_from([1, -1]))
    def one_more_or_fewer(self, change: int) -> None:
        self.happens(WorkersAsked("a signal", change))

    @precondition(lambda self: not self.finish)
    @rule()
    def the_logs_are_moved(self) -> None:
        self.happens(ReopenAsked())

    @precondition(lambda self: not self.finish)
    @rule(at_once=st.booleans())
    def stop(self, at_once: bool) -> None:
        self.happens(StopAsked("SIGTERM", at_once))

    @rule()
    def memory_comes_and_goes(self) -> None:
        self.no_memory = not self.no_memory

    # The promises

    @invariant()
    def one_leader(self) -> None:
        assert len(self.dispatchers) <= 1
        assert len(self.watchers) <= 1

    @invariant()
    def what_is_missing_comes_soon(self) -> None:
        if not self.state.up or (self.dispatchers and not self.state.listening):
            return
        if not self.dispatchers:
            until = self.state.dispatcher_backoff.until
        elif len(self.staff) < self.state.wanted:
            until = self.state.worker_backoff.until
        else:
            return
        assert next_moment(self.state) <= until <= self.now + LONGEST_DELAY

    @invariant()
    def it_sleeps_when_there_is_nothing_to_do(self) -> None:
        state, actions = decide(self.state, [], self.now)
        assert actions or self.finish or next_moment(state) > self.now

    @invariant()
    def nobody_waits_for_nothing(self) -> None:
        if self.client_waits and self.state.up and self.state.listening:
            assert self.state.restart or self.state.restart_after_start

    @invariant()
    def a_restart_has_its_end(self) -> None:
        """Once all that it waits for is there."""
        restart = self.state.restart
        if restart and self.state.listening and all(each.ready for each in self.staff.values()):
            assert len(self.staff) != self.state.wanted or self.state.outgoing or self.no_memory

    @invariant()
    def nobody_hangs_for_long(self) -> None:
        """The moment at which each is killed is never further away than it may be."""
        if self.state.phase not in (Phase.STARTING, Phase.SERVING, Phase.DRAINING):
            return
        bounds = max(GRACE + LEAVE_MARGIN, HUNG_TIME, DUMP_TIME)
        for pid, worker in self.workers.items():
            if worker.going and not worker.killed:
                assert next_moment(self.state) <= self.now + bounds, pid
        for dispatcher in self.dispatchers.values():
            if dispatcher.going and not dispatcher.killed and self.state.up:
                assert next_moment(self.state) <= self.now + max(LAST_WORDS, SILENCE)

    @invariant()
    def stacks_are_logged_soon(self) -> None:
        """Of those who live on; of the dead, and of all at the end, it is done at their death."""
        if self.state.phase not in (Phase.STARTING, Phase.SERVING, Phase.DRAINING):
            return
        for worker in self.workers.values():
            if worker.stacks < math.inf:
                assert self.now < worker.stacks + DUMP_TIME
                assert next_moment(self.state) <= worker.stacks + DUMP_TIME

    @invariant()
    def a_stop_or_a_failure_is_obeyed(self) -> None:
        if self.asked_to_stop or self.start_failed:
            assert not self.state.up
            assert self.finish or next_moment(self.state) <= self.now + GRACE + DRAIN_MARGIN

    @invariant()
    def all_have_been_told(self) -> None:
        if self.state.phase in (Phase.ENDING, Phase.KILLING):
            assert all(each.going for each in self.living.values())

    @invariant()
    def the_end_is_the_end(self) -> None:
        if self.finish:
            assert all(each.killed for each in self.living.values()), "left, and not for being stuck"
            stuck = bool(self.living)
            assert self.finish.exit_code == (1 if stuck or self.start_failed else 0)
            assert bool(self.finish.failure) == (not self.announced)
            assert not self.client_waits or stuck

    def teardown(self) -> None:
        """Asked to stop, it ends, even when no child ever does."""
        if not self.finish:
            self.happens(StopAsked("SIGTERM"))
        latest = self.now + GRACE + DRAIN_MARGIN + KILL_AFTER + GIVE_UP_AFTER
        while not self.finish:
            self.now = max(self.now, next_moment(self.state))
            assert self.now <= latest
            self.happens()
        self.the_end_is_the_end()


AnyHistory.TestCase.settings = hypothesis_settings(max_examples=100, stateful_step_count=50, deadline=None)
test_any_history = AnyHistory.TestCase

"""What the master does next: facts and a time in, actions out.

Every decision about processes is taken here and nothing is done here: no fork, no signal, no clock. `decide` takes the
facts in one by one, each of which may call for actions, then looks at what the moment calls for. Whoever carries out
the actions feeds what came of them (WorkerForked, OptionsRead...) into the next call before anything else, so that
nothing is asked for twice.

What is decided about each thing is in a file of its own: `starting`, `replacing`, `restarts`, `retirement`, `lateness`,
`silence`, `deaths`, `stopping`.
"""

import logging
import math
from collections.abc import Iterable
from dataclasses import replace
from signal import SIGUSR1

from wsgid.channel.orders import (
    Alive,
    Drained,
    FromDispatcher,
    Hung,
    Listening,
    RestartWanted,
    SizesWanted,
    Spent,
    StackWanted,
    WorkerLeaving,
    WorkerReady,
    WornOut,
)
from wsgid.master import deaths, lateness, replacing, restarts, retirement, silence, starting, stopping
from wsgid.master.actions import Abort, Action, ForkDispatcher, ForkWatcher, Kill, Log, ReopenLogs, TellSizes
from wsgid.master.facts import (
    Asked,
    Died,
    DispatcherForked,
    DispatcherForkFailed,
    Fact,
    Looked,
    MeaninglessSignal,
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
from wsgid.master.state import Phase, Settings, State, Watcher
from wsgid.master.steps import Step, children, in_turn


def begin(settings: Settings) -> State:
    return State(
        settings,
        Phase.STARTING,
        math.inf,
        settings.workers,
        feed=math.inf if settings.watchdog == math.inf else -math.inf,
    )


def decide(state: State, facts: Iterable[Fact], now: float) -> Step:
    """The state after these facts, and what is to be done, in this order. `now` is in seconds and never goes back."""
    state = silence.awake(state, now)
    actions: list[Action] = []
    for fact in facts:
        state, called_for = _take_in(state, fact, now)
        actions += called_for
    # What one death calls for may be a signal to a child whose own death is told right after it. That child has been
    # reaped: its pid may be anybody's by now.
    living = {pid for _, pid in children(state)}
    actions = [each for each in actions if not isinstance(each, Kill | Abort) or each.pid in living]
    state, called_for = _go_on(state, now)
    return state, actions + called_for


def next_moment(state: State) -> float:
    """When `decide` is to be called again though nothing happened; infinite when only a fact changes anything."""
    if state.phase in (Phase.ENDING, Phase.KILLING, Phase.ENDED):
        return state.deadline
    moments = [state.deadline, state.feed, *(lateness.moment(state, worker) for worker in state.workers)]
    dispatcher = state.dispatcher
    if dispatcher is not None:
        moments += [dispatcher.deadline, math.inf if dispatcher.leaving else dispatcher.look]
    elif state.up:
        moments.append(state.dispatcher_backoff.until)
    if state.up and state.listening and state.missing:
        moments.append(state.worker_backoff.until)
    if state.phase is Phase.SERVING:
        moments += [state.weigh, state.watcher_backoff.until if _watcher_missing(state) else math.inf]
    return min(moments)


def _take_in(state: State, fact: Fact, now: float) -> Step:
    match fact:
        case DispatcherForked():
            return starting.dispatcher_forked(state, fact, now), []
        case WorkerForked():
            return starting.worker_forked(state, fact, now)
        case WatcherForked(pid):
            return replace(state, watcher=Watcher(pid, now)), []
        case DispatcherForkFailed() | WorkerForkFailed() | WatcherForkFailed():
            return deaths.fork_failed(state, fact, now)
        case Died():
            return deaths.died(state, fact, now)
        case StopAsked() | RestartAsked() | WorkersAsked() | ReopenAsked() | MeaninglessSignal():
            return _asked(state, fact, now)
        case OptionsRead():
            return restarts.begin(state, fact, now)
        case OptionsWrong():
            return restarts.refuse(state, fact, now)
        case Weighed():
            return replacing.weighed(state, fact, now)
        case Looked():
            return silence.looked(state, fact, now)
        case StacksFound():
            return lateness.stacks_found(state, fact, now), []
    return _said(state, fact, now)


def _asked(state: State, fact: Asked, now: float) -> Step:
    match fact:
        case StopAsked():
            return stopping.stop(state, fact, now)
        case RestartAsked(by):
            return restarts.ask(state, by, client=False)
        case WorkersAsked():
            return replacing.more_or_fewer(state, fact)
        case ReopenAsked():
            return _reopen(state)
        case MeaninglessSignal(name):
            return state, [Log(logging.WARNING, f"{name} means nothing to wsgid: ignored")]


def _said(state: State, said: FromDispatcher, now: float) -> Step:
    match said:
        case Listening():
            return starting.listens(state, said, now)
        case Alive():
            return silence.alive(state, now), []
        case WorkerReady():
            return starting.worker_ready(state, said)
        case WorkerLeaving():
            return retirement.says_it_leaves(state, said, now)
        case WornOut():
            return replacing.worn_out(state, said)
        case Hung():
            return lateness.hung(state, said, now)
        case Spent():
            return lateness.spent(state, said, now)
        case StackWanted():
            return lateness.stack_wanted(state, said, now)
        case RestartWanted():
            return restarts.ask(state, "a client of the control socket", client=True)
        case SizesWanted():
            return state, _sizes(state)
        case Drained():
            return stopping.drained(state, said, now)


def _sizes(state: State) -> list[Action]:
    if state.dispatcher is None:
        return []
    return [TellSizes(state.dispatcher.pid, tuple(worker.pid for worker in state.workers))]


def _reopen(state: State) -> Step:
    """A child that is not ready may not know the signal yet, and would die of it: it is told when it is ready."""
    workers = tuple(each if each.has_served else replace(each, reopen=True) for each in state.workers)
    told: list[Action] = [Kill(each.pid, SIGUSR1) for each in state.workers if each.has_served]
    dispatcher = state.dispatcher
    if dispatcher is not None and dispatcher.ready:
        told.append(Kill(dispatcher.pid, SIGUSR1))
    elif dispatcher is not None:
        dispatcher = replace(dispatcher, reopen=True)
    return replace(state, workers=workers, dispatcher=dispatcher), [ReopenLogs(), *told]


def _go_on(state: State, now: float) -> Step:
    match state.phase:
        case Phase.STARTING:
            return in_turn(state, now, lateness.overdue, silence.listen, silence.feed, _lead, _begin_to_serve)
        case Phase.SERVING:
            parts = (lateness.overdue, silence.listen, _lead, _staff, _watch, replacing.weigh, silence.feed)
            return in_turn(state, now, *parts)
        case Phase.DRAINING:
            return in_turn(state, now, stopping.overdue, lateness.overdue, silence.listen, silence.feed)
        case Phase.ENDING | Phase.KILLING if not children(state):
            return stopping.finish(state)
    return stopping.overdue(state, now)


def _lead(state: State, now: float) -> Step:
    """There has to be a dispatcher."""
    if state.dispatcher is not None or now < state.dispatcher_backoff.until:
        return state, []
    return state, [ForkDispatcher()]


def _begin_to_serve(state: State, now: float) -> Step:
    return in_turn(state, now, replacing.fill_up, starting.serve_if_complete)


def _staff(state: State, now: float) -> Step:
    return in_turn(state, now, replacing.let_go, replacing.fill_up, restarts.end_if_done)


def _watch(state: State, now: float) -> Step:
    return state, [ForkWatcher()] if _watcher_missing(state) and now >= state.watcher_backoff.until else []


def _watcher_missing(state: State) -> bool:
    return state.settings.reload and state.watcher is None

"""What the master does next: facts and a time in, actions out.

Every decision about processes is taken here and nothing is done here: no fork, no signal, no clock. `decide` takes the
facts in one by one, each of which may call for actions, then looks at what the phase still lacks. Whoever carries out
the actions feeds what came of them (WorkerForked, WorkerForkFailed...) into the next call before anything else, so that
a process is never asked for twice.
"""

import logging
import math
from collections.abc import Iterable
from dataclasses import replace
from signal import SIGKILL, SIGTERM, Signals

from wsgid.channel.orders import Drain, Drained, Exit, Listening, WorkerDied, WorkerReady
from wsgid.master.actions import Action, AnnounceReady, Finish, ForkDispatcher, ForkWorker, Kill, Log, ReportDeath, Tell
from wsgid.master.actions import logged as logged_death
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
from wsgid.master.state import EXIT_FAILED, Backoff, Child, Phase, Settings, State
from wsgid.posts import EXIT_LOAD_FAILED

DRAIN_MARGIN = 5.0
"""Seconds that the dispatcher has, beyond the graceful timeout, to cut what is left, to get its last words to clients
and to tell us."""

KILL_AFTER = 5.0
"""Seconds from "end now" to SIGKILL: by then a worker has nothing to do but what the application does at exit. Half of
the 10 s after which docker kills the master itself, when nothing had to be drained."""

GIVE_UP_AFTER = 5.0
"""Seconds after SIGKILL. A process stuck in the kernel (a dead network file system) cannot be killed and must not keep
the master from ending."""

Step = tuple[State, list[Action]]


def begin(settings: Settings) -> State:
    return State(settings, Phase.STARTING, math.inf, settings.workers)


def decide(state: State, facts: Iterable[Fact], now: float) -> Step:
    """The state after these facts, and what is to be done, in this order. `now` is in seconds and never goes back."""
    actions: list[Action] = []
    for fact in facts:
        state, called_for = _take_in(state, fact, now)
        actions += called_for
    state, called_for = _go_on(state, now)
    # What one death calls for may be a signal to a child whose own death is told right after it. That child has been
    # reaped: its pid may be anybody's by now.
    living = {pid for _, pid in _children(state)}
    actions = [each for each in actions if not isinstance(each, Kill) or each.pid in living]
    return state, actions + called_for


def next_moment(state: State) -> float:
    """When `decide` is to be called again though nothing happened; infinite when only a fact changes anything."""
    if not state.up:
        return state.deadline
    if state.dispatcher is None:
        return state.dispatcher_backoff.until
    return state.worker_backoff.until if state.listening and state.missing else math.inf


def _take_in(state: State, fact: Fact, now: float) -> Step:
    match fact:
        case DispatcherForked(pid):
            return replace(state, dispatcher=Child(pid)), []
        case WorkerForked(pid):
            return _worker_forked(state, pid)
        case DispatcherForkFailed(reason):
            delayed = replace(state, dispatcher_backoff=state.dispatcher_backoff.failed(now))
            return _fork_failed(delayed, f"the dispatcher could not be forked: {reason}", now)
        case WorkerForkFailed(reason):
            delayed = replace(state, worker_backoff=state.worker_backoff.failed(now))
            return _fork_failed(delayed, f"a worker could not be forked: {reason}", now)
        case Died():
            return _died(state, fact, now)
        case StopAsked():
            return _stop(state, fact, now)
        case MeaninglessSignal(name):
            return state, [Log(logging.WARNING, f"{name} means nothing to wsgid: ignored")]
        case Listening():
            return _listens(state, fact)
        case WorkerReady():
            return _worker_ready(state, fact)
        case Drained():
            return _drained(state, fact, now)


def _go_on(state: State, now: float) -> Step:
    match state.phase:
        case Phase.STARTING | Phase.SERVING:
            return _be_complete(state, now)
        case Phase.DRAINING if now >= state.deadline:
            late = Log(logging.ERROR, "the dispatcher did not say in time that it is done: ending without it")
            return _after([late], _end(state, now, SIGTERM))
        case Phase.ENDING | Phase.KILLING if state.dispatcher is None and not state.workers:
            finished = replace(state, phase=Phase.ENDED, deadline=math.inf)
            return finished, [Finish(state.exit_code, state.failure)]
        case Phase.ENDING if now >= state.deadline:
            return _kill(state, now, f"has not ended within {KILL_AFTER:g} s")
        case Phase.KILLING if now >= state.deadline:
            return _give_up(state)
    return state, []


# Coming up, and staying complete


def _be_complete(state: State, now: float) -> Step:
    if state.dispatcher is None:
        return state, [ForkDispatcher()] if now >= state.dispatcher_backoff.until else []
    if not state.dispatcher.ready:
        return state, []
    if state.missing:
        # All that are missing, at once: each loads the application for itself, so one after the other gains nothing.
        return state, [ForkWorker()] * state.missing if now >= state.worker_backoff.until else []
    if state.phase is Phase.STARTING and all(worker.ready for worker in state.workers):
        return _serve(state)
    return state, []


def _serve(state: State) -> Step:
    text = _ready_text(state)
    told = [Log(logging.INFO, line) for line in text.splitlines()]
    return replace(state, phase=Phase.SERVING), [*told, AnnounceReady(text)]


def _ready_text(state: State) -> str:
    name, number = f"wsgid {state.settings.pid}", state.wanted
    workers = f"{number} worker" if number == 1 else f"{number} workers"
    if not state.addresses:
        return f"{name} is ready with {workers}"
    return "\n".join(f"{name} serves {address} with {workers}" for address in state.addresses)


def _worker_forked(state: State, pid: int) -> Step:
    if state.up:
        return replace(state, workers=(*state.workers, Child(pid))), []
    # The fork before it failed, and with it the start.
    return replace(state, workers=(*state.workers, Child(pid, leaving=True))), [Kill(pid, SIGTERM)]


def _listens(state: State, said: Listening) -> Step:
    if state.dispatcher is None:
        return state, []
    dispatcher = replace(state.dispatcher, ready=True)
    listens = replace(state, dispatcher=dispatcher, addresses=tuple(said.addresses), dispatcher_backoff=Backoff())
    return listens, [Log(logging.INFO, f"dispatcher {dispatcher.pid} listens: {', '.join(said.addresses)}")]


def _worker_ready(state: State, said: WorkerReady) -> Step:
    """Of a worker that is dead already it is an old tale: then nothing changes."""
    workers = tuple(replace(each, ready=True) if each.pid == said.pid else each for each in state.workers)
    if workers == state.workers:
        return state, []
    return replace(state, workers=workers, worker_backoff=Backoff()), []


def _fork_failed(state: State, text: str, now: float) -> Step:
    if state.phase is Phase.STARTING:
        return _fail_start(state, text, now)
    return state, [Log(logging.ERROR, text)]


def _fail_start(state: State, text: str, now: float) -> Step:
    """The log has the reason already where it is longer than a line: whoever met it wrote it there."""
    failed = replace(state, exit_code=EXIT_FAILED, failure=text)
    return _after([Log(logging.ERROR, f"the start failed: {text.splitlines()[0]}")], _end(failed, now, SIGTERM))


# Deaths


def _died(state: State, death: Died, now: float) -> Step:
    if state.dispatcher is not None and state.dispatcher.pid == death.pid:
        return _dispatcher_died(replace(state, dispatcher=None), state.dispatcher, death, now)
    for worker in state.workers:
        if worker.pid == death.pid:
            left = tuple(each for each in state.workers if each is not worker)
            return _after(_told(state, worker, death), _worker_died(replace(state, workers=left), worker, death, now))
    return state, []  # an orphan that fell to us as process 1 of a container


def _told(state: State, worker: Child, death: Died) -> list[Action]:
    """What is said about a worker's death, whatever follows from it."""
    died = WorkerDied(death.pid, death.how, expected=worker.leaving or death.code == 0)
    return [ReportDeath(died) if state.listening else logged_death(died)]


def _worker_died(state: State, worker: Child, death: Died, now: float) -> Step:
    match state.phase:
        case Phase.STARTING:
            return _fail_start(state, _start_failure(state, death), now)
        case Phase.SERVING if not state.settings.keep_alive:
            return _go_on_with_fewer(replace(state, wanted=state.wanted - 1), now)
        case Phase.SERVING if not worker.ready:
            backoff = state.worker_backoff.failed(now)
            later = _later(f"worker {death.pid} was not ready yet", backoff, now)
            return replace(state, worker_backoff=backoff), [later]
    return state, []


def _start_failure(state: State, death: Died) -> str:
    if death.report:
        return death.report
    if death.code == EXIT_LOAD_FAILED:
        return f"the application could not be loaded; the reason is in {state.settings.log_file}"
    return f"worker {death.pid} died before it was ready: {death.how}; more may be in {state.settings.log_file}"


def _go_on_with_fewer(state: State, now: float) -> Step:
    if state.wanted:
        return state, []
    why = Log(logging.ERROR, "no worker is left and none will come (keep-alive is off): stopping")
    return _after([why], _end(replace(state, exit_code=EXIT_FAILED), now, SIGTERM))


def _dispatcher_died(state: State, dispatcher: Child, death: Died, now: float) -> Step:
    text = f"dispatcher {death.pid} died: {death.how}"
    match state.phase:
        case Phase.STARTING:
            why = death.report or f"more may be in {state.settings.log_file}"
            return _fail_start(state, f"the {text}: {why}", now)
        case Phase.SERVING:
            return _replace_dispatcher(state, dispatcher, text, now)
        case Phase.DRAINING:
            return _after([Log(logging.ERROR, text)], _end(state, now, SIGTERM))
    level = logging.INFO if death.code == 0 else logging.WARNING
    return state, [Log(level, f"dispatcher {death.pid} ended: {death.how}")]


def _replace_dispatcher(state: State, dispatcher: Child, text: str, now: float) -> Step:
    """Listening sockets and workers outlive it: the workers call the new one by themselves."""
    if dispatcher.ready:
        return state, [Log(logging.ERROR, f"{text}; a new one takes over")]
    backoff = state.dispatcher_backoff.failed(now)
    return replace(state, dispatcher_backoff=backoff), [_later(text, backoff, now)]


def _later(text: str, backoff: Backoff, now: float) -> Log:
    return Log(logging.ERROR, f"{text}; the next one comes in {max(0.0, backoff.until - now):.1f} s")


# Stopping


def _stop(state: State, asked: StopAsked, now: float) -> Step:
    match state.phase:
        case Phase.STARTING | Phase.SERVING:
            return _stop_first(state, asked, now)
        case Phase.DRAINING:
            hurried = Log(logging.WARNING, f"{asked.by}: ending at once, requests in progress are cut")
            return _after([hurried], _end(state, now, SIGKILL))
        case Phase.ENDING:
            return _kill(state, now, f"has not ended and {asked.by} came")
    return state, []


def _stop_first(state: State, asked: StopAsked, now: float) -> Step:
    if state.phase is Phase.STARTING:
        state = replace(state, failure=f"stopped by {asked.by} before it was ready")
    if asked.at_once:
        return _after([Log(logging.WARNING, f"{asked.by}: ending at once")], _end(state, now, SIGKILL))
    stopping = Log(logging.INFO, f"{asked.by}: stopping")
    if not (state.listening and any(worker.ready for worker in state.workers)):
        return _after([stopping], _end(state, now, SIGTERM))  # no request is in anybody's hands
    seconds = state.settings.graceful_timeout
    draining = replace(state, phase=Phase.DRAINING, deadline=now + seconds + DRAIN_MARGIN)
    return draining, [stopping, Tell(Drain(seconds))]


def _drained(state: State, said: Drained, now: float) -> Step:
    if state.phase is not Phase.DRAINING:
        return state, []
    unfinished: list[Action] = []
    if said.unfinished:
        unfinished.append(Log(logging.WARNING, f"{said.unfinished} unfinished requests were cut"))
    return _after(unfinished, _end(state, now, SIGTERM))


def _end(state: State, now: float, how: Signals) -> Step:
    """Everybody is told to end: the dispatcher in words, for it may have answers to refuse and a log to write."""
    actions: list[Action] = [Kill(worker.pid, how) for worker in state.workers]
    dispatcher = state.dispatcher
    if dispatcher is not None:
        dispatcher = replace(dispatcher, leaving=True)
        actions.append(Tell(Exit()))
    ending = replace(
        state,
        phase=Phase.ENDING,
        deadline=now + KILL_AFTER,
        dispatcher=dispatcher,
        workers=tuple(replace(worker, leaving=True) for worker in state.workers),
    )
    return ending, actions


def _kill(state: State, now: float, why: str) -> Step:
    actions: list[Action] = []
    for name, pid in _children(state):
        actions += [Log(logging.WARNING, f"{name} {pid} {why}: killing it"), Kill(pid, SIGKILL)]
    return replace(state, phase=Phase.KILLING, deadline=now + GIVE_UP_AFTER), actions


def _give_up(state: State) -> Step:
    """The children notice by themselves that the master is gone, should they ever run again."""
    names = ", ".join(f"{name} {pid}" for name, pid in _children(state))
    stuck = Log(logging.CRITICAL, f"still there {GIVE_UP_AFTER:g} s after SIGKILL, stuck in the kernel: {names}")
    ended = replace(state, phase=Phase.ENDED, deadline=math.inf)
    return ended, [stuck, Finish(EXIT_FAILED, state.failure)]


def _children(state: State) -> list[tuple[str, int]]:
    """What each is, and its pid."""
    workers = [("worker", worker.pid) for worker in state.workers]
    return workers if state.dispatcher is None else [*workers, ("dispatcher", state.dispatcher.pid)]


def _after(first: Iterable[Action], step: Step) -> Step:
    """The same step, with these actions before its own."""
    state, actions = step
    return state, [*first, *actions]

"""Deaths of children, and forks that fail: what is said of them, and what follows."""

import logging
from dataclasses import replace
from signal import SIGTERM

from wsgid.channel.orders import Cause, WorkerDied
from wsgid.master import restarts, starting, stopping
from wsgid.master.actions import Action, Log, ReportDeath
from wsgid.master.actions import logged as logged_death
from wsgid.master.facts import Died, DispatcherForkFailed, WatcherForkFailed, WorkerForkFailed
from wsgid.master.state import EXIT_FAILED, Backoff, Dispatcher, Phase, Stage, State, Watcher, Worker
from wsgid.master.steps import Step, after
from wsgid.posts import EXIT_LOAD_FAILED

FRUITFUL = 30.0
"""Seconds of life, after which a watcher's death is not a failure to start."""


def died(state: State, death: Died, now: float) -> Step:
    if state.dispatcher is not None and state.dispatcher.pid == death.pid:
        return _dispatcher_died(state, state.dispatcher, death, now)
    if state.watcher is not None and state.watcher.pid == death.pid:
        return _watcher_died(state, state.watcher, death, now)
    worker = state.worker(death.pid)
    if worker is None:
        return state, []  # an orphan that fell to us as process 1 of a container
    left = tuple(each for each in state.workers if each is not worker)
    return after(_told(state, worker, death), _worker_died(replace(state, workers=left), worker, death, now))


def not_ready(state: State, worker: Worker, why: str, now: float) -> Step:
    """A worker is gone, or as good as gone, before it was ready."""
    if state.phase is Phase.STARTING:
        return starting.fail(state, why, now)
    if state.phase is not Phase.SERVING:
        return state, []
    state = replace(state, worker_backoff=state.worker_backoff.failed(now))
    if state.restart and worker.release == state.release:
        return restarts.fail(state, why, now)
    if not state.settings.keep_alive:
        return _end_with_the_last(state, now)
    return state, [_later(f"worker {worker.pid} was not ready yet", state.worker_backoff, now)]


def fork_failed(state: State, fact: DispatcherForkFailed | WorkerForkFailed | WatcherForkFailed, now: float) -> Step:
    match fact:
        case DispatcherForkFailed(reason):
            text = f"the dispatcher could not be forked: {reason}"
            state = replace(state, dispatcher_backoff=state.dispatcher_backoff.failed(now))
        case WorkerForkFailed(reason):
            text = f"a worker could not be forked: {reason}"
            state = replace(state, worker_backoff=state.worker_backoff.failed(now))
        case WatcherForkFailed(reason):
            state = replace(state, watcher_backoff=state.watcher_backoff.failed(now))
            return state, [Log(logging.ERROR, f"the watcher could not be forked: {reason}")]
    if state.phase is Phase.STARTING:
        return starting.fail(state, text, now)
    if state.restart and isinstance(fact, WorkerForkFailed):
        return restarts.fail(state, text, now)
    return state, [Log(logging.ERROR, text)]


# Workers


def _told(state: State, worker: Worker, death: Died) -> list[Action]:
    """What is said about a worker's death, whatever follows from it."""
    expected = worker.leaving or death.code == 0
    told = WorkerDied(death.pid, death.how, expected, _cause(state, worker, death))
    return [ReportDeath(told) if state.listening else logged_death(told)]


def _cause(state: State, worker: Worker, death: Died) -> Cause:
    """What was to be done to it does not count when something else was faster: one that leaves may be shot."""
    match worker.killed_in or worker.stage:
        case Stage.HUNG:
            return Cause.KILLED if worker.by_hand else Cause.TIMEOUT
        case Stage.LATE:
            return Cause.START
        case Stage.LEAVING if worker.stage is Stage.KILLED:
            return Cause.LATE
        case Stage.LEAVING if death.code in (0, -SIGTERM):
            return _why_it_left(state, worker)
        case _ if death.code == 0 and state.phase is not Phase.SERVING:
            return Cause.ASKED  # by the dispatcher, which drains
    if death.for_memory:
        return Cause.MEMORY
    if death.code < 0:
        return Cause.SIGNAL
    return Cause.EXIT if worker.has_served else Cause.START


def _why_it_left(state: State, worker: Worker) -> Cause:
    if worker.worn:
        return worker.worn_by
    return Cause.RESTART if worker.release < state.release and state.phase is Phase.SERVING else Cause.ASKED


def _worker_died(state: State, worker: Worker, death: Died, now: float) -> Step:
    if worker.counts and (state.phase is Phase.STARTING or not worker.ready):
        return not_ready(state, worker, _reason(state, worker, death), now)
    if state.phase is Phase.SERVING and not state.settings.keep_alive:
        return _end_with_the_last(state, now)
    return state, []


def _reason(state: State, worker: Worker, death: Died) -> str:
    if death.report:
        return death.report
    if death.code == EXIT_LOAD_FAILED:
        return f"the application could not be loaded; the reason is in {state.settings.log_file}"
    return f"worker {worker.pid} died before it was ready: {death.how}; more may be in {state.settings.log_file}"


def _end_with_the_last(state: State, now: float) -> Step:
    """Where the dead are not replaced. But the place of one that was being replaced anyway has been taken."""
    state = replace(state, wanted=min(state.wanted, len(state.staff)))
    if state.wanted or state.workers:
        return state, []
    why = Log(logging.ERROR, "no worker is left and none will come (keep-alive is off): stopping")
    return after([why], stopping.drain(replace(state, exit_code=EXIT_FAILED), now))


def _later(text: str, backoff: Backoff, now: float) -> Log:
    again = f" (failure {backoff.times} in a row)" if backoff.times > 1 else ""
    return Log(logging.ERROR, f"{text}{again}; the next one comes in {max(0.0, backoff.until - now):.1f} s")


# The dispatcher and the watcher


def _dispatcher_died(state: State, dispatcher: Dispatcher, death: Died, now: float) -> Step:
    # With it, whoever waited at its control socket has lost the connection.
    state = replace(state, dispatcher=None, client_waits=False)
    text = f"dispatcher {death.pid} died: {death.how}"
    match state.phase:
        case Phase.STARTING:
            why = death.report or f"more may be in {state.settings.log_file}"
            return starting.fail(state, f"the {text}: {why}", now)
        case Phase.SERVING:
            return _replace_dispatcher(state, dispatcher, text, now)
        case Phase.DRAINING:
            return after([Log(logging.ERROR, text)], stopping.end(state, now, SIGTERM))
    level = logging.INFO if death.code == 0 else logging.WARNING
    return state, [Log(level, f"dispatcher {death.pid} ended: {death.how}")]


def _replace_dispatcher(state: State, dispatcher: Dispatcher, text: str, now: float) -> Step:
    """Listening sockets and workers outlive it: the workers call the new one by themselves."""
    if dispatcher.ready:
        return state, [Log(logging.ERROR, f"{text}; a new one takes over")]
    backoff = state.dispatcher_backoff.failed(now)
    return replace(state, dispatcher_backoff=backoff), [_later(text, backoff, now)]


def _watcher_died(state: State, watcher: Watcher, death: Died, now: float) -> Step:
    state = replace(state, watcher=None)
    if state.phase is not Phase.SERVING:
        return state, []
    before = Backoff() if now - watcher.born > FRUITFUL else state.watcher_backoff
    backoff = before.failed(now)
    text = f"watcher {death.pid} died: {death.how}"
    return replace(state, watcher_backoff=backoff), [_later(text, backoff, now)]

"""From the first process to readiness, or to the reason why there is none."""

import logging
import math
from dataclasses import replace
from signal import SIGTERM, SIGUSR1

from wsgid.channel.orders import Listening, WorkerReady
from wsgid.master import restarts, stopping
from wsgid.master.actions import Action, AnnounceReady, Kill, Log, ReadOptions
from wsgid.master.facts import DispatcherForked, WorkerForked
from wsgid.master.retirement import retire_again
from wsgid.master.state import EXIT_FAILED, Backoff, Dispatcher, Phase, Stage, State, Worker
from wsgid.master.steps import Step, after

CALL_TIME = 5.0
"""Seconds that a worker has at least to call a new dispatcher: it may have been ready, with nobody to tell it to."""

TELL_AFTER = 30.0
"""Seconds without ``--timeout``, after which the log says that a worker has not called a new dispatcher. Ordinary
requests are over by then."""


def dispatcher_forked(state: State, fact: DispatcherForked, now: float) -> State:
    # Not only once it listens: a worker may have called before that has been heard.
    workers = tuple(_is_to_call(worker, state, now) if worker.ready else worker for worker in state.workers)
    dispatcher = Dispatcher(fact.pid, deadline=now + state.settings.start_timeout)
    return replace(state, dispatcher=dispatcher, workers=workers)


def worker_forked(state: State, fact: WorkerForked, now: float) -> Step:
    settings = state.restart.settings if state.restart else state.settings
    worker = Worker(fact.pid, state.release, deadline=now + settings.start_timeout)
    if state.up:
        return replace(state, workers=(*state.workers, worker)), []
    # The fork before it failed, and with it the start.
    unwanted = replace(worker, stage=Stage.LEAVING)
    return replace(state, workers=(*state.workers, unwanted)), [Kill(worker.pid, SIGTERM)]


def listens(state: State, said: Listening, now: float) -> Step:
    dispatcher = state.dispatcher
    if dispatcher is None or dispatcher.leaving:
        return state, []  # its last words
    listening = replace(
        state,
        dispatcher=replace(dispatcher, ready=True, reopen=False, deadline=math.inf),
        addresses=tuple(said.addresses),
        dispatcher_backoff=Backoff(),
        workers=tuple(_may_call(worker, state, now) for worker in state.workers),
    )
    told: list[Action] = [Log(logging.INFO, f"dispatcher {dispatcher.pid} listens: {', '.join(said.addresses)}")]
    if dispatcher.reopen:
        told.append(Kill(dispatcher.pid, SIGUSR1))
    return listening, [*told, *retire_again(state)]


def worker_ready(state: State, said: WorkerReady) -> Step:
    """Of a worker that is dead already it is an old tale: then nothing changes. A worker also says it to each new
    dispatcher."""
    worker = state.worker(said.pid)
    if worker is None or worker.stage not in (Stage.LOADING, Stage.READY):
        return state, []
    if worker.ready:
        return state.with_worker(replace(worker, call_by=math.inf)), []
    ready = replace(worker, stage=Stage.READY, has_served=True, deadline=math.inf, reopen=False)
    reopen: list[Action] = [Kill(worker.pid, SIGUSR1)] if worker.reopen else []
    state = replace(state.with_worker(ready), worker_backoff=Backoff())
    return after(reopen, restarts.adopt(state, ready))


def serve_if_complete(state: State, now: float) -> Step:
    if not state.listening or state.missing or not all(worker.ready for worker in state.staff):
        return state, []
    text = _ready_text(state)
    told = [Log(logging.INFO, line) for line in text.splitlines()]
    asked: list[Action] = [ReadOptions()] if state.restart_after_start else []
    serving = replace(
        state,
        phase=Phase.SERVING,
        restart_after_start=False,
        weigh=now if state.settings.max_rss else math.inf,
    )
    return serving, [*told, AnnounceReady(text), *asked]


def fail(state: State, text: str, now: float) -> Step:
    """The log has the reason already where it is longer than a line: whoever met it wrote it there."""
    failed = replace(state, exit_code=EXIT_FAILED, failure=text)
    told = Log(logging.ERROR, f"the start failed: {text.splitlines()[0]}")
    return after([told], stopping.end(failed, now, SIGTERM))


def _ready_text(state: State) -> str:
    name, number = f"wsgid {state.settings.pid}", state.wanted
    workers = f"{number} worker" if number == 1 else f"{number} workers"
    if not state.addresses:
        return f"{name} is ready with {workers}"
    return "\n".join(f"{name} serves {address} with {workers}" for address in state.addresses)


def _may_call(worker: Worker, state: State, now: float) -> Worker:
    if worker.stage is Stage.LOADING:
        return replace(worker, deadline=max(worker.deadline, now + CALL_TIME))
    return _is_to_call(worker, state, now) if worker.call_by < math.inf else worker


def _is_to_call(worker: Worker, state: State, now: float) -> Worker:
    """It may be at a request of a dispatcher that died. Nobody knows when that began, so it is given the full time."""
    timeout = state.settings.timeout
    return replace(worker, call_by=now + (max(timeout, CALL_TIME) if timeout else TELL_AFTER))

"""Workers that take too long: to load the application, to answer a request, to leave.

Before one is killed over something that hangs, it is asked for its stacks (`DUMP_SIGNAL`), so that the log tells where.
People may ask for them as well, with the same signal: that is noticed (`StacksFound`), and they are logged in the same
way. So may the dispatcher (`StackWanted`), when a worker cannot tell where it is.
"""

import logging
import math
from dataclasses import replace
from signal import SIGKILL

from wsgid.channel.orders import Hung, Retire, Spent, StackWanted
from wsgid.master import deaths
from wsgid.master.actions import Kill, Log, Tell, WriteStacks
from wsgid.master.facts import StacksFound
from wsgid.master.state import Stage, State, Worker
from wsgid.master.steps import Step, after
from wsgid.posts import DUMP_SIGNAL

DUMP_TIME = 0.5
"""Seconds for writing down the stacks. SIGKILL, sent right after another signal, would be faster."""

HUNG_TIME = 5.0
"""Seconds that a worker with a hung request has for its other requests."""


def hung(state: State, said: Hung, now: float) -> Step:
    """It does not count any more: a replacement comes at once."""
    worker = state.worker(said.pid)
    if worker is None or worker.stage not in (Stage.LOADING, Stage.READY, Stage.LEAVING):
        return state, []
    what = "has a request that is killed by hand, and" if said.by_hand else "hangs and"
    return _hangs(state, replace(worker, by_hand=said.by_hand), said.request, now, what)


def _hangs(state: State, worker: Worker, over: str, now: float, what: str = "hangs and") -> Step:
    text = f"worker {worker.pid} {what} will be replaced; its stacks follow. {over}"
    told = Log(logging.ERROR, text, worker.pid)
    # It may hang before all of its threads have called: then it has served all the same.
    dumped = replace(worker, stage=Stage.HUNG, has_served=True, stacks_due=now + DUMP_TIME, deadline=now + HUNG_TIME)
    return state.with_worker(dumped), [told, Kill(worker.pid, DUMP_SIGNAL)]


def spent(state: State, said: Spent, now: float) -> Step:
    worker = state.worker(said.pid)
    if worker is None or worker.stage is not Stage.HUNG:
        return state, []
    written = now if worker.stacks_due == math.inf else worker.stacks_due
    return state.with_worker(replace(worker, deadline=min(worker.deadline, written))), []


def stack_wanted(state: State, said: StackWanted, now: float) -> Step:
    worker = state.worker(said.pid)
    if worker is None:
        return state, []  # it is dead: the dispatcher will hear that
    asked = worker.stacks_due < math.inf
    worker = replace(worker, stacks_wanted=(*worker.stacks_wanted, said.thread))
    if asked:
        return state.with_worker(worker), []
    return state.with_worker(replace(worker, stacks_due=now + DUMP_TIME)), [Kill(worker.pid, DUMP_SIGNAL)]


def stacks_found(state: State, found: StacksFound, now: float) -> State:
    worker = state.worker(found.pid)
    if worker is None or worker.stacks_due < math.inf:
        return state
    return state.with_worker(replace(worker, stacks_due=now + DUMP_TIME))


def moment(state: State, worker: Worker) -> float:
    """When something is due of this worker."""
    return min(worker.stacks_due, deadline(state, worker), _call_by(state, worker))


def deadline(state: State, worker: Worker) -> float:
    """That of a worker that loads counts only while there is a dispatcher to which it could say that it is ready."""
    return worker.deadline if worker.stage is not Stage.LOADING or state.listening else math.inf


def _call_by(state: State, worker: Worker) -> float:
    """The same is true of one that is ready and has to call a new dispatcher."""
    return worker.call_by if worker.ready and state.listening else math.inf


def overdue(state: State, now: float) -> Step:
    """What is due because a worker has not become ready, not called, not left, not ended."""
    state, actions = _write_stacks(state, now)
    for worker in state.workers:
        if now >= deadline(state, worker):
            state, called_for = _overdue(state, worker, now)
            actions += called_for
        elif now >= _call_by(state, worker):
            state, called_for = _has_not_called(state, worker, now)
            actions += called_for
    return state, actions


def _write_stacks(state: State, now: float) -> Step:
    due = [worker for worker in state.workers if now >= worker.stacks_due]
    for worker in due:
        state = state.with_worker(replace(worker, stacks_due=math.inf, stacks_wanted=()))
    return state, [WriteStacks(each.pid, each.stacks_wanted, for_trace=_only_for_trace(each)) for each in due]


def _only_for_trace(worker: Worker) -> bool:
    return bool(worker.stacks_wanted) and worker.stage not in (Stage.HUNG, Stage.LATE)


def _overdue(state: State, worker: Worker, now: float) -> Step:
    match worker.stage:
        case Stage.LOADING:
            words = f"{_not_ready(state, worker)}: its stacks follow, then it is killed"
            told = Log(logging.ERROR, words, worker.pid)
            late = replace(worker, stage=Stage.LATE, stacks_due=now + DUMP_TIME, deadline=now + DUMP_TIME)
            # Should it call now, no request is to be lost with it.
            return state.with_worker(late), [told, Kill(worker.pid, DUMP_SIGNAL), Tell(Retire(worker.pid))]
        case Stage.LATE:
            why = f"{_not_ready(state, worker)}; where it was then is in {state.settings.log_file}"
            killed = _killed(state, worker)
            return after([Kill(worker.pid, SIGKILL)], deaths.not_ready(killed, worker, why, now))
        case Stage.LEAVING:
            told = Log(logging.WARNING, f"worker {worker.pid} has not left in time: killing it", worker.pid)
            return _killed(state, worker), [told, Kill(worker.pid, SIGKILL)]
    return _killed(state, worker), [Kill(worker.pid, SIGKILL)]


def _has_not_called(state: State, worker: Worker, now: float) -> Step:
    """A new dispatcher has been there for long: one of its threads still is at a request of the one that died, of
    which no dispatcher knows."""
    limit, still = state.settings.timeout, "still is at a request of the dispatcher that died"
    if not limit:
        words = f"worker {worker.pid} {still}; as there is no --timeout, it may stay so for ever"
        told = Log(logging.WARNING, words, worker.pid)
        return state.with_worker(replace(worker, call_by=math.inf)), [told]
    state, actions = _hangs(state, worker, f"It {still}, for longer than --timeout ({limit:g} s)", now)
    return state, [*actions, Tell(Retire(worker.pid))]  # others of its threads may have called


def _not_ready(state: State, worker: Worker) -> str:
    newest = state.restart is not None and worker.release == state.release
    settings = state.restart.settings if state.restart and newest else state.settings
    return f"worker {worker.pid} was not ready within --start-timeout ({settings.start_timeout:g} s)"


def _killed(state: State, worker: Worker) -> State:
    return state.with_worker(replace(worker, stage=Stage.KILLED, killed_in=worker.stage, deadline=math.inf))

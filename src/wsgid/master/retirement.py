"""How a worker leaves: nothing new for it, what it has is finished, and at its deadline it is killed."""

import logging
from dataclasses import replace
from signal import SIGTERM

from wsgid.channel.orders import Retire, WorkerLeaving
from wsgid.master.actions import Action, Kill, Log, Tell
from wsgid.master.state import Phase, Stage, State, Worker
from wsgid.master.steps import Step

LEAVE_MARGIN = 1.0
"""Seconds beyond the graceful timeout, which is for requests: what the application does at exit needs time as well, and
with ``--graceful-timeout 0`` an idle worker would be shot on its way out."""


def retire(state: State, worker: Worker, now: float) -> Step:
    """By the dispatcher, so that no request is given to it any more."""
    return _leaves(state, worker, now), [Tell(Retire(worker.pid))]


def dismiss(state: State, worker: Worker, now: float) -> Step:
    """One that is still loading, of which the dispatcher knows nothing yet: SIGTERM ends it at once. Should it just
    have become ready, it leaves as if it had been retired."""
    return _leaves(state, worker, now), [Kill(worker.pid, SIGTERM)]


def says_it_leaves(state: State, said: WorkerLeaving, now: float) -> Step:
    """Somebody has sent it SIGTERM."""
    worker = state.worker(said.pid)
    if worker is None or worker.stage not in (Stage.LOADING, Stage.READY):
        return state, []
    words = f"worker {worker.pid} finishes its requests and leaves, as somebody has told it to"
    told = Log(logging.INFO, words, worker.pid)
    state = _leaves(state, replace(worker, has_served=True), now)
    if state.phase is Phase.SERVING and not state.settings.keep_alive:
        state = replace(state, wanted=min(state.wanted, len(state.staff)))  # as if it had died
    return state, [told]


def retire_again(state: State) -> list[Action]:
    """Said to a new dispatcher, which does not know what the old one knew: it must not give a request to a worker that
    leaves, or that will be killed over another one."""
    return [Tell(Retire(worker.pid)) for worker in state.workers if not worker.counts]


def _leaves(state: State, worker: Worker, now: float) -> State:
    deadline = now + state.settings.graceful_timeout + LEAVE_MARGIN
    return state.with_worker(replace(worker, stage=Stage.LEAVING, deadline=deadline))

"""As many workers as wanted, and successors for those that are to go: each is ready before its predecessor retires.

While somebody is to be replaced there is room for one worker more (`State.room`), and there is never more than one such
successor in the whole daemon: whatever the reasons, at most one worker too many has the application in memory.
"""

import logging
import math
from dataclasses import replace

from wsgid.channel.orders import Cause, WornOut
from wsgid.config import MAX_PARALLEL
from wsgid.master import restarts
from wsgid.master.actions import Action, ForkWorker, Log, Weigh
from wsgid.master.facts import Weighed, WorkersAsked
from wsgid.master.retirement import dismiss, retire
from wsgid.master.state import Phase, Stage, State
from wsgid.master.steps import Step

WEIGH_EVERY = 1.0
"""Seconds between two looks at the workers' memory: a worker that grows by 100 MiB a second is beyond help anyway."""

CALM = 10.0
"""Seconds from one replacement for memory to the next look. An application that is above ``--max-rss`` as soon as it is
loaded would otherwise do nothing but load."""

MIB = 1024 * 1024


def fill_up(state: State, now: float) -> Step:
    """All that are missing, at once: each loads the application for itself, so one after the other gains nothing."""
    if not state.listening or now < state.worker_backoff.until:
        return state, []
    return state, [ForkWorker()] * state.missing


def let_go(state: State, now: float) -> Step:
    """Whoever is not needed, since others are ready in their places."""
    actions: list[Action] = []
    while state.listening and len(state.ready_staff) > state.wanted:
        leaver = next((each for each in state.outgoing if each.ready), state.ready_staff[0])
        state, retired = retire(state, leaver, now)
        state, counted = restarts.replaced(state, leaver)
        actions += [*retired, *counted]
    excess = max(0, len(state.staff) - state.room)
    loading = [each for each in reversed(state.staff) if each.stage is Stage.LOADING]
    for youngest in loading[:excess]:
        state, dismissed = dismiss(state, youngest, now)
        actions += dismissed
    return state, actions


def worn_out(state: State, said: WornOut, by: Cause = Cause.MAX_REQUESTS) -> Step:
    worker = state.worker(said.pid)
    if worker is None or not worker.counts or worker.worn:
        return state, []
    told = Log(logging.INFO, f"worker {worker.pid} is to be replaced: {said.why}", worker.pid)
    return state.with_worker(replace(worker, worn=said.why, worn_by=by)), [told]


def weigh(state: State, now: float) -> Step:
    """Once nobody is being replaced: one reason at a time is enough."""
    if now < state.weigh:
        return state, []
    state = replace(state, weigh=now + WEIGH_EVERY if state.settings.max_rss else math.inf)
    if state.outgoing or not state.settings.max_rss:
        return state, []
    return state, [Weigh(each.pid) for each in state.ready_staff]


def weighed(state: State, fact: Weighed, now: float) -> Step:
    limit = state.settings.max_rss
    if state.phase is not Phase.SERVING or state.outgoing or not 0 < limit < fact.rss:
        return state, []
    why = f"it holds {fact.rss / MIB:.0f} MiB of memory, more than --max-rss ({limit / MIB:g} MiB)"
    return worn_out(replace(state, weigh=now + CALM), WornOut(fact.pid, why), Cause.MAX_RSS)


def more_or_fewer(state: State, asked: WorkersAsked) -> Step:
    if not state.up:
        return state, []
    wanted = min(max(1, state.wanted + asked.change), MAX_PARALLEL)
    if wanted == state.wanted:
        return state, [Log(logging.WARNING, f"{asked.by}: the number of workers stays {wanted}, which is the limit")]
    change = f"{asked.by}: the number of workers goes from {state.wanted} to {wanted}"
    return replace(state, wanted=wanted), [Log(logging.INFO, change)]

"""The end of the daemon: first the requests, then the processes, then what is left of them by force."""

import logging
import math
from dataclasses import replace
from signal import SIGKILL, SIGTERM, Signals

from wsgid.channel.orders import Drain, Drained, Exit
from wsgid.master import restarts
from wsgid.master.actions import Action, Finish, Kill, Log, Tell, TellServiceManager, Word
from wsgid.master.facts import StopAsked
from wsgid.master.state import EXIT_FAILED, Phase, Stage, State
from wsgid.master.steps import Step, after, children

DRAIN_MARGIN = 5.0
"""Seconds that the dispatcher has, beyond the graceful timeout, to cut what is left, to get its last words to clients
and to tell us."""

KILL_AFTER = 5.0
"""Seconds from "end now" to SIGKILL: by then a worker has nothing to do but what the application does at exit. Half of
the 10 s after which docker kills the master itself, when nothing had to be drained."""

GIVE_UP_AFTER = 5.0
"""Seconds after SIGKILL. A process stuck in the kernel (a dead network file system) cannot be killed and must not keep
the master from ending."""


def stop(state: State, asked: StopAsked, now: float) -> Step:
    match state.phase:
        case Phase.STARTING | Phase.SERVING:
            return _stop_first(state, asked, now)
        case Phase.DRAINING:
            hurried = Log(logging.WARNING, f"{asked.by}: ending at once, requests in progress are cut")
            return after([hurried], end(state, now, SIGKILL))
        case Phase.ENDING:
            return _kill(state, now, f"has not ended and {asked.by} came")
    return state, []


def drain(state: State, now: float) -> Step:
    """The dispatcher may hold requests though no worker has ever been ready: they wait in its queue."""
    if not state.listening:
        return end(state, now, SIGTERM)
    seconds = state.settings.graceful_timeout
    state, given_up = restarts.give_up(state, "the daemon is stopping")
    draining = replace(state, phase=Phase.DRAINING, deadline=now + seconds + DRAIN_MARGIN)
    return draining, [*given_up, _last_words(state), Tell(Drain(seconds))]


def drained(state: State, said: Drained, now: float) -> Step:
    if state.phase is not Phase.DRAINING:
        return state, []
    unfinished: list[Action] = []
    if said.unfinished:
        unfinished.append(Log(logging.WARNING, f"{said.unfinished} unfinished requests were cut"))
    return after(unfinished, end(state, now, SIGTERM))


def end(state: State, now: float, how: Signals) -> Step:
    """Everybody is told to end: the dispatcher in words, for it may have answers to refuse and a log to write."""
    state, actions = restarts.give_up(state, "the daemon is stopping")
    if state.up:
        actions.append(_last_words(state))
    actions += [Kill(worker.pid, how) for worker in state.workers]
    if state.watcher is not None:
        actions.append(Kill(state.watcher.pid, how))
    dispatcher = state.dispatcher
    if dispatcher is not None:
        dispatcher = replace(dispatcher, leaving=True)
        actions.append(Tell(Exit()))
    ending = replace(
        state,
        phase=Phase.ENDING,
        deadline=now + KILL_AFTER,
        dispatcher=dispatcher,
        workers=tuple(replace(worker, stage=Stage.LEAVING) for worker in state.workers),
    )
    return ending, actions


def overdue(state: State, now: float) -> Step:
    """Has the phase lasted as long as it may?"""
    if now < state.deadline:
        return state, []
    match state.phase:
        case Phase.DRAINING:
            late = Log(logging.ERROR, "the dispatcher did not say in time that it is done: ending without it")
            return after([late], end(state, now, SIGTERM))
        case Phase.ENDING:
            return _kill(state, now, f"has not ended within {KILL_AFTER:g} s")
        case Phase.KILLING:
            return _give_up(state)
    return state, []


def finish(state: State) -> Step:
    """No child is left."""
    return replace(state, phase=Phase.ENDED, deadline=math.inf), [Finish(state.exit_code, state.failure)]


def _stop_first(state: State, asked: StopAsked, now: float) -> Step:
    if state.phase is Phase.STARTING:
        state = replace(state, failure=f"stopped by {asked.by} before it was ready")
    if asked.at_once:
        return after([Log(logging.WARNING, f"{asked.by}: ending at once")], end(state, now, SIGKILL))
    stopping = Log(logging.INFO, f"{asked.by}: stopping")
    return after([stopping], drain(state, now))


def _last_words(state: State) -> TellServiceManager:
    return TellServiceManager(Word.STOPPING, state.failure or "stopping")


def _kill(state: State, now: float, why: str) -> Step:
    actions: list[Action] = []
    for name, pid in children(state):
        actions += [Log(logging.WARNING, f"{name} {pid} {why}: killing it"), Kill(pid, SIGKILL)]
    return replace(state, phase=Phase.KILLING, deadline=now + GIVE_UP_AFTER), actions


def _give_up(state: State) -> Step:
    """The children notice by themselves that the master is gone, should they ever run again."""
    names = ", ".join(f"{name} {pid}" for name, pid in children(state))
    stuck = Log(logging.CRITICAL, f"still there {GIVE_UP_AFTER:g} s after SIGKILL, stuck in the kernel: {names}")
    ended = replace(state, phase=Phase.ENDED, deadline=math.inf)
    return ended, [stuck, Finish(EXIT_FAILED, state.failure)]

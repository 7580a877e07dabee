"""A dispatcher that says nothing: how long that is borne, and how it is ended.

A dispatcher that is well says Alive every `HEARTBEAT`. One that has been stopped (SIGSTOP) says nothing until somebody
wakes it, and need not be waited for; a running one that is silent may just be very busy, on a machine that is, and a
false alarm would cut its clients: it has five seconds.
"""

import logging
import math
from dataclasses import replace
from signal import SIGKILL

from wsgid.channel.orders import HEARTBEAT
from wsgid.master.actions import Abort, Action, FeedWatchdog, Kill, Log, LookAt
from wsgid.master.facts import Looked
from wsgid.master.state import Dispatcher, Phase, State
from wsgid.master.steps import Step

LOOK_AFTER = 2 * HEARTBEAT
"""Seconds of silence, after which the kernel is asked whether the process is stopped."""

SILENCE = 5.0
"""Seconds of silence that a running dispatcher may keep."""

LAST_WORDS = 0.25
"""Seconds from SIGABRT, at which it writes its stacks to the log, to SIGKILL."""

OVERSLEPT = 1.0
"""Seconds between two decisions. We wake up more often while a dispatcher lives; if not, it was us who did not run: the
machine was too busy, or all of us were stopped together (Ctrl-Z). The dispatcher's silence counts from then on."""


def alive(state: State, now: float) -> State:
    if state.dispatcher is None:
        return state
    return replace(state, dispatcher=replace(state.dispatcher, heard=now, look=now + LOOK_AFTER))


def awake(state: State, now: float) -> State:
    """To be called first at each decision."""
    dispatcher = state.dispatcher
    if dispatcher is not None and dispatcher.heard < math.inf and now - state.now > OVERSLEPT:
        state = alive(state, now)
    return replace(state, now=now)


def listen(state: State, now: float) -> Step:
    """What is due because nothing was heard."""
    dispatcher = state.dispatcher
    if dispatcher is None:
        return state, []
    if now >= dispatcher.deadline:
        return _too_late(state, dispatcher, now)
    if now >= dispatcher.look and not dispatcher.leaving:
        return replace(state, dispatcher=replace(dispatcher, look=now + HEARTBEAT)), [LookAt(dispatcher.pid)]
    return state, []


def looked(state: State, fact: Looked, now: float) -> Step:
    dispatcher = state.dispatcher
    if dispatcher is None or dispatcher.pid != fact.pid or dispatcher.leaving:
        return state, []
    silent = now - dispatcher.heard
    if silent < (LOOK_AFTER if fact.stopped else SILENCE):
        return state, []
    how = "is stopped, and silent" if fact.stopped else "runs, but has been silent"
    return _abort(state, dispatcher, f"{how} for {silent:.1f} s", now)


def feed(state: State, now: float) -> Step:
    """Whoever watches us hears nothing while a dispatcher is missing, or silent for too long."""
    if now < state.feed:
        return state, []
    state = replace(state, feed=now + state.settings.watchdog)
    dispatcher = state.dispatcher
    if state.phase not in (Phase.SERVING, Phase.DRAINING) or dispatcher is None or not state.listening:
        return state, []
    silent = dispatcher.heard < now - SILENCE
    return state, [] if silent else [FeedWatchdog()]


def _too_late(state: State, dispatcher: Dispatcher, now: float) -> Step:
    if not dispatcher.leaving:
        limit = f"within --start-timeout ({state.settings.start_timeout:g} s)"
        return _abort(state, dispatcher, f"does not listen {limit}", now)
    killed: list[Action] = [Kill(dispatcher.pid, SIGKILL)]
    return replace(state, dispatcher=replace(dispatcher, deadline=math.inf)), killed


def _abort(state: State, dispatcher: Dispatcher, what: str, now: float) -> Step:
    told = Log(logging.ERROR, f"dispatcher {dispatcher.pid} {what}: its stacks follow, then it is ended")
    ending = replace(dispatcher, leaving=True, deadline=now + LAST_WORDS)
    return replace(state, dispatcher=ending), [told, Abort(dispatcher.pid)]

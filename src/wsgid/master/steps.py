"""What every part of the plan gives: the state that a fact or a moment leads to, and the actions it calls for."""

from collections.abc import Callable, Iterable

from wsgid.master.actions import Action
from wsgid.master.state import State

Step = tuple[State, list[Action]]


def after(first: Iterable[Action], step: Step) -> Step:
    """The same step, with these actions before its own."""
    state, actions = step
    return state, [*first, *actions]


def in_turn(state: State, now: float, *parts: Callable[[State, float], Step]) -> Step:
    """What each of these parts of the plan calls for at this time, until one of them ends the phase."""
    phase, actions = state.phase, list[Action]()
    for part in parts:
        if state.phase is phase:
            state, called_for = part(state, now)
            actions += called_for
    return state, actions


def children(state: State) -> list[tuple[str, int]]:
    """What each is, and its pid."""
    found = [("worker", worker.pid) for worker in state.workers]
    if state.dispatcher is not None:
        found.append(("dispatcher", state.dispatcher.pid))
    if state.watcher is not None:
        found.append(("watcher", state.watcher.pid))
    return found

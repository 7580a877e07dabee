"""Restarts: workers with the code and the options now on disk take the places of the old ones, one after the other.

A restart only says which workers are to go (those of an older release) and how it ends; that a successor is ready
before anybody retires is the work of `replacing`. The options that were read again count from when the first new worker
is ready, for then they have shown that they work: a restart that fails before leaves everything as it was.
"""

import logging
import math
from dataclasses import replace

from wsgid.channel.orders import MAX_NEWS, RestartNews
from wsgid.master.actions import (
    Action,
    AdoptOptions,
    DropOptions,
    Log,
    ReadOptions,
    Tell,
    TellServiceManager,
    Word,
)
from wsgid.master.facts import OptionsRead, OptionsWrong
from wsgid.master.retirement import dismiss
from wsgid.master.state import Backoff, Phase, Restart, Stage, State, Worker
from wsgid.master.steps import Step, after

_CUT_MARK = 64
"""Bytes, at most, of the words that stand for what news too long have lost."""


def ask(state: State, by: str, *, client: bool) -> Step:
    """During a restart: it begins again, for the code may be newer than what the first one loads."""
    if state.phase is Phase.STARTING:
        waiting = replace(state, restart_after_start=True, client_waits=state.client_waits or client)
        return waiting, [Log(logging.INFO, f"{by}: a restart follows when the start is over")]
    state = replace(state, client_waits=state.client_waits or client)
    if state.phase is not Phase.SERVING:
        return _end(state, logging.WARNING, f"{by}: no restart, the daemon is stopping", ok=False)
    return state, [Log(logging.INFO, f"{by}: restarting"), ReadOptions()]


def begin(state: State, read: OptionsRead, now: float) -> Step:
    if state.phase is not Phase.SERVING:
        return state, [DropOptions()]  # the stop that came meanwhile has told those who wait
    # Those that still load the code of a release before: nobody waits for them any more.
    state, actions = _dismiss_loading(state, now)
    started = replace(
        state,
        release=state.release + 1,
        restart=Restart(read.settings),
        worker_backoff=Backoff(),  # the new code is not to wait for the mistakes of the old
    )
    text = "\n".join(["the options are read again, new workers load the application", *read.notes])
    reloading = TellServiceManager(Word.RELOADING, "restarting")
    return after([*actions, reloading, *(Log(logging.WARNING, note) for note in read.notes)], _say(started, text))


def refuse(state: State, wrong: OptionsWrong, now: float) -> Step:
    text = "\n".join(["the options are wrong now:", *wrong.errors])
    told = [Log(logging.ERROR, error) for error in wrong.errors]
    if state.restart is not None:
        return after(told, fail(state, text, now))
    return after(told, _end(state, logging.ERROR, f"the restart is refused: {text}", ok=False))


def adopt(state: State, worker: Worker) -> Step:
    """A worker is ready: if it is the first of its release, its options count from now on."""
    restart = state.restart
    if restart is None or restart.adopted or worker.release < state.release:
        return state, []
    adopted = replace(
        state,
        restart=replace(restart, adopted=True),
        settings=restart.settings,
        wanted=restart.settings.workers,
        weigh=state.now if restart.settings.max_rss else math.inf,
    )
    return adopted, [AdoptOptions()]


def replaced(state: State, worker: Worker) -> Step:
    """This worker has just been retired."""
    restart = state.restart
    if restart is None or worker.release == state.release:
        return state, []
    number = restart.replaced + 1
    total = number + sum(each.release < state.release for each in state.staff)
    text = f"worker {number} of {total} is replaced"
    counted = replace(state, restart=replace(restart, replaced=number))
    return after([TellServiceManager(Word.STATUS, f"restarting: {text}")], _say(counted, text))


def end_if_done(state: State, now: float) -> Step:
    restart, staff = state.restart, state.staff
    if restart is None or not restart.adopted or len(staff) != state.wanted:
        return state, []
    if not all(each.ready and each.release == state.release for each in staff):
        return state, []
    text = f"{_workers(len(staff))} with the new code and options"
    state, told = _end(replace(state, restart=None), logging.INFO, f"the restart is done: {text}", ok=True)
    return state, [*told, TellServiceManager(Word.READY, text)]


def fail(state: State, text: str, now: float) -> Step:
    """What has been replaced stays so, and the rest goes on as before."""
    assert state.restart is not None
    done = state.restart.replaced
    rest = f"{_workers(done)} had been replaced, the others go on" if done else "all workers go on as before"
    text = f"the restart failed: {text}\n{rest}"
    state, actions = _dismiss_loading(replace(state, restart=None), now)
    state, told = _end(state, logging.ERROR, text, ok=False)
    return state, [*actions, DropOptions(), *told, TellServiceManager(Word.READY, text)]


def give_up(state: State, why: str) -> Step:
    """Because of something greater; nothing if there is no restart."""
    if state.restart is None and not state.client_waits:
        return state, []
    given_up = replace(state, restart=None, restart_after_start=False)
    return _end(given_up, logging.WARNING, f"the restart is not finished: {why}", ok=False)


def _dismiss_loading(state: State, now: float) -> Step:
    """By SIGTERM, which ends a worker that is still loading at once: the dispatcher knows nothing of it yet."""
    actions: list[Action] = []
    for worker in state.staff:
        if worker.stage is Stage.LOADING:
            state, told = dismiss(state, worker, now)
            actions += told
    return state, actions


def _say(state: State, text: str) -> Step:
    actions: list[Action] = [Log(logging.INFO, text.partition("\n")[0])]
    if state.client_waits and state.listening:
        actions.append(Tell(RestartNews(_cut(text), over=False, ok=False)))
    return state, actions


def _end(state: State, level: int, text: str, *, ok: bool) -> Step:
    """The worker has logged a long reason itself."""
    actions: list[Action] = [Log(level, text.partition("\n")[0])]
    if state.client_waits and state.listening:
        actions.append(Tell(RestartNews(_cut(text), over=True, ok=ok)))
    return replace(state, client_waits=False), actions


def _workers(number: int) -> str:
    return "1 worker" if number == 1 else f"{number} workers"


def _cut(text: str) -> str:
    """Without the middle of what is too long to be sent: a traceback's cause is at its end."""
    data = text.encode(errors="backslashreplace")
    if len(data) <= MAX_NEWS:
        return data.decode()
    half = (MAX_NEWS - _CUT_MARK) // 2
    first, last = data[:half].decode(errors="ignore"), data[-half:].decode(errors="ignore")
    return f"{first}\n({len(data) - 2 * half} bytes left out)\n{last}"

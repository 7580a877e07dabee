"""Histories for the plan: at this time this has happened, so these things are to be done."""

import math
from collections.abc import Iterable
from dataclasses import replace

from wsgid.channel.orders import Cause, Listening, WorkerDied, WorkerReady
from wsgid.master.actions import (
    Action,
    AnnounceReady,
    ForkDispatcher,
    ForkWorker,
    Log,
    ReportDeath,
    TellServiceManager,
)
from wsgid.master.facts import Died, DispatcherForked, Fact, WorkerForked
from wsgid.master.plan import begin, decide
from wsgid.master.state import Settings, State

GRACE = 30.0
START = 60.0
TWO = Settings(
    pid=1,
    workers=2,
    keep_alive=True,
    graceful_timeout=GRACE,
    log_file="/app/logs/wsgid.log",
    start_timeout=START,
    timeout=0.0,
    max_rss=0,
    reload=False,
    watchdog=math.inf,
)
TIMEOUT = 20.0
TWO_TIMED = replace(TWO, timeout=TIMEOUT)
TWO_MORTAL = replace(TWO, keep_alive=False)

LISTENING = Listening(["http://127.0.0.1:8000"])
READY = AnnounceReady("wsgid 1 serves http://127.0.0.1:8000 with 2 workers")

Chapter = tuple[float, list[Fact], list[Action]]
"""A time, what has happened, and what is to be done about it, but for what people are told (`Log`, systemd)."""

FORKED: list[Chapter] = [
    (0.0, [], [ForkDispatcher()]),
    (0.0, [DispatcherForked(10)], []),
    (0.5, [LISTENING], [ForkWorker(), ForkWorker()]),
    (0.5, [WorkerForked(11), WorkerForked(12)], []),
]
UP: list[Chapter] = [*FORKED, (1.0, [WorkerReady(11)], []), (2.0, [WorkerReady(12)], [READY])]


def killed(pid: int) -> Died:
    return Died(pid, -9, "killed by SIGKILL")


def left(pid: int) -> Died:
    return Died(pid, 0, "left")


def told(death: Died, *, expected: bool = False, cause: Cause | None = None) -> ReportDeath:
    """`cause` when it is not the usual one."""
    usual = Cause.ASKED if expected else Cause.SIGNAL if death.code < 0 else Cause.START
    return ReportDeath(WorkerDied(death.pid, death.how, expected, cause or usual))


def tell(chapters: Iterable[Chapter], settings: Settings = TWO) -> tuple[State, list[Action]]:
    """Lives through a history, checking it; the state at its end, and all actions."""
    state, all_actions = begin(settings), list[Action]()
    for now, facts, expected in chapters:
        state, actions = decide(state, facts, now)
        done = [each for each in actions if not isinstance(each, Log | TellServiceManager)]
        assert done == expected, f"at {now}"
        all_actions += actions
    return state, all_actions


def lines(chapters: Iterable[Chapter], settings: Settings = TWO) -> list[Log]:
    return [each for each in tell(chapters, settings)[1] if isinstance(each, Log)]

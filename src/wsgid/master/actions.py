"""What the master is to do, as `plan.decide` says it."""

import logging
from dataclasses import dataclass
from signal import Signals

from wsgid.channel.orders import Drain, Exit, WorkerDied


@dataclass(frozen=True, slots=True)
class ForkDispatcher:
    pass


@dataclass(frozen=True, slots=True)
class ForkWorker:
    pass


@dataclass(frozen=True, slots=True)
class Tell:
    """Send to the dispatcher."""

    order: Drain | Exit


@dataclass(frozen=True, slots=True)
class ReportDeath:
    """To the dispatcher, which logs it with the requests the worker held; to the log when it cannot be told."""

    death: WorkerDied


@dataclass(frozen=True, slots=True)
class Kill:
    pid: int
    signal: Signals


@dataclass(frozen=True, slots=True)
class Log:
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class AnnounceReady:
    text: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The last one: no child is left that could be waited for."""

    exit_code: int
    failure: str
    """Why the daemon never was ready, for the terminal; ``""`` when it was."""


Deed = ForkDispatcher | ForkWorker | Tell | ReportDeath | Kill | Log | AnnounceReady
Action = Deed | Finish


def logged(death: WorkerDied) -> Log:
    """The line about a worker's death when there is no dispatcher to write a better one."""
    if death.expected:
        return Log(logging.INFO, f"worker {death.pid} ended: {death.how}")
    return Log(
        logging.ERROR,
        f"worker {death.pid} died: {death.how}; there was no dispatcher to say which requests it held",
    )

"""What the master is to do, as `plan.decide` says it."""

import enum
import logging
from dataclasses import dataclass, field

from wsgid.channel.orders import Drain, Exit, RestartNews, Retire, WorkerDied


@dataclass(frozen=True, slots=True)
class ForkDispatcher:
    pass


@dataclass(frozen=True, slots=True)
class ForkWorker:
    pass


@dataclass(frozen=True, slots=True)
class ForkWatcher:
    pass


@dataclass(frozen=True, slots=True)
class Tell:
    """Send to the dispatcher."""

    order: Drain | Exit | Retire | RestartNews


@dataclass(frozen=True, slots=True)
class ReportDeath:
    """To the dispatcher, which logs it with the requests the worker held; to the log when it cannot be told."""

    death: WorkerDied


@dataclass(frozen=True, slots=True)
class Kill:
    pid: int
    signal: int


@dataclass(frozen=True, slots=True)
class Abort:
    """Have this child write down its stacks and die, also when it is stopped. They are logged at its death."""

    pid: int


@dataclass(frozen=True, slots=True)
class WriteStacks:
    """To the log, those that this child has written down and that are not there yet."""

    pid: int
    wanted: tuple[int, ...] = ()
    """The identifiers of threads whose stacks the dispatcher is to be told as well."""
    for_trace: bool = False
    """Nothing is wrong with it: somebody wants to know where a request is."""


@dataclass(frozen=True, slots=True)
class Log:
    level: int
    text: str
    worker: int = field(default=0, compare=False)
    """Process id of the one that it is about; 0 when it is about none."""


@dataclass(frozen=True, slots=True)
class AnnounceReady:
    text: str


class Word(enum.Enum):
    """Of sd_notify(3)."""

    READY = enum.auto()
    RELOADING = enum.auto()
    STOPPING = enum.auto()
    STATUS = enum.auto()


@dataclass(frozen=True, slots=True)
class TellServiceManager:
    word: Word
    text: str
    """For people; the first line of it is shown."""


@dataclass(frozen=True, slots=True)
class FeedWatchdog:
    """The service manager hears that dispatcher and master are well."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Again. Workers that are forked from then on are given what was read."""


@dataclass(frozen=True, slots=True)
class AdoptOptions:
    """What was read is what the daemon goes by from now on, and the dispatcher is told."""


@dataclass(frozen=True, slots=True)
class DropOptions:
    """What was read is forgotten, unless it has been adopted."""


@dataclass(frozen=True, slots=True)
class ReopenLogs:
    """Those of the master itself."""


@dataclass(frozen=True, slots=True)
class Weigh:
    """Ask the kernel how much memory this worker holds."""

    pid: int


@dataclass(frozen=True, slots=True)
class TellSizes:
    """To the dispatcher: how much memory it, these workers and the master hold."""

    dispatcher: int
    """Its pid."""
    workers: tuple[int, ...]
    """Their pids."""


@dataclass(frozen=True, slots=True)
class LookAt:
    """Ask the kernel whether this child is stopped."""

    pid: int


@dataclass(frozen=True, slots=True)
class Finish:
    """The last one: no child is left that could be waited for."""

    exit_code: int
    failure: str
    """Why the daemon never was ready, for the terminal; ``""`` when it was."""


Fork = ForkDispatcher | ForkWorker | ForkWatcher
Question = ReadOptions | Weigh | LookAt
"""Its answer is a fact."""
Deed = (
    Fork
    | Question
    | Tell
    | ReportDeath
    | TellSizes
    | Kill
    | Abort
    | WriteStacks
    | Log
    | AnnounceReady
    | TellServiceManager
    | FeedWatchdog
    | AdoptOptions
    | DropOptions
    | ReopenLogs
)
Action = Deed | Finish


def logged(death: WorkerDied) -> Log:
    """The line about a worker's death when there is no dispatcher to write a better one."""
    if death.expected:
        return Log(logging.INFO, f"worker {death.pid} ended: {death.how}", death.pid)
    return Log(
        logging.ERROR,
        f"worker {death.pid} died: {death.how}; there was no dispatcher to say which requests it held",
        death.pid,
    )

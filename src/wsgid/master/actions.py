"""What the master is to do, as `plan.decide` says it.

Structs as the orders are, and not dataclasses: to make forty of those, here and in `facts`, took a seventh of the time
in which the command starts.
"""

import enum
import logging
from dataclasses import dataclass, field

import msgspec

from wsgid.channel.orders import Drain, Exit, RestartNews, Retire, WorkerDied


class ForkDispatcher(msgspec.Struct, frozen=True):
    pass


class ForkWorker(msgspec.Struct, frozen=True):
    pass


class ForkWatcher(msgspec.Struct, frozen=True):
    pass


class Tell(msgspec.Struct, frozen=True):
    """Send to the dispatcher."""

    order: Drain | Exit | Retire | RestartNews


class ReportDeath(msgspec.Struct, frozen=True):
    """To the dispatcher, which logs it with the requests the worker held; to the log when it cannot be told."""

    death: WorkerDied


class Kill(msgspec.Struct, frozen=True):
    pid: int
    signal: int


class Abort(msgspec.Struct, frozen=True):
    """Have this child write down its stacks and die, also when it is stopped. They are logged at its death."""

    pid: int


class WriteStacks(msgspec.Struct, frozen=True):
    """To the log, those that this child has written down and that are not there yet."""

    pid: int
    wanted: tuple[int, ...] = ()
    """The identifiers of threads whose stacks the dispatcher is to be told as well."""
    for_trace: bool = False
    """Nothing is wrong with it: somebody wants to know where a request is."""


@dataclass(frozen=True, slots=True)
class Log:
    """The one dataclass: a field of a struct cannot be left out of comparisons."""

    level: int
    text: str
    worker: int = field(default=0, compare=False)
    """Process id of the one that it is about; 0 when it is about none."""


class AnnounceReady(msgspec.Struct, frozen=True):
    text: str


class Word(enum.Enum):
    """Of sd_notify(3)."""

    READY = enum.auto()
    RELOADING = enum.auto()
    STOPPING = enum.auto()
    STATUS = enum.auto()


class TellServiceManager(msgspec.Struct, frozen=True):
    word: Word
    text: str
    """For people; the first line of it is shown."""


class FeedWatchdog(msgspec.Struct, frozen=True):
    """The service manager hears that dispatcher and master are well."""


class ReadOptions(msgspec.Struct, frozen=True):
    """Again. Workers that are forked from then on are given what was read."""


class AdoptOptions(msgspec.Struct, frozen=True):
    """What was read is what the daemon goes by from now on, and the dispatcher is told."""


class DropOptions(msgspec.Struct, frozen=True):
    """What was read is forgotten, unless it has been adopted."""


class ReopenLogs(msgspec.Struct, frozen=True):
    """Those of the master itself."""


class Weigh(msgspec.Struct, frozen=True):
    """Ask the kernel how much memory this worker holds."""

    pid: int


class TellSizes(msgspec.Struct, frozen=True):
    """To the dispatcher: how much memory it, these workers and the master hold."""

    dispatcher: int
    """Its pid."""
    workers: tuple[int, ...]
    """Their pids."""


class LookAt(msgspec.Struct, frozen=True):
    """Ask the kernel whether this child is stopped."""

    pid: int


class Finish(msgspec.Struct, frozen=True):
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

"""What the master knows: the values that `plan.decide` goes from and leads to. All are frozen."""

import enum
import math
from dataclasses import dataclass, field, replace

from wsgid.channel.orders import Cause
from wsgid.config import Config

FIRST_DELAY = 0.1
"""Seconds before a child that died before it was ready is replaced; doubled each time it happens again."""

LONGEST_DELAY = 30.0
"""Seconds: where the doubling ends. A repaired application is back within half a minute without anybody's help, and a
broken one costs next to nothing meanwhile."""

EXIT_STOPPED = 0
EXIT_FAILED = 1
"""The start failed, or the daemon ended without having been asked to."""


class Phase(enum.Enum):
    """In this order; one may be left out, none comes back."""

    STARTING = enum.auto()
    """Until every worker has said that it is ready: whatever dies now fails the start."""
    SERVING = enum.auto()
    DRAINING = enum.auto()
    """The dispatcher takes nothing new and finishes what is there."""
    ENDING = enum.auto()
    """All have been told to end."""
    KILLING = enum.auto()
    """What was left has been sent SIGKILL."""
    ENDED = enum.auto()


@dataclass(frozen=True, slots=True)
class Settings:
    pid: int
    """The master's own."""
    workers: int
    keep_alive: bool
    """Replace dead workers."""
    graceful_timeout: float
    """Seconds."""
    log_file: str
    """Named where the log knows more than we do."""
    start_timeout: float
    """Seconds."""
    timeout: float
    """Seconds that a request may take; 0 is no limit."""
    max_rss: int
    """Bytes; 0 is no limit."""
    reload: bool
    """There is a watcher."""
    watchdog: float
    """Seconds between two words to whoever watches the master (systemd); infinite when nobody does."""

    def by(self, config: Config) -> "Settings":
        """The same daemon's, with these options."""
        return replace(
            self,
            workers=config.workers,
            keep_alive=config.keep_alive,
            graceful_timeout=config.graceful_timeout,
            start_timeout=config.start_timeout,
            timeout=config.timeout,
            max_rss=config.max_rss,
            reload=config.reload,
        )


class Stage(enum.Enum):
    """Of a worker's life."""

    LOADING = enum.auto()
    """Until it has said that it is ready; its deadline is when it has to be."""
    LATE = enum.auto()
    """It is not ready in time. Its stacks go to the log, and it is killed at its deadline."""
    READY = enum.auto()
    """It has no deadline."""
    LEAVING = enum.auto()
    """It was asked to, or has said so: it finishes what it has, until its deadline."""
    HUNG = enum.auto()
    """A request of its takes too long. Its stacks go to the log, and it is killed at its deadline."""
    KILLED = enum.auto()


@dataclass(frozen=True, slots=True)
class Worker:
    pid: int
    release: int = 0
    """Which restart's code and options it was forked with."""
    stage: Stage = Stage.LOADING
    deadline: float = math.inf
    call_by: float = math.inf
    """When all its threads have to have called a new dispatcher; infinite when they have."""
    stacks_due: float = math.inf
    """When the stacks that it has been asked for are to be logged."""
    stacks_wanted: tuple[int, ...] = ()
    """The identifiers of threads whose stacks the dispatcher waits for."""
    has_served: bool = False
    """It has been ready, so it may hold requests and knows the signals that we send."""
    worn: str = ""
    """Why it is to be replaced, when a successor is there."""
    worn_by: Cause = Cause.MAX_REQUESTS
    """The same in one word; meant only when it is worn."""
    by_hand: bool = False
    """It is hung because a request of it was killed by hand."""
    killed_in: Stage | None = None
    """The stage that it overstayed, and was killed for."""
    reopen: bool = False
    """The logs were reopened while it could not be told."""

    @property
    def counts(self) -> bool:
        """It serves, or will: no other is needed in its place."""
        return self.stage in (Stage.LOADING, Stage.LATE, Stage.READY)

    @property
    def ready(self) -> bool:
        return self.stage is Stage.READY

    @property
    def leaving(self) -> bool:
        return self.stage is Stage.LEAVING


@dataclass(frozen=True, slots=True)
class Dispatcher:
    pid: int
    ready: bool = False
    """It listens."""
    leaving: bool = False
    """It has been told to end, or is being ended."""
    deadline: float = math.inf
    """When it has to listen; once it is being ended for its silence, when it is killed."""
    heard: float = math.inf
    """Its last sign of life; infinite before the first, so that no silence is counted."""
    look: float = math.inf
    """When its silence is to be looked into."""
    reopen: bool = False
    """As a worker's."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """When the next child of its kind may be forked."""

    delay: float = 0.0
    until: float = -math.inf
    times: int = 0
    """So many have failed in a row."""

    def failed(self, now: float) -> "Backoff":
        """A child died before it was ready.

        A wait that is on is not made longer: four workers that fail over one mistake at one time are one failure.
        """
        if now < self.until:
            return self
        delay = min(max(2 * self.delay, FIRST_DELAY), LONGEST_DELAY)
        return Backoff(delay, now + delay, self.times + 1)


@dataclass(frozen=True, slots=True)
class Watcher:
    pid: int
    born: float


@dataclass(frozen=True, slots=True)
class Restart:
    """One that goes on. What it replaces are the workers of all releases but the newest."""

    settings: Settings
    """By the options that were read again. They count from when a worker has shown that it can do with them."""
    adopted: bool = False
    """`settings` count."""
    replaced: int = 0
    """Workers."""


@dataclass(frozen=True, slots=True)
class State:
    # For the master's life
    settings: Settings
    # Of the phase
    phase: Phase
    deadline: float
    """When the phase is over by itself; infinite while coming up and serving."""
    # Of the children
    wanted: int
    """Workers that should be there: not what was asked for at first, when the dead are not replaced, or people have
    asked for one more or fewer."""
    dispatcher: Dispatcher | None = None
    addresses: tuple[str, ...] = ()
    workers: tuple[Worker, ...] = ()
    """In the order of their birth."""
    watcher: Watcher | None = None
    dispatcher_backoff: Backoff = field(default_factory=Backoff)
    worker_backoff: Backoff = field(default_factory=Backoff)
    watcher_backoff: Backoff = field(default_factory=Backoff)
    # Of the replacing of workers that serve
    release: int = 0
    restart: Restart | None = None
    restart_after_start: bool = False
    """Somebody has asked for one before there was anything to restart."""
    client_waits: bool = False
    """For news of the restart, at the dispatcher's control socket."""
    # Of the clock
    now: float = -math.inf
    """When a decision was last taken."""
    weigh: float = math.inf
    """When the workers' memory is to be looked at."""
    feed: float = math.inf
    """When whoever watches the master is to hear that all is well."""
    # How it will have ended
    exit_code: int = EXIT_STOPPED
    failure: str = ""

    @property
    def up(self) -> bool:
        return self.phase in (Phase.STARTING, Phase.SERVING)

    @property
    def listening(self) -> bool:
        """There is a dispatcher that takes requests and orders, and has not been told to end."""
        return self.dispatcher is not None and self.dispatcher.ready and not self.dispatcher.leaving

    @property
    def staff(self) -> tuple[Worker, ...]:
        """The workers that count, the oldest first."""
        return tuple(worker for worker in self.workers if worker.counts)

    @property
    def ready_staff(self) -> tuple[Worker, ...]:
        return tuple(worker for worker in self.workers if worker.ready)

    @property
    def outgoing(self) -> tuple[Worker, ...]:
        """Those of the staff that are to be replaced, one at a time."""
        if self.phase is not Phase.SERVING:
            return ()
        return tuple(each for each in self.staff if each.worn or (self.restart and each.release < self.release))

    @property
    def room(self) -> int:
        """How many the staff may be now: one more than wanted while somebody is to be replaced."""
        return self.wanted + (1 if self.outgoing else 0)

    @property
    def missing(self) -> int:
        return max(0, self.room - len(self.staff))

    def worker(self, pid: int) -> Worker | None:
        return next((worker for worker in self.workers if worker.pid == pid), None)

    def with_worker(self, changed: Worker) -> "State":
        """With this worker in the place of the one that has its pid."""
        return replace(self, workers=tuple(changed if each.pid == changed.pid else each for each in self.workers))

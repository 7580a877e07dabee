"""What the master knows: the values that `plan.decide` goes from and leads to. All are frozen."""

import enum
import math
from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True)
class Child:
    pid: int
    ready: bool = False
    """A dispatcher that listens, a worker that has loaded the application."""
    leaving: bool = False
    """We have asked it to."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """When the next child of its kind may be forked."""

    delay: float = 0.0
    until: float = -math.inf

    def failed(self, now: float) -> "Backoff":
        """A child died before it was ready.

        A wait that is on is not made longer: four workers that fail over one mistake at one time are one failure.
        """
        if now < self.until:
            return self
        delay = min(max(2 * self.delay, FIRST_DELAY), LONGEST_DELAY)
        return Backoff(delay, now + delay)


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
    """Workers that should be there: fewer than at first when the dead are not replaced."""
    dispatcher: Child | None = None
    addresses: tuple[str, ...] = ()
    workers: tuple[Child, ...] = ()
    dispatcher_backoff: Backoff = field(default_factory=Backoff)
    worker_backoff: Backoff = field(default_factory=Backoff)
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
    def missing(self) -> int:
        return max(0, self.wanted - len(self.workers))

"""What happens to the master, as `plan.decide` is told it."""

from dataclasses import dataclass

from wsgid.channel.orders import FromDispatcher
from wsgid.master.state import Settings


@dataclass(frozen=True, slots=True)
class DispatcherForked:
    pid: int


@dataclass(frozen=True, slots=True)
class WorkerForked:
    pid: int


@dataclass(frozen=True, slots=True)
class WatcherForked:
    pid: int


@dataclass(frozen=True, slots=True)
class DispatcherForkFailed:
    reason: str


@dataclass(frozen=True, slots=True)
class WorkerForkFailed:
    reason: str


@dataclass(frozen=True, slots=True)
class WatcherForkFailed:
    reason: str


@dataclass(frozen=True, slots=True)
class Died:
    """A child was reaped."""

    pid: int
    code: int
    """Exit code, or the negative number of the signal that killed it."""
    how: str
    """In words, see `orders.WorkerDied`."""
    report: str = ""
    """What it wrote to its report pipe."""
    for_memory: bool = False
    """The kernel killed it for want of memory."""


@dataclass(frozen=True, slots=True)
class StopAsked:
    by: str
    """The signal's name."""
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class MeaninglessSignal:
    name: str


@dataclass(frozen=True, slots=True)
class RestartAsked:
    by: str
    """The signal's name."""


@dataclass(frozen=True, slots=True)
class OptionsRead:
    """They were read again, and are right."""

    settings: Settings
    notes: tuple[str, ...]
    """What people should know of them: which of the new ones a restart cannot put into effect."""


@dataclass(frozen=True, slots=True)
class OptionsWrong:
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WorkersAsked:
    """For one worker more, or one fewer."""

    by: str
    """The signal's name."""
    change: int
    """1 or -1."""


@dataclass(frozen=True, slots=True)
class ReopenAsked:
    """The log files have been moved away."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """How much memory a worker holds."""

    pid: int
    rss: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What the kernel says of a child that says nothing."""

    pid: int
    stopped: bool


@dataclass(frozen=True, slots=True)
class StacksFound:
    """A child has written down its stacks, or more of them."""

    pid: int


OfForks = DispatcherForked | WorkerForked | WatcherForked | DispatcherForkFailed | WorkerForkFailed | WatcherForkFailed
Asked = StopAsked | RestartAsked | WorkersAsked | ReopenAsked | MeaninglessSignal
Answer = OptionsRead | OptionsWrong | Weighed | Looked
"""What came of an action that asks for it."""
Fact = OfForks | Died | Asked | Answer | StacksFound | FromDispatcher

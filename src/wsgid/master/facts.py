"""What happens to the master, as `plan.decide` is told it. Structs, as the actions are and for the same reason."""

import msgspec

from wsgid.channel.orders import FromDispatcher
from wsgid.master.state import Settings


class DispatcherForked(msgspec.Struct, frozen=True):
    pid: int


class WorkerForked(msgspec.Struct, frozen=True):
    pid: int


class WatcherForked(msgspec.Struct, frozen=True):
    pid: int


class DispatcherForkFailed(msgspec.Struct, frozen=True):
    reason: str


class WorkerForkFailed(msgspec.Struct, frozen=True):
    reason: str


class WatcherForkFailed(msgspec.Struct, frozen=True):
    reason: str


class Died(msgspec.Struct, frozen=True):
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


class StopAsked(msgspec.Struct, frozen=True):
    by: str
    """The signal's name."""
    at_once: bool = False


class MeaninglessSignal(msgspec.Struct, frozen=True):
    name: str


class RestartAsked(msgspec.Struct, frozen=True):
    by: str
    """The signal's name."""


class OptionsRead(msgspec.Struct, frozen=True):
    """They were read again, and are right."""

    settings: Settings
    notes: tuple[str, ...]
    """What people should know of them: which of the new ones a restart cannot put into effect."""


class OptionsWrong(msgspec.Struct, frozen=True):
    errors: tuple[str, ...]


class WorkersAsked(msgspec.Struct, frozen=True):
    """For one worker more, or one fewer."""

    by: str
    """The signal's name."""
    change: int
    """1 or -1."""


class ReopenAsked(msgspec.Struct, frozen=True):
    """The log files have been moved away."""


class Weighed(msgspec.Struct, frozen=True):
    """How much memory a worker holds."""

    pid: int
    rss: int
    """Bytes."""


class Looked(msgspec.Struct, frozen=True):
    """What the kernel says of a child that says nothing."""

    pid: int
    stopped: bool


class StacksFound(msgspec.Struct, frozen=True):
    """A child has written down its stacks, or more of them."""

    pid: int


OfForks = DispatcherForked | WorkerForked | WatcherForked | DispatcherForkFailed | WorkerForkFailed | WatcherForkFailed
Asked = StopAsked | RestartAsked | WorkersAsked | ReopenAsked | MeaninglessSignal
Answer = OptionsRead | OptionsWrong | Weighed | Looked
"""What came of an action that asks for it."""
Fact = OfForks | Died | Asked | Answer | StacksFound | FromDispatcher

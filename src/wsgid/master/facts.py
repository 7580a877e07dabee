"""What happens to the master, as `plan.decide` is told it."""

from dataclasses import dataclass

from wsgid.channel.orders import Drained, Listening, WorkerReady


@dataclass(frozen=True, slots=True)
class DispatcherForked:
    pid: int


@dataclass(frozen=True, slots=True)
class WorkerForked:
    pid: int


@dataclass(frozen=True, slots=True)
class DispatcherForkFailed:
    reason: str


@dataclass(frozen=True, slots=True)
class WorkerForkFailed:
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


@dataclass(frozen=True, slots=True)
class StopAsked:
    by: str
    """The signal's name."""
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class MeaninglessSignal:
    name: str


FromDispatcher = Listening | WorkerReady | Drained
Fact = (
    DispatcherForked
    | WorkerForked
    | DispatcherForkFailed
    | WorkerForkFailed
    | Died
    | StopAsked
    | MeaninglessSignal
    | FromDispatcher
)

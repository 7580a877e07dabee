"""What is compared: a scenario, its cases, the figures that come of them, and what wsgid is to reach there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from bench.contender import Application, Contender, Running


@dataclass(frozen=True)
class Turn:
    """One contender's turn in one round: it runs and has been warmed up."""

    running: Running
    seconds: float
    """For which to measure."""
    start_up: float
    """Seconds from its start to its first answer."""


@dataclass(frozen=True)
class Measured:
    units: float
    """How many of the scenario's `unit`: of requests, that were answered. The processors' time is divided by it; 0: it
    is not told."""
    values: Mapping[str, float]
    """By the metrics' keys; one that could not be measured is left out."""


@dataclass(frozen=True)
class Metric:
    key: str
    title: str
    """Of a column."""
    form: str = "{:,.0f}"
    """How its values are written, for str.format."""
    log: bool = False
    """Drawn on a logarithmic scale: for what differs by powers of ten."""


@dataclass(frozen=True)
class Case:
    name: str
    measure: Callable[[Turn], Measured]
    """Raises NotMeasured."""
    quick: bool = True
    """Is it run without ``--full``?"""


@dataclass(frozen=True)
class Target:
    """A median, or with ``against`` its ratio to another contender's, is to be so large, or so small."""

    name: str
    """Unique within its scenario; reasons.py knows a miss by it."""
    case: str
    contender: str
    metric: str
    """Its key."""
    bound: float
    against: str = ""
    """A contender, by its name."""
    at_most: bool = False
    every_round: bool = False
    """It is to hold in each of them, and not only in the median."""

    def met_by(self, figure: float) -> bool:
        return figure <= self.bound if self.at_most else figure >= self.bound


@dataclass(frozen=True)
class Scenario:
    name: str
    """For the command line and for files."""
    title: str
    words: str
    """What is done, in Markdown."""
    application: Callable[[], Application]
    """Called once in a run."""
    contenders: tuple[Contender, ...]
    """Ours first: with it the others are compared."""
    cases: tuple[Case, ...]
    metrics: tuple[Metric, ...]
    """The columns, in their order; the first is drawn, and compared with ours. CPU and MEMORY are measured always."""
    targets: tuple[Target, ...] = ()
    warm_up: Callable[[Running], None] = lambda running: None
    """Called once before each turn; also looks whether the answers are as expected. Raises NotMeasured."""

    quick: bool = True
    """Is it run when no scenario is named, without ``--full``? Those that wsgid's targets are about are."""

    quick_rounds: int = 3
    """Without ``--full``: fewer where a turn takes long, and is about hundreds of requests that each count."""

    unit: str = "request"
    """For which the processors' time is told."""

    @property
    def columns(self) -> tuple[Metric, ...]:
        """Its own metrics, and those that are measured always."""
        return (*self.metrics, replace(CPU, title=f"{CPU.title} per {self.unit}"), MEMORY)

    def cases_of(self, *, full: bool) -> tuple[Case, ...]:
        """All of them also when none is quick."""
        return tuple(case for case in self.cases if full or case.quick) or self.cases


CPU = Metric("cpu", "CPU µs")
"""Of all processes of a server together."""

MEMORY = Metric("memory", "memory, MiB", "{:,.1f}")
"""The most that all processes of a server took together; what they share counts once."""

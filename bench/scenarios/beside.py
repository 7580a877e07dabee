"""Quick requests alone, then beside something slow: what comes of their times?"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from bench.contender import Running
from bench.open_loop.outcome import Outcome
from bench.open_loop.process import load
from bench.open_loop.schedule import Kind, Plan
from bench.scenario import Measured, Metric, Turn
from bench.scenarios.figures import FAILED, failures, percentiles

AS_QUICK = 1.5
"""Times its value alone that wsgid's p99 may be."""

RATIO = Metric("ratio", "p99, times that alone", "{:.2f}")

METRICS = (
    Metric("p99", "p99, ms", "{:,.1f}", log=True),
    Metric("alone", "p99 alone, ms", "{:,.1f}"),
    RATIO,
    Metric("p50", "p50, ms", "{:,.2f}"),
    Metric("p999", "p99.9, ms", "{:,.1f}"),
    FAILED,
)
"""Of the quick ones. The first is the one that is drawn."""

Crowd = Callable[[Running], AbstractContextManager[object]]
"""Keeps the server busy, from the block's beginning to its end."""


def measure(quick: Kind, slow: tuple[Kind, ...], crowd: Crowd, turn: Turn) -> Measured:
    """Raises NotMeasured."""
    alone = quick_ones(turn, quick)
    with crowd(turn.running):
        beside = quick_ones(turn, quick, *slow)
    values = dict(percentiles(beside))
    if by_itself := percentiles(alone):
        values["alone"] = by_itself["p99"]
        if "p99" in values:
            values[RATIO.key] = values["p99"] / by_itself["p99"]
    return Measured(0, {**values, FAILED.key: failures(beside)[FAILED.key]})


def quick_ones(turn: Turn, quick: Kind, *others: Kind) -> Outcome:
    """Raises NotMeasured."""
    return load(Plan(turn.running.address, (quick, *others), turn.seconds)).of(quick.name)


def nobody(running: Running) -> AbstractContextManager[object]:
    return nullcontext()

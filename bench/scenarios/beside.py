"""Quick requests alone, then beside something slow: what comes of their times?"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

from bench.contender import Contender, Running
from bench.open_loop.outcome import Outcome
from bench.open_loop.process import load
from bench.open_loop.schedule import Kind, Plan
from bench.scenario import Measured, Metric, Target, Turn
from bench.scenarios.figures import FAILED, failures, percentiles

AS_QUICK = 1.5
"""Times its value alone that wsgid's p99 may be."""

LONG = 6.0
"""Seconds in which so many quick ones arrive, at least, that there is a p99.9."""

RATIO = Metric("ratio", "p99, times that alone", "{:.2f}")

METRICS = (
    Metric("p99", "p99, ms", "{:,.1f}", log=True),
    Metric("alone", "p99 alone, ms", "{:,.1f}"),
    RATIO,
    Metric("p50", "p50, ms", "{:,.2f}"),
    Metric("p999", "p99.9, ms", "{:,.1f}"),
    FAILED,
)
"""Of the quick ones; times are of those that were served. The first is the one that is drawn."""

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
    return load(Plan(turn.running.address, (quick, *others), max(turn.seconds, LONG))).of(quick.name)


def targets(case: str, contenders: Sequence[Contender]) -> Iterator[Target]:
    """As quick as alone; and that of all, not of those that happened to be served."""
    for each in contenders:
        yield Target(f"p99 {each.name}", case, each.name, RATIO.key, AS_QUICK, at_most=True)
        yield Target(f"failed {each.name}", case, each.name, FAILED.key, 0, at_most=True, every_round=True)


def nobody(running: Running) -> AbstractContextManager[object]:
    return nullcontext()

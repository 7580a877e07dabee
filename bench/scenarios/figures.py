"""What the scenarios with planned arrivals tell of them, under the same names."""

from collections.abc import Mapping

from bench.open_loop.outcome import Fate, Outcome, percentile
from bench.open_loop.schedule import Kind
from bench.scenario import Metric

QUICK = Kind("quick", "/{number}", b"/{number}", rate=200.0)
"""Of bench/apps/waiting: nothing is waited for."""

FAILED = Metric("failed", "failed")

FAILURES = (
    FAILED,
    Metric("refused", "connection refused"),
    Metric("stale", "kept connection closed"),
    Metric("cut", "cut"),
    Metric("turned_away", "503"),
    Metric("errors", "other failure"),
    Metric("left", "no answer in time"),
)
"""The first has all of them."""

ENOUGH = 1000
"""Times, of which there is one beyond the p99.9."""


def failures(outcome: Outcome) -> Mapping[str, float]:
    """By the keys of FAILURES."""
    fates = outcome.fates
    return {
        FAILED.key: outcome.failed,
        "refused": fates[Fate.REFUSED],
        "stale": fates[Fate.STALE],
        "cut": fates[Fate.CUT],
        "turned_away": fates[Fate.TURNED_AWAY],
        "errors": fates[Fate.ERROR] + fates[Fate.OTHER] + fates[Fate.WRONG],
        "left": fates[Fate.LEFT],
    }


def percentiles(outcome: Outcome) -> Mapping[str, float]:
    """Milliseconds that served requests took; p999 only of ENOUGH, none of them when none was served."""
    times = [seconds * 1000 for seconds in outcome.times]
    wanted = {"p50": 50.0, "p99": 99.0, **({"p999": 99.9} if len(times) >= ENOUGH else {})}
    return {key: percentile(times, percent) for key, percent in wanted.items()} if times else {}

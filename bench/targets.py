"""Judges results by what wsgid is to reach."""

from collections.abc import Iterable
from dataclasses import dataclass

from bench.reasons import REASONS
from bench.results import Results
from bench.scenario import Scenario, Target


@dataclass(frozen=True)
class Verdict:
    target: Target
    figure: float | None
    """None: it could not be measured, which is a miss."""
    reason: str
    """Of a miss, if one is known."""

    @property
    def met(self) -> bool:
        return self.figure is not None and self.target.met_by(self.figure)


def verdicts(scenario: Scenario, results: Results) -> list[Verdict]:
    """On those targets whose case was a part of the run."""
    return list(_verdicts(scenario, results))


def _verdicts(scenario: Scenario, results: Results) -> Iterable[Verdict]:
    cases = results.cases()
    for target in scenario.targets:
        if target.case in cases:
            reason = REASONS.get(f"{scenario.name}/{target.name}", "")
            yield Verdict(target, figure(target, results), reason)


def figure(target: Target, results: Results) -> float | None:
    """The median or the worst round, or the ratio of two medians; None when one is missing."""
    if target.every_round:
        values = results.values(target.contender, target.case, target.metric)
        return (max if target.at_most else min)(values, default=None)
    ours = results.median(target.contender, target.case, target.metric)
    if ours is None or not target.against:
        return ours
    theirs = results.median(target.against, target.case, target.metric)
    return ours / theirs if theirs else None

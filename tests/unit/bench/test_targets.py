"""bench.targets: what is met, what is missed, and why."""

import pytest
from bench import targets
from bench.scenario import Target
from bench.targets import verdicts

from tests.unit.bench.results import CASE, OURS, THEIRS, results, scenario

FOUND = results({OURS: [100.0, 300.0, 200.0], THEIRS: [80.0, 100.0, 120.0]})


def target(bound: float, *, case: str = CASE, against: str = THEIRS, at_most: bool = False) -> Target:
    return Target("twice", case, OURS, "rate", bound, against, at_most)


@pytest.mark.parametrize(
    ("wanted", "figure", "met"),
    [
        (target(2.0), 2.0, True),
        (target(2.1), 2.0, False),
        (target(1.9, at_most=True), 2.0, False),
        (target(2.0, at_most=True), 2.0, True),
        (target(200.0, against=""), 200.0, True),
        (target(201.0, against=""), 200.0, False),
        (target(2.0, against="nobody"), None, False),
    ],
)
def test_medians_are_judged(wanted: Target, figure: float | None, met: bool) -> None:
    [verdict] = verdicts(scenario(wanted), FOUND)
    assert (verdict.figure, verdict.met) == (figure, met)


@pytest.mark.parametrize(("bound", "at_most", "figure"), [(100.0, False, 100.0), (300.0, True, 300.0)])
def test_the_worst_round_is_judged_where_every_round_counts(bound: float, at_most: bool, figure: float) -> None:
    wanted = Target("each", CASE, OURS, "rate", bound, at_most=at_most, every_round=True)
    [verdict] = verdicts(scenario(wanted), FOUND)
    assert (verdict.figure, verdict.met) == (figure, True)


def test_a_case_that_was_no_part_of_the_run_is_not_judged() -> None:
    assert verdicts(scenario(target(2.0, case="few connections")), FOUND) == []


def test_a_reason_belongs_to_a_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "REASONS", {"small/twice": "The kernel.", "small/thrice": "Another one."})
    [verdict] = verdicts(scenario(target(3.0)), FOUND)
    assert verdict.reason == "The kernel."

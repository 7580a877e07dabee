"""bench.scenarios.figures, and how failures of killed workers are judged."""

from collections import Counter

from bench.open_loop.outcome import Ended, Fate, Outcome
from bench.scenarios.figures import ENOUGH, FAILED, FAILURES, failures, percentiles
from bench.scenarios.killed import undue


def outcome(*fates: Fate, took: float = 0.010) -> Outcome:
    return Outcome([Ended("any", number, 0.0, 0.0, took, fate) for number, fate in enumerate(fates)])


def test_every_way_to_fail_has_its_column_and_all_are_in_the_first() -> None:
    told = failures(outcome(*Fate))
    assert set(told) == {each.key for each in FAILURES}
    assert told[FAILED.key] == len(Fate) - 1 == sum(told.values()) - told[FAILED.key]


def test_percentiles_are_milliseconds() -> None:
    assert percentiles(outcome(Fate.SERVED, Fate.CUT)) == {"p50": 10.0, "p99": 10.0}


def test_one_of_a_thousand_takes_a_thousand() -> None:
    assert "p999" not in percentiles(outcome(*[Fate.SERVED] * (ENOUGH - 1)))
    assert "p999" in percentiles(outcome(*[Fate.SERVED] * ENOUGH))


def test_of_nothing_served_there_are_no_percentiles() -> None:
    assert percentiles(outcome(Fate.CUT)) == {}


def test_a_request_may_fail_that_was_shot_twice() -> None:
    found = outcome(Fate.SERVED, Fate.ERROR, Fate.ERROR, Fate.LEFT)
    assert undue(found, Counter({"0": 1, "1": 2, "2": 1})) == 2

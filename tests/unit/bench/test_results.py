"""bench.results: kept as they were found, and medians of them."""

from pathlib import Path

import pytest
from bench.results import Results, Sample, read, write

from tests.unit.bench.results import CASE, OURS, THEIRS, results

FOUND = results({OURS: [100.0, 300.0, 200.0], THEIRS: [50.0]})


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = write(FOUND, tmp_path / "new")
    assert path.name == "small.json"
    assert read("small", tmp_path / "new") == FOUND


def test_a_scenario_that_was_not_measured(tmp_path: Path) -> None:
    assert read("small", tmp_path) is None


@pytest.mark.parametrize(("contender", "median"), [(OURS, 200.0), (THEIRS, 50.0), ("nobody", None)])
def test_the_median_of_the_rounds(contender: str, median: float | None) -> None:
    assert FOUND.median(contender, CASE, "rate") == median


def test_another_case_is_another_thing() -> None:
    assert FOUND.median(OURS, "another case", "rate") is None
    assert FOUND.cases() == [CASE]


def test_a_role_that_is_missing_in_a_round_took_nothing_there() -> None:
    rounds: list[dict[str, float]] = [{"nginx": 10.0, "ended processes": 6.0}, {"nginx": 20.0}, {"nginx": 30.0}]
    samples = [Sample(OURS, CASE, number, {}, cpu) for number, cpu in enumerate(rounds, 1)]
    found = Results("small", False, 3, 1.0, FOUND.conditions, {OURS: ""}, samples, [])
    assert found.cpu(OURS, CASE) == {"nginx": 20.0, "ended processes": 0.0}

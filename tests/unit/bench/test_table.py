"""bench.table: results as Markdown."""

from dataclasses import replace

import pytest
from bench import targets
from bench.results import Failure, Results
from bench.scenario import CPU, Target
from bench.table import case_table, cell, conditions, notes, short_table, tables

from tests.unit.bench.results import CASE, OURS, RATE, THEIRS, results, scenario

SHARES = {OURS: {"wsgid": 20.0, "wsgid workers": 10.4}, THEIRS: {"gunicorn": 0.2, "gunicorn workers": 90.0}}

FOUND = results({OURS: [1000.0, 3000.0, 2000.0], THEIRS: [500.0, 500.0, 500.0]}, SHARES, "It is another thing.")


def row(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"| {name} "))


def test_a_row_for_each_contender() -> None:
    table = case_table(scenario(), FOUND, CASE)
    assert table.splitlines()[0] == "| server | requests/s | ratio | CPU µs per request |"
    assert row(table, OURS) == f"| {OURS} | 2,000 (1,000 to 3,000) | 1.00 | 30 (wsgid 20, wsgid workers 10) |"
    assert row(table, THEIRS) == f"| {THEIRS} | 500 | 0.25 | 90 |"


def test_the_processors_time_is_told_for_what_the_scenario_counts() -> None:
    large = replace(scenario(), unit="MiB")
    assert case_table(large, FOUND, CASE).splitlines()[0].endswith("| CPU µs per MiB |")
    assert short_table(large, FOUND, CASE).splitlines()[0].endswith("| CPU µs per MiB |")


def test_no_ratio_to_nothing() -> None:
    table = case_table(scenario(), results({OURS: [0.0], THEIRS: [3.0]}), CASE)
    assert "ratio" not in table
    assert row(table, THEIRS).startswith(f"| {THEIRS} | 3 |")


def test_the_short_table_has_the_first_metric_and_the_processors_time() -> None:
    assert short_table(scenario(), FOUND, CASE) == case_table(scenario(), FOUND, CASE)


def test_what_was_not_measured_leaves_a_cell_empty() -> None:
    assert cell(FOUND, "nobody", CASE, RATE) == cell(FOUND, "nobody", CASE, CPU) == ""


def test_a_failure_is_told_in_a_line() -> None:
    failed = Results(
        FOUND.scenario,
        FOUND.full,
        FOUND.rounds,
        FOUND.seconds,
        FOUND.conditions,
        FOUND.differs,
        FOUND.samples,
        [Failure(THEIRS, "it did not start:\nand much more")],
    )
    assert f"Not measured: {THEIRS}: it did not start:\n\n" in tables(scenario(), failed)


@pytest.mark.parametrize(
    ("bound", "told"),
    [(3.5, "4.00 | met |"), (4.5, "4.00 | **missed**: The kernel. |"), (4.6, "4.00 | **missed** |")],
)
def test_a_reason_is_shown_only_when_it_is_missed(bound: float, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "REASONS", {"small/3.5": "No.", "small/4.5": "The kernel."})
    wanted = Target(f"{bound}", CASE, OURS, "rate", bound, THEIRS)
    said = f"{OURS}, {CASE}: requests/s at least {bound} times {THEIRS}"
    assert f"| {said} | {told}" in tables(scenario(wanted), FOUND)


def test_a_bound_without_an_opponent_is_written_as_the_figures_are() -> None:
    wanted = Target("all", CASE, OURS, "rate", 5000.0, at_most=True)
    assert "requests/s at most 5,000 | 2,000 | met |" in tables(scenario(wanted), FOUND)


def test_notes_are_of_those_that_differ() -> None:
    assert notes(FOUND) == f"- {THEIRS}: It is another thing."


def test_versions_are_of_those_that_took_part() -> None:
    said = conditions(FOUND)
    assert "Python 3.11, wsgid 1." in said
    assert "granian" not in said
    assert "medians of 3 rounds" in said


def test_what_the_host_has_taken_is_told_where_it_was_looked_at() -> None:
    assert "host" not in conditions(FOUND)
    samples = [replace(sample, stolen=0.02 * sample.round) for sample in FOUND.samples]
    assert "load 0.25 before, at most 6% of a measurement's time" in conditions(replace(FOUND, samples=samples))

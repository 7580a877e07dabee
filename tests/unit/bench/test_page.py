"""bench.page: what the documentation is made of results."""

from dataclasses import replace
from pathlib import Path

from bench.page import measured_scenarios, page, short
from bench.results import write
from bench.scenario import Target
from bench.scenarios.closed import USUAL

from tests.unit.bench.results import CASE, OURS, THEIRS, results, scenario

FOUND = results({OURS: [300.0], THEIRS: [100.0]})

SMALL = scenario(Target("twice", CASE, OURS, "rate", 2.0, THEIRS))


def test_only_what_was_measured_is_told(tmp_path: Path) -> None:
    other = replace(SMALL, name="other")
    write(FOUND, tmp_path)
    assert list(measured_scenarios({"other": other, "small": SMALL}, tmp_path)) == [(SMALL, FOUND)]


def test_the_verdicts_come_first() -> None:
    text = page([(SMALL, FOUND)])
    verdict = f"| A small one | {OURS}, {CASE}: requests/s at least 2 times {THEIRS} | 3.00 | met |"
    assert text.index(verdict) < text.index("## A small one") < text.index("![A small one](images/bench-small.svg)")


def test_a_page_of_nothing_has_no_table() -> None:
    assert "|" not in page([])


def test_the_readme_has_the_usual_case_of_some() -> None:
    samples = [replace(sample, case=USUAL.name) for sample in FOUND.samples]
    usual = replace(FOUND, scenario="hello", samples=samples)
    text = short([(replace(SMALL, name="hello", title="Hello"), usual), (replace(SMALL, name="api"), usual)])
    assert text.startswith(f"Hello, {USUAL.name}:\n\n| server | requests/s | ratio | CPU µs per request |\n")
    assert text.count("| server |") == 1

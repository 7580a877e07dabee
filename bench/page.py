"""docs/benchmarks.md, and the README's tables: made of the results in bench/results, with no figure typed by hand."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from docs.made.marked import with_part

from bench.results import FOLDER, Results, read
from bench.scenario import Scenario
from bench.scenarios.closed import USUAL
from bench.table import conditions, notes, short_table, tables, verdict_row
from bench.targets import verdicts

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
README = ROOT / "README.md"
IMAGES = ROOT / "docs" / "images"

IN_README = ("hello", "hello-front")
"""Scenarios whose usual case the README shows."""

HEAD = """\
<!-- Made by scripts/docs from bench/results and bench/scenarios: change those, not this. -->

# Benchmarks: side by side with other servers

`scripts/bench` gets the other servers, measures all of them and writes this page; `scripts/bench --list` names the
scenarios, `scripts/bench NAME` runs one of them, `--full` all their cases. "Fast" is a ratio: what is compared was
measured in one run, on one machine, the servers taking turns round after round. Workers and threads stand in each one's
name: as many for all, or as many places in all. Each writes its access log where nothing else is said; wsgid has its
metrics on beside that. The clients run on the same processors. The processors' time is that of all processes of a
server, from /proc; memory is the most they took together, and what they share counts once (PSS). The
ratio is that to the first row.
"""

Measured = tuple[Scenario, Results]


def made(scenarios: Mapping[str, Scenario], folder: Path = FOLDER) -> dict[Path, str]:
    """What is to stand in which file."""
    found = list(measured_scenarios(scenarios, folder))
    return {PAGE: page(found), README: with_part(README.read_text(), "benchmark", short(found))}


def measured_scenarios(scenarios: Mapping[str, Scenario], folder: Path = FOLDER) -> Iterator[Measured]:
    for scenario in scenarios.values():
        if results := read(scenario.name, folder):
            yield scenario, results


def page(found: Iterable[Measured]) -> str:
    every = list(found)
    return "\n".join([HEAD, *summary(every), *(section(scenario, results) for scenario, results in every)])


def summary(found: Iterable[Measured]) -> Iterator[str]:
    """What is to be shown, and whether it was."""
    rows = [
        f"| {scenario.title} {verdict_row(each, scenario)}"
        for scenario, results in found
        for each in verdicts(scenario, results)
    ]
    if rows:
        head = ["## What it is to show", "", "| scenario | to be shown | measured | |", "| --- | --- | ---: | --- |"]
        yield "\n".join([*head, *rows, ""])


def section(scenario: Scenario, results: Results) -> str:
    image = f"![{scenario.title}]({picture(scenario).relative_to(PAGE.parent)})"
    return f"## {scenario.title}\n\n{scenario.words}\n\n{image}\n\n{tables(scenario, results)}\n"


def short(found: Iterable[Measured]) -> str:
    """For the README."""
    return "".join(
        f"{scenario.title}, {USUAL.name}:\n\n{short_table(scenario, results, USUAL.name)}\n\n"
        f"{notes(results)}\n\n{conditions(results)}\n\n"
        for scenario, results in found
        if scenario.name in IN_README
    )


def picture(scenario: Scenario) -> Path:
    return IMAGES / f"bench-{scenario.name}.svg"

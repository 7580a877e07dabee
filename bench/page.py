"""docs/benchmarks.md: made of the results in bench/results, with no figure typed by hand."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from bench.results import FOLDER, Results, read
from bench.scenario import Scenario
from bench.table import tables, verdict_row
from bench.targets import verdicts

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
IMAGES = ROOT / "docs" / "images"

HEAD = """\
<!-- Made by scripts/docs from bench/results and bench/scenarios: change those, not this. -->

# Benchmarks: side by side with other servers

`scripts/bench` gets the other servers, measures all of them and writes this page; `scripts/bench --list` names the
scenarios, `scripts/bench NAME` runs one of them, `--full` all their cases. "Fast" is a ratio: what is compared was
measured in one run, on one machine, the servers taking turns round after round. Every server has the same number of
worker processes, and of threads where it has any, and writes its access log if it has one; wsgid has its metrics on
beside that. The clients run on the same processors. The processors' time is that of all processes of a server, from
/proc; memory is the most they took together, and what they share counts once (PSS).
"""


def page(scenarios: Mapping[str, Scenario], folder: Path = FOLDER) -> str:
    found = list(measured_scenarios(scenarios, folder))
    return "\n".join([HEAD, *summary(found), *(section(scenario, results) for scenario, results in found)])


def measured_scenarios(scenarios: Mapping[str, Scenario], folder: Path = FOLDER) -> Iterator[tuple[Scenario, Results]]:
    for scenario in scenarios.values():
        if results := read(scenario.name, folder):
            yield scenario, results


def summary(found: Iterable[tuple[Scenario, Results]]) -> Iterator[str]:
    """What is to be shown, and whether it was."""
    rows = [
        f"| {scenario.title} {verdict_row(each, scenario)}"
        for scenario, results in found
        for each in verdicts(scenario, results)
    ]
    if rows:
        yield "\n".join(
            [
                "## What it is to show",
                "",
                "| scenario | to be shown | measured | |",
                "| --- | --- | ---: | --- |",
                *rows,
                "",
            ]
        )


def section(scenario: Scenario, results: Results) -> str:
    image = f"![{scenario.title}]({picture(scenario).relative_to(PAGE.parent)})"
    return f"## {scenario.title}\n\n{scenario.words}\n\n{image}\n\n{tables(scenario, results)}\n"


def picture(scenario: Scenario) -> Path:
    return IMAGES / f"bench-{scenario.name}.svg"

"""The command: measures scenarios, keeps the results, prints the tables and judges. Run by scripts/bench."""

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
from tests import proc

from bench import results
from bench.page import made, measured_scenarios, picture
from bench.runner import Pace, run
from bench.scenario import Scenario
from bench.scenarios import ALL, SCENARIOS
from bench.table import tables
from bench.targets import verdicts

QUICK, FULL = 3.0, 5.0
"""Seconds of each measurement."""

FULL_ROUNDS = 3


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(SCENARIOS)), metavar="[NAME]...")
@click.option("--full", is_flag=True, help="All cases, more rounds, and longer ones.")
@click.option("--list", "listing", is_flag=True, help="Name the scenarios.")
@click.option(
    "--docs", is_flag=True, help="Measure nothing: write docs/benchmarks.md, its pictures and the README's table."
)
@click.option("--rounds", type=click.IntRange(1), help="Turns of each server, instead of the scenario's own number.")
@click.option("--seconds", type=float, help=f"Of each measurement; {QUICK:g}, or {FULL:g}.")
@click.option(
    "--results",
    "folder",
    type=click.Path(file_okay=False, resolve_path=True, path_type=Path),
    default=results.FOLDER,
    help="Where the results are kept; elsewhere than in bench/results they do not get into the documentation.",
)
def main(
    names: tuple[str, ...],
    full: bool,
    listing: bool,
    docs: bool,
    rounds: int | None,
    seconds: float | None,
    folder: Path,
) -> None:
    """Compares wsgid with what a user would pick instead, scenario by scenario, all servers in one run.

    Without names those are run that wsgid has targets in, and of each its usual cases. Progress goes to the standard
    error, tables to the standard output. Exit code 1 when a target is missed or a server could not be measured.
    """
    if listing:
        listed()
    elif docs:
        document()
    else:
        chosen = [SCENARIOS[name] for name in names] or [each for each in ALL if full or each.quick]

        def pace(scenario: Scenario) -> Pace:
            usual = FULL_ROUNDS if full else scenario.quick_rounds
            return Pace(rounds or usual, seconds or (FULL if full else QUICK), full)

        sys.exit(0 if measure(chosen, pace, folder) else 1)


def listed() -> None:
    for scenario in ALL:
        cases, quick = len(scenario.cases), len(scenario.cases_of(full=False))
        more = f", {cases - quick} more with --full" if cases > quick else ""
        alone = "" if scenario.quick else "; only by name or with --full"
        click.echo(f"{scenario.name:<20}{scenario.title}: {quick} case{'s' * (quick > 1)}{more}{alone}")


def measure(chosen: list[Scenario], pace: Callable[[Scenario], Pace], folder: Path) -> bool:
    """Was everything measured, and all targets met?"""
    proc.adopt_orphans()
    # Else the servers would be left behind.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    good, begun = True, time.monotonic()
    for scenario in chosen:
        found = run(scenario, pace(scenario), lambda line: click.echo(line, err=True))
        results.write(found, folder)
        click.echo(f"## {scenario.title}\n\n{tables(scenario, found)}\n")
        good &= not found.failures and all(each.met for each in verdicts(scenario, found))
    if folder == results.FOLDER:
        document()
    click.echo(f"took {(time.monotonic() - begun) / 60:.1f} minutes", err=True)
    return good


def document() -> None:
    """Also the pictures, for which scripts/docs has no matplotlib."""
    # Only here: what is measured is started by a process that has not loaded it.
    from bench.plots import draw

    for scenario, found in measured_scenarios(SCENARIOS):
        draw(scenario, found, picture(scenario))
    for file, text in made(SCENARIOS).items():
        file.write_text(text)


if __name__ == "__main__":
    main(prog_name="scripts/bench")

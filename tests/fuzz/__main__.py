"""Fuzzing for a while: see scripts/fuzz, which installs what is needed.

Exit code 1 when there is a finding.
"""

import platform
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click

from tests import proc
from tests.behaviours.figures import figures
from tests.behaviours.figures import table as table_of_figures
from tests.fuzz.campaign import ROOT, Result, fuzz
from tests.fuzz.targets import TARGETS, Target

FINDINGS = ROOT / "findings"

LABEL = max(map(len, TARGETS))


@click.command()
@click.option("--minutes", default=10.0, show_default=True, help="Of each target.")
@click.option("--input", "file", type=click.Path(path_type=Path, exists=True), help="Only this, on one target.")
@click.option("--behaviours", default=0, help="So many random conversations instead of targets.", metavar="NUMBER")
@click.option("--seed", type=int, help="For --behaviours; drawn when it is not given.")
@click.argument("names", nargs=-1, metavar="[TARGET]...")
def main(minutes: float, file: Path | None, behaviours: int, seed: int | None, names: tuple[str, ...]) -> None:
    """Fuzzes all targets, or those that are named; what is found goes to findings/, what is learnt into the corpora."""
    if unknown := sorted(set(names).difference(TARGETS)):
        raise click.UsageError(f"there is no target {', '.join(unknown)}; the targets are {', '.join(TARGETS)}")
    chosen = [TARGETS[name] for name in names or TARGETS]
    if file is not None:
        try_input(chosen, file)
    elif behaviours:
        play(behaviours, random.getrandbits(32) if seed is None else seed)
    else:
        results = [run(target, minutes * 60) for target in chosen]
        click.echo(table(results))
        click.echo(conditions())
        for each in results:
            report(each)
        sys.exit(any(each.told for each in results))


def run(target: Target, seconds: float) -> Result:
    with progress(target.name.ljust(LABEL), round(seconds)) as tell:
        return fuzz(target, seconds, FINDINGS, lambda passed: tell(round(passed)))


def play(count: int, seed: int) -> None:
    proc.adopt_orphans()  # of the daemon, should it leave any
    with progress(f"{count:,} conversations", count) as tell:
        found = figures(count, seed, tell)
    click.echo(table_of_figures(found))
    click.echo(f"Seed {seed}. None was found fault with.\n{conditions()}")


def try_input(targets: list[Target], file: Path) -> None:
    if len(targets) != 1:
        raise click.UsageError("--input is for one target: name it")
    with targets[0].opened() as check:
        check(file.read_bytes())
    click.echo("nothing is wrong with it")


@contextmanager
def progress(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """Gives what is to be told how far it is."""
    with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
        yield lambda done: bar.update(min(done, length) - bar.pos)


def table(results: list[Result]) -> str:
    lines = [
        "| target | executions | seconds | findings | corpus |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for each in results:
        corpus = f"{len(each.corpus)} inputs of {sum(each.corpus):,} bytes"
        cells = f"{each.executions:,} | {each.seconds:,.0f} | {len(each.findings) or int(bool(each.told))} | {corpus}"
        lines.append(f"| {each.target.name} | {cells} |")
    return "\n".join(lines)


def conditions() -> str:
    return f"{datetime.now(UTC).date()}, Python {platform.python_version()}, wsgid {version('wsgid-server')}."


def report(result: Result) -> None:
    if result.told:
        click.echo(f"\n{result.target.name}:\n{result.told}", err=True)
    for finding in result.findings:
        click.echo(f"Again: scripts/fuzz --input {finding} {result.target.name}", err=True)


if __name__ == "__main__":
    main()

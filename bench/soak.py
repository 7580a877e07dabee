"""The long run: what the tests show in seconds, for minutes. A daemon under load whose workers are shot, whose code is
replaced, whose dispatcher is killed, that has too many clients, whose requests hang; one that only serves, whose
dispatcher must not grow; and one whose clients are slow, or have bodies of a gigabyte.

Exit code 1 when a promise was broken. Run by scripts/soak, which installs what is needed.
"""

import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

import click
from tests import proc
from tests.deadlines import seconds
from tests.functional.clients import Cut
from tests.functional.load import CLIENTS, HANG

from bench.part import Limits, Part, Tell
from bench.soak_parts import PARTS
from bench.stage import serving

LABEL = 24
"""Characters that the names of all parts fit into."""

SHOWN = 10
"""Broken promises that are printed for each part."""


@dataclass(frozen=True)
class Result:
    name: str
    edge: str
    lasted: float
    """Seconds."""
    requests: int
    longest: float
    """Seconds that a request took."""
    told: str
    broken: list[str]


@click.command()
@click.option("--minutes", default=5.0, show_default=True, help="Of each part that goes by time.")
@click.option("--requests", default=200_000, show_default=True, help="Of the part that goes by requests.")
@click.option("--mib", default=1024, show_default=True, help="Of each large body.")
@click.option("--crowd", default=500, show_default=True, help="Slow uploads, and as many slow readers.")
@click.argument("names", nargs=-1, metavar="[PART]...")
def main(minutes: float, requests: int, mib: int, crowd: int, names: tuple[str, ...]) -> None:
    """Long load while workers die, releases come and dispatchers are killed: all parts, or those that are named."""
    if unknown := sorted(set(names).difference(PARTS)):
        raise click.UsageError(f"there is no part {', '.join(unknown)}; the parts are {', '.join(PARTS)}")
    proc.adopt_orphans()
    limits = Limits(minutes * 60, requests, mib, crowd)
    chosen = [(name, edge) for name in names or PARTS for edge in PARTS[name].edges]
    results = [run(name, edge, PARTS[name], limits) for name, edge in chosen]
    click.echo(table(results))
    for each in results:
        for promise in each.broken[:SHOWN]:
            click.echo(f"{each.name}, {each.edge}: {promise}", err=True)
    sys.exit(any(each.broken for each in results))


def run(name: str, edge: str, part: Part, limits: Limits) -> Result:
    begun = time.monotonic()
    try:
        stages = serving(edge, *part.options, app=part.app, settings=part.settings)
        with stages as stage, progress(f"{name}, {edge}") as tell:
            outcome = part.play(stage, limits, tell)
    except (AssertionError, Cut, OSError) as error:  # the other parts are worth knowing all the same
        return Result(name, edge, time.monotonic() - begun, 0, 0.0, "it was given up", [str(error)])
    records = outcome.records
    longest = max(each.took for each in records)
    broken = list(outcome.broken)
    if longest > seconds(HANG):
        broken.append(f"a request took {longest:.1f} s")
    return Result(name, edge, time.monotonic() - begun, len(records), longest, outcome.told, broken)


@contextmanager
def progress(label: str) -> Iterator[Tell]:
    with click.progressbar(length=100, label=label.ljust(LABEL), file=sys.stderr) as bar:
        yield lambda done: bar.update(round(100 * min(done, 1.0)) - bar.pos)


def table(results: list[Result]) -> str:
    lines = [
        "| part | edge | time | requests | longest | what happened | |",
        "| --- | --- | ---: | ---: | ---: | --- | --- |",
    ]
    for each in results:
        judgement = f"{len(each.broken)} broken promises" if each.broken else "held"
        lines.append(
            f"| {each.name} | {each.edge} | {each.lasted:.0f} s | {each.requests:,} | {each.longest:.2f} s "
            f"| {each.told} | {judgement} |"
        )
    return "\n".join([*lines, "", conditions()])


def conditions() -> str:
    return (
        f"{datetime.now(UTC).date()}, {os.cpu_count()} cores shared with the clients, {CLIENTS} kept-alive "
        f"connections, access log on; Python {platform.python_version()}, wsgid {version('wsgid-server')}."
    )


if __name__ == "__main__":
    main()

"""Large bodies, side by side: how long servers take for them, and how much memory.

Five servers take turns, round after round, so that a machine that slows down slows all of them; of each the median
counts. A client in a process of its own sends a body as fast as it goes, and reads another one. What the server's
processes take together is looked at all the while; behind Mongrel2 that is also Mongrel2's. Run by
scripts/bench-bodies, which installs what is needed.
"""

import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click
from tests import proc
from tests.apps.downloads.app.wsgi import PART
from tests.functional import clients
from tests.functional.daemon import APPLICATIONS
from tests.functional.load import Address
from tests.functional.memory import MIB
from tests.functional.transfers import Transfer, Transfers, generated, upload

from bench.contender import Application, NotMeasured, Running
from bench.contenders.ours import mongrel2_wsgid, wsgid
from bench.contenders.peers import granian, gunicorn_sync, waitress
from bench.measure import memory

WORKERS = 2

APPLICATION = Application(APPLICATIONS / "downloads")

FLOW_CONTROL = {"download.flow_control": "1"}

LOOK = 0.02
"""Seconds between two looks at the memory."""

LIMIT = 120.0
"""Seconds (before stretching) that a body may take."""


@dataclass(frozen=True)
class Measured:
    took: float
    """Seconds."""
    peak: int
    """Bytes, of all processes together."""


@dataclass(frozen=True)
class Turn:
    idle: int
    """Bytes, of all processes together, after one small request."""
    up: Measured
    down: Measured


@click.command()
@click.option("--rounds", default=3, show_default=True, help="Turns of each server.")
@click.option("--mib", default=256, show_default=True, help="Of each body.")
def main(rounds: int, mib: int) -> None:
    """Compares what large bodies cost wsgid, gunicorn, waitress and granian."""
    proc.adopt_orphans()
    turns: dict[str, list[Turn]] = {server.name: [] for server in SERVERS}
    for number in range(1, rounds + 1):
        for server in SERVERS:
            with (
                tempfile.TemporaryDirectory(prefix="bench-") as folder,
                server.start(Path(folder), APPLICATION) as running,
            ):
                turn = measure(running, mib)
            turns[server.name].append(turn)
            click.echo(f"round {number} of {rounds}: {server.name}: {turn}", err=True)
    click.echo(table(turns))
    click.echo(f"\n{conditions(rounds, mib)}")


# The servers

SERVERS = [
    wsgid(WORKERS),
    mongrel2_wsgid(WORKERS, settings=FLOW_CONTROL),
    gunicorn_sync(WORKERS),
    waitress(WORKERS),
    granian(WORKERS),
]


# Measuring


def answers(address: Address) -> bool:
    try:
        with clients.Connection(address) as connection:
            connection.ask("/quick")
            return connection.answer().body == b"quick\n"
    except (ConnectionError, clients.Cut):
        return False


def measure(running: Running, mib: int) -> Turn:
    """Raises NotMeasured."""
    if not answers(running.address):
        raise NotMeasured("it does not answer")
    idle = memory(running.processes())
    return Turn(idle, transfer(running, upload(mib * MIB)), transfer(running, generated(mib * MIB // PART)))


def transfer(running: Running, body: Transfer) -> Measured:
    """Raises NotMeasured."""
    processes, peak = running.processes(), 0
    with Transfers(running.address, [body]) as transfers:
        while transfers.running:
            peak = max(peak, memory(processes))
            time.sleep(LOOK)
        if complaints := transfers.complaints(LIMIT):
            raise NotMeasured("\n".join(complaints))
        [ended] = transfers.ended(LIMIT)
    return Measured(ended.took, peak)


# Telling


def table(turns: dict[str, list[Turn]]) -> str:
    lines = ["| server | upload | memory | download | memory | idle |", "| --- | --- | --- | --- | --- | --- |"]
    for name, each in turns.items():
        up, down = _cells([turn.up for turn in each]), _cells([turn.down for turn in each])
        lines.append(f"| {name} | {up} | {down} | {_mebibytes([turn.idle for turn in each])} |")
    return "\n".join(lines)


def _cells(measured: Sequence[Measured]) -> str:
    took = [each.took for each in measured]
    times = f"{statistics.median(took):.1f} s ({min(took):.1f} to {max(took):.1f})"
    return f"{times} | {_mebibytes([each.peak for each in measured])}"


def _mebibytes(sizes: Sequence[int]) -> str:
    return f"{statistics.median(sizes) / MIB:.0f} MiB ({min(sizes) / MIB:.0f} to {max(sizes) / MIB:.0f})"


def conditions(rounds: int, mib: int) -> str:
    debian = ["dpkg-query", "--show", "--showformat", "${Package} ${Version}", "mongrel2-core"]
    mongrel2 = subprocess.run(debian, check=True, capture_output=True, text=True).stdout
    names = {"wsgid": "wsgid-server", "gunicorn": "gunicorn", "waitress": "waitress", "granian": "granian"}
    packages = ", ".join(f"{name} {version(package)}" for name, package in names.items())
    return (
        f"{mib} MiB, medians of {rounds} rounds (least to most), {datetime.now(UTC).date()}, {os.cpu_count()} cores "
        f"shared with the client; Python {platform.python_version()}, {mongrel2}, {packages}."
    )


if __name__ == "__main__":
    main()

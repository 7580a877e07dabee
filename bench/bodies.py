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
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click
from tests import proc
from tests.apps.downloads.app.wsgi import PART
from tests.deadlines import wait_for
from tests.functional import clients
from tests.functional.daemon import APPLICATIONS
from tests.functional.load import Address
from tests.functional.memory import MIB
from tests.functional.mongrel2 import Endpoints, Mongrel2, free_port
from tests.functional.transfers import Transfer, Transfers, generated, upload

from bench.stage import daemon

WORKERS = 2

APPLICATION = APPLICATIONS / "downloads"

LOOK = 0.02
"""Seconds between two looks at the memory."""

LIMIT = 120.0
"""Seconds (before stretching) that a body may take."""


@dataclass(frozen=True)
class Running:
    address: Address
    pids: tuple[int, ...]
    """Of the processes that were started; they have children."""

    def processes(self) -> set[int]:
        return {*self.pids, *(child.pid for pid in self.pids for child in proc.descendants(pid))}


@dataclass(frozen=True)
class Server:
    name: str
    serve: Callable[[Path], AbstractContextManager[Running]]
    """Called with an empty folder."""


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


class NotMeasured(Exception):
    """A server did not start, or gave other answers than expected: its numbers would mean nothing."""


@click.command()
@click.option("--rounds", default=3, show_default=True, help="Turns of each server.")
@click.option("--mib", default=256, show_default=True, help="Of each body.")
def main(rounds: int, mib: int) -> None:
    """Compares what large bodies cost wsgid, gunicorn, waitress and granian."""
    proc.adopt_orphans()
    turns: dict[str, list[Turn]] = {server.name: [] for server in SERVERS}
    for number in range(1, rounds + 1):
        for server in SERVERS:
            with tempfile.TemporaryDirectory(prefix="bench-") as folder, server.serve(Path(folder)) as running:
                turn = measure(running, mib)
            turns[server.name].append(turn)
            click.echo(f"round {number} of {rounds}: {server.name}: {turn}", err=True)
    click.echo(table(turns))
    click.echo(f"\n{conditions(rounds, mib)}")


# The servers


@contextmanager
def wsgid_http(folder: Path) -> Iterator[Running]:
    with daemon(folder, APPLICATION, WORKERS, "--bind", "127.0.0.1:0") as running:
        yield Running(running.address, (running.pid,))


@contextmanager
def mongrel2_wsgid(folder: Path) -> Iterator[Running]:
    endpoints = Endpoints()
    server = Mongrel2("bench", {"/": endpoints.ipc("bench")}, folder / "mongrel2", {"download.flow_control": "1"})
    server.start()
    try:
        with daemon(folder, APPLICATION, WORKERS, *server.options) as running:
            yield Running(server.address, (running.pid, server.pid))
    finally:
        server.stop()
        endpoints.remove()


def gunicorn(folder: Path) -> AbstractContextManager[Running]:
    options = ("--access-logfile", str(folder / "access.log"), "wsgi:application")
    return other(folder, lambda port: ["gunicorn", "--workers", str(WORKERS), "--bind", f"127.0.0.1:{port}", *options])


def waitress(folder: Path) -> AbstractContextManager[Running]:
    """It has threads and no processes, and no access log."""
    options = ["--threads", str(WORKERS), "wsgi:application"]
    return other(folder, lambda port: ["waitress", "--listen", f"127.0.0.1:{port}", *options])


def granian(folder: Path) -> AbstractContextManager[Running]:
    options = ["--interface", "wsgi", "--workers", str(WORKERS), "--access-log", "wsgi:application"]
    return other(folder, lambda port: ["granian", "--host", "127.0.0.1", "--port", f"{port}", *options])


@contextmanager
def other(folder: Path, arguments: Callable[[int], Sequence[str]]) -> Iterator[Running]:
    """A server that is a Python module, on a free port. Raises NotMeasured."""
    address = ("127.0.0.1", free_port())
    command = [sys.executable, "-m", *arguments(address[1])]
    with open(folder / "output", "wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=APPLICATION / "app")
    try:
        wait_for(lambda: process.poll() is not None or answers(address), f"{command[2]} to answer")
        if process.poll() is not None:
            raise NotMeasured(f"{command[2]} did not start:\n{(folder / 'output').read_text()}")
        yield Running(address, (process.pid,))
    finally:
        process.terminate()
        process.wait()


SERVERS = [
    Server(f"wsgid, HTTP, {WORKERS} workers", wsgid_http),
    Server(f"Mongrel2 + wsgid, {WORKERS} workers", mongrel2_wsgid),
    Server(f"gunicorn sync, {WORKERS} workers", gunicorn),
    Server(f"waitress, {WORKERS} threads", waitress),
    Server(f"granian, {WORKERS} workers", granian),
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


def memory(pids: Iterable[int]) -> int:
    """Bytes that these processes take together; what they share counts once (PSS, proc(5))."""
    return sum(map(proportional, pids))


def proportional(pid: int) -> int:
    """Of one process, in bytes; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


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

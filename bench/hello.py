"""Hello world, side by side: what the servers themselves cost, on this machine, in one run.

Four servers take turns, round after round, so that a machine that slows down slows all of them; of each the median
counts. Every one of them writes an access log, and wrk shares the cores with them. Exit code 1 when wsgid falls below
its targets. Run by scripts/bench-hello, which installs what is needed.
"""

import argparse
import datetime
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

from tests import proc
from tests.functional import clients
from tests.functional.daemon import APPLICATIONS
from tests.functional.mongrel2 import Directory, Mongrel2

from bench.servers import NotMeasured, Running, Server, gunicorn, wsgid_http, wsgid_mongrel2

WORKERS = 2
CONNECTIONS = 32
WRK_THREADS = 2
WARM_UP = 1
"""Seconds before each measurement, not counted."""

GREETING = b"Hello, World!\n"
APPLICATION = APPLICATIONS / "plain"


@dataclass(frozen=True)
class Target:
    server: str
    against: str
    ratio: float


def main() -> int:
    arguments = read_arguments()
    proc.adopt_orphans()
    rates: dict[str, list[float]] = {server.name: [] for server in SERVERS}
    for number in range(1, arguments.rounds + 1):
        for server in SERVERS:
            with tempfile.TemporaryDirectory(prefix="bench-") as folder, server.serve(Path(folder)) as running:
                check(running.url)
                load(running.url, WARM_UP)
                rate = load(running.url, arguments.seconds)
            rates[server.name].append(rate)
            print(f"round {number} of {arguments.rounds}: {server.name}: {rate:,.0f}/s", file=sys.stderr, flush=True)
    medians = {name: statistics.median(each) for name, each in rates.items()}
    print(table(rates, medians))
    missed = [target for target in TARGETS if medians[target.server] < target.ratio * medians[target.against]]
    for target in missed:
        print(f"below the target: {target.server} is not {target.ratio} times {target.against}", file=sys.stderr)
    return 1 if missed else 0


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compares wsgid with gunicorn and with Mongrel2's static files.")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each server (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=5, help="of load in each turn (default: %(default)s)")
    return parser.parse_args()


# The servers


@contextmanager
def mongrel2_static(folder: Path) -> Iterator[Running]:
    (folder / "static").mkdir()
    (folder / "static/hello.txt").write_bytes(GREETING)
    server = Mongrel2("bench", {"/": Directory(f"{folder}/static/")}, folder / "mongrel2")
    server.start()
    try:
        yield Running(server.address, (server.pid,), "/hello.txt")
    finally:
        server.stop()


GUNICORN = f"gunicorn sync, {WORKERS} workers"
HTTP = f"wsgid, HTTP, {WORKERS} workers"
STATIC = "Mongrel2, a static file"
BEHIND = f"Mongrel2 + wsgid, {WORKERS} workers"

SERVERS = [
    Server(GUNICORN, partial(gunicorn, APPLICATION, WORKERS)),
    Server(HTTP, partial(wsgid_http, APPLICATION, WORKERS)),
    Server(STATIC, mongrel2_static),
    Server(BEHIND, partial(wsgid_mongrel2, APPLICATION, WORKERS)),
]

TARGETS = [Target(HTTP, GUNICORN, 1.8), Target(BEHIND, STATIC, 0.35)]


# Measuring


def check(url: str) -> None:
    answer = clients.request(url)
    if (answer.status, answer.body) != (200, GREETING):
        raise NotMeasured(f"{url} answers {answer.status} {answer.body[:200]!r}")


def load(url: str, seconds: int) -> float:
    """Requests a second. Raises NotMeasured."""
    command = ["wrk", "-t", str(WRK_THREADS), "-c", str(CONNECTIONS), "-d", f"{seconds}s", url]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"^Requests/sec:\s+([0-9.]+)", said, re.MULTILINE)
    if found is None or "Non-2xx" in said or "Socket errors" in said:
        raise NotMeasured(f"wrk says:\n{said}")
    return float(found[1])


# Telling


def table(rates: dict[str, list[float]], medians: dict[str, float]) -> str:
    ratios = {target.server: target for target in TARGETS}
    lines = ["| server | requests/s | each round | ratio | target |", "| --- | ---: | --- | --- | --- |"]
    for name, each in rates.items():
        rounds = ", ".join(f"{rate:,.0f}" for rate in each)
        target = ratios.get(name)
        ratio = f"{medians[name] / medians[target.against]:.2f} times {target.against}" if target else ""
        wanted = f"{target.ratio}" if target else ""
        lines.append(f"| {name} | {medians[name]:,.0f} | {rounds} | {ratio} | {wanted} |")
    return "\n".join([*lines, "", conditions()])


def conditions() -> str:
    today = datetime.datetime.now(datetime.UTC).date()
    # Neither program has an option that only tells its version, so Debian is asked.
    debian = ["dpkg-query", "--show", "--showformat", "${Package} ${Version}, ", "mongrel2-core", "wrk"]
    programs = subprocess.run(debian, check=True, capture_output=True, text=True).stdout
    packages = f"wsgid {version('wsgid-server')}, gunicorn {version('gunicorn')}"
    return (
        f"{today}, {os.cpu_count()} cores shared with wrk, {CONNECTIONS} kept-alive connections, access logs on; "
        f"{programs}Python {platform.python_version()}, {packages}."
    )


if __name__ == "__main__":
    sys.exit(main())

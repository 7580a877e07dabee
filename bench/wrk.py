"""wrk: a closed loop of so many connections, each of which sends its next request when it has its answer."""

import re
import subprocess
from dataclasses import dataclass

from bench.contender import NotMeasured

THREADS = 2

PATIENCE = "60s"
"""With an answer of any size."""

SIZES = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
"""As it calls them, in bytes."""

UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}
"""In milliseconds."""


@dataclass(frozen=True)
class Load:
    requests: int
    rate: float
    """Requests a second."""
    p50: float
    """Milliseconds."""
    p99: float
    errors: int
    """Connections that failed or were reset, and answers that took longer than two seconds."""


@dataclass(frozen=True)
class Download:
    bytes: int
    """To a hundredth of the unit in which wrk tells them."""
    seconds: float


def load(url: str, connections: int, seconds: float, *, kept_alive: bool = True) -> Load:
    """Raises NotMeasured."""
    close = () if kept_alive else ("-H", "Connection: close")
    return read(_said(url, connections, seconds, "--latency", *close))


def download(url: str, connections: int, seconds: float) -> Download:
    """For answers that may take longer than it goes on: what has come of them counts. Raises NotMeasured."""
    return read_download(_said(url, connections, seconds, "--timeout", PATIENCE))


def _said(url: str, connections: int, seconds: float, *options: str) -> str:
    """Raises NotMeasured, also when nobody listens: then wrk ends with an error."""
    threads = str(min(THREADS, connections))
    command = ["wrk", "-t", threads, "-c", str(connections), "-d", f"{max(1, round(seconds))}s", *options, url]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise NotMeasured(f"wrk ended with {done.returncode}: {done.stderr}")
    return done.stdout


def read(said: str) -> Load:
    """What wrk has printed. Raises NotMeasured."""
    rate, requests = re.search(r"^Requests/sec:\s+([\d.]+)", said, re.M), re.search(r"(\d+) requests in", said)
    if rate is None or requests is None or "Non-2xx" in said or requests[1] == "0":
        raise NotMeasured(f"wrk says:\n{said}")
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    failed = sum(map(int, errors.groups())) if errors else 0
    return Load(int(requests[1]), float(rate[1]), _latency(said, "50"), _latency(said, "99"), failed)


def read_download(said: str) -> Download:
    """The same, where no answer need be whole. Raises NotMeasured."""
    found = re.search(r"\d+ requests in ([\d.]+)(us|ms|s|m), ([\d.]+)([KMGT]?B) read", said)
    failed = re.search(r"Non-2xx|Socket errors", said)
    if found is None or failed:
        raise NotMeasured(f"wrk says:\n{said}")
    return Download(round(float(found[3]) * SIZES[found[4]]), float(found[1]) * UNITS[found[2]] / 1000)


def _latency(said: str, percent: str) -> float:
    found = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s|m)\s*$", said, re.M)
    if found is None:
        raise NotMeasured(f"wrk tells no {percent} %:\n{said}")
    return float(found[1]) * UNITS[found[2]]

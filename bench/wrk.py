"""wrk: a closed loop of so many connections, each of which sends its next request when it has its answer."""

import re
import subprocess
from dataclasses import dataclass

from bench.contender import NotMeasured

THREADS = 2

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


def load(url: str, connections: int, seconds: float, *, kept_alive: bool = True) -> Load:
    """Raises NotMeasured."""
    threads = str(min(THREADS, connections))
    command = ["wrk", "--latency", "-t", threads, "-c", str(connections), "-d", f"{max(1, round(seconds))}s"]
    close = () if kept_alive else ("-H", "Connection: close")
    said = subprocess.run([*command, *close, url], check=True, capture_output=True, text=True).stdout
    return read(said)


def read(said: str) -> Load:
    """What wrk has printed. Raises NotMeasured."""
    rate, requests = re.search(r"^Requests/sec:\s+([\d.]+)", said, re.M), re.search(r"(\d+) requests in", said)
    if rate is None or requests is None or "Non-2xx" in said or requests[1] == "0":
        raise NotMeasured(f"wrk says:\n{said}")
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    failed = sum(map(int, errors.groups())) if errors else 0
    return Load(int(requests[1]), float(rate[1]), _latency(said, "50"), _latency(said, "99"), failed)


def _latency(said: str, percent: str) -> float:
    found = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s|m)$", said, re.M)
    if found is None:
        raise NotMeasured(f"wrk tells no {percent} %:\n{said}")
    return float(found[1]) * UNITS[found[2]]

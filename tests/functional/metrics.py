"""What a daemon answers at --metrics, as a scraper or a prober sees it."""

import re

from tests.functional import clients
from tests.functional.daemon import Daemon

OPTION = ("--metrics", "127.0.0.1:0")

_TOLD = re.compile(r"answering Prometheus and probes at (http://\S+)")


def url(daemon: Daemon) -> str:
    """Of the first ``--metrics``. Raises AssertionError."""
    daemon.wait_for_log("answering Prometheus and probes at http")
    found = _TOLD.search(daemon.log)
    assert found
    return found[1]


def ask(daemon: Daemon, path: str) -> clients.Answer:
    return clients.request(url(daemon) + path)


def samples(daemon: Daemon) -> dict[str, float]:
    """``name{labels}``, as they stand there, to the number."""
    answer = ask(daemon, "/metrics")
    assert answer.status == 200
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(number) for name, number in (line.rsplit(" ", 1) for line in lines)}


def nonzero(found: dict[str, float], name: str) -> dict[str, float]:
    """Of one metric: labels to number."""
    return {key.removeprefix(name): value for key, value in found.items() if key.startswith(f"{name}{{") and value}

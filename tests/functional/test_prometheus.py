"""A real Prometheus reads a daemon under some load: every query of the dashboard has an answer."""

import json
import re
import signal
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.deadlines import seconds, wait_for
from tests.functional import metrics
from tests.functional.conftest import MakeDaemon, MakeMongrel2
from tests.functional.daemon import Daemon
from tests.functional.ledger import Ledger
from tests.functional.load import Load, mixed
from wsgid.dispatcher.metrics import METRICS, QUESTIONS

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "deploy" / "grafana-dashboard.json"
PAGE = ROOT / "docs" / "metrics.md"

CONFIG = """
global:
  scrape_interval: 250ms
  scrape_timeout: 250ms
rule_files: [{rules}]
scrape_configs:
  - job_name: wsgid
    static_configs:
      - targets: ["{target}"]
"""

VARIABLES = {"$instance": ".+", "$__rate_interval": "5m"}
"""What Grafana would put in their places."""

MANY = 500
"""Requests."""


@dataclass
class Prometheus:
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def output(self) -> str:
        return (self.folder / "output").read_text()

    def address(self) -> str | None:
        found = re.search(r'msg="Listening on" .*address=(\S+)', self.output)
        assert self.process.poll() is None, self.output
        return found[1] if found else None

    def ready(self) -> bool:
        """A moment after it listens."""
        try:
            with urllib.request.urlopen(f"http://{self.address()}/-/ready", timeout=seconds()):
                return True
        except urllib.error.HTTPError:
            return False

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """The vector that it answers. Raises AssertionError with its words when it takes the query for wrong."""
        query = urllib.parse.urlencode({"query": expression})
        url = f"http://{self.address()}/api/v1/query?{query}"
        try:
            with urllib.request.urlopen(url, timeout=seconds()) as answer:
                told = json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{expression}: {error.read().decode()}") from None
        result: list[dict[str, Any]] = told["data"]["result"]
        return result


@pytest.fixture
def prometheus(
    tmp_path: Path, serve: MakeDaemon, mongrel2: MakeMongrel2, ledger: Ledger
) -> Iterator[tuple[Prometheus, Daemon]]:
    """That reads a daemon with two workers and both edges."""
    edges = ("--bind", "127.0.0.1:0", *mongrel2().options)
    daemon = serve("ledger", *edges, *metrics.OPTION, "--workers", "2", env=ledger.env)
    folder = tmp_path / "prometheus"
    folder.mkdir()
    target = metrics.url(daemon).removeprefix("http://")
    rules = ROOT / "deploy" / "wsgid-alerts.yml"
    (folder / "prometheus.yml").write_text(CONFIG.format(target=target, rules=json.dumps(str(rules))))
    options = ("--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0")
    with open(folder / "output", "wb") as output:
        process = subprocess.Popen(["prometheus", *options], cwd=folder, stdout=output, stderr=subprocess.STDOUT)
    started = Prometheus(folder, process)
    try:
        wait_for(started.address, "Prometheus to listen")
        wait_for(started.ready, "Prometheus to be ready")
        wait_for(lambda: started.ask("up == 1"), "the first scrape")
        yield started, daemon
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(seconds())


def test_every_query_has_an_answer(prometheus: tuple[Prometheus, Daemon]) -> None:
    server, daemon = prometheus
    with Load(daemon.address, mixed(), clients=4, limit=MANY) as load:
        load.join()
    wait_for(lambda: _total(server) == MANY, "the last request to be scraped")
    for name, expression in (*_dashboard(), *_page()):
        wait_for(lambda: _numbers(server, expression), f"data for {name}: {expression}")  # noqa: B023 - called at once
    alive = server.ask('sum by (state) (wsgid_workers{state="ready"})')
    assert [each["value"][1] for each in alive] == ["2"]


def _numbers(server: Prometheus, expression: str) -> list[str]:
    """Those that are some: a share of nothing is NaN."""
    numbers = [str(each["value"][1]) for each in server.ask(expression)]
    return [each for each in numbers if each != "NaN"]


def _total(server: Prometheus) -> int:
    return sum(int(each["value"][1]) for each in server.ask("sum(wsgid_requests_total)"))


def _dashboard() -> list[tuple[str, str]]:
    """Title and query of each graph."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [(panel["title"], _filled(each["expr"])) for panel in panels for each in panel.get("targets", [])]


def _filled(expression: str) -> str:
    for variable, value in VARIABLES.items():
        expression = expression.replace(variable, value)
    return expression


def _page() -> list[tuple[str, str]]:
    """The questions in docs/metrics.md."""
    found = re.findall(r"^\| ([^|`]+) \| `(.+)` \|$", PAGE.read_text(), re.MULTILINE)
    asked = [(question, query.replace("\\|", "|")) for question, query in found if "wsgid_" in query]
    assert len(asked) >= 4
    return asked


def test_the_dashboard_shows_every_metric() -> None:
    shown = " ".join(expression for _, expression in _dashboard())
    assert [metric.name for metric in METRICS if metric.name not in shown] == []


def test_it_has_a_row_for_each_question() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert [panel["title"] for panel in panels if panel["type"] == "row"] == list(QUESTIONS)
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    assert all(place["x"] + place["w"] <= 24 for place in places)

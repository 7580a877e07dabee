"""The alert rules in deploy/: promtool takes them, each fires when it should, and tells of metrics that there are."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.deadlines import seconds
from wsgid.dispatcher.metrics import METRICS

HERE = Path(__file__).parent
RULES = HERE.parents[1] / "deploy" / "wsgid-alerts.yml"

SUFFIXES = {"histogram": ("_bucket", "_sum", "_count")}


@pytest.mark.parametrize("arguments", [("check", "rules", RULES), ("test", "rules", HERE / "wsgid-alerts-test.yml")])
def test_promtool(arguments: tuple[str | Path, ...]) -> None:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=seconds(), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout + done.stderr


def test_each_has_a_test() -> None:
    named = re.findall(r"alert: (\w+)", RULES.read_text())
    fired = re.findall(r"alertname: (\w+)\n +exp_alerts", (HERE / "wsgid-alerts-test.yml").read_text())
    assert sorted(named) == sorted(fired)


def test_they_ask_for_metrics_that_there_are() -> None:
    known = {metric.name + suffix for metric in METRICS for suffix in SUFFIXES.get(metric.kind, ("",))}
    asked = set(re.findall(r"\bwsgid_\w+", RULES.read_text()))
    assert asked
    assert asked <= known

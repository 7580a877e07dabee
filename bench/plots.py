"""Results as pictures: bars, one group for each case, written as SVG that is the same for the same results."""

from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt

from bench.results import Results
from bench.scenario import Scenario

OURS, THEIRS = "#c0392b", ("#34495e", "#5d6d7e", "#85929e", "#aeb6bf", "#d5d8dc")
HEIGHT = 0.28
"""Inches of a bar."""


def draw(scenario: Scenario, results: Results, path: Path) -> None:
    """The medians of the scenario's first metric."""
    mpl.rcParams.update({"svg.hashsalt": scenario.name, "svg.fonttype": "none", "font.size": 9})
    metric, cases, contenders = scenario.metrics[0], results.cases(), list(results.differs)
    bars = [(case, contender) for case in cases for contender in contenders]
    values = [results.median(contender, case, metric.key) or 0.0 for case, contender in bars]
    figure, axes = plt.subplots(figsize=(8, 1 + HEIGHT * (len(bars) + len(cases))), layout="constrained")
    places = [number + number // len(contenders) for number in range(len(bars))]
    drawn = axes.barh(places, values, color=[colour(name, contenders) for _, name in bars])
    axes.bar_label(drawn, [metric.form.format(value) for value in values], padding=3)
    axes.set_yticks(places, [contender for _, contender in bars])
    for number, case in enumerate(cases):
        axes.text(0, number * (len(contenders) + 1) - 0.6, case, weight="bold", va="bottom")
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel(metric.title)
    axes.set_title(scenario.title)
    # Without a date, or the same results would make another file every day.
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def colour(contender: str, contenders: list[str]) -> str:
    """Ours stand out."""
    if "wsgid" in contender:
        return OURS
    others = [name for name in contenders if "wsgid" not in name]
    return THEIRS[others.index(contender) % len(THEIRS)]

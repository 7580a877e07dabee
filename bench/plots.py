"""Results as pictures: bars, one group for each case, written as SVG that is the same for the same results."""

from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from bench.results import Results
from bench.scenario import Metric, Scenario

OURS, THEIRS = "#c0392b", ("#34495e", "#5d6d7e", "#85929e", "#aeb6bf", "#d5d8dc")
HEIGHT = 0.28
"""Inches of a bar."""


def draw(scenario: Scenario, results: Results, path: Path) -> None:
    """The medians of the scenario's first metric."""
    mpl.rcParams.update({"svg.hashsalt": scenario.name, "svg.fonttype": "none", "font.size": 9})
    rows = len(results.cases()) * (len(results.differs) + 1)
    figure, axes = plt.subplots(figsize=(8, 1 + HEIGHT * rows), layout="constrained")
    bars(axes, scenario.metrics[0], results)
    # Without a date, or the same results would make another file every day.
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def bars(axes: Axes, metric: Metric, results: Results) -> None:
    """From top to bottom, each case under its name."""
    contenders = list(results.differs)
    colours, marks = [colour(name, contenders) for name in contenders], list[tuple[int, str]]()
    for number, case in enumerate(results.cases()):
        top = number * (len(contenders) + 1)
        medians = [results.median(name, case, metric.key) for name in contenders]
        drawn = axes.barh(range(top, top + len(contenders)), [value or 0.0 for value in medians], color=colours)
        told = ["not measured" if value is None else metric.form.format(value) for value in medians]
        axes.bar_label(drawn, told, padding=3)
        axes.text(0.01, top - 0.6, case, weight="bold", va="bottom", transform=axes.get_yaxis_transform())
        marks += enumerate(contenders, top)
    axes.set_yticks([place for place, _ in marks], [name for _, name in marks])
    axes.invert_yaxis()
    axes.set_xscale("log" if metric.log else "linear")
    axes.margins(x=0.12, y=0.01)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel(metric.title)


def colour(contender: str, contenders: list[str]) -> str:
    """Ours stand out."""
    if "wsgid" in contender:
        return OURS
    others = [name for name in contenders if "wsgid" not in name]
    return THEIRS[others.index(contender) % len(THEIRS)]

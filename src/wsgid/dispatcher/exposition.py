"""Metrics as text for Prometheus: version 0.0.4 of its exposition format.

A client library would write this as well, at ten times the cost and in the loop that all requests go through: see
ARCHITECTURE.md, Decisions. promtool and a real Prometheus are asked by the tests whether these lines are right.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Final

from wsgid.channel.counts import BOUNDS, Histogram
from wsgid.dispatcher.metrics import Facts, Metric

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def text(metrics: Iterable[Metric], facts: Facts) -> str:
    return "".join(line + "\n" for metric in metrics for line in _lines(metric, facts))


def _lines(metric: Metric, facts: Facts) -> Iterator[str]:
    yield f"# HELP {metric.name} {_escaped(metric.help)}"
    yield f"# TYPE {metric.name} {metric.kind}"
    if metric.histogram is not None:
        yield from _buckets(metric.name, metric.histogram(facts))
    for values, number in metric.samples(facts):
        yield f"{metric.name}{_labelled(metric.labels, values)} {_number(number)}"


def _buckets(name: str, histogram: Histogram) -> Iterator[str]:
    """Each holds those below it as well."""
    bounds = [*map(repr, BOUNDS), "+Inf"]
    for bound, count in zip(bounds, accumulate(histogram.counts), strict=True):
        yield f'{name}_bucket{{le="{bound}"}} {count}'
    yield f"{name}_sum {_number(histogram.seconds)}"
    yield f"{name}_count {histogram.total}"


def _labelled(names: Sequence[str], values: Sequence[str]) -> str:
    pairs = ",".join(
        f'{name}="{_escaped(value).replace(chr(34), chr(92) + chr(34))}"'
        for name, value in zip(names, values, strict=True)
    )
    return f"{{{pairs}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n")


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else repr(float(value))

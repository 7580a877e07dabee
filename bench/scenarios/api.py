"""A JSON API whose application works for a millisecond: what is left of the differences between servers then."""

import json
import time

from bench.apps.api.app.wsgi import LOOPS, work
from bench.contender import APPS, Application
from bench.scenarios.closed import behind, page

WORK = 0.001
"""Seconds of a processor for each request."""

TRIAL = 100_000
"""Loops: some milliseconds, which the clock tells well enough."""

TRIALS = 20
"""The quickest counts: nothing makes work quicker than it is."""


def calibrated() -> Application:
    """As many loops for all servers, so that nobody's work is measured while the machine does something else."""
    return Application(APPS / "api", {LOOPS: str(round(TRIAL * WORK / min(_took() for _ in range(TRIALS))))})


def _took() -> float:
    begun = time.thread_time()
    work(TRIAL)
    return time.thread_time() - begun


def right(body: bytes) -> bool:
    return "sum" in json.loads(body)


OVER_HTTP = page(
    name="api",
    title="A JSON API with 1 ms of work",
    words="The application computes for about a millisecond, in Python, and answers with JSON.",
    application=calibrated,
    right=right,
)

BEHIND = behind(OVER_HTTP)

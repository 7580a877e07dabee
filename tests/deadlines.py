"""Time limits of tests, and the one way to wait: for a condition, never for a time."""

import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

FACTOR = float(os.environ.get("TEST_TIME_FACTOR", "1"))
"""On a slow or busy machine ``TEST_TIME_FACTOR=5 scripts/test`` stretches every limit. The name does not begin with
``WSGID_``: those are options of the command under test."""

PATIENCE = 30.0
"""Seconds, before stretching: far more than anything here takes, so that only a real hang meets it."""

POLL = 0.005
"""Seconds between two looks at a condition."""


def seconds(value: float = PATIENCE) -> float:
    """A time limit of so many seconds, stretched by TEST_TIME_FACTOR."""
    return value * FACTOR


def wait_for(condition: Callable[[], T | None], what: str, limit: float = PATIENCE) -> T:
    """The first true value that ``condition`` gives.

    Raises AssertionError naming ``what`` when ``limit`` seconds (before stretching) have passed.
    """
    end = time.monotonic() + seconds(limit)
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds(limit):g} s in vain for {what}")
        time.sleep(POLL)
    return value

import math

import pytest

from tests.unit.master.histories import TWO
from wsgid.master.state import FIRST_DELAY, LONGEST_DELAY, Backoff, Dispatcher, Phase, State, Worker


def test_at_first_nothing_is_waited_for() -> None:
    assert Backoff().until == -math.inf


def test_each_failure_doubles_the_wait_up_to_the_longest() -> None:
    backoff, now, waits = Backoff(), 100.0, list[float]()
    for _ in range(12):
        backoff = backoff.failed(now)
        waits.append(backoff.until - now)
        now = backoff.until
    assert waits[:4] == pytest.approx([FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY, 8 * FIRST_DELAY])
    assert waits[-2:] == pytest.approx([LONGEST_DELAY, LONGEST_DELAY])
    assert waits == sorted(waits)


def test_a_failure_during_the_wait_does_not_make_it_longer() -> None:
    once = Backoff().failed(100.0)
    assert once.failed(100.0 + FIRST_DELAY / 2) == once


@pytest.mark.parametrize(
    ("dispatcher", "listening"),
    [
        (None, False),
        (Dispatcher(10), False),
        (Dispatcher(10, ready=True), True),
        (Dispatcher(10, ready=True, leaving=True), False),
    ],
)
def test_listening(dispatcher: Dispatcher | None, listening: bool) -> None:
    assert State(TWO, Phase.SERVING, math.inf, 2, dispatcher).listening is listening


@pytest.mark.parametrize(("workers", "missing"), [((), 2), ((Worker(11),), 1), ((Worker(11), Worker(12)), 0)])
def test_missing(workers: tuple[Worker, ...], missing: int) -> None:
    assert State(TWO, Phase.SERVING, math.inf, 2, workers=workers).missing == missing


@pytest.mark.parametrize("phase", Phase)
def test_up(phase: Phase) -> None:
    assert State(TWO, phase, math.inf, 2).up is (phase in (Phase.STARTING, Phase.SERVING))

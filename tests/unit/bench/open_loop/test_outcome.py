"""What became of requests."""

import pytest
from bench.open_loop.outcome import LATE, Ended, Fate, NothingServed, Outcome, fate_of, percentile


def ended(took: float = 0.001, fate: Fate = Fate.SERVED, kind: str = "quick", late: float = 0.0) -> Ended:
    return Ended(kind, 0, 0.0, late, took, fate)


@pytest.mark.parametrize(
    ("percent", "value"), [(0.1, 1), (1, 1), (50, 50), (50.1, 51), (99, 99), (99.9, 100), (100, 100)]
)
def test_percentiles_are_values_that_there_were(percent: float, value: int) -> None:
    assert percentile(range(100, 0, -1), percent) == value


def test_one_value_is_every_percentile() -> None:
    assert [percentile([7.0], percent) for percent in (0, 50, 99.9)] == [7.0, 7.0, 7.0]


def test_of_nothing_there_is_no_percentile() -> None:
    with pytest.raises(NothingServed, match="no request was served"):
        percentile([], 99)


@pytest.mark.parametrize(
    ("status", "body", "fate"),
    [
        (200, b"17 and more", Fate.SERVED),
        (200, b"18", Fate.WRONG),
        (200, b"", Fate.WRONG),
        (503, b"17", Fate.TURNED_AWAY),
        (500, b"", Fate.ERROR),
        (502, b"", Fate.ERROR),
        (404, b"17", Fate.OTHER),
        (301, b"", Fate.OTHER),
    ],
)
def test_the_fate_of_a_whole_answer(status: int, body: bytes, fate: Fate) -> None:
    assert fate_of(status, body, b"17") is fate


def test_times_are_those_of_served_requests() -> None:
    outcome = Outcome([ended(0.1), ended(0.001, Fate.REFUSED), ended(0.2)])
    assert (outcome.times, outcome.failed) == ([0.1, 0.2], 1)
    assert outcome.fates == {Fate.SERVED: 2, Fate.REFUSED: 1}


def test_kinds_are_told_apart() -> None:
    outcome = Outcome([ended(0.1), ended(1.0, kind="slow"), ended(0.2)])
    assert (outcome.of("quick").times, outcome.of("slow").times) == ([0.1, 0.2], [1.0])


def test_late_clients_measure_themselves() -> None:
    assert Outcome([ended()] * 99 + [ended(late=1.0)]).valid
    assert not Outcome([ended()] * 98 + [ended(late=2 * LATE)] * 2).valid

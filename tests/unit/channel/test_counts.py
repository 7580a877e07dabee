import math
from bisect import bisect_left
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.channel.counted import NONE
from wsgid.channel.counts import BOUNDS, Histogram

seconds = st.floats(0.0, 90.0)
some = st.lists(seconds, min_size=1, max_size=50)


def histogram(times: list[float]) -> Histogram:
    counts = [0] * (len(BOUNDS) + 1)
    for each in times:
        counts[bisect_left(BOUNDS, each)] += 1
    return Histogram(counts, math.fsum(times))


def test_the_bounds_are_close_to_each_other() -> None:
    assert BOUNDS[0] == 0.0001
    assert BOUNDS[-1] == 100
    assert all(1.3 < upper / lower < 1.7 for lower, upper in pairwise(BOUNDS))


@given(some, st.floats(0.01, 1.0))
def test_a_quantile_lies_between_the_bounds_of_the_right_one(times: list[float], share: float) -> None:
    right = sorted(times)[max(0, math.ceil(share * len(times)) - 1)]
    upper = bisect_left(BOUNDS, right)
    found = histogram(times).quantile(share)
    assert found is not None
    assert (BOUNDS[upper - 1] if upper else 0.0) * 0.999 <= found <= BOUNDS[upper] * 1.001


@pytest.mark.parametrize(("share", "found"), [(0.25, 1.125), (0.5, 1.25), (1.0, 1.5)])
def test_it_is_spread_evenly_between_two_bounds(share: float, found: float) -> None:
    assert histogram([1.2] * 8).quantile(share) == pytest.approx(found)


def test_of_nothing_there_is_no_quantile() -> None:
    assert NONE.quantile(0.5) is None


def test_what_is_beyond_all_bounds_is_the_last_one() -> None:
    assert histogram([1.0, 1000.0]).quantile(0.99) == BOUNDS[-1]


@given(some, some)
def test_what_has_come_since(earlier: list[float], later: list[float]) -> None:
    since = histogram(earlier + later).since(histogram(earlier))
    assert since.counts == histogram(later).counts
    assert since.seconds == pytest.approx(math.fsum(later))
    assert since.total == len(later)

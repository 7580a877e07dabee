from hypothesis import given
from hypothesis import strategies as st

from wsgid.dispatcher.quarantine import MOST_REMEMBERED, PERIOD, WINDOW, Quarantine

KEY = ("GET", "/kill")


def test_begins_with_so_many_deaths() -> None:
    quarantine = Quarantine()
    assert [quarantine.died(KEY, 3, now) for now in (0.0, 10.0, 20.0)] == [False, False, True]
    assert KEY in quarantine.refused


def test_a_limit_of_one_is_one_death() -> None:
    assert Quarantine().died(KEY, 1, 0.0)


def test_is_off_with_a_limit_of_nothing() -> None:
    quarantine = Quarantine()
    assert not any(quarantine.died(KEY, 0, 0.0) for _ in range(10))
    assert not quarantine.died(KEY, 2, 0.0)  # nor were they counted


def test_deaths_of_long_ago_do_not_count() -> None:
    quarantine = Quarantine()
    assert [quarantine.died(KEY, 2, now) for now in (0.0, WINDOW, 2 * WINDOW)] == [False, False, False]
    assert quarantine.died(KEY, 2, 3 * WINDOW - 0.1)


def test_methods_and_paths_are_told_apart() -> None:
    quarantine = Quarantine()
    for key in (KEY, ("POST", "/kill"), ("GET", "/other")):
        assert not quarantine.died(key, 2, 0.0)


def test_begins_once() -> None:
    quarantine = Quarantine()
    assert quarantine.died(KEY, 1, 0.0)
    assert not quarantine.died(KEY, 1, 1.0)  # it was in a worker's hands by then


def test_ends_in_its_order_and_all_begins_anew() -> None:
    quarantine = Quarantine()
    quarantine.died(KEY, 1, 0.0)
    quarantine.died(("GET", "/later"), 1, 1.0)
    assert quarantine.over(PERIOD - 0.1) == []
    assert quarantine.over(PERIOD) == [KEY]
    assert KEY not in quarantine.refused
    assert quarantine.over(PERIOD + 1.0) == [("GET", "/later")]
    assert not quarantine.died(KEY, 2, PERIOD)


@given(st.lists(st.tuples(st.integers(0, MOST_REMEMBERED + 50), st.integers(1, 2)), max_size=1000))
def test_remembers_no_more_than_it_may(deaths: list[tuple[int, int]]) -> None:
    quarantine = Quarantine()
    for number, most in deaths:
        quarantine.died(("GET", str(number)), most, 0.0)
    assert len(quarantine.refused) <= MOST_REMEMBERED
    assert len(quarantine._deaths) <= MOST_REMEMBERED


def test_forgets_the_oldest_first() -> None:
    quarantine = Quarantine()
    for number in range(MOST_REMEMBERED + 1):
        quarantine.died(("GET", str(number)), 2, 0.0)
    assert not quarantine.died(("GET", "0"), 2, 0.0)
    assert quarantine.died(("GET", "2"), 2, 0.0)

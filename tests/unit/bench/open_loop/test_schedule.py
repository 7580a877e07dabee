"""When which request is to arrive."""

from itertools import pairwise

import pytest
from bench.open_loop.schedule import Kind, Plan, arrivals

QUICK = Kind("quick", "/{number}", b"{number}", rate=200.0)
SLOW = Kind("slow", "/{number}?ms=1000", b"{number}", rate=2.0, even=True)


def plan(*kinds: Kind, seconds: float = 50.0, seed: int = 0) -> Plan:
    return Plan(("127.0.0.1", 1), kinds, seconds, warm_up=0.0, seed=seed)


def test_numbers_count_the_arrivals_in_their_order() -> None:
    planned = arrivals(plan(QUICK, SLOW))
    assert [each.number for each in planned] == list(range(len(planned)))
    assert all(earlier.at <= later.at for earlier, later in pairwise(planned))


def test_even_arrivals_are_even() -> None:
    assert [each.at for each in arrivals(plan(SLOW, seconds=2.0))] == [0.0, 0.5, 1.0, 1.5]


def test_arrivals_by_chance_have_their_rate_and_a_spread_like_their_mean() -> None:
    times = [each.at for each in arrivals(plan(QUICK))]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert len(times) / 50.0 == pytest.approx(200.0, rel=0.05)
    assert deviation / mean == pytest.approx(1.0, rel=0.05)


def test_the_plan_is_the_same_for_every_server() -> None:
    assert arrivals(plan(QUICK, SLOW)) == arrivals(plan(QUICK, SLOW))
    assert arrivals(plan(QUICK)) != arrivals(plan(QUICK, seed=1))


def test_another_kind_beside_it_does_not_move_a_kind() -> None:
    alone, beside = arrivals(plan(QUICK)), arrivals(plan(QUICK, SLOW))
    assert [each.at for each in beside if each.kind == 0] == [each.at for each in alone]


def test_the_warm_up_comes_in_front() -> None:
    planned = arrivals(Plan(("127.0.0.1", 1), (SLOW,), seconds=2.0, warm_up=1.0))
    assert [each.at for each in planned] == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]


def test_a_request_has_its_number_in_target_and_answer() -> None:
    assert SLOW.request(17) == b"GET /17?ms=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert SLOW.beginning(17) == b"17"

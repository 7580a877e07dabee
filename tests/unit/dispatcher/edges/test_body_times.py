import math

from wsgid.dispatcher.edges.body_times import BodyTimes

TIMES = BodyTimes(limit=60.0, byte=1 / 500)


def test_nothing_may_come_for_so_long() -> None:
    assert TIMES.begun(1000.0) == 1060.0


def test_each_byte_gives_back_its_part() -> None:
    assert TIMES.heard(1060.0, 500, now=1050.0) == 1061.0


def test_but_never_more_than_all() -> None:
    assert TIMES.heard(1060.0, 1_000_000, now=1050.0) == 1110.0


def test_one_that_is_twice_as_slow_fails_after_twice_the_time() -> None:
    now, deadline = 0.0, TIMES.begun(0.0)
    while now < deadline:
        now += 1
        deadline = TIMES.heard(deadline, 250, now)
    assert 119 <= now <= 121


def test_without_a_rate_each_byte_gives_back_all() -> None:
    assert BodyTimes(60.0, math.inf).heard(1001.0, 1, now=1000.0) == 1060.0

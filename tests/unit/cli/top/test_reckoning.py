"""What has changed between two readings."""

import pytest

from tests.unit.cli.top.readings import REPORT, a_death, counted, daemon, histogram, reading, worker
from wsgid.channel.commands import Served
from wsgid.cli.top.figures import Figures, LastDeath
from wsgid.cli.top.reading import WINDOW, History, Reading
from wsgid.cli.top.reckoning import figures


def after(*readings: Reading) -> Figures:
    history = History()
    for each in readings:
        history.add(each)
    return figures(history)


def requests(ok: int, failed: int = 0) -> dict[str, dict[str, int]]:
    return {"GET": {"2xx": ok, "5xx": 0}, "POST": {"2xx": 0, "5xx": failed}}


def test_one_reading_tells_how_it_is_and_not_what_happens() -> None:
    told = after(
        reading(
            10.0,
            daemon(1, worker(3, 7, REPORT, state="busy"), worker(4, 5), queued=2, longest_wait=1.5),
            rss={1: 1000, 2: 100, 3: 10, 4: 1, 99: 5},
        )
    )
    assert (told.at, told.app_path) == (1_700_000_010.0, "/srv/mysite")
    assert (told.queued, told.longest_wait, told.busy, told.threads) == (2, 1.5, 1, 2)
    assert told.last is told.window is None
    [one] = told.daemons
    assert (one.pid, one.answers, one.rss) == (1, True, 1111)
    first, second = told.workers
    assert (first.pid, first.state, first.rss, first.request, first.more) == (3, "busy", 10, REPORT, 0)
    assert (second.served, second.per_second, second.request) == (5, None, None)


def test_two_readings_tell_what_has_happened_between() -> None:
    then = counted(
        requests=requests(100, 10), ends={"answered": 100, "refused": 10}, wait=histogram(ms10=50), busy_seconds=7.0
    )
    now = counted(
        requests=requests(130, 20),
        ends={"answered": 135, "refused": 15},
        wait=histogram(ms10=50, ms100=20, s1=5),
        service=histogram(s1=1),
        busy_seconds=10.0,
    )
    told = after(reading(10.0, daemon(1, counts=then)), reading(12.0, daemon(1, counts=now)))
    span = told.last
    assert span is not None
    assert span == told.window
    assert (span.seconds, span.requests, span.per_second) == (2.0, 40, 20.0)
    assert span.classes == {"2xx": 30, "5xx": 10}
    assert span.ends == {"answered": 35, "refused": 5}
    assert span.busy == 1.5
    assert span.wait is not None
    assert 0.07 < span.wait.p50 <= 0.1 < 0.7 < span.wait.p95 <= span.wait.p99 <= 1.0
    assert span.service is not None


def test_nothing_has_happened() -> None:
    told = after(reading(10.0, daemon(1)), reading(12.0, daemon(1)))
    assert told.last is not None
    assert (told.last.requests, told.last.wait, told.last.service) == (0, None, None)


def test_the_window_has_its_length_and_no_more() -> None:
    counts = [counted(requests=requests(10 * step)) for step in range(9)]
    readings = [reading(step * WINDOW / 4, daemon(1, counts=each)) for step, each in enumerate(counts)]
    told = after(*readings)
    assert told.window is not None
    assert told.last is not None
    assert (told.window.seconds, told.window.requests) == (WINDOW, 40)
    assert (told.last.seconds, told.last.requests) == (WINDOW / 4, 10)


def test_a_new_dispatcher_counts_from_zero() -> None:
    then = reading(10.0, daemon(1, worker(3, 50), counts=counted(requests=requests(100))))
    now = reading(12.0, daemon(1, worker(3, 4), counts=counted(requests=requests(6)), dispatcher=77))
    told = after(then, now)
    assert told.last is not None
    assert told.last.requests == 6
    assert told.workers[0].per_second == 2.0


def test_the_pace_of_workers() -> None:
    then = reading(10.0, daemon(1, worker(3, 50), worker(4, 5)), daemon(11, worker(3, 9)))
    now = reading(12.0, daemon(1, worker(3, 60), worker(5, 3)), daemon(11, worker(3, 10)))
    told = after(then, now)
    assert [(each.daemon, each.pid, each.per_second) for each in told.workers] == [
        (1, 3, 5.0),
        (1, 5, 1.5),
        (11, 3, 0.5),
    ]


def test_several_daemons_are_summed_up() -> None:
    then = reading(10.0, daemon(1, counts=counted(requests=requests(1))), daemon(11))
    now = reading(
        12.0,
        daemon(1, counts=counted(requests=requests(3), deaths={"signal": 2}), queued=2, longest_wait=0.5),
        daemon(11, counts=counted(requests=requests(5), deaths={"signal": 1, "exit": 1}), queued=3, longest_wait=2.5),
        daemon(21, worker(22), counts=None),
    )
    told = after(then, now)
    assert told.last is not None
    assert told.last.requests == 7
    assert (told.queued, told.longest_wait) == (5, 2.5)
    assert told.deaths == {"signal": 3, "exit": 1}
    assert [each.answers for each in told.daemons] == [True, True, False]


def test_none_that_answers() -> None:
    told = after(reading(10.0, daemon(21, counts=None)), reading(12.0, daemon(21, counts=None)))
    assert told.last is None
    assert after(reading(10.0), reading(12.0)).daemons == []


def test_the_latest_deaths_come_first() -> None:
    one, two, three = a_death(1, 1.0), a_death(2, 2.0), a_death(3, 3.0)
    told = after(
        reading(9.0, daemon(1, counts=counted(last_deaths=[one, three])), daemon(11, counts=counted(last_deaths=[two])))
    )
    assert told.last_deaths == [LastDeath(1, three), LastDeath(11, two), LastDeath(1, one)]


@pytest.mark.parametrize("ages", [(1.0, 5.0, 3.0), (5.0, 3.0, 1.0)])
def test_of_several_requests_the_oldest_is_named(ages: tuple[float, ...]) -> None:
    serving = [Served(str(age), "GET", "/", "", age) for age in ages]
    [told] = after(reading(1.0, daemon(1, worker(3, 0, *serving, threads=4)))).workers
    assert told.request is not None
    assert (told.request.id, told.more) == ("5.0", 2)

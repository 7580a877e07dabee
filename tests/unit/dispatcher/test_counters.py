import time

import pytest

from tests.unit.dispatcher.fakes import RecordingClient, RecordingJournal
from tests.unit.dispatcher.requests import a_request
from wsgid.channel.counts import BOUNDS, MOST_DEATHS, Counts, EdgeCounts
from wsgid.channel.orders import Cause, WorkerDied
from wsgid.dispatcher.counters import OTHER, Counters
from wsgid.dispatcher.exchange import Exchange

BEGAN = 1000.0


@pytest.fixture
def counters() -> Counters:
    return Counters(BEGAN)


def counts(counters: Counters) -> Counts:
    return counters.counts(BEGAN + 10, in_hand_seconds=0.25, edges=[], lost_lines={})


def end(
    counters: Counters,
    code: int = 200,
    note: str = "",
    *,
    method: str = "GET",
    sent: int = 0,
    length: int | None = None,
    wait: float | None = 0.0,
    service: float = 0.0,
) -> None:
    """`wait` None: no worker ever had it."""
    exchange = Exchange(
        a_request(method=method, content_length=length), RecordingClient(), True, RecordingJournal(), BEGAN
    )
    exchange.sent = sent
    if wait is not None:
        exchange.served_at = BEGAN + wait
    counters.ended(exchange, code, note, BEGAN + (wait or 0.0) + service)


def test_nothing_yet(counters: Counters) -> None:
    told = counts(counters)
    assert told.since == 10
    assert told.busy_seconds == 0.25
    assert told.requests["GET"] == {"2xx": 0, "3xx": 0, "4xx": 0, "5xx": 0}
    assert told.ends == {"answered": 0, "refused": 0, "cut": 0, "left": 0, "killed": 0}
    assert told.deaths == dict.fromkeys(Cause, 0)
    assert (told.wait.total, told.service.total) == (0, 0)


def test_methods_and_classes(counters: Counters) -> None:
    for method, code in [("GET", 200), ("GET", 204), ("GET", 404), ("POST", 302), ("BREW", 418), ("-", 400)]:
        end(counters, code, method=method)
    found = {
        (method, status): count
        for method, of_it in counts(counters).requests.items()
        for status, count in of_it.items()
        if count
    }
    assert found == {("GET", "2xx"): 2, ("GET", "4xx"): 1, ("POST", "3xx"): 1, (OTHER, "4xx"): 2}


def test_ends(counters: Counters) -> None:
    for code, note in [(200, ""), (503, "refused"), (503, "refused"), (418, "refused"), (200, "cut"), (499, "left")]:
        end(counters, code, note)
    told = counts(counters)
    assert told.ends == {"answered": 1, "refused": 3, "cut": 1, "left": 1, "killed": 0}
    assert {code: count for code, count in told.refused.items() if count} == {"503": 2, OTHER: 1}


def test_bytes(counters: Counters) -> None:
    end(counters, sent=1000, length=70)
    end(counters, sent=24, length=None)
    end(counters, 413, "refused", sent=6, length=10**9, wait=None)
    told = counts(counters)
    assert (told.bytes_out, told.bytes_in) == (1030, 70)


@pytest.mark.parametrize("bound", [0, 17, len(BOUNDS) - 1])
def test_what_took_exactly_as_long_as_a_bound_is_within_it(counters: Counters, bound: int) -> None:
    counters.ended(_of(BOUNDS[bound]), 200, "", BOUNDS[bound])
    told = counts(counters)
    assert told.wait.counts[bound] == 1
    assert told.wait.seconds == BOUNDS[bound]


def _of(wait: float) -> Exchange:
    exchange = Exchange(a_request(), RecordingClient(), True, RecordingJournal(), 0.0)
    exchange.served_at = wait
    return exchange


def test_wait_and_service(counters: Counters) -> None:
    end(counters, wait=0.5, service=120.0)
    end(counters, 503, "refused", wait=None, service=3.0)
    told = counts(counters)
    assert (told.wait.total, told.wait.seconds) == (1, 0.5)
    assert (told.service.total, told.service.seconds, told.service.counts[-1]) == (1, 120.0, 1)


def test_deaths(counters: Counters) -> None:
    for pid in range(MOST_DEATHS + 5):
        counters.worker_died(WorkerDied(pid, "killed by SIGKILL", False, Cause.SIGNAL), 1)
    counters.worker_died(WorkerDied(99, "left", True, Cause.MAX_RSS), 0)
    told = counts(counters)
    assert told.deaths["signal"] == MOST_DEATHS + 5
    assert told.deaths["max_rss"] == 1
    assert [each.pid for each in told.last_deaths] == [*range(6, MOST_DEATHS + 5), 99]
    last = told.last_deaths[-1]
    assert (last.cause, last.how, last.lost) == ("max_rss", "left", 0)
    assert abs(time.time() - last.at) < 60


def test_what_others_count_is_handed_on(counters: Counters) -> None:
    edge = EdgeCounts("http", 3, 5, 1)
    told = counters.counts(BEGAN, in_hand_seconds=0.0, edges=[edge], lost_lines={"access": 7})
    assert told.edges == [edge]
    assert told.lost_lines == {"access": 7}

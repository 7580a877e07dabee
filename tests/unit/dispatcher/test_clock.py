import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest

from wsgid.dispatcher.clock import Clock


class Moments:
    """What time.time() says, and a clock that goes with it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.passed = 1000.0
        """Seconds, as durations are told."""
        monkeypatch.setattr(time, "time", lambda: self.now)
        monkeypatch.setattr(Clock, "now", lambda clock: self.passed)

    def at(self, now: float, passed: float) -> None:
        self.now, self.passed = now, self.passed + passed


@pytest.fixture
def moments(monkeypatch: pytest.MonkeyPatch) -> Moments:
    return Moments(monkeypatch)


class TestDate:
    def test_is_as_http_wants_it(self, moments: Moments) -> None:
        moments.now = 784111777.999
        assert Clock().date() == "Sun, 06 Nov 1994 08:49:37 GMT"  # RFC 9110 section 5.6.7

    def test_changes_with_the_second(self, moments: Moments) -> None:
        clock = Clock()
        dates = []
        for moment, passed in ((100.25, 0.0), (100.75, 0.5), (101.0, 0.25), (99.5, 0.5), (100.0, 0.5)):
            moments.at(moment, passed)
            dates.append((clock.date()[-12:], clock.common(moments.passed)[-14:]))
        assert dates == [
            ("00:01:40 GMT", "00:01:40 +0000"),
            ("00:01:40 GMT", "00:01:40 +0000"),
            ("00:01:41 GMT", "00:01:41 +0000"),
            ("00:01:41 GMT", "00:01:41 +0000"),  # the system's time was set back
            ("00:01:40 GMT", "00:01:40 +0000"),  # which shows when the second is over
        ]

    def test_is_the_real_one(self) -> None:
        before = int(time.time())
        told = parsedate_to_datetime(Clock().date()).timestamp()
        assert before <= told <= time.time()


class TestStamp:
    @pytest.mark.parametrize(
        ("now", "stamp"),
        [
            (0.0, "1970-01-01T00:00:00.000Z"),
            (1795246404.1234, "2026-11-21T07:33:24.123Z"),
            (1795246404.9999, "2026-11-21T07:33:24.999Z"),
            (1795246404.002, "2026-11-21T07:33:24.002Z"),
        ],
    )
    def test_has_milliseconds(self, moments: Moments, now: float, stamp: str) -> None:
        moments.now = now
        assert Clock().stamp() == stamp

    def test_shares_its_second_with_the_date(self, moments: Moments) -> None:
        clock = Clock()
        moments.now = 59.9
        clock.date()
        moments.at(60.5, 0.0)
        assert clock.stamp() == "1970-01-01T00:01:00.500Z"
        assert clock.date() == "Thu, 01 Jan 1970 00:01:00 GMT"

    def test_is_the_real_one(self) -> None:
        before = time.time() - 0.001
        told = datetime.fromisoformat(Clock().stamp())
        assert told.tzinfo == UTC
        assert before <= told.timestamp() <= time.time()


def test_durations_do_not_depend_on_the_time_of_day(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Clock.now()
    monkeypatch.setattr(time, "time", lambda: -1e9)
    assert Clock.now() >= before

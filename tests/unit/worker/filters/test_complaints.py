"""What the log is told of filters, and how often."""

import pytest

from tests.unit.worker.filters.filtering import complaints
from wsgid.protocol.values import Head
from wsgid.worker.filters.complaints import INTERVAL, MAX_KINDS, Complaints
from wsgid.worker.filters.returned import Unusable, judge


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Filter: ...


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told(clock: Clock) -> Complaints:
    return Complaints(clock)


def fail(told: Complaints, error: BaseException, plugin: object = None) -> None:
    told.failed(plugin or Filter(), "process", "r1", error)


def raised(kind: type[Exception], elsewhere: bool = False) -> Exception:
    try:
        if elsewhere:
            raise kind
        raise kind
    except kind as error:
        return error


def test_the_same_is_told_once_a_minute(told: Complaints, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        fail(told, raised(ValueError))
    clock.now += INTERVAL - 1
    fail(told, raised(ValueError))
    assert len(complaints(caplog)) == 1
    clock.now += 1
    fail(told, raised(ValueError))
    clock.now += INTERVAL
    fail(told, raised(ValueError))
    first, second, third = complaints(caplog)
    assert "more since" not in first
    assert "(3 more since this was last told)" in second
    assert "more since" not in third


def test_what_differs_is_told(told: Complaints, caplog: pytest.LogCaptureFixture) -> None:
    class Other: ...

    fail(told, raised(ValueError))
    fail(told, raised(KeyError))
    fail(told, raised(ValueError, elsewhere=True))
    fail(told, raised(ValueError), Other())
    fail(told, Unusable("None: return something"))
    told.passed_by(Filter(), "r1", "it is long")
    told.passed_by(Filter(), "r1", "it is late")
    assert len(complaints(caplog)) == 5  # those of passing by are no errors
    assert len(told._told) == 7


def test_what_is_unusable_for_one_reason_is_one_kind(told: Complaints, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(10):
        fail(told, unusable(number))
        fail(told, unusable(("200 OK", [], str(number))))
    first, second = complaints(caplog)
    assert first == (
        "request r1: the filter Filter returned the int 0: return (status, headers, body). "
        "The answer stays as it was before it"
    )
    assert "returned the str '0' as the body" in second


def unusable(returned: object) -> Unusable:
    with pytest.raises(Unusable) as raised:
        judge(returned, Head("200 OK", [], None), b"", took_body=True, to_head=False)
    return raised.value


def test_so_many_kinds_are_remembered(told: Complaints) -> None:
    for number in range(MAX_KINDS + 10):
        told.passed_by(Filter(), "r1", str(number))
    assert len(told._told) == MAX_KINDS

"""Who is told that time is up, and who is not."""

import threading

import pytest

from tests.deadlines import seconds
from wsgid.worker.filters.patience import Patience


class Answer:
    def __init__(self) -> None:
        self.told = threading.Event()
        self.thread = ""

    def overdue(self) -> None:
        self.thread = threading.current_thread().name
        self.told.set()


@pytest.fixture
def patience() -> Patience:
    made = Patience()
    made.start()
    return made


def test_who_is_overdue_is_told_once_in_a_thread_of_its_own(patience: Patience) -> None:
    answers = [Answer() for _ in range(5)]
    for each in answers:
        patience.watch(each)
    for each in answers:
        assert each.told.wait(seconds())
        assert each.thread == "let-go"
    assert not patience._due


def test_one_that_takes_long_holds_up_nobody(patience: Patience) -> None:
    let_go = threading.Event()

    class Slow(Answer):
        def overdue(self) -> None:
            super().overdue()
            let_go.wait(seconds())

    slow, quick = Slow(), Answer()
    patience.watch(slow)
    assert slow.told.wait(seconds())
    patience.watch(quick)
    assert quick.told.wait(seconds())
    let_go.set()


def test_who_is_forgotten_is_not_told(patience: Patience) -> None:
    forgotten, other = Answer(), Answer()
    patience.watch(forgotten)
    patience.watch(other)
    patience.forget(forgotten)
    patience.forget(forgotten)
    assert other.told.wait(seconds())
    assert not forgotten.told.is_set()


def test_where_the_system_has_no_thread_left_it_is_told_all_the_same(
    patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Answer()

    def refuse(_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    patience.watch(answer)
    assert answer.told.wait(seconds())
    assert answer.thread == "patience"

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.unit.dispatcher.loops import run, turns
from tests.unit.dispatcher.outgoing_owner import a_storage
from wsgid.dispatcher.storage import Storage, Total

AMOUNTS = st.integers(0, 100)


class TotalMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.most = 200
        self.total = Total(self.most)
        self.taken: list[int] = []
        self.counted: list[int] = []

    @rule(most=AMOUNTS)
    def take(self, most: int) -> None:
        left = self.total.left
        taken = self.total.take(most)
        assert taken == max(0, min(most, left))
        self.taken.append(taken)

    @rule(amount=AMOUNTS)
    def count(self, amount: int) -> None:
        self.total.count(amount)
        self.counted.append(amount)

    @rule(counted=st.booleans())
    def give_back(self, counted: bool) -> None:
        held = self.counted if counted else self.taken
        if held:
            self.total.give_back(held.pop())

    @rule(most=AMOUNTS)
    def change(self, most: int) -> None:
        self.most = most
        self.total.change(most)

    @invariant()
    def what_is_left_is_what_nobody_has(self) -> None:
        assert self.total.left == self.most - sum(self.taken) - sum(self.counted)


TestTotal = TotalMachine.TestCase


@given(st.lists(AMOUNTS))
def test_no_more_is_taken_than_there_is(amounts: list[int]) -> None:
    total = Total(250)
    assert sum(total.take(amount) for amount in amounts) == min(250, sum(amounts))
    assert total.left >= 0


@dataclass(eq=False)
class Taker:
    """Wants room in files, and counts how often it was called for it."""

    storage: Storage
    wants: int = 1
    tries: int = 0
    has_file: bool = False
    on_try: Callable[[], None] = field(default=lambda: None)

    def try_again(self) -> None:
        self.tries += 1
        self.on_try()
        if not self.has_file and self.storage.files.take(1):
            self.has_file = True
        if self.has_file and self.storage.spool.take(self.wants) == self.wants:
            return
        self.storage.wait(self, self.has_file)


def with_storage(test: Callable[[Storage], Coroutine[Any, Any, None]], **totals: int) -> None:
    async def main() -> None:
        with ThreadPoolExecutor(1) as executor:
            await test(a_storage(Path("/nowhere"), executor, **totals))

    run(main())


def test_those_that_wait_are_called_in_line_when_others_give_back() -> None:
    async def test(storage: Storage) -> None:
        order: list[int] = []
        takers = [Taker(storage, on_try=lambda number=number: order.append(number)) for number in range(4)]  # type: ignore[misc]  # mypy does not infer a lambda with a default
        for taker in takers:
            taker.try_again()
        assert order == [0, 1, 2, 3]
        await turns()
        assert len(order) == 4  # nothing was given back
        storage.give_back(1, 1)
        storage.give_back(1, 1)
        assert len(order) == 4  # not in the midst of giving back
        await turns()
        assert order[4:] == [1, 2]
        storage.forget(takers[3])
        storage.give_back(1, 1)
        await turns()
        assert len(order) == 6

    with_storage(test, spool=1, files=1)


def test_who_has_a_file_waits_for_room_only() -> None:
    async def test(storage: Storage) -> None:
        first, second = Taker(storage, wants=5), Taker(storage, wants=5)
        for taker in (first, second):
            taker.try_again()
        more = Taker(storage, wants=5, has_file=True)
        more.try_again()
        storage.give_back(5, 0)
        await turns()
        assert (more.tries, second.tries) == (2, 1)

    with_storage(test, spool=5, files=1)


def test_one_that_finds_too_little_is_not_called_for_ever() -> None:
    async def test(storage: Storage) -> None:
        taker = Taker(storage, wants=5, has_file=True)
        storage.wait(taker, has_file=True)
        storage.give_back(1, 0)
        await turns(20)
        assert taker.tries == 1

    with_storage(test, spool=0, files=0)


def test_a_disk_that_refuses_is_told_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    async def test(storage: Storage) -> None:
        for _ in range(3):
            storage.refused(OSError(28, "No space left on device"))
        storage._tell_again = asyncio.get_running_loop().time()
        storage.refused(OSError(24, "Too many open files"))

    with_storage(test)
    assert [record.args for record in caplog.records if record.levelname == "ERROR"]
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert "No space left on device; instead the workers wait for these clients" in told[0]
    assert "Too many open files" in told[1]

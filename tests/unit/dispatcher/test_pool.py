from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from wsgid.dispatcher.pool import Pool, QueueFull


@dataclass
class Process:
    busy: int = 0


@dataclass(eq=False)
class Thread:
    worker: Process = field(default_factory=Process)


class PoolMachine(RuleBasedStateMachine):
    """Against the simplest thing that could be right: lists of who is idle, who waits and who works."""

    QUEUE_SIZE = 3

    def __init__(self) -> None:
        super().__init__()
        self.pool: Pool[Thread, int] = Pool(self.QUEUE_SIZE)
        self.processes = [Process() for _ in range(3)]
        self.next_request = 0
        self.idle: list[Thread] = []
        self.waiting: list[int] = []
        self.working: dict[Thread, int] = {}

    def give(self, slot: Thread, request: int) -> None:
        assert slot not in self.working
        self.working[slot] = request

    @rule(process=st.integers(0, 2))
    def a_slot_comes(self, process: int) -> None:
        self.frees(Thread(self.processes[process]))

    def frees(self, slot: Thread) -> None:
        request = self.pool.free(slot)
        if self.waiting:
            assert request == self.waiting.pop(0)
            self.give(slot, request)
        else:
            assert request is None
            self.idle.append(slot)

    @rule()
    def a_request_arrives(self) -> None:
        self.next_request += 1
        request = self.next_request
        if not self.idle and len(self.waiting) >= self.QUEUE_SIZE:
            with pytest.raises(QueueFull):
                self.pool.arrive(request)
            return
        busy = [slot.worker.busy for slot in self.idle]
        slot = self.pool.arrive(request)
        if slot is None:
            assert not self.idle
            self.waiting.append(request)
        else:
            best = max(index for index, count in enumerate(busy) if count == min(busy))
            assert slot is self.idle.pop(best)
            self.give(slot, request)

    @precondition(lambda self: self.working)
    @rule(data=st.data())
    def a_request_comes_back(self, data: st.DataObject) -> None:
        """Its slot has gone."""
        gone = data.draw(st.sampled_from(list(self.working)))
        request = self.working.pop(gone)
        self.pool.remove(gone)
        self.pool.finished(gone)
        slot = self.pool.come_back(request)
        if slot is None:
            assert not self.idle
            self.waiting.insert(0, request)
        else:
            self.idle.remove(slot)
            self.give(slot, request)

    @precondition(lambda self: self.working)
    @rule(data=st.data())
    def a_slot_finishes(self, data: st.DataObject) -> None:
        slot = data.draw(st.sampled_from(list(self.working)))
        del self.working[slot]
        self.pool.finished(slot)
        self.frees(slot)

    @precondition(lambda self: self.working)
    @rule(data=st.data())
    def a_busy_slot_goes(self, data: st.DataObject) -> None:
        slot = data.draw(st.sampled_from(list(self.working)))
        del self.working[slot]
        self.pool.remove(slot)
        self.pool.finished(slot)

    @precondition(lambda self: self.idle)
    @rule(data=st.data())
    def an_idle_slot_goes(self, data: st.DataObject) -> None:
        slot = data.draw(st.sampled_from(self.idle))
        self.idle.remove(slot)
        self.pool.remove(slot)

    @rule(data=st.data())
    def a_request_leaves(self, data: st.DataObject) -> None:
        """Whether it waits, is worked on, or has ended."""
        request = data.draw(st.integers(0, self.next_request))
        self.pool.leave(request)
        if request in self.waiting:
            self.waiting.remove(request)

    @rule()
    def all_that_wait_are_sent_away(self) -> None:
        assert self.pool.empty_queue() == self.waiting
        self.waiting.clear()

    @invariant()
    def nobody_waits_while_a_slot_is_idle(self) -> None:
        assert not (self.idle and self.waiting)
        assert self.pool.queued == len(self.waiting)
        assert list(self.pool.queue) == self.waiting

    @invariant()
    def it_is_known_how_busy_each_process_is(self) -> None:
        for process in self.processes:
            assert process.busy == sum(slot.worker is process for slot in self.working)


TestPool = PoolMachine.TestCase
TestPool.settings = settings(max_examples=100, stateful_step_count=40)


class TestWhichSlot:
    def test_that_of_the_least_busy_process(self) -> None:
        pool: Pool[Thread, str] = Pool(0)
        busy, idle = Process(), Process()
        slots = [Thread(busy), Thread(idle), Thread(busy)]
        for slot in slots:
            pool.free(slot)
        assert pool.arrive("a") is slots[2]
        assert pool.arrive("b") is slots[1]
        assert pool.arrive("c") is slots[0]

    def test_among_equals_the_one_that_was_idle_last(self) -> None:
        pool: Pool[Thread, str] = Pool(0)
        slots = [Thread() for _ in range(3)]
        for slot in slots:
            pool.free(slot)
        assert [pool.arrive(each) for each in "abc"] == slots[::-1]

    def test_a_queue_of_size_0_takes_nobody(self) -> None:
        pool: Pool[Thread, str] = Pool(0)
        with pytest.raises(QueueFull):
            pool.arrive("a")

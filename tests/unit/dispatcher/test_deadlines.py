import socket
from collections.abc import Iterator

import pytest
import uvloop

from tests.unit.dispatcher.fakes import RecordingClient, RecordingJournal, RecordingOwner
from tests.unit.dispatcher.requests import a_head, a_request
from wsgid.channel.frames import FrameReader
from wsgid.dispatcher.deadlines import overdue, spent, waited_too_long
from wsgid.dispatcher.exchange import Exchange
from wsgid.dispatcher.fates import TIME_LIMIT
from wsgid.dispatcher.slots import Slot
from wsgid.dispatcher.worker import Worker


def waiting(since: float, returned: bool = False) -> Exchange:
    exchange = Exchange(a_request(), RecordingClient(), True, RecordingJournal(), 0.0)
    exchange.queued_at = since
    exchange.returned = returned
    return exchange


class TestTheQueue:
    def test_those_that_waited_too_long_are_in_front(self) -> None:
        queue = [waiting(since) for since in (0.0, 1.0, 2.0)]
        assert waited_too_long(queue, 9.0, 10.0) == queue[:2]

    def test_or_behind_those_that_came_back(self) -> None:
        queue = [waiting(9.0, returned=True), waiting(0.0, returned=True), waiting(0.5), waiting(2.0)]
        assert waited_too_long(queue, 9.0, 10.0) == queue[1:3]

    def test_nobody_looks_further_than_needed(self) -> None:
        queue = iter([waiting(0.0), waiting(2.0), waiting(0.0)])
        assert len(waited_too_long(queue, 9.0, 10.0)) == 1
        assert len(list(queue)) == 1

    def test_may_be_endless(self) -> None:
        assert waited_too_long([waiting(0.0)], 0.0, 1e9) == []


@pytest.fixture
def worker() -> Iterator[Worker]:
    """With three slots, each of which has got a request, at the times 10, 20 and 30."""
    loop = uvloop.new_event_loop()
    worker = Worker(4242)
    far_ends = []
    for number in range(3):
        ours, theirs = socket.socketpair()
        far_ends.append(theirs)
        slot = Slot(ours, worker, number, FrameReader(), RecordingOwner(), loop)
        worker.slots.append(slot)
        exchange = Exchange(a_request(), RecordingClient(), True, RecordingJournal(), 0.0)
        slot.give(exchange, 10.0 * (number + 1))
    yield worker
    for slot, theirs in zip(worker.slots, far_ends, strict=True):
        slot.close("the end")
        theirs.close()
    loop.close()


class TestAWorker:
    def test_its_requests_have_a_limit(self, worker: Worker) -> None:
        assert overdue(worker.slots, 5.0, 14.9) == []
        assert overdue(worker.slots, 5.0, 15.0) == worker.slots[:1]
        assert overdue(worker.slots, 5.0, 100.0) == worker.slots

    def test_or_none(self, worker: Worker) -> None:
        assert overdue(worker.slots, 0.0, 1e9) == []

    def test_what_was_found_is_not_found_again(self, worker: Worker) -> None:
        worker.slots[0].ground = TIME_LIMIT
        assert overdue(worker.slots, 5.0, 25.0) == worker.slots[1:2]

    def test_an_idle_thread_has_all_time(self, worker: Worker) -> None:
        worker.slots[0].work = None
        assert overdue(worker.slots, 5.0, 20.0) == []

    def test_the_time_of_a_slow_client_does_not_count(self, worker: Worker) -> None:
        worker.slots[0].excused = 3.0
        assert overdue(worker.slots, 5.0, 17.9) == []
        assert overdue(worker.slots, 5.0, 18.0) == worker.slots[:1]

    def test_a_thread_that_does_not_end_its_request_counts(self, worker: Worker) -> None:
        """Its client has the answer, or is gone; the thread is held all the same."""
        exchange = worker.slots[0].work
        assert exchange is not None
        exchange.answer(a_head(), b"")
        assert overdue(worker.slots, 5.0, 15.0) == worker.slots[:1]

    def test_is_spent_when_nothing_else_is_left(self, worker: Worker) -> None:
        first, second, third = worker.slots
        first.ground = third.ground = TIME_LIMIT
        assert not spent(worker)
        second.work = None
        assert spent(worker)

    def test_is_spent_when_what_else_it_has_waits_for_a_client(self, worker: Worker) -> None:
        first, second, third = worker.slots
        first.ground = third.ground = TIME_LIMIT
        second.done = True
        assert spent(worker)

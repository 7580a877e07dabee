"""What `Dispatch` has counted, beside what it counts when a request ends (`test_counters`)."""

from tests.unit.dispatcher.fakes import HandClock
from tests.unit.dispatcher.loops import until
from tests.unit.dispatcher.requests import a_head
from tests.unit.dispatcher.running import Running, arrive, with_hand_clock
from wsgid.channel import frames
from wsgid.channel.counts import Counts
from wsgid.channel.frames import Answer

HELLO = frames.answer(Answer(a_head(), b"hello", True))


def counts(everything: Running) -> Counts:
    return everything.dispatch.counts(edges=[], lost_lines={})


def test_nothing_before_there_are_workers() -> None:
    async def test(everything: Running, clock: HandClock) -> None:
        everything.dispatch.workers = None
        clock.time += 5.0
        told = counts(everything)
        assert (told.since, told.busy_seconds) == (5.0, 0.0)

    with_hand_clock(test)


def test_how_long_threads_are_busy() -> None:
    async def test(everything: Running, clock: HandClock) -> None:
        worker = await everything.worker()
        clock.time += 1.0
        exchange, _ = arrive(everything)
        await worker.threads[0].take()
        clock.time += 2.0
        assert counts(everything).busy_seconds == 2.0
        worker.threads[0].say(HELLO)
        await until(lambda: exchange.ended, "the answer")
        clock.time += 4.0
        told = counts(everything)
        assert told.busy_seconds == 2.0
        assert (told.wait.total, told.wait.seconds) == (1, 0.0)
        assert (told.service.total, told.service.seconds) == (1, 2.0)

    with_hand_clock(test)


def test_a_worker_that_dies_has_been_busy_too() -> None:
    async def test(everything: Running, clock: HandClock) -> None:
        worker = await everything.worker(1)
        arrive(everything)
        await worker.threads[0].take()
        clock.time += 3.0
        everything.kill(worker)
        told = counts(everything)
        assert told.busy_seconds == 3.0
        assert told.redelivered == 1
        assert told.deaths["signal"] == 1
        [death] = told.last_deaths
        assert (death.pid, death.how, death.lost) == (1, "killed by SIGKILL", 1)
        assert told.ends["answered"] == 0  # it waits for another worker

    with_hand_clock(test)


def test_one_that_cannot_be_repeated_is_refused() -> None:
    async def test(everything: Running, clock: HandClock) -> None:
        worker = await everything.worker(1)
        arrive(everything, method="POST")
        await worker.threads[0].take()
        everything.kill(worker)
        told = counts(everything)
        assert told.redelivered == 0
        assert told.refused["502"] == told.ends["refused"] == told.requests["POST"]["5xx"] == 1

    with_hand_clock(test)


def test_since_when_the_first_one_waits() -> None:
    async def test(everything: Running, clock: HandClock) -> None:
        assert everything.dispatch.snapshot().longest_wait == 0.0
        arrive(everything, id="first")
        clock.time += 2.0
        arrive(everything, id="second")
        clock.time += 1.0
        assert everything.dispatch.snapshot().longest_wait == 3.0

    with_hand_clock(test)

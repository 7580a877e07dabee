"""What `Dispatch` does about time limits, worn out workers and those that shall leave, and what it tells of itself."""

import pytest

from tests.unit.dispatcher.fakes import HandClock, RecordingClient
from tests.unit.dispatcher.far_end import call, thread
from tests.unit.dispatcher.loops import turns, until
from tests.unit.dispatcher.requests import a_head, a_policy, a_request
from tests.unit.dispatcher.running import FarWorker, Running, arrive, with_hand_clock
from wsgid.channel import frames
from wsgid.channel.frames import Answer, Kind
from wsgid.channel.orders import Cause, FromDispatcher, Hung, Spent, WorkerDied, WorkerLeaving, WorkerReady, WornOut
from wsgid.dispatcher.snapshot import RequestFacts, Snapshot, WorkerFacts
from wsgid.dispatcher.work import Stage

HELLO = frames.answer(Answer(a_head(), b"hello", True))
HEAD = frames.head(a_head())


def told(everything: Running) -> list[FromDispatcher]:
    """What the master was told beside that workers are ready."""
    return [each for each in everything.told if not isinstance(each, WorkerReady)]


def pass_time(everything: Running, clock: HandClock, seconds: float) -> None:
    clock.time += seconds
    everything.dispatch.tick()


class TestTheQueue:
    def test_is_no_place_to_stay(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            _, first = arrive(everything)
            pass_time(everything, clock, 1.0)
            _, second = arrive(everything)
            pass_time(everything, clock, 3.9)
            assert first.told == []
            pass_time(everything, clock, 0.1)
            assert first.body == b"503 Service Unavailable: no worker was free in time\n"
            assert second.told == []
            assert everything.endings() == ["503 refused"]
            pass_time(everything, clock, 1.0)
            assert second.told == ["whole 503"]

        with_hand_clock(test, queue_timeout=5.0)

    def test_is_not_where_a_turn_is_waited_for(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            exchange = everything.dispatch.open(a_request(), RecordingClient(), keep_alive=True)
            pass_time(everything, clock, 100.0)
            everything.dispatch.submit(exchange)
            pass_time(everything, clock, 4.0)
            assert not exchange.ended

        with_hand_clock(test, queue_timeout=5.0)

    def test_begins_anew_for_one_that_was_served_meanwhile(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            exchange, _ = arrive(everything)
            pass_time(everything, clock, 4.0)
            worker = await everything.worker()
            await worker.threads[0].take()
            pass_time(everything, clock, 4.0)
            everything.kill(worker)
            pass_time(everything, clock, 4.0)
            assert exchange.stage is Stage.WAITING

        with_hand_clock(test, queue_timeout=5.0)

    def test_may_change_its_size(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            arrive(everything)
            everything.dispatch.adopt(a_policy(queue_size=2))
            assert not arrive(everything)[0].ended
            everything.dispatch.adopt(a_policy(queue_size=1))
            assert arrive(everything)[0].ended
            assert everything.dispatch.queued == 2

        with_hand_clock(test, queue_size=1)


class TestTheTimeLimit:
    async def reach(self, everything: Running, clock: HandClock, said: bytes = b"") -> tuple[FarWorker, list[str]]:
        """A request does."""
        worker = await everything.worker()
        exchange, client = arrive(everything)
        thread = worker.threads[exchange.slot.thread if exchange.slot is not None else 0]
        await thread.take()
        if said:
            thread.say(said)
            await until(lambda: client.told, "the head")
        pass_time(everything, clock, 9.9)
        assert told(everything) == []
        pass_time(everything, clock, 0.1)
        return worker, client.told

    def test_is_told_to_everyone(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            _, heard = await self.reach(everything, clock)
            assert heard == ["whole 504"]
            what = "GET /path?query (id id-1, 10.00 s in its hands, client 192.0.2.1): answered with 504"
            assert told(everything) == [Hung(1, what)]
            assert caplog.messages == []  # that is the master's, with the stacks
            assert everything.endings() == ["504 refused"]

        with_hand_clock(test, timeout=10.0)

    def test_cuts_an_answer(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            _, heard = await self.reach(everything, clock, HEAD)
            assert heard == ["head 200", "cut"]
            assert everything.endings() == ["200 cut"]

        with_hand_clock(test, timeout=10.0)

    def test_leaves_time_to_see_where_it_hangs_and_to_tidy_up(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            worker, _ = await self.reach(everything, clock)
            assert worker.control.silent
            pass_time(everything, clock, 0.25)
            assert await worker.control.hear() == (Kind.INTERRUPT, b"id-1")
            assert told(everything)[1:] == []
            for _ in range(3):
                pass_time(everything, clock, 0.25)
            assert told(everything)[1:] == [Spent(1)]
            assert worker.control.silent

        with_hand_clock(test, timeout=10.0)

    def test_lets_other_requests_of_the_worker_end(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            worker = await everything.worker()
            hangs, _ = arrive(everything, id="hangs")
            clock.time += 5.0
            good, client = arrive(everything, id="good")
            assert hangs.slot is not None
            assert good.slot is not None
            thread = worker.threads[good.slot.thread]
            await thread.take()
            for _ in range(3):
                pass_time(everything, clock, 5.0 if hangs.stage is Stage.SERVING else 0.25)
            assert [type(each) for each in told(everything)] == [Hung]
            thread.say(HELLO)
            await until(lambda: good.ended, "the answer")
            assert client.told == ["whole 200"]
            pass_time(everything, clock, 0.25)
            assert [type(each) for each in told(everything)] == [Hung, Spent]

        with_hand_clock(test, timeout=10.0, threads=3)

    def test_gives_its_worker_nothing_new(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            worker, _ = await self.reach(everything, clock)
            waiting, _ = arrive(everything)
            assert waiting.stage is Stage.WAITING  # though another thread is idle
            for each in worker.threads:
                each.listen()
            worker.threads[-1].say(HELLO)  # the late answer
            await turns(10)
            assert waiting.stage is Stage.WAITING
            other = await everything.worker(2)
            await until(lambda: waiting.stage is Stage.SERVING, "the other worker")
            assert not all(each.silent for each in other.threads)

        with_hand_clock(test, timeout=10.0, threads=2)

    def test_is_not_reached_while_a_client_does_not_take_its_answer(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            worker = await everything.worker()
            exchange, client = arrive(everything)
            client.choked = True
            worker.threads[0].say(HEAD, frames.frame(Kind.PART, b"part"))
            slot = exchange.slot
            assert slot is not None
            await until(lambda: slot.paused, "the pause")
            for _ in range(100):
                pass_time(everything, clock, 1.0)
            assert not exchange.ended
            client.choked = False
            slot.resume()
            pass_time(everything, clock, 9.0)
            assert not exchange.ended
            pass_time(everything, clock, 1.0)
            assert client.told[-1] == "cut"

        with_hand_clock(test, timeout=10.0)

    def test_of_two_requests_is_one_thing_for_the_master(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            await everything.worker()
            clients = [arrive(everything, id=name)[1] for name in "ab"]
            pass_time(everything, clock, 10.0)
            assert [client.told for client in clients] == [["whole 504"]] * 2
            assert [type(each) for each in told(everything)] == [Hung]
            [line] = caplog.messages
            assert line.startswith("worker 1: one more request has reached the time limit: GET /path?query (id ")

        with_hand_clock(test, timeout=10.0, threads=2)

    def test_starts_anew_with_a_second_chance(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            exchange, _ = arrive(everything)
            worker = await everything.worker(1)
            await worker.threads[0].take()
            clock.time += 9.0
            everything.kill(worker)
            await everything.worker(2)
            pass_time(everything, clock, 9.0)
            assert exchange.stage is Stage.SERVING

        with_hand_clock(test, timeout=10.0)

    def test_leaves_no_hope_to_those_who_wait_at_the_end(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            await everything.worker()
            arrive(everything)
            _, waiting = arrive(everything)
            everything.dispatch.drain()
            pass_time(everything, clock, 10.0)
            assert waiting.told == ["whole 503"]

        with_hand_clock(test, timeout=10.0)

    def test_what_was_interrupted_is_not_given_to_another(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            worker, heard = await self.reach(everything, clock)
            everything.kill(worker)
            assert heard == ["whole 504"]
            assert caplog.messages[-1].endswith(": ended by the time limit")

        with_hand_clock(test, timeout=10.0)


class TestAWornOutWorker:
    def test_is_told_once_and_serves_on(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            worker = await everything.worker()
            worker.threads[0].serve_all(HELLO)
            for number in range(5):
                exchange, _ = arrive(everything)
                await until(lambda: exchange.ended, "the answer")  # noqa: B023
                assert told(everything) == ([WornOut(1, "it has served 3 requests")] if number >= 2 else [])

        with_hand_clock(test, max_requests=3)


class TestRetiring:
    def test_an_idle_worker_is_released_at_once(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            worker = await everything.worker()
            everything.dispatch.retire(1)
            assert await worker.threads[0].hear() == (Kind.RELEASE, b"")
            assert told(everything) == []

        with_hand_clock(test)

    def test_a_busy_one_after_its_answer(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            worker = await everything.worker()
            arrive(everything)
            waiting, _ = arrive(everything)
            everything.dispatch.retire(1)
            await worker.threads[0].take()
            worker.threads[0].say(HELLO)
            assert await worker.threads[0].hear() == (Kind.RELEASE, b"")
            assert waiting.stage is Stage.WAITING

        with_hand_clock(test)

    def test_one_that_has_not_called_yet_when_it_does(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            everything.dispatch.retire(1)
            far_end = call(everything.directory / "channel.sock", thread(1))
            assert await far_end.hear() == (Kind.RELEASE, b"")
            far_end.close()
            everything.dispatch.worker_died(WorkerDied(1, "left", True, Cause.ASKED))
            everything.told.clear()
            other = await everything.worker(1)  # the number is used again
            assert other.threads[0].silent

        with_hand_clock(test)

    def test_one_that_dies_first_is_forgotten(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            everything.dispatch.retire(1)
            everything.dispatch.worker_died(WorkerDied(1, "left", True, Cause.ASKED))
            assert (await everything.worker(1)).threads[0].silent

        with_hand_clock(test)

    def test_of_its_own_accord_is_told_to_the_master(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            worker = await everything.worker()
            worker.control.say(frames.LEAVING)
            await until(lambda: told(everything), "the word")
            assert told(everything) == [WorkerLeaving(1)]
            everything.dispatch.retire(1)  # the master agrees
            assert await worker.threads[0].hear() == (Kind.RELEASE, b"")
            await worker.threads[0].hear_the_end()

        with_hand_clock(test)


def test_a_dispatcher_without_workers_is_told_things_in_vain() -> None:
    async def test(everything: Running, clock: HandClock) -> None:
        dispatch = everything.dispatch
        dispatch.workers = None
        dispatch.retire(1)
        dispatch.worker_died(WorkerDied(1, "left", True, Cause.ASKED))
        dispatch.tick()
        assert (dispatch.busy, dispatch.snapshot()) == (0, Snapshot(False, 0, 0, (), 0.0))

    with_hand_clock(test)


def test_a_snapshot() -> None:
    async def test(everything: Running, clock: HandClock) -> None:
        await everything.worker(1)
        worker = await everything.worker(2)
        arrive(everything, id="a", method="POST", target="/a")  # to the one that was idle last
        everything.dispatch.retire(2)
        clock.time += 2.5
        everything.dispatch.open(a_request(), RecordingClient(), keep_alive=True)
        found = everything.dispatch.snapshot()
        held = RequestFacts("a", "a", "POST", "/a", "192.0.2.1", 2.5)
        assert found == Snapshot(
            draining=False,
            unfinished=2,
            queued=0,
            workers=(
                WorkerFacts(1, True, False, False, threads=2, busy=0, served=0, requests=()),
                WorkerFacts(2, True, True, False, threads=1, busy=1, served=0, requests=(held,)),
            ),
            longest_wait=0.0,
        )
        assert found.busy == everything.dispatch.busy == 1
        assert worker.pid == 2

    with_hand_clock(test, threads=2)

"""What `Dispatch` does when workers die: other chances, quarantine, and what the log says."""

import msgspec
import pytest

from tests.unit.dispatcher.fakes import HandClock
from tests.unit.dispatcher.loops import turns, until
from tests.unit.dispatcher.requests import a_head, a_policy, a_request
from tests.unit.dispatcher.running import FarWorker, Running, arrive, with_hand_clock
from wsgid.channel import frames
from wsgid.channel.frames import Answer
from wsgid.channel.orders import WorkerLeaving
from wsgid.dispatcher.quarantine import PERIOD
from wsgid.dispatcher.work import Stage

HELLO = frames.answer(Answer(a_head(), b"hello", True))


async def killed_over(everything: Running, worker: FarWorker) -> None:
    """It has read its request, and dies."""
    await worker.threads[0].take()
    everything.kill(worker)


def test_a_worker_that_waits_for_a_client_holds_no_request(caplog: pytest.LogCaptureFixture) -> None:
    """It has given its answer, of which as much is kept as may be."""

    async def test(everything: Running, clock: HandClock) -> None:
        worker = await everything.worker(1)
        exchange, client = arrive(everything)
        client.keeps = client.choked = True
        await worker.threads[0].take()
        worker.threads[0].say(HELLO)
        await until(lambda: everything.workers.by_pid[1].slots[0].done, "the answer")
        arrive(everything, id="next")
        assert (everything.dispatch.busy, everything.dispatch.queued) == (1, 1)
        everything.kill(worker)
        assert caplog.messages == ["worker 1 died: killed by SIGKILL; it held no request"]
        exchange.sent_all()
        assert everything.endings() == ["200"]
        assert (await (await everything.worker(2)).threads[0].take()).id == "next"

    with_hand_clock(test)


class TestASecondChance:
    def test_is_with_another_worker(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            first, second = await everything.worker(1), await everything.worker(2)
            exchange, client = arrive(everything)
            clock.time += 2.0
            await killed_over(everything, second)  # the one that was idle last
            assert await first.threads[0].take() == msgspec.structs.replace(a_request(), attempt=2)
            first.threads[0].say(HELLO)
            await until(lambda: exchange.ended, "the answer")
            assert client.told == ["whole 200"]
            assert everything.endings() == ["200"]
            assert caplog.messages == [
                "worker 2 died: killed by SIGKILL; it held GET /path?query (id id-1, 2.00 s in its hands, "
                "client 192.0.2.1): given to another worker"
            ]

        with_hand_clock(test)

    def test_comes_before_all_who_wait(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            worker = await everything.worker(1)
            arrive(everything, id="first")
            arrive(everything, id="second")  # the queue is full
            await killed_over(everything, worker)
            worker = await everything.worker(2)
            assert (await worker.threads[0].take()).id == "first"

        with_hand_clock(test, queue_size=1)

    def test_is_the_last(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            _, client = arrive(everything)
            await killed_over(everything, await everything.worker(1))
            assert client.told == []
            await killed_over(everything, await everything.worker(2))
            assert client.told == ["whole 502"]

        with_hand_clock(test)

    def test_is_not_given_when_nobody_wants_it(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            _, client = arrive(everything)
            await killed_over(everything, await everything.worker(1))
            assert client.told == ["whole 502"]

        with_hand_clock(test, redeliver=False)

    def test_is_not_given_to_one_whose_client_may_have_left(self, caplog: pytest.LogCaptureFixture) -> None:
        """It may as well have finished sending, and wait."""

        async def test(everything: Running, clock: HandClock) -> None:
            exchange, client = arrive(everything)
            worker = await everything.worker(1)
            exchange.client_may_have_left()
            await killed_over(everything, worker)
            assert (client.told, client.turns_over) == (["whole 502"], 1)
            assert everything.endings() == ["502 refused"]
            assert caplog.messages[-1].endswith(": answered with 502, as its client may have left")

        with_hand_clock(test)

    @pytest.mark.parametrize(("seconds", "expected"), [(4.9, []), (5.0, ["whole 502"])])
    def test_is_not_given_to_what_kept_a_worker_from_leaving_in_time(self, seconds: float, expected: list[str]) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            worker = await everything.worker(1)
            _, client = arrive(everything)
            everything.dispatch.retire(1)
            clock.time += seconds
            await killed_over(everything, worker)
            assert client.told == expected

        with_hand_clock(test, graceful_timeout=5.0)

    def test_has_the_time_that_began_with_the_workers_own_word(self) -> None:
        """After a SIGTERM by hand. That the master agrees, a little later, does not prolong it."""

        async def test(everything: Running, clock: HandClock) -> None:
            worker = await everything.worker(1)
            _, client = arrive(everything)
            worker.control.say(frames.LEAVING)
            await until(lambda: WorkerLeaving(1) in everything.told, "the word")
            clock.time += 1.0
            everything.dispatch.retire(1)
            clock.time += 4.0
            await killed_over(everything, worker)
            assert client.told == ["whole 502"]

        with_hand_clock(test, graceful_timeout=5.0)

    def test_is_not_lost_with_the_options_of_the_worker_after_it(self) -> None:
        """The master goes by what it was when the worker began to leave, too."""

        async def test(everything: Running, clock: HandClock) -> None:
            worker = await everything.worker(1)
            _, client = arrive(everything)
            everything.dispatch.retire(1)
            everything.dispatch.adopt(a_policy(graceful_timeout=1.0))
            clock.time += 2.0
            await killed_over(everything, worker)
            assert client.told == []

        with_hand_clock(test, graceful_timeout=5.0)

    def test_is_not_given_by_a_server_that_stops_without_workers(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            _, client = arrive(everything)
            worker = await everything.worker(1)
            everything.dispatch.drain()
            await killed_over(everything, worker)
            assert client.told == ["whole 502"]

        with_hand_clock(test)

    def test_is_free_for_what_was_never_read(self, caplog: pytest.LogCaptureFixture) -> None:
        """Worker after worker dies before it looks at the request: nothing has happened to it."""

        async def test(everything: Running, clock: HandClock) -> None:
            exchange, client = arrive(everything, method="POST")
            for pid in (1, 2, 3):
                everything.kill(await everything.worker(pid))
                assert exchange.stage is Stage.WAITING
            assert caplog.messages == [f"worker {pid} died: killed by SIGKILL; it held no request" for pid in (1, 2, 3)]
            worker = await everything.worker(4)
            assert (await worker.threads[0].take()).attempt == 1
            assert client.told == []

        with_hand_clock(test)

    def test_is_not_wasted_on_other_threads_of_the_dead(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            worker = await everything.worker(1)
            exchange, client = arrive(everything)
            assert sum(not each.silent for each in worker.threads) == 1  # it has read the request
            everything.kill(worker)
            await turns(10)
            assert exchange.stage is Stage.WAITING
            await everything.worker(2)
            assert (exchange.stage, exchange.request.attempt) == (Stage.SERVING, 2)
            assert client.told == []

        with_hand_clock(test, threads=3)

    def test_is_not_with_the_dead_whose_channels_somebody_else_holds_open(self) -> None:
        """A process that the application forked, say: then nothing but the master's word tells that it is dead."""

        async def test(everything: Running, clock: HandClock) -> None:
            worker = await everything.worker(1)
            held = [each.sock.dup() for each in worker.threads]
            first, _ = arrive(everything)
            exchange, client = arrive(everything)
            assert exchange.slot is everything.workers.by_pid[1].slots[0]  # looked at before the idle one
            for each in worker.threads:
                await each.take()
            worker.threads[1].say(HELLO)
            await until(lambda: first.ended, "the answer")
            everything.kill(worker)
            assert (exchange.stage, client.told) == (Stage.WAITING, [])
            for sock in held:
                sock.close()

        with_hand_clock(test, threads=2)


class TestTheEndOfAllConnections:
    def test_of_a_worker_that_holds_nothing_leaves_nothing(self) -> None:
        """The master's word about its death may have come before it: its call was in the listening socket then."""

        async def test(everything: Running, clock: HandClock) -> None:
            worker = await everything.worker()
            worker.control.close()
            await until(lambda: everything.workers.by_pid[1].control is None, "the end of the first")
            worker.threads[0].close()
            await until(lambda: not everything.workers.by_pid, "the end of the second")

        with_hand_clock(test)

    def test_of_one_that_holds_a_request_waits_for_the_master(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            worker = await everything.worker()
            _, client = arrive(everything, method="POST")
            await worker.threads[0].take()
            for each in (worker.control, worker.threads[0]):
                each.close()
            await until(lambda: client.told, "the answer")
            await turns(10)
            assert caplog.messages == []
            everything.kill(worker)
            [line] = caplog.messages
            assert line.startswith("worker 1 died: killed by SIGKILL; it held POST ")

        with_hand_clock(test)


class TestQuarantine:
    def test_refuses_what_kills_and_says_so(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            for pid in (1, 2):
                arrive(everything, method="POST", target=f"/path?{pid}", query=str(pid))
                await killed_over(everything, await everything.worker(pid))
            assert caplog.messages[-1] == (
                "POST /path is refused with 503 for 60 s: it was the only request of each of 2 workers that died "
                "within 60 s"
            )
            _, client = arrive(everything, method="POST")
            assert client.body == (
                b"503 Service Unavailable: workers have died over this request, it is not served for a while\n"
            )
            other, _ = arrive(everything, method="GET")
            assert not other.ended

            clock.time += PERIOD
            caplog.set_level("INFO")
            everything.dispatch.tick()
            assert caplog.messages[-1] == "POST /path is served again"
            again, _ = arrive(everything, method="POST")
            assert not again.ended

        with_hand_clock(test, quarantine=2)

    def test_refuses_also_what_waits(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            worker = await everything.worker(1)
            arrive(everything, method="POST")
            _, same = arrive(everything, method="POST")
            other, _ = arrive(everything, path="/other")
            await killed_over(everything, worker)
            assert same.told == ["whole 503"]
            assert not other.ended

        with_hand_clock(test, quarantine=1)

    def test_suspects_nothing_when_there_were_two(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            worker = await everything.worker(1)
            for path in ("/a", "/b"):
                arrive(everything, method="POST", path=path)
            for each in worker.threads:
                await each.take()
            everything.kill(worker)
            assert not arrive(everything, method="POST", path="/a")[0].ended

        with_hand_clock(test, quarantine=1, threads=2)

    @pytest.mark.parametrize("end", ["thread", "worker"])
    def test_suspects_nothing_when_the_worker_was_killed_for_the_time_limit(self, end: str) -> None:
        """Neither what reached the limit, nor what it took with it."""

        async def test(everything: Running, clock: HandClock) -> None:
            worker = await everything.worker(1)
            arrive(everything, method="POST", path="/slow", id="slow")
            clock.time += 9.0
            other, _ = arrive(everything, method="POST", path="/other", id="other")
            clock.time += 1.0
            everything.dispatch.tick()
            taken = {(await each.take()).id: each for each in worker.threads}
            ended = taken["other" if end == "thread" else "slow"]
            ended.say(HELLO)
            await turns(10)
            assert other.ended == (end == "thread")
            everything.kill(worker)
            for path in ("/slow", "/other"):
                assert not arrive(everything, method="POST", path=path)[0].ended

        with_hand_clock(test, quarantine=1, threads=2, timeout=10.0)

    def test_suspects_nothing_when_the_worker_was_killed_for_not_leaving(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            worker = await everything.worker(1)
            arrive(everything, method="POST")
            everything.dispatch.retire(1)
            clock.time += 30.0
            await killed_over(everything, worker)
            assert not arrive(everything, method="POST")[0].ended

        with_hand_clock(test, quarantine=1)

    def test_suspects_nothing_when_the_death_was_wished_for(self) -> None:

        async def test(everything: Running, clock: HandClock) -> None:
            worker = await everything.worker(1)
            arrive(everything, method="POST")
            await worker.threads[0].take()
            everything.kill(worker, expected=True)
            assert not arrive(everything, method="POST")[0].ended

        with_hand_clock(test, quarantine=1)

    def test_ends_a_second_chance(self) -> None:
        """The path is refused by the time the worker with the second of its requests dies."""

        async def test(everything: Running, clock: HandClock) -> None:
            workers = [await everything.worker(pid) for pid in (1, 2)]
            _, one = arrive(everything)
            _, two = arrive(everything)
            await killed_over(everything, workers[1])
            assert one.told == ["whole 503"]  # it waited
            await killed_over(everything, workers[0])
            assert two.told == ["whole 502"]

        with_hand_clock(test, quarantine=1)

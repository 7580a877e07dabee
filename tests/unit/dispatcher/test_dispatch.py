import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.dispatcher.fakes import RecordingClient
from tests.unit.dispatcher.far_end import call, control, thread
from tests.unit.dispatcher.loops import run, turns, until
from tests.unit.dispatcher.requests import a_head, a_request
from tests.unit.dispatcher.running import FarWorker, Running, arrive, running
from wsgid.channel import frames
from wsgid.channel.frames import Answer, Kind
from wsgid.dispatcher.exchange import Exchange
from wsgid.dispatcher.work import Stage

HELLO = frames.answer(Answer(a_head(), b"hello", True))
HEAD = frames.head(a_head())


def with_dispatch(test: Callable[[Running], Coroutine[Any, Any, None]], **changes: Any) -> None:
    async def main() -> None:
        async with running(**changes) as everything:
            await test(everything)

    run(main())


async def answered(client: RecordingClient) -> list[str]:
    return await until(lambda: client.told if client.turns_over else None, "the answer")


class TestWhoServesWhat:
    def test_an_idle_slot_has_it_at_once(self) -> None:
        async def test(everything: Running) -> None:
            worker = await everything.worker()
            exchange, client = arrive(everything)
            assert exchange.stage is Stage.SERVING
            assert await worker.threads[0].take() == exchange.request
            worker.threads[0].say(HELLO)
            assert await answered(client) == ["whole 200"]
            assert everything.endings() == ["200"]

        with_dispatch(test)

    def test_the_others_wait_in_order(self) -> None:
        async def test(everything: Running) -> None:
            arrivals = [arrive(everything, id=str(number)) for number in range(3)]
            assert [exchange.stage for exchange, _ in arrivals] == [Stage.WAITING] * 3
            worker = await everything.worker()
            for number, (_, client) in enumerate(arrivals):
                assert (await worker.threads[0].take()).id == str(number)
                assert worker.threads[0].silent  # one at a time
                worker.threads[0].say(HELLO)
                await answered(client)
            assert everything.dispatch.open_count == 0

        with_dispatch(test)

    def test_a_slot_is_free_only_when_the_application_has_done_with_it(self) -> None:
        async def test(everything: Running) -> None:
            worker = await everything.worker()
            _, first = arrive(everything)
            second, _ = arrive(everything)
            worker.threads[0].say(frames.answer(Answer(a_head(), b"", False)))
            await answered(first)
            await turns(10)
            assert second.stage is Stage.WAITING
            worker.threads[0].say(frames.DONE)
            await until(lambda: second.stage is Stage.SERVING, "its turn")

        with_dispatch(test)

    def test_a_full_queue_is_said(self) -> None:
        async def test(everything: Running) -> None:
            arrive(everything)
            exchange, client = arrive(everything)
            assert exchange.ended
            assert client.body == b"503 Service Unavailable: too many requests are waiting\n"
            assert everything.endings() == ["503 refused"]

        with_dispatch(test, queue_size=1)

    def test_who_left_the_queue_is_not_served(self) -> None:
        async def test(everything: Running) -> None:
            gone, _ = arrive(everything, id="gone")
            arrive(everything, id="here")
            gone.client_left()
            worker = await everything.worker()
            assert (await worker.threads[0].take()).id == "here"
            assert everything.endings() == ["499 left"]

        with_dispatch(test)

    def test_who_left_before_its_turn_is_not_queued(self) -> None:
        async def test(everything: Running) -> None:
            exchange = everything.dispatch.open(a_request(), RecordingClient(), keep_alive=True)
            exchange.client_left()
            everything.dispatch.submit(exchange)
            worker = await everything.worker()
            assert worker.threads[0].silent

        with_dispatch(test)

    def test_keys_of_requests_and_names_of_connections_are_not_given_twice(self) -> None:
        async def test(everything: Running) -> None:
            dispatch = everything.dispatch
            assert [dispatch.request_key() for _ in range(3)] == ["id-1", "id-2", "id-3"]
            assert [dispatch.connection_id() for _ in range(3)] == ["1", "2", "3"]

        with_dispatch(test)


class TestADeath:
    @pytest.mark.parametrize(
        ("said", "told", "ending", "outcome"),
        [
            (b"", ["whole 502"], "502 refused", "answered with 502"),
            (HEAD, ["head 200", "cut"], "200 cut", "answer cut"),
            (
                frames.answer(Answer(a_head(), b"", False)),
                ["whole 200"],
                "200",
                "already answered or left by its client",
            ),
        ],
    )
    def test_ends_the_request_that_was_held(
        self, said: bytes, told: list[str], ending: str, outcome: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def test(everything: Running) -> None:
            worker = await everything.worker()
            _, client = arrive(everything, method="POST")
            await worker.threads[0].take()
            if said:
                worker.threads[0].say(said)
            everything.kill(worker)
            assert client.told == told
            assert everything.endings() == [ending]
            assert caplog.messages[-1].endswith(outcome)

        with_dispatch(test)

    def test_leaves_the_queue_to_the_others(self) -> None:
        async def test(everything: Running) -> None:
            worker = await everything.worker(1)
            arrive(everything, method="POST")
            await worker.threads[0].take()
            waiting, _ = arrive(everything, id="waiting")
            everything.kill(worker)
            assert waiting.stage is Stage.WAITING
            worker = await everything.worker(2)
            assert (await worker.threads[0].take()).id == "waiting"

        with_dispatch(test)

    def test_of_an_idle_worker_takes_its_slots_away(self) -> None:
        async def test(everything: Running) -> None:
            everything.kill(await everything.worker(1))
            exchange, _ = arrive(everything)
            assert exchange.stage is Stage.WAITING

        with_dispatch(test)

    def test_of_a_worker_that_a_leaving_client_was_served_by(self) -> None:
        async def test(everything: Running) -> None:
            worker = await everything.worker(1)
            exchange, _ = arrive(everything)
            exchange.client_left()
            everything.kill(worker)
            assert everything.endings() == ["499 left"]

        with_dispatch(test)


class TestLeaving:
    def test_an_idle_worker_is_let_go_at_once(self) -> None:
        async def test(everything: Running) -> None:
            worker = await everything.worker()
            worker.control.say(frames.LEAVING)
            assert await worker.threads[0].hear() == (Kind.RELEASE, b"")
            await worker.threads[0].hear_the_end()
            exchange, _ = arrive(everything)
            assert exchange.stage is Stage.WAITING

        with_dispatch(test)

    def test_a_busy_one_after_its_answer(self) -> None:
        async def test(everything: Running) -> None:
            worker = await everything.worker()
            _, client = arrive(everything)
            await worker.threads[0].take()
            waiting, _ = arrive(everything)
            worker.control.say(frames.LEAVING)
            await until(lambda: everything.workers.by_pid[1].leaving, "the word")
            assert worker.threads[0].silent
            worker.threads[0].say(HELLO)
            assert await answered(client) == ["whole 200"]
            assert await worker.threads[0].hear() == (Kind.RELEASE, b"")
            assert waiting.stage is Stage.WAITING  # for a worker that stays

        with_dispatch(test)

    def test_one_that_waits_for_room_for_its_next_answer(self) -> None:
        """The answer it has given is its client's, who may read for hours."""

        async def test(everything: Running) -> None:
            worker = await everything.worker()
            exchange, client = arrive(everything)
            client.keeps = client.choked = True
            await worker.threads[0].take()
            worker.threads[0].say(HELLO)
            await until(lambda: exchange.stage is Stage.SENDING, "the answer")
            await turns(10)
            worker.control.say(frames.LEAVING)
            assert await worker.threads[0].hear() == (Kind.RELEASE, b"")
            assert exchange.stage is Stage.SENDING
            exchange.client_left()

        with_dispatch(test)

    def test_each_thread_for_itself(self) -> None:
        async def test(everything: Running) -> None:
            worker = await everything.worker(threads=2)
            arrive(everything)
            worker.control.say(frames.LEAVING)
            await until(lambda: len(everything.workers.by_pid[1].slots) == 1, "one to be released")
            assert [worker.threads[0].silent, worker.threads[1].silent] == [False, False]  # a request, a release

        with_dispatch(test, threads=2)

    def test_one_that_says_so_before_it_is_ready_is_let_go_when_it_is(self) -> None:
        async def test(everything: Running) -> None:
            path = everything.directory / "channel.sock"
            far_control = call(path, control(1))
            far_control.say(frames.LEAVING)
            await until(lambda: 1 in everything.workers.by_pid and everything.workers.by_pid[1].leaving, "the word")
            far_thread = call(path, thread(1))
            assert await far_thread.hear() == (Kind.RELEASE, b"")
            assert everything.ready == [1]
            far_control.close()
            far_thread.close()

        with_dispatch(test)

    def test_while_the_dispatcher_drains_it_helps_to_empty_the_queue(self) -> None:
        """No other worker will come."""

        async def test(everything: Running) -> None:
            worker = await everything.worker()
            arrivals = [arrive(everything, id=str(number)) for number in range(3)]
            everything.dispatch.drain()
            worker.control.say(frames.LEAVING)
            for number, (_, client) in enumerate(arrivals):
                assert (await worker.threads[0].take()).id == str(number)
                worker.threads[0].say(HELLO)
                await answered(client)
            assert await worker.threads[0].hear() == (Kind.RELEASE, b"")

        with_dispatch(test)


class TestDraining:
    def test_is_over_with_the_last_exchange(self) -> None:
        async def test(everything: Running) -> None:
            quiet: list[int] = []
            everything.dispatch.on_quiet = lambda: quiet.append(everything.dispatch.open_count)
            await everything.worker()
            exchange, _ = arrive(everything)
            other, _ = arrive(everything)
            exchange.client_left()
            everything.dispatch.drain()
            assert quiet == []
            other.client_left()
            assert quiet == [0]

        with_dispatch(test)

    def test_is_over_at_once_when_there_is_none(self) -> None:
        async def test(everything: Running) -> None:
            everything.dispatch.drain()  # nobody is interested
            quiet: list[int] = []
            everything.dispatch.on_quiet = lambda: quiet.append(1)
            everything.dispatch.drain()
            assert quiet == [1]

        with_dispatch(test)

    def test_without_a_worker_refuses_those_who_wait(self) -> None:
        """None will come: they would wait for the time limit."""

        async def test(everything: Running) -> None:
            _, before = arrive(everything)
            worker = await everything.worker()
            assert (await worker.threads[0].take()).id
            _, client = arrive(everything)
            everything.dispatch.drain()
            assert client.told == []
            worker.threads[0].close()
            assert await answered(before) == ["whole 502"]
            assert await answered(client) == ["whole 503"]

        with_dispatch(test)

    def test_goes_on_serving_what_is_there(self) -> None:
        async def test(everything: Running) -> None:
            worker = await everything.worker()
            everything.dispatch.drain()
            _, client = arrive(everything)
            worker.threads[0].say(HELLO)
            assert await answered(client) == ["whole 200"]

        with_dispatch(test)


class TestGivingUp:
    def test_refuses_or_cuts_what_is_there(self) -> None:
        async def test(everything: Running) -> None:
            dispatch = everything.dispatch
            workers = [await everything.worker(1), await everything.worker(2)]
            _, unanswered = arrive(everything)
            _, begun = arrive(everything)
            for each in workers:
                await each.threads[0].take()
            workers[0].threads[0].say(HEAD)  # the one that was idle last has the first
            await until(lambda: begun.told, "the head")
            _, waiting = arrive(everything)
            later = RecordingClient()
            its_turn_comes = dispatch.open(a_request(), later, keep_alive=True)
            quiet: list[int] = []
            dispatch.on_quiet = lambda: quiet.append(1)
            dispatch.drain()

            assert dispatch.open_count == 4
            dispatch.give_up()

            assert unanswered.told == ["whole 503"]
            assert begun.told == ["head 200", "cut"]
            assert waiting.told == ["whole 503"]
            assert (later.told, quiet) == ([], [])
            dispatch.submit(its_turn_comes)
            assert later.body == b"503 Service Unavailable: the server is stopping\n"
            assert quiet == [1]
            assert sorted(everything.endings()) == ["200 cut", "503 refused", "503 refused", "503 refused"]

        with_dispatch(test)

    def test_gives_nothing_to_a_worker_that_it_makes_idle(self) -> None:
        async def test(everything: Running) -> None:
            worker = await everything.worker()
            exchange, client = arrive(everything)
            client.keeps = client.choked = True
            await worker.threads[0].take()
            worker.threads[0].say(HELLO)
            await until(lambda: exchange.stage is Stage.SENDING, "the answer")
            await turns(10)
            _, waiting = arrive(everything)
            everything.dispatch.drain()
            everything.dispatch.give_up()
            await turns(10)
            assert waiting.told == ["whole 503"]
            assert worker.threads[0].silent

        with_dispatch(test)

    def test_of_nothing_is_nothing(self) -> None:
        async def test(everything: Running) -> None:
            await everything.worker()
            everything.dispatch.give_up()
            everything.dispatch.workers = None
            everything.dispatch.give_up()
            assert everything.endings() == []

        with_dispatch(test)

    def test_a_slot_that_goes_without_workers_being_there(self) -> None:
        async def test(everything: Running) -> None:
            worker = await everything.worker()
            everything.dispatch.workers = None
            worker.threads[0].close()
            await turns(10)
            exchange, _ = arrive(everything)
            assert exchange.stage is Stage.WAITING
            everything.dispatch.workers = everything.workers
            everything.workers.by_pid[1].slots.clear()

        with_dispatch(test)


class TestWhateverHappens:
    @settings(max_examples=25, deadline=None)
    @given(st.integers(0, 2**32))
    def test_each_request_ends_once(self, seed: int) -> None:
        chance = random.Random(seed)

        async def test(everything: Running) -> None:
            workers: list[FarWorker] = []
            clients: list[tuple[Exchange, RecordingClient]] = []
            pids = iter(range(1, 1000))

            def some_thread() -> Any:
                busy = [
                    (worker, number)
                    for worker in workers
                    for number, slot in enumerate(everything.workers.by_pid[worker.pid].slots)
                    if slot.work is not None
                ]
                return chance.choice(busy) if busy else None

            for _ in range(40):
                match chance.choice(
                    ["come", "go", "arrive", "arrive", "arrive", "leave", "answer", "answer", "talk", "leaving"]
                ):
                    case "come" if len(workers) < 4:
                        workers.append(await everything.worker(next(pids), threads=2))
                    case "go" if workers:
                        everything.kill(workers.pop(chance.randrange(len(workers))))
                    case "arrive":
                        clients.append(arrive(everything))
                    case "leave" if clients:
                        chance.choice(clients)[0].client_left()
                    case "leaving" if workers:
                        worker = workers[-1]
                        worker.control.say(frames.LEAVING)
                        await until(lambda: everything.workers.by_pid[worker.pid].leaving, "the word")  # noqa: B023
                    case "answer" | "talk" as what:
                        if found := some_thread():
                            worker, number = found
                            slot = everything.workers.by_pid[worker.pid].slots[number]
                            said = HELLO if what == "answer" else HEAD + frames.END + frames.DONE
                            worker.threads[slot.thread].say(said)
                            await turns(chance.randrange(3))
            everything.dispatch.drain()
            everything.dispatch.give_up()
            await turns(10)
            assert all(exchange.ended for exchange, _ in clients)
            assert all(client.turns_over == 1 for _, client in clients)
            assert everything.dispatch.open_count == 0
            assert len(everything.logged()) == len(clients)

        with_dispatch(test, threads=2, queue_size=5)

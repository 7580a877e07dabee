"""What can be asked about single requests, and what is done to one that is killed."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.unit.dispatcher.fakes import HandClock, RecordingClient
from tests.unit.dispatcher.loops import turns, until
from tests.unit.dispatcher.requests import a_head, a_request
from tests.unit.dispatcher.running import FarWorker, Running, arrive, with_hand_clock
from wsgid.channel import commands, frames
from wsgid.channel.commands import MAX_TEXT, Killed, Listed, NotThere, Reply, RequestState, Traced
from wsgid.channel.frames import Answer, Kind, Stack
from wsgid.channel.orders import Hung, Spent
from wsgid.dispatcher import single_requests
from wsgid.dispatcher.single_requests import SingleRequests
from wsgid.dispatcher.traces import Traces

HELLO = frames.answer(Answer(a_head(), b"hello", True))
HEAD = frames.head(a_head())


class Served:
    """One worker with one thread, and whatever requests come."""

    def __init__(self, everything: Running, clock: HandClock, worker: FarWorker) -> None:
        self.everything = everything
        self.clock = clock
        self.worker = worker
        self.traces = Traces(asyncio.get_running_loop(), everything.told.append)
        self.requests = SingleRequests(everything.dispatch, self.traces)

    def states(self, named: str = "") -> dict[str, str]:
        return {each.key: each.state for each in self.requests.listing(named).requests}

    def told(self, kind: type[Hung | Spent]) -> list[object]:
        return [each for each in self.everything.told if isinstance(each, kind)]


def serving(test: Callable[[Served], Coroutine[Any, Any, None]], **changes: Any) -> None:
    async def main(everything: Running, clock: HandClock) -> None:
        await test(Served(everything, clock, await everything.worker()))

    with_hand_clock(main, **changes)


class TestTheListing:
    def test_has_what_runs_and_what_waits(self) -> None:
        async def test(served: Served) -> None:
            running, _ = arrive(served.everything, id="one", key="1-1")
            served.clock.time += 2.0
            arrive(served.everything, id="two", target="/\x1b" + "x" * 500)
            served.clock.time += 1.0
            first, second = served.requests.listing("").requests
            assert running.slot is not None
            assert first == Listed(
                "1-1", "one", RequestState.RUNNING, "GET", "/path?query", "192.0.2.1", 3.0, 0.0, 1, 0
            )
            assert (second.key, second.state, second.worker, second.thread) == ("two", "queued", None, None)
            assert (second.age, second.wait) == (1.0, 1.0)
            assert second.target.startswith("/\\x1bxxx")
            assert len(second.target) == MAX_TEXT

        serving(test)

    def test_has_what_no_worker_has(self) -> None:
        async def test(served: Served) -> None:
            sending, client = arrive(served.everything, id="sending")
            served.clock.time += 1.0
            served.everything.dispatch.open(a_request(id="arriving"), RecordingClient(), keep_alive=True)
            client.keeps = True
            served.worker.threads[0].say(HELLO)
            await until(lambda: sending.settled, "the answer")
            assert list(served.states().items()) == [("sending", "sending"), ("arriving", "arriving")]
            assert served.requests.listing("").unnamed == 0
            assert served.states("arriving") == {"arriving": "arriving"}
            assert served.states("sending") == {"sending": "sending"}
            sending.client_left()

        serving(test)

    def test_names_the_oldest_when_there_are_too_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(single_requests, "MAX_NAMED", 2)

        async def test(served: Served) -> None:
            for number in range(6):
                arrive(served.everything, id=str(number))
            listing = served.requests.listing("")
            assert [each.key for each in listing.requests] == ["0", "1", "2"]
            assert listing.unnamed == 3
            for number in (8, 7):
                served.clock.time -= 1.0
                served.everything.dispatch.open(a_request(id=str(number)), RecordingClient(), keep_alive=True)
            listing = served.requests.listing("")
            assert [each.key for each in listing.requests] == ["0", "1", "2", "7"]
            assert listing.unnamed == 4

        serving(test)

    def test_has_uploads_of_which_a_worker_is_asked(self) -> None:
        async def test(served: Served) -> None:
            for name in ("one", "two"):
                request = a_request(id=name)
                served.everything.dispatch.open(request, RecordingClient(), keep_alive=True)
                served.everything.dispatch.ask(request, lambda verdict: None)
            await turns()
            one, two = served.requests.listing("").requests
            assert (one.key, one.state, one.worker) == ("one", "asked", 1)
            assert (two.key, two.state, two.worker) == ("two", "asked", None)
            assert served.states("two") == {"two": "asked"}

        serving(test, filters=True)

    def test_finds_all_of_an_id_and_the_one_of_a_key(self) -> None:
        async def test(served: Served) -> None:
            for key, id in (("a-1", "same"), ("a-2", "same"), ("a-3", "a-1")):
                arrive(served.everything, key=key, id=id)
            assert served.states("same") == {"a-1": "running", "a-2": "queued"}
            assert served.states("a-1") == {"a-1": "running"}, "keys go before ids"
            assert served.states("a-3") == {"a-3": "queued"}
            assert served.states("none") == {}

        serving(test)

    def test_has_those_of_an_id_in_the_order_of_their_arrival(self) -> None:
        async def test(served: Served) -> None:
            for number in range(20):
                served.clock.time += 1.0
                request = a_request(id="same", key=str(number))
                served.everything.dispatch.open(request, RecordingClient(), keep_alive=True)
            assert list(served.states("same")) == [str(number) for number in range(20)]

        serving(test)

    def test_of_one_writes_nothing_of_the_others(self, monkeypatch: pytest.MonkeyPatch) -> None:
        written: list[str] = []

        def shown(text: str) -> str:
            written.append(text)
            return text

        monkeypatch.setattr(single_requests, "shown", shown)

        async def test(served: Served) -> None:
            for number in range(50):
                arrive(served.everything, id=f"id-{number}", target=f"/{number}")
            for name in ("id-0", "id-30"):
                assert list(served.states(name)) == [name]
            assert [each for each in written if each.startswith("/")] == ["/0", "/30"]

        serving(test)

    def test_of_the_greatest_length_fits_into_a_reply(self) -> None:
        async def test(served: Served) -> None:
            for number in range(2 * commands.MAX_NAMED + 5):
                arrive(
                    served.everything,
                    id=f"{number:0128}",
                    method="\x1b" * 300,
                    target="\x1b" * 300,
                    remote_addr="\x1b" * 99,
                )
            listing = served.requests.listing("")
            assert len(listing.requests) == commands.MAX_NAMED + 1
            assert 2 * len(commands.line(listing)) < commands.MAX_REPLY

        serving(test, queue_size=10_000)


class TestToKill:
    def test_what_runs(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test(served: Served) -> None:
            _, client = arrive(served.everything)
            served.clock.time += 2.0
            assert served.requests.kill("id-1") == Killed("answered with 503", 1)
            assert client.body == b"503 Service Unavailable: it was killed by hand\n"
            assert served.everything.endings() == ["503 killed"]
            what = "GET /path?query (id id-1, 2.00 s in its hands, client 192.0.2.1): answered with 503"
            assert served.told(Hung) == [Hung(1, what, by_hand=True)]
            for _ in range(3):
                served.everything.dispatch.tick()
            assert await served.worker.control.hear() == (Kind.INTERRUPT, b"id-1")
            assert served.told(Spent) == [Spent(1)]
            assert served.requests.kill("id-1") == NotThere(
                "it is killed by hand already: its worker 1 is about to be killed"
            )
            served.everything.kill(served.worker)
            assert "killed by hand" in caplog.messages[-1]

        serving(test)

    def test_what_has_begun_to_answer(self) -> None:
        async def test(served: Served) -> None:
            _, client = arrive(served.everything)
            served.worker.threads[0].say(HEAD)
            await until(lambda: client.told, "the head")
            assert served.requests.kill("id-1") == Killed("answer cut", 1)
            assert client.told == ["head 200", "cut"]
            assert served.everything.endings() == ["200 killed"]

        serving(test)

    def test_what_goes_on_when_its_client_has_left(self) -> None:
        async def test(served: Served) -> None:
            exchange, _ = arrive(served.everything)
            exchange.client_left()
            assert served.states() == {"id-1": "running"}
            assert served.requests.kill("id-1") == Killed("already answered or left by its client", 1)
            assert served.everything.endings() == ["499 left"]
            assert len(served.told(Hung)) == 1

        serving(test)

    def test_what_waits(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test(served: Served) -> None:
            arrive(served.everything, id="one")
            _, client = arrive(served.everything, id="two")
            served.clock.time += 2.0
            assert served.requests.kill("two") == Killed("answered with 503", None)
            assert client.told == ["whole 503"]
            assert served.everything.endings() == ["503 killed"]
            assert caplog.messages == ["request two is killed by hand: it has waited for a worker for 2.00 s"]
            assert served.told(Hung) == []
            assert served.states() == {"one": "running"}

        serving(test)

    def test_what_is_being_sent(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test(served: Served) -> None:
            sending, client = arrive(served.everything, id="sending")
            client.keeps = True
            served.worker.threads[0].say(HELLO)
            await until(lambda: sending.settled, "the answer")
            heard: list[Reply] = []
            served.requests.trace("sending", heard.append)
            assert heard == [
                NotThere("its worker has done with it, and its client has yet to take the rest of the answer")
            ]
            assert served.requests.kill("sending") == Killed("answer cut", None)
            assert client.told == ["whole 200", "cut"]
            assert caplog.messages == [
                "request sending is killed by hand: its client has yet to take 6 bytes of the answer"
            ]
            assert served.everything.endings() == ["200 killed"]
            assert served.told(Hung) == []
            assert served.states() == {}

        serving(test)

    def test_what_is_being_sent_while_its_thread_waits_for_room(self) -> None:
        async def test(served: Served) -> None:
            sending, client = arrive(served.everything, id="sending")
            client.keeps = client.choked = True
            served.worker.threads[0].say(HELLO)
            await until(lambda: sending.slot is not None and sending.slot.done, "the answer")
            assert served.states() == {"sending": "sending"}
            _, other = arrive(served.everything, id="other")
            assert served.requests.kill("sending") == Killed("answer cut", None)
            assert served.states() == {"other": "running"}
            assert other.told == []

        serving(test)

    def test_what_is_not_there(self) -> None:
        async def test(served: Served) -> None:
            served.everything.dispatch.open(a_request(id="arriving"), RecordingClient(), keep_alive=True)
            assert served.requests.kill("none") == NotThere("it has ended, or never was here")
            assert served.requests.kill("arriving") == NotThere(
                "it has yet to arrive in full, or to be its turn on its connection"
            )

        serving(test)

    def test_is_no_reason_to_suspect_a_request(self) -> None:
        async def test(served: Served) -> None:
            arrive(served.everything)
            served.requests.kill("id-1")
            served.everything.kill(served.worker)
            await served.everything.worker(pid=2)
            _, client = arrive(served.everything)
            assert client.told == []

        serving(test, quarantine=1)


class TestToTrace:
    def test_what_runs(self) -> None:
        async def test(served: Served) -> None:
            arrive(served.everything)
            heard: list[Reply] = []
            served.requests.trace("id-1", heard.append)
            served.clock.time += 2.0
            served.traces.told(1, Stack("id-1", "where it is"))
            request = Listed("id-1", "id-1", RequestState.RUNNING, "GET", "/path?query", "192.0.2.1", 2.0, 0.0, 1, 0)
            assert heard == [Traced(request, "where it is", from_outside=False)]
            served.requests.trace("id-1", heard.append)
            served.traces.told(1, Stack("id-1", None))
            assert heard[1:] == [NotThere("its worker is about to take it, or to be done with it")]
            await turns()

        serving(test)

    def test_what_has_ended_when_the_worker_tells_it(self) -> None:
        async def test(served: Served) -> None:
            running, _ = arrive(served.everything, id="one")
            heard: list[Reply] = []
            served.requests.trace("one", heard.append)
            served.worker.threads[0].say(HELLO)
            await until(lambda: running.ended, "its end")
            served.traces.told(1, Stack("one", "where it was"))
            assert heard == [NotThere("it has ended meanwhile")]

        serving(test)

    def test_what_no_thread_has(self) -> None:
        async def test(served: Served) -> None:
            arrive(served.everything, id="one")
            arrive(served.everything, id="two")
            heard: list[Reply] = []
            served.requests.trace("two", heard.append)
            served.requests.trace("none", heard.append)
            assert heard == [
                NotThere("it waits for a worker, so no thread has it"),
                NotThere("it has ended, or never was here"),
            ]

        serving(test)

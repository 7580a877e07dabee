"""Against real ZeroMQ sockets that come and go as Mongrel2's do."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import zmq

from tests.unit.dispatcher.edges.mongrel2_side import Endpoints, Mongrel2Side, mongrel2_at
from tests.unit.dispatcher.loops import run, turns, until
from wsgid.dispatcher.edges import mongrel2_link
from wsgid.dispatcher.edges.mongrel2_link import BATCH, SENDS, Mongrel2Link


@dataclass
class Handler:
    """A link, and what it has told."""

    endpoints: Endpoints
    received: list[bytes] = field(default_factory=list)
    lost: int = 0
    rooms: int = 0
    pressed: bool = False
    on_received: Callable[[bytes], None] = lambda message: None
    link: Mongrel2Link = field(init=False)

    def take(self, message: bytes) -> None:
        self.received.append(message)
        self.on_received(message)

    def lose(self) -> None:
        self.lost += 1

    def make_room(self) -> None:
        self.rooms += 1

    async def connected(self, side: Mongrel2Side) -> int:
        """The generation, once requests and answers get through."""
        await side.send(b"connected")
        await until(lambda: self.received and self.received[-1] == b"connected", "the first request")
        self.received.clear()
        return self.link.generation

    async def gone(self, generation: int) -> None:
        await until(lambda: self.link.generation > generation, "the end of a generation")


@asynccontextmanager
async def handler(endpoints: Endpoints) -> AsyncIterator[Handler]:
    here = Handler(endpoints)
    here.link = Mongrel2Link(
        endpoints.recv,
        endpoints.send,
        asyncio.get_running_loop(),
        received=here.take,
        lost=here.lose,
        room=here.make_room,
        pressed=lambda: here.pressed,
    )
    try:
        yield here
    finally:
        if not here.link._xpub.closed:
            here.link.close(0)
        here.link.terminate()
        await turns(10)  # what was due then finds nothing


@pytest.fixture
def endpoints(tmp_path: Path) -> Endpoints:
    return Endpoints.ipc(tmp_path)


@pytest.fixture
def free_ports() -> Endpoints:
    """Of the loopback: bound once, so that they are free, and still ours to bind."""
    context = zmq.Context()
    sockets = [context.socket(zmq.PUSH) for _ in range(2)]
    ports = [sock.bind_to_random_port("tcp://127.0.0.1") for sock in sockets]
    for sock in sockets:
        sock.close(0)
    context.term()
    return Endpoints(*(f"tcp://127.0.0.1:{port}" for port in ports))


Test = Callable[[Handler], Coroutine[Any, Any, None]]


def with_handler(endpoints: Endpoints, test: Test) -> None:
    async def main() -> None:
        async with handler(endpoints) as here:
            await test(here)

    run(main())


class TestConnecting:
    def test_requests_come_only_once_answers_can_go(self, endpoints: Endpoints) -> None:
        async def test(here: Handler) -> None:
            with mongrel2_at(endpoints, subscribed=False) as side:
                for _ in range(20):
                    assert not side.push(b"too early")
                    await asyncio.sleep(0.01)
                assert here.link.generation == 0
                side.subscribe()
                await side.send(b"request")
                await until(lambda: here.received, "the request")
                assert here.received == [b"request"]
                assert here.link.generation == 1
                assert here.link.send(b"answer", 1)
                assert await side.receive() == b"answer"

        with_handler(endpoints, test)

    def test_over_tcp(self, free_ports: Endpoints) -> None:
        async def test(here: Handler) -> None:
            with mongrel2_at(free_ports) as side:
                generation = await here.connected(side)
                assert here.link.send(b"answer", generation)
                assert await side.receive() == b"answer"

        with_handler(free_ports, test)

    def test_that_takes_long_is_worth_a_line(
        self, endpoints: Endpoints, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def test(here: Handler) -> None:
            await until(lambda: caplog.messages, "the line")
            [line] = caplog.messages
            assert f"nobody subscribes at --send {endpoints.send}" in line
            with mongrel2_at(endpoints) as side:
                await here.connected(side)
            assert len(caplog.messages) == 1

        monkeypatch.setattr(mongrel2_link, "CONNECT_TIMEOUT", 0.01)
        with_handler(endpoints, test)

    def test_that_does_not_take_long_is_not(
        self, endpoints: Endpoints, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def test(here: Handler) -> None:
            with mongrel2_at(endpoints) as side:
                await here.connected(side)
                assert here.link._nobody_yet is None

        with_handler(endpoints, test)


class TestRequests:
    def test_all_of_them_in_order_and_others_have_their_turn(self, endpoints: Endpoints) -> None:
        async def test(here: Handler) -> None:
            with mongrel2_at(endpoints) as side:
                await here.connected(side)
                loop = asyncio.get_running_loop()
                progress: list[int] = []

                def others() -> None:
                    progress.append(len(here.received))
                    if len(here.received) < 1000:
                        loop.call_soon(others)

                messages = [b"%d" % number for number in range(1000)]
                others()
                await side.send(*messages)
                await until(lambda: len(here.received) == 1000, "all")
                assert here.received == messages
                steps = [after - before for before, after in itertools.pairwise(progress)]
                assert max(steps) <= 2 * BATCH

        with_handler(endpoints, test)

    def test_that_are_answered_at_once_keep_coming(self, endpoints: Endpoints) -> None:
        """Whatever is done with a socket can use up the edge of its descriptor."""

        async def test(here: Handler) -> None:
            with mongrel2_at(endpoints) as side:
                sent: list[bool] = []
                generation = await here.connected(side)
                here.on_received = lambda message: sent.append(here.link.send(message, generation))
                for number in range(500):
                    await side.send(b"%d" % number)
                    assert await side.receive() == b"%d" % number
                assert all(sent)

        with_handler(endpoints, test)


class TestARestart:
    def test_begins_a_new_generation(self, endpoints: Endpoints, caplog: pytest.LogCaptureFixture) -> None:
        async def test(here: Handler) -> None:
            with caplog.at_level("INFO"):
                with mongrel2_at(endpoints) as side:
                    old = await here.connected(side)
                await here.gone(old)
                assert not here.link.send(b"into the void", old)
                with mongrel2_at(endpoints) as side:
                    new = await here.connected(side)
                    assert new == old + 2
                    assert not here.link.send(b"late", old)
                    assert here.link.send(b"in time", new)
                    assert await side.receive() == b"in time"
                    assert side.take() is None
            assert here.lost == 3  # there, gone, there again
            assert f"Mongrel2 at {endpoints.send} is gone; waiting for it" in caplog.messages
            assert caplog.messages.count(f"Mongrel2 is there: answers go to {endpoints.send}") == 2

        with_handler(endpoints, test)

    def test_is_noticed_right_before_sending(self, endpoints: Endpoints) -> None:
        """Though the event loop has not said that there is anything to read."""

        async def test(here: Handler) -> None:
            with mongrel2_at(endpoints) as side:
                old = await here.connected(side)
                here.link._loop.remove_reader(here.link._xpub.fileno())
                pull = here.link._pull
                assert pull is not None
                here.link._loop.remove_reader(here.link._monitor.fileno())  # type: ignore[union-attr]
            with mongrel2_at(endpoints) as side:
                await until(lambda: not here.link.send(b"late", old), "the restart")
                here.link._loop.add_reader(here.link._xpub.fileno(), here.link._look)
                here.link._look()
                new = await here.connected(side)
                assert here.link.send(b"in time", new)
                assert await side.receive() == b"in time"

        with_handler(endpoints, test)

    def test_drops_what_was_to_be_sent_at_the_end_of_the_turn(self, endpoints: Endpoints) -> None:
        async def test(here: Handler) -> None:
            with mongrel2_at(endpoints) as side:
                old = await here.connected(side)
                for _ in range(100):
                    assert here.link.send(b"late", old)
                here.link._begin_generation(subscribed=True)  # seen before the turn is over
                # What is sent in the instant in which a PULL closes is lost.
                await until(lambda: side.push(b"request") and here.received, "a request")
                assert here.link.send(b"in time", old + 1)
                assert await side.receive() == b"in time"

        with_handler(endpoints, test)

    def test_again_and_again(self, endpoints: Endpoints) -> None:
        async def test(here: Handler) -> None:
            generations: list[int] = []
            for life in range(8):
                with mongrel2_at(endpoints) as side:
                    generation = await here.connected(side)
                    for old in generations:
                        assert not here.link.send(b"of another life", old)
                    assert here.link.send(b"%d" % life, generation)
                    assert await side.receive() == b"%d" % life
                    generations.append(generation)

        with_handler(endpoints, test)

    def test_drops_requests_of_the_one_before(self, endpoints: Endpoints) -> None:
        async def test(here: Handler) -> None:
            with mongrel2_at(endpoints) as side:
                generation = await here.connected(side)
                pull = here.link._pull
                here.link._loop.remove_reader(pull.fileno())  # type: ignore[union-attr]
                await side.send(b"of the old one")
            await here.gone(generation)
            with mongrel2_at(endpoints) as side:
                await here.connected(side)
                assert here.received == []

        with_handler(endpoints, test)

    def test_in_the_midst_of_a_batch_ends_it(self, endpoints: Endpoints) -> None:
        async def test(here: Handler) -> None:
            with mongrel2_at(endpoints) as side:
                generation = await here.connected(side)
                here.on_received = lambda message: here.link._begin_generation(subscribed=False)
                await side.send(b"1", b"2", b"3")
                await here.gone(generation)
                await turns(20)
                assert here.received == [b"1"]
                here.link._readable()  # what was due

        with_handler(endpoints, test)


MEBIBYTE = bytes(1024**2)


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that back-pressure needs megabytes and not gigabytes."""
    monkeypatch.setattr(mongrel2_link, "HIGH_WATER", 1)
    monkeypatch.setattr(mongrel2_link, "UNSENT_HIGH", 3 * len(MEBIBYTE))


async def flood(here: Handler, generation: int) -> int:
    """Sends until the link has to keep more than it wants to; returns the number of answers."""
    count = 0
    while not here.link.choked:
        assert here.link.send(b"%4d" % count + MEBIBYTE, generation)
        count += 1
        await turns()
    return count


@pytest.fixture
def no_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """For answers that wait for others."""
    monkeypatch.setattr(mongrel2_link, "GATHER_TIME", 1000.0)


class TestUnderPressure:
    @pytest.mark.usefixtures("no_time_limit")
    def test_answers_wait_until_there_are_enough(self, endpoints: Endpoints) -> None:
        async def test(here: Handler) -> None:
            with mongrel2_at(endpoints) as side:
                generation = await here.connected(side)
                here.pressed = True
                for number in range(SENDS - 1):
                    assert here.link.send(b"%d" % number, generation)
                    await turns()
                assert len(here.link._unsent) == SENDS - 1
                assert here.link.send(b"last", generation)
                assert [await side.receive() for _ in range(SENDS)] == [b"%d" % n for n in range(SENDS - 1)] + [b"last"]

        with_handler(endpoints, test)

    @pytest.mark.usefixtures("no_time_limit")
    def test_answers_wait_no_longer_than_it(self, endpoints: Endpoints) -> None:
        async def test(here: Handler) -> None:
            with mongrel2_at(endpoints) as side:
                generation = await here.connected(side)
                here.pressed = True
                assert here.link.send(b"gathered", generation)
                here.pressed = False
                assert here.link.send(b"at once", generation)
                assert [await side.receive(), await side.receive()] == [b"gathered", b"at once"]

        with_handler(endpoints, test)

    def test_an_answer_that_stays_alone_goes_out(self, endpoints: Endpoints) -> None:
        async def test(here: Handler) -> None:
            with mongrel2_at(endpoints) as side:
                generation = await here.connected(side)
                here.pressed = True
                for message in (b"alone", b"and again"):
                    assert here.link.send(message, generation)
                    assert await side.receive() == message

        with_handler(endpoints, test)

    @pytest.mark.usefixtures("no_time_limit")
    def test_what_was_gathered_goes_out_at_the_end(self, endpoints: Endpoints) -> None:
        async def test(here: Handler) -> None:
            with mongrel2_at(endpoints) as side:
                generation = await here.connected(side)
                here.pressed = True
                assert here.link.send(b"gathered", generation)
                here.link.close(1)
                assert await side.receive() == b"gathered"

        with_handler(endpoints, test)


@pytest.mark.usefixtures("narrow")
class TestAMongrel2ThatDoesNotTakeAnswers:
    def test_gets_them_all_later(self, endpoints: Endpoints) -> None:
        async def test(here: Handler) -> None:
            with mongrel2_at(endpoints, receive_high_water=1) as side:
                generation = await here.connected(side)
                count = await flood(here, generation)
                await turns(20)
                here.rooms = 0
                for number in range(count):
                    assert (await side.receive())[:4] == b"%4d" % number
                assert here.rooms == 1
                assert not here.link.choked
                assert here.link.send(b"and on", generation)
                assert await side.receive() == b"and on"

        with_handler(endpoints, test)

    def test_and_is_restarted_leaves_nothing_to_the_next_one(self, endpoints: Endpoints) -> None:
        async def test(here: Handler) -> None:
            with mongrel2_at(endpoints, receive_high_water=1) as side:
                old = await here.connected(side)
                await flood(here, old)
            await here.gone(old)
            assert not here.link.choked
            with mongrel2_at(endpoints) as side:
                new = await here.connected(side)
                assert here.link.send(b"the first", new)
                assert await side.receive() == b"the first"
                for _ in range(20):
                    await asyncio.sleep(0.005)
                    assert side.take() is None

        with_handler(endpoints, test)

    def test_when_it_goes_between_two_attempts(self, endpoints: Endpoints) -> None:
        async def test(here: Handler) -> None:
            with mongrel2_at(endpoints, receive_high_water=1) as side:
                old = await here.connected(side)
                await flood(here, old)
                here.link._loop.remove_reader(here.link._xpub.fileno())
            await here.gone(old)
            assert not here.link.choked

        with_handler(endpoints, test)

    def test_at_the_end_holds_up_nobody_else(self, endpoints: Endpoints) -> None:
        async def test(here: Handler) -> None:
            with mongrel2_at(endpoints, receive_high_water=1) as side:
                count = await flood(here, await here.connected(side)) - len(here.link._unsent)
                here.link.close(1000.0)  # returns
                for number in range(count):
                    assert (await side.receive())[:4] == b"%4d" % number

        with_handler(endpoints, test)

    def test_at_the_end_is_not_waited_for(self, endpoints: Endpoints) -> None:
        async def test(here: Handler) -> None:
            with mongrel2_at(endpoints, receive_high_water=1) as side:
                await flood(here, await here.connected(side))
                here.link.close(0)
                await asyncio.sleep(3 * mongrel2_link.RETRY_INTERVAL)  # nothing fails that was due

        with_handler(endpoints, test)


class TestThePullAlone:
    def test_that_lost_its_peer_starts_all_over(self, endpoints: Endpoints) -> None:
        async def test(here: Handler) -> None:
            with mongrel2_at(endpoints) as side:
                old = await here.connected(side)
                side.close_push()
                await here.gone(old)
                side.open_push()
                new = await here.connected(side)
                assert not here.link.send(b"late", old)
                assert here.link.send(b"in time", new)
                assert await side.receive() == b"in time"

        with_handler(endpoints, test)

    def test_that_finds_nobody_tries_again_quietly(
        self, endpoints: Endpoints, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def test(here: Handler) -> None:
            with mongrel2_at(endpoints) as side:
                side.close_push()
                with caplog.at_level("INFO"):
                    await until(lambda: here.link.generation >= 12, "several attempts")
                assert len(caplog.messages) < 6
                assert any("no connection to Mongrel2's send_spec" in line for line in caplog.messages)
                side.open_push()
                await here.connected(side)

        with_handler(endpoints, test)

    def test_does_not_start_over_what_has_started_over(self, endpoints: Endpoints) -> None:
        async def test(here: Handler) -> None:
            with mongrel2_at(endpoints) as side:
                generation = await here.connected(side)
                here.link._start_over(generation - 1)
                assert here.link.generation == generation
                here.link._watch_pull()  # nothing has happened
                assert here.link.send(b"answer", generation)
                assert await side.receive() == b"answer"

        with_handler(endpoints, test)


class TestTheEnd:
    def test_takes_what_has_arrived_and_nothing_more(self, endpoints: Endpoints) -> None:
        async def test(here: Handler) -> None:
            with mongrel2_at(endpoints) as side:
                generation = await here.connected(side)
                pull = here.link._pull
                assert pull is not None
                here.link._loop.remove_reader(pull.fileno())
                messages = [b"%d" % number for number in range(200)]
                await side.send(*messages)
                await until(lambda: pull.getsockopt(zmq.EVENTS), "the messages")
                here.link.stop_receiving()
                assert here.received
                assert here.received == messages[: len(here.received)]
                await until(lambda: not side.push(b"too late"), "the PULL to be gone")
                assert here.link.send(b"answer", generation)
                assert await side.receive() == b"answer"

        with_handler(endpoints, test)

    @pytest.mark.usefixtures("narrow")
    def test_takes_no_more_than_can_have_arrived(self, endpoints: Endpoints) -> None:
        async def test(here: Handler) -> None:
            with mongrel2_at(endpoints) as side:
                await here.connected(side)
                pull = here.link._pull
                assert pull is not None
                here.link._loop.remove_reader(pull.fileno())
                await side.send(b"1", b"2", b"3")
                await until(lambda: pull.getsockopt(zmq.EVENTS), "the messages")
                here.link.stop_receiving()
                assert here.received == [b"1"]

        with_handler(endpoints, test)

    def test_no_requests_are_taken_from_a_mongrel2_that_comes_then(self, endpoints: Endpoints) -> None:
        async def test(here: Handler) -> None:
            here.link.stop_receiving()
            with mongrel2_at(endpoints) as side:
                await until(lambda: here.link.generation, "its subscription")
                here.link._start_over(here.link.generation)
                assert here.link.generation == 1
                for _ in range(20):
                    assert not side.push(b"too late")
                    await asyncio.sleep(0.005)

        with_handler(endpoints, test)

    def test_a_restart_in_the_midst_of_what_has_arrived(self, endpoints: Endpoints) -> None:
        async def test(here: Handler) -> None:
            with mongrel2_at(endpoints) as side:
                await here.connected(side)
                pull = here.link._pull
                assert pull is not None
                here.link._loop.remove_reader(pull.fileno())
                await side.send(b"1", b"2")
                await until(lambda: pull.getsockopt(zmq.EVENTS), "the messages")
                here.on_received = lambda message: here.link._begin_generation(subscribed=False)
                here.link.stop_receiving()
                assert here.received == [b"1"]

        with_handler(endpoints, test)

    def test_lets_go_out_what_was_sent(self, endpoints: Endpoints) -> None:
        async def test(here: Handler) -> None:
            with mongrel2_at(endpoints) as side:
                generation = await here.connected(side)
                for number in range(100):
                    here.link.send(b"%d" % number, generation)
                here.link.close(2.0)
                assert not here.link.send(b"too late", generation)
                await turns(10)  # nothing fails that was due
                for number in range(100):
                    assert await side.receive() == b"%d" % number

        with_handler(endpoints, test)


def test_what_is_no_subscription_is_nothing(endpoints: Endpoints) -> None:
    """An XSUB can send messages to an XPUB; no Mongrel2 does."""

    async def test(here: Handler) -> None:
        context = zmq.Context()
        odd = context.socket(zmq.XSUB)
        odd.bind(endpoints.send)
        asyncio.get_running_loop().add_reader(odd.fileno(), odd.getsockopt, zmq.EVENTS)
        try:
            odd.send(b"\x01")
            await until(lambda: here.link.generation == 1, "the subscription")
            odd.send(b"\x02hello")
            odd.send(b"")
            odd.send(b"\x00")
            await until(lambda: here.link.generation > 1, "its end")
            assert here.link.generation == 2
        finally:
            asyncio.get_running_loop().remove_reader(odd.fileno())
            odd.close(0)
            context.term()

    with_handler(endpoints, test)

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from tests.unit.dispatcher.loops import run, turns, until
from wsgid.channel import orders
from wsgid.channel.orders import (
    MAX_ORDER,
    Alive,
    Cause,
    Drain,
    Drained,
    Exit,
    FromDispatcher,
    FromMaster,
    Listening,
    WorkerDied,
    WorkerReady,
)
from wsgid.dispatcher.master_link import MasterLink


@dataclass
class Pair:
    master: socket.socket
    obeyed: list[FromMaster] = field(default_factory=list)
    gone: int = 0
    link: MasterLink = field(init=False)

    def lost(self) -> None:
        self.gone += 1


@asynccontextmanager
async def linked() -> AsyncIterator[Pair]:
    ours, master = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pair = Pair(master)
    loop = asyncio.get_running_loop()
    pair.link = MasterLink(ours, loop, obey=pair.obeyed.append, gone=pair.lost)
    yield pair
    loop.remove_reader(ours.fileno())
    ours.close()
    master.close()


def test_orders_are_obeyed_in_their_order() -> None:
    async def main() -> None:
        async with linked() as pair:
            said: list[FromMaster] = [WorkerDied(1, "killed by SIGKILL", False, Cause.SIGNAL), Drain(30.0), Exit()]
            for order in said:
                pair.master.send(orders.encode(order))
            await until(lambda: len(pair.obeyed) == 3, "the orders")
            assert pair.obeyed == said
            assert not pair.gone

    run(main())


def test_the_master_hears_what_is_said() -> None:
    async def main() -> None:
        async with linked() as pair:
            for message in (Listening(["http://127.0.0.1:8000"]), WorkerReady(42), Drained(0)):
                pair.link.say(message)
                assert orders.decode_from_dispatcher(pair.master.recv(MAX_ORDER)) == message

    run(main())


@pytest.mark.parametrize("unread", [False, True])
def test_a_master_that_is_no_more_is_noticed_once(unread: bool) -> None:
    """With a message it has not read the end is a reset."""

    async def main() -> None:
        async with linked() as pair:
            if unread:
                pair.link.say(WorkerReady(42))
            pair.master.close()
            await until(lambda: pair.gone, "the master's end")
            await turns(10)
            assert pair.gone == 1
            assert pair.obeyed == []

    run(main())


def test_what_it_said_before_is_obeyed_first() -> None:
    async def main() -> None:
        async with linked() as pair:
            pair.master.send(orders.encode(Exit()))
            pair.master.close()
            await until(lambda: pair.gone, "the master's end")
            assert pair.obeyed == [Exit()]

    run(main())


def test_what_means_nothing_is_told_and_the_rest_obeyed(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with linked() as pair:
            pair.master.send(b"nonsense")
            pair.master.send(orders.encode(Exit()))
            await until(lambda: pair.obeyed, "an order")
            assert pair.obeyed == [Exit()]
            assert "the master said what means nothing" in caplog.text

    run(main())


def test_telling_a_master_that_is_no_more_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with linked() as pair:
            pair.master.close()
            pair.link.say(WorkerReady(42))
            assert "the master could not be told WorkerReady(pid=42): Broken pipe" in caplog.text

    run(main())


def test_neither_is_telling_one_that_does_not_listen(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with linked() as pair:
            while not caplog.text:
                pair.link.say(WorkerReady(42))
            assert "Resource temporarily unavailable" in caplog.text

    run(main())


def test_a_look_for_nothing_finds_nothing() -> None:
    async def main() -> None:
        async with linked() as pair:
            pair.link._readable()
            assert (pair.obeyed, pair.gone) == ([], 0)

    run(main())


def test_a_heartbeat_is_heard() -> None:
    async def main() -> None:
        async with linked() as pair:
            pair.link.say_alive(3, 4)
            assert orders.decode_from_dispatcher(pair.master.recv(MAX_ORDER)) == Alive(3, 4)

    run(main())


def test_heartbeats_leave_room_for_what_a_stopped_master_must_hear(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with linked() as pair:
            for _ in range(1000):
                pair.link.say_alive(0, 0)
            for pid in range(50):
                pair.link.say(WorkerReady(pid))
            assert not caplog.text
            heard: list[FromDispatcher] = []
            while heard[-1:] != [WorkerReady(49)]:
                heard.append(orders.decode_from_dispatcher(pair.master.recv(MAX_ORDER)))
            assert 1 < heard.count(Alive(0, 0)) < 100
            pair.link.say_alive(1, 1)
            assert orders.decode_from_dispatcher(pair.master.recv(MAX_ORDER)) == Alive(1, 1)

    run(main())

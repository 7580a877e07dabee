"""Who is asked where a thread is, and what comes of the answers."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.unit.dispatcher.far_end import FarEnd
from tests.unit.dispatcher.loops import run, turns, until
from tests.unit.dispatcher.requests import a_head
from tests.unit.dispatcher.running import Running, arrive, running
from wsgid.channel import frames
from wsgid.channel.frames import Answer, Kind, Stack
from wsgid.channel.orders import FromDispatcher, StackWanted, StackWritten
from wsgid.dispatcher import traces
from wsgid.dispatcher.slots import Slot
from wsgid.dispatcher.traces import Found, NotFound, Traces

HELLO = frames.answer(Answer(a_head(), b"hello", True))

STACK = '  File "/app/wsgi.py", line 3, in application\n    wait()\n'


class Asking:
    """One request in a worker's hands, of which it is asked where its thread is."""

    def __init__(self, everything: Running) -> None:
        self.told: list[FromDispatcher] = []
        self.heard: list[Found | NotFound] = []
        self.traces = Traces(asyncio.get_running_loop(), self.told.append)
        self.everything = everything

    async def begin(self) -> None:
        self.worker = await self.everything.worker()
        exchange, _ = arrive(self.everything)
        assert exchange.slot is not None
        self.slot: Slot = exchange.slot
        self.slot.identifier = 0x7F00
        await self.thread.take()
        self.traces.begin(self.slot, exchange, self.heard.append)

    @property
    def thread(self) -> FarEnd:
        return self.worker.threads[0]

    async def end_the_request(self) -> None:
        self.thread.say(HELLO)
        await until(lambda: self.slot.work is None, "its end")

    @property
    def why_not(self) -> str:
        [found] = self.heard
        assert isinstance(found, NotFound)
        return str(found)


def asking(test: Callable[[Asking], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        async with running() as everything:
            asking = Asking(everything)
            await asking.begin()
            await test(asking)
            assert asking.traces._open == []

    run(main())


@pytest.fixture
def silent_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's time is over at once."""
    monkeypatch.setattr(traces, "ANSWER_TIME", 0.01)


def test_the_worker_tells_it() -> None:
    async def test(asking: Asking) -> None:
        assert await asking.worker.control.hear() == (Kind.TRACE, b"id-1")
        asking.traces.told(2, Stack("id-1", "of another worker"))
        asking.traces.told(1, Stack("id-2", "of another request"))
        assert asking.heard == []
        asking.traces.told(1, Stack("id-1", STACK))
        assert asking.heard == [Found(STACK, from_outside=False)]
        asking.traces.told(1, Stack("id-1", STACK))
        assert len(asking.heard) == 1
        assert asking.told == []

    asking(test)


def test_two_may_ask_for_one() -> None:
    async def test(asking: Asking) -> None:
        assert asking.slot.work is not None
        asking.traces.begin(asking.slot, asking.slot.work, asking.heard.append)
        asking.traces.told(1, Stack("id-1", STACK))
        assert asking.heard == [Found(STACK, from_outside=False)] * 2

    asking(test)


def test_it_ends_meanwhile() -> None:
    async def test(asking: Asking) -> None:
        await asking.end_the_request()
        asking.traces.told(1, Stack("id-1", None))
        assert asking.why_not == "it has ended meanwhile"

    asking(test)


def test_its_answer_overtakes_the_stack() -> None:
    async def test(asking: Asking) -> None:
        await asking.end_the_request()
        asking.traces.told(1, Stack("id-1", STACK))
        assert asking.why_not == "it has ended meanwhile"

    asking(test)


def test_its_thread_has_the_next_one_when_the_stack_comes() -> None:
    async def test(asking: Asking) -> None:
        next_one, _ = arrive(asking.everything, id="id-2")
        asking.thread.say(HELLO)
        await until(lambda: asking.slot.work is next_one, "the next one to be given")
        asking.traces.told(1, Stack("id-1", STACK))
        assert asking.why_not == "it has ended meanwhile"

    asking(test)


def test_the_worker_has_not_taken_it_yet() -> None:
    async def test(asking: Asking) -> None:
        asking.traces.told(1, Stack("id-1", None))
        assert asking.why_not == "its worker is about to take it, or to be done with it"

    asking(test)


@pytest.mark.usefixtures("silent_worker")
class TestASilentWorker:
    def test_is_written_down_from_outside(self) -> None:
        async def test(asking: Asking) -> None:
            await until(lambda: asking.told, "the master to be asked")
            assert asking.told == [StackWanted(1, 0x7F00)]
            asking.traces.written(StackWritten(1, 0x7F01, "of another thread"))
            assert asking.heard == []
            asking.traces.written(StackWritten(1, 0x7F00, STACK))
            assert asking.heard == [Found(STACK, from_outside=True)]

        asking(test)

    def test_may_answer_late(self) -> None:
        async def test(asking: Asking) -> None:
            await until(lambda: asking.told, "the master to be asked")
            asking.traces.told(1, Stack("id-1", STACK))
            asking.traces.written(StackWritten(1, 0x7F00, STACK))
            assert asking.heard == [Found(STACK, from_outside=False)]

        asking(test)

    def test_may_write_nothing(self) -> None:
        async def test(asking: Asking) -> None:
            await until(lambda: asking.told, "the master to be asked")
            asking.traces.written(StackWritten(1, 0x7F00, ""))
            assert asking.why_not == (
                "worker 1 has not written where it is: it is stopped, in the kernel, or has more than 100 threads"
            )

        asking(test)

    def test_may_be_done_before_it_has_written(self) -> None:
        async def test(asking: Asking) -> None:
            await until(lambda: asking.told, "the master to be asked")
            await asking.end_the_request()
            asking.traces.written(StackWritten(1, 0x7F00, "of the next request, perhaps"))
            assert asking.why_not == "it has ended meanwhile"

        asking(test)

    def test_may_have_died(self) -> None:
        async def test(asking: Asking) -> None:
            asking.everything.kill(asking.worker)
            await until(lambda: asking.heard, "the end")
            assert asking.why_not == "it has ended meanwhile"
            assert asking.told == []

        asking(test)

    def test_may_have_a_master_that_says_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(traces, "WRITE_TIME", 0.01)

        async def test(asking: Asking) -> None:
            await until(lambda: asking.heard, "the end")
            assert asking.why_not == "neither worker 1 nor the master has told where it is"
            await turns()

        asking(test)

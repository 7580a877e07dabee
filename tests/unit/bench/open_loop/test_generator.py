"""Requests to a server that answers, refuses, hangs and cuts as a test wants it to."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest
import uvloop
from bench.open_loop.generator import Generator
from bench.open_loop.outcome import Fate, Outcome
from bench.open_loop.schedule import Kind, Plan

from tests.deadlines import seconds
from tests.functional.mongrel2 import free_port

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytes], Awaitable[bool]]
"""Answers one request, of which it is given the target; is the connection to be kept?"""

SECONDS = 0.2

PATIENCE = seconds(30.0)
"""More than anything here takes."""


async def conversation(answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    keeps = True
    while keeps and (head := await reader.read(4096)):
        keeps = await answer(reader, writer, head.split()[1])
    writer.close()


def play(
    answer: Answer, count: int, *, connections: int = 1, warm_up: float = 0.0, patience: float = PATIENCE
) -> Outcome:
    """So many requests."""

    async def main() -> Outcome:
        server = await asyncio.start_server(lambda *streams: conversation(answer, *streams), "127.0.0.1", 0)
        async with server:
            return await generate(server.sockets[0].getsockname(), count, connections, warm_up, patience)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main())


async def generate(
    address: tuple[str, int], count: int, connections: int = 1, warm_up: float = 0.0, patience: float = PATIENCE
) -> Outcome:
    kind = Kind("any", "/{number}", b"/{number}", rate=count / SECONDS, even=True)
    return await Generator(Plan(address, (kind,), SECONDS, warm_up, patience, connections)).run()


def body(target: bytes, status: bytes = b"200 OK", more: bytes = b"") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n%b\r\n%b" % (status, len(target), more, target)


def saying(make: Callable[[bytes], bytes], *, keep: bool = True) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: bytes) -> bool:
        writer.write(make(target))
        return keep

    return answer


async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: bytes) -> bool:
    await reader.read()
    return False


@pytest.mark.parametrize(
    ("answer", "fate"),
    [
        (saying(body), Fate.SERVED),
        (saying(lambda target: body(target, more=b"Connection: close\r\n"), keep=False), Fate.SERVED),
        (saying(lambda target: body(b"another")), Fate.WRONG),
        (saying(lambda target: b"SMTP\r\n\r\n"), Fate.WRONG),
        (saying(lambda target: body(target, b"503 Busy")), Fate.TURNED_AWAY),
        (saying(lambda target: body(target, b"502 Bad Gateway")), Fate.ERROR),
        (saying(lambda target: body(target)[:-1], keep=False), Fate.CUT),
        (saying(lambda target: b"", keep=False), Fate.CUT),
    ],
)
def test_how_requests_end(answer: Answer, fate: Fate) -> None:
    assert play(answer, count=3).fates == {fate: 3}


def test_a_client_without_an_answer_leaves() -> None:
    assert play(hangs, count=3, patience=0.1).fates == {Fate.LEFT: 3}


def test_nobody_listens() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(generate(("127.0.0.1", free_port()), 3)).fates == {Fate.REFUSED: 3}


def test_a_connection_that_nobody_accepts_is_given_up() -> None:
    """The queue of the listening socket holds one more than it says, and then no handshake ends."""
    with socket.socket() as full, socket.socket() as first:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        first.connect(full.getsockname())
        outcome = asyncio.run(generate(full.getsockname(), 3, patience=0.1))
    assert [each.fate for each in outcome.ended] == [Fate.LEFT] * 3


def test_a_kept_connection_that_ends_instead_of_an_answer() -> None:
    served = set()

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: bytes) -> bool:
        if writer in served:
            return False
        served.add(writer)
        writer.write(body(target))
        return True

    assert play(once, count=4).fates == {Fate.SERVED: 2, Fate.STALE: 2}


def test_requests_do_not_wait_for_answers() -> None:
    """All but the last come while the first has no answer yet."""
    open_, together = 0, asyncio.Event()

    async def at_the_last(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: bytes) -> bool:
        nonlocal open_
        open_ += 1
        if open_ == 10:
            together.set()
        await together.wait()
        writer.write(body(target))
        return True

    outcome = play(at_the_last, count=10)
    assert outcome.fates == {Fate.SERVED: 10}
    took = outcome.times
    assert took == sorted(took, reverse=True)  # each waited from its own planned arrival on


def test_all_connections_take_part() -> None:
    made = set()

    async def noting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: bytes) -> bool:
        made.add(writer)
        writer.write(body(target))
        return True

    assert play(noting, count=20, connections=4).fates == {Fate.SERVED: 20}
    assert len(made) >= 4  # more where the machine is so busy that all of them are, too


def test_the_warm_up_is_not_told_of() -> None:
    outcome = play(saying(body), count=10, warm_up=SECONDS)
    assert [each.number for each in outcome.ended] == list(range(10, 20))

"""The edge and its connections, with Mongrel2's sockets on the other side and messages as it writes them."""

import asyncio
import logging
import os
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h11
import pytest

from tests.unit.dispatcher.edges.mongrel2_side import Endpoints, Mongrel2Side
from tests.unit.dispatcher.far_end import FarEnd
from tests.unit.dispatcher.loops import run, turns, until
from tests.unit.dispatcher.requests import a_head
from tests.unit.dispatcher.running import FarWorker, Running, running
from tests.unit.dispatcher.test_spool import Hold
from tests.unit.protocol.mongrel2_writer import REQUEST_LINE, json_message, tnetstring_message
from wsgid.channel import frames
from wsgid.channel.frames import INLINE_BODY, Answer, Kind
from wsgid.dispatcher.edges import joined_bytes, mongrel2_connection, uploads
from wsgid.dispatcher.edges.body_times import BodyTimes
from wsgid.dispatcher.edges.client import PIPELINE_LIMIT, WRITE_TIMEOUT
from wsgid.dispatcher.edges.joined_bytes import ALWAYS
from wsgid.dispatcher.edges.mongrel2 import Mongrel2Edge
from wsgid.dispatcher.edges.mongrel2_connection import (
    MESSAGE_SIZE,
    MIN_WRITE_RATE,
    Mongrel2Connection,
)
from wsgid.protocol import mongrel2_parts, mongrel2_replies
from wsgid.protocol.http_answer import chunk
from wsgid.protocol.limits import HttpLimits
from wsgid.protocol.mongrel2_credits import ENOUGH
from wsgid.protocol.mongrel2_parts import EARLY_MESSAGES
from wsgid.protocol.tnetstrings import encode
from wsgid.protocol.trust import Trust
from wsgid.upload_journal import UPLOADS, UploadJournal

MAX_BODY = 1_000_000
LIMITS = HttpLimits(request_line=1000, fields=20, headers=2000, body=MAX_BODY)

HEAD = frames.head(a_head())
DISCONNECT = b'16:6:METHOD,4:JSON,}21:{"type":"disconnect"},'


def whole(body: bytes = b"hello") -> bytes:
    return frames.answer(Answer(a_head(), body, True))


@dataclass
class Place:
    """An edge, the Mongrel2 before it and the dispatcher behind it."""

    everything: Running
    edge: Mongrel2Edge
    side: Mongrel2Side
    executor: ThreadPoolExecutor
    received: dict[str, list[bytes]] = field(default_factory=dict)
    """Messages for each connection that have not been looked at."""
    _orders: list[bytes] = field(default_factory=list)

    async def ask(
        self,
        client: int = 1,
        body: bytes = b"",
        *,
        write: Callable[..., bytes] = tnetstring_message,
        headers: dict[str, str | list[str]] | None = None,
        **trusted: str,
    ) -> None:
        """A request of the client with this connection number."""
        given = {"host": "a", **({"content-length": str(len(body))} if body else {}), **(headers or {})}
        await self.say(write({**REQUEST_LINE, **trusted}, given, body, f"srv-1 {client} /t"))

    async def say(self, message: bytes) -> None:
        await self.side.send(message)

    async def leave(self, client: int = 1) -> None:
        await self.say(b"srv-1 %d @* " % client + DISCONNECT)

    async def credits(self, count: int, client: int = 1) -> None:
        """So many bytes have been written to the client."""
        given = encode({b"METHOD": b"JSON", b"DOWNLOAD_CREDITS": b"%d" % count})
        await self.say(b"srv-1 %d @* %b" % (client, given) + b'18:{"type":"credits"},')

    async def part(self, offset: int, data: bytes, **more: str) -> None:
        """Of a streamed upload."""
        await self.say(tnetstring_message({"UPLOAD_STREAM": str(offset), **more}, {}, data, "srv-1 1 /t"))

    async def message(self, client: int = 1) -> bytes:
        """The next message for this connection; an empty one closes it."""
        await until(lambda: self._take().get(str(client)), f"a message for {client}")
        return self.received[str(client)].pop(0)

    async def orders(self) -> list[bytes]:
        """What was said about connections, instead of to their clients."""
        await until(lambda: (self._take(), self._orders)[1], "an order")
        return self._orders

    def _take(self) -> dict[str, list[bytes]]:
        while message := self.side.take():
            address, _, payload = message.partition(b", ")
            server, _, target = address.decode().partition(" ")
            assert server == "srv-1"
            clients = target.partition(":")[2]
            if clients.startswith("X "):
                self._orders.append(message)
            else:
                self.received.setdefault(clients, []).append(payload)
        return self.received

    async def answer(self, client: int = 1, method: str = "GET") -> tuple[int, bytes]:
        """Status and body of the next answer."""
        reader = h11.Connection(h11.CLIENT)
        reader.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
        reader.send(h11.EndOfMessage())
        status, body = 0, b""
        while not isinstance(event := reader.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                reader.receive_data(await self.message(client))
            elif isinstance(event, h11.Data):
                body += event.data
            else:
                assert isinstance(event, h11.Response), event
                status = event.status_code
        rest = reader.trailing_data[0]
        if rest:
            self.received[str(client)].insert(0, rest)
        return status, body

    async def refused(self, client: int = 1) -> int:
        """The status of an answer behind which the connection is closed."""
        status, _ = await self.answer(client)
        assert await self.message(client) == b""
        return status

    async def nothing(self, client: int = 1) -> None:
        """No message has come for this client when one for another, sent later, has."""
        await self.say(b"srv-1 999 /t 5:12345,0:,")  # which is refused
        assert await self.refused(999) == 400
        assert self.received.get(str(client), []) == []

    def connections(self) -> list[Mongrel2Connection]:
        return list(self.edge._connections.values())

    async def forgotten(self) -> None:
        """Of a connection on which nothing is in progress nothing is kept."""
        await until(lambda: not self.edge._connections, "the connections to be forgotten")

    async def worker(self, threads: int = 1) -> FarWorker:
        return await self.everything.worker(threads=threads)

    async def restart(self) -> None:
        generation = self.edge.link.generation
        self.side.close()
        await until(lambda: self.edge.link.generation > generation, "its end")
        self.side = Mongrel2Side(self.side.endpoints)
        await until(lambda: self.edge.link._pull, "the next one")


@contextmanager
def journal_in(directory: Path) -> Iterator[UploadJournal]:
    run_dir = os.open(directory, os.O_RDONLY)
    journal = UploadJournal(run_dir)
    yield journal
    journal.close()
    os.close(run_dir)


@asynccontextmanager
async def place(
    directory: Path,
    *,
    chroot: str = "",
    shared: bool = False,
    queue_size: int = 100,
    threads: int = 1,
    filters: bool = False,
) -> AsyncIterator[Place]:
    endpoints = Endpoints.ipc(directory)
    # The journal around the rest, whose threads strike their notes until they have ended.
    with journal_in(directory) as journal:
        async with running(queue_size, threads, filters=filters) as everything:
            edge = Mongrel2Edge(
                everything.dispatch,
                endpoints.recv,
                endpoints.send,
                chroot=chroot,
                shared=shared,
                limits=LIMITS,
                trusts=Trust(["none"]).trusts,
                body_times=BodyTimes(60.0, 1 / 500),
                executor=everything.executor,
                journal=journal,
                loop=asyncio.get_running_loop(),
                server="wsgid",
            )
            here = Place(everything, edge, Mongrel2Side(endpoints), everything.executor)
            try:
                await until(lambda: edge.link._pull, "the link")
                yield here
            finally:
                here.side.close()
                edge._lost()
                if not edge.link._xpub.closed:
                    edge.link.close(0)
                    edge.link.terminate()
                await turns(10)
        assert everything.dispatch.open_count == 0


Test = Callable[[Place], Coroutine[Any, Any, None]]


@pytest.fixture
def with_place(tmp_path: Path) -> Callable[..., None]:
    def with_place(test: Test, **changes: Any) -> None:
        async def main() -> None:
            async with place(tmp_path, **changes) as here:
                await test(here)

        run(main())

    return with_place


Run = Callable[..., None]


async def serve(thread: FarEnd, body: bytes = b"hello") -> None:
    await thread.take()
    thread.say(whole(body))


class TestARequest:
    @pytest.mark.parametrize("write", [tnetstring_message, json_message])
    def test_is_served(self, write: Callable[..., bytes], with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await here.ask(7, b"body", write=write, METHOD="POST", URI="/t?x=y", QUERY="x=y")
            request = await thread.take()
            assert (request.method, request.target, request.path, request.query) == ("POST", "/t?x=y", "/t", "x=y")
            assert (request.server_id, request.client_id, request.remote_addr) == ("srv-1", "7", "127.0.0.1")
            assert (request.content_length, request.body, request.body_in_file) == (4, b"body", False)
            thread.say(whole())
            assert await here.answer(7) == (200, b"hello")
            assert here.everything.endings() == ["200"]
            await here.forgotten()
            await here.nothing(7)  # the connection stays open

        with_place(test)

    def test_with_a_body_that_no_channel_carries(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            body = bytes(range(256)) * 2000
            await here.ask(body=body, METHOD="POST")
            request = await thread.take()
            assert (request.content_length, request.body, request.body_in_file) == (len(body), b"", True)
            with open(thread.descriptors.pop(), "rb") as file:
                file.seek(0)
                assert file.read() == body
            thread.say(whole())
            assert (await here.answer())[0] == 200

        with_place(test)

    def test_with_a_body_that_is_too_large(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            await here.ask(body=bytes(MAX_BODY + 1), METHOD="POST")
            assert await here.refused() == 413
            await here.forgotten()

        with_place(test)

    def test_whose_body_finds_no_file(self, with_place: Run, caplog: pytest.LogCaptureFixture) -> None:
        async def test(here: Place) -> None:
            here.everything.dispatch.disk.directory = "/nowhere"
            await here.ask(body=bytes(INLINE_BODY + 1), METHOD="POST")
            assert (await here.answer())[0] == 500
            assert "its body could not be stored in the run directory" in caplog.text

        with_place(test)

    @pytest.mark.parametrize("ending", ["connection", "version"])
    def test_after_which_the_client_wants_the_end(self, ending: str, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            if ending == "connection":
                await here.ask(headers={"connection": "close"})
            else:
                await here.ask(VERSION="HTTP/1.0")
            await serve(thread)
            assert await here.answer() == (200, b"hello")
            assert await here.message() == b""

        with_place(test)

    def test_with_credits_is_answered_as_they_allow(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await here.ask(DOWNLOAD_CREDITS="102400")
            await thread.take()
            await thread.say_it_all(whole(bytes(250_000)))
            received, waiting = b"", list[int]()
            while not received.endswith(b"\r\n\r\n" + bytes(250_000)):
                message = await here.message()
                assert len(message) <= MESSAGE_SIZE
                received += message
                waiting.append(len(message))
                assert sum(waiting) <= 102_400
                if sum(waiting) == 102_400:
                    await here.nothing()
                    while waiting:
                        await here.credits(waiting.pop(0))
            for size in waiting:
                await here.credits(size)
            await here.ask()  # which does not say it again
            await serve(thread)
            assert await here.answer() == (200, b"hello")

        with_place(test)

    def test_whose_client_takes_nothing_is_given_up(self, with_place: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(mongrel2_connection, "WRITE_TIMEOUT", 0.1)

        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await here.ask(DOWNLOAD_CREDITS="102400")
            await thread.take()
            await thread.say_it_all(whole(bytes(250_000)))
            await until(here.everything.endings, "its line")
            assert here.everything.endings() == ["200 cut"]
            assert mongrel2_replies.cancel("srv-1", "1") in await here.orders()
            await here.forgotten()

        with_place(test)

    def test_whose_client_takes_little_at_a_time_is_not(self, with_place: Run) -> None:
        """Mongrel2 tells of whole messages only: at 300 bytes a second that is after a minute."""

        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await here.ask(DOWNLOAD_CREDITS="102400")
            await thread.take()
            await thread.say_it_all(whole(bytes(250_000)))
            first = len(await here.message())
            [connection] = here.connections()
            now = here.edge.loop.time()
            assert not connection.is_stalled(now)
            assert not connection.is_stalled(now + WRITE_TIMEOUT + first / MIN_WRITE_RATE - 1)
            unsent = connection.unsent
            await here.credits(first)
            await until(lambda: connection.unsent < unsent, "the next message to be sent")
            assert not connection.is_stalled(now + 1000)
            assert connection.is_stalled(now + 1000 + WRITE_TIMEOUT + MESSAGE_SIZE / MIN_WRITE_RATE + 1)
            await here.leave()

        with_place(test)

    def test_behind_an_answer_that_is_not_taken_waits_no_longer(self, with_place: Run) -> None:
        """Not a byte of that is kept here, for it is just as long as Mongrel2 takes."""

        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await here.ask(2, DOWNLOAD_CREDITS="102400")
            await serve(thread)
            size = len(await here.message(2))
            await here.ask(DOWNLOAD_CREDITS="102400")
            await thread.take()
            await here.ask()
            [connection] = here.connections()
            await until(lambda: connection.waiting, "the next request")
            connection._send(bytes(102_400 - size))
            thread.say(whole())
            await until(lambda: connection.current is None, "the end of the first")
            assert (connection.window(), connection.unsent) == (0, 0)
            now = here.edge.loop.time()
            assert not connection.is_stalled(now)
            assert connection.is_stalled(now + 1000)
            connection.cancel()
            assert here.everything.endings() == ["200", "200", "499 left"]

        with_place(test)

    def test_whose_balance_nobody_knows_is_the_last_of_its_connection(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await here.ask(2, DOWNLOAD_CREDITS="102400")
            await serve(thread)
            assert await here.answer(2) == (200, b"hello")
            await here.ask(1)
            await serve(thread)
            assert await here.answer(1) == (200, b"hello")
            assert await here.message(1) == b""

        with_place(test)

    def test_is_answered_whole_once_there_turns_out_to_be_no_flow_control(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await here.ask()
            await thread.take()
            await thread.say_it_all(whole(bytes(250_000)))
            assert await here.answer() == (200, bytes(250_000))
            assert here.edge.flow.on is False
            await here.forgotten()
            await here.nothing()  # the connection stays open

        with_place(test)


class TestPipelining:
    def test_one_at_a_time_and_answers_in_order(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            threads = (await here.worker(2)).threads
            for number in range(5):
                await here.ask(URI=f"/{number}", PATH=f"/{number}")
            for number in range(5):
                await until(lambda: sum(not each.silent for each in threads) == 1, "one to be served")
                [thread] = [each for each in threads if not each.silent]
                assert (await thread.take()).target == f"/{number}"
                await turns(10)
                assert all(each.silent for each in threads)
                thread.say(whole(str(number).encode()))
            for number in range(5):
                assert await here.answer() == (200, str(number).encode())

        with_place(test, threads=2)

    def test_answers_share_messages(self, with_place: Run) -> None:
        """Mongrel2 keeps 16 messages for a connection."""

        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            for _ in range(PIPELINE_LIMIT):
                await here.ask()
            await until(lambda: here.everything.dispatch.open_count == PIPELINE_LIMIT, "the requests")
            thread.serve_all(whole())
            await here.forgotten()
            messages = [await here.message()]
            while sum(message.count(b"hello") for message in messages) < PIPELINE_LIMIT:
                messages.append(await here.message())
            assert len(messages) < PIPELINE_LIMIT

        with_place(test)

    def test_answers_that_are_large_do_not_wait_for_each_other(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            for _ in range(4):
                await here.ask()
            for _ in range(4):
                await thread.take()
                await thread.say_it_all(whole(bytes(200_000)))
            for _ in range(4):
                assert (await here.answer())[1] == bytes(200_000)

        with_place(test)

    def test_no_more_than_so_much_waits_for_the_next_answer(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            here.edge.flow.on = False
            for _ in range(6):
                await here.ask()
            await until(lambda: here.everything.dispatch.open_count == 6, "the requests")
            [connection] = here.connections()
            for _ in range(5):
                assert connection.current is not None
                connection.current.answer(a_head(), bytes(100_000))
            assert len(connection._held) < 300_000
            for _ in range(5):
                assert (await here.answer())[1] == bytes(100_000)
            await here.leave()

        with_place(test)

    def test_the_first_answers_do_not_wait_long_for_the_last(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await here.ask()
            await here.ask()
            await serve(thread, b"1")
            await thread.take()  # and is held
            assert await here.answer() == (200, b"1")
            thread.say(whole(b"2"))
            assert await here.answer() == (200, b"2")

        with_place(test)

    def test_what_is_too_much_is_refused_once_and_the_rest_dropped(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            for _ in range(1000):
                await here.ask()
            dropped = 1000 - PIPELINE_LIMIT - 2
            await until(lambda: len(here.everything.logged()) == dropped, "the flood to be over")
            [connection] = here.connections()
            assert len(connection.waiting) == PIPELINE_LIMIT + 1
            thread.serve_all(whole())
            for _ in range(PIPELINE_LIMIT + 1):
                assert (await here.answer())[0] == 200
            assert await here.refused() == 503
            await here.forgotten()
            endings = here.everything.endings()
            assert sorted(endings) == ["200"] * (PIPELINE_LIMIT + 1) + ["503 refused"] * (dropped + 1)

        with_place(test)

    def test_nonsense_behind_a_request_that_is_served_does_not_pile_up(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await here.ask()
            for _ in range(100):
                await here.say(b"srv-1 1 /t 5:12345,0:,")
            await here.nothing()
            [connection] = here.connections()
            assert len(connection.waiting) == 1
            await serve(thread)
            assert (await here.answer())[0] == 200
            assert await here.refused() == 400
            assert len(here.everything.logged()) == 102  # with the one of `nothing`

        with_place(test)

    def test_what_is_behind_the_wish_to_end_gets_no_answer(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await here.ask(headers={"connection": "close"})
            await here.ask()
            await until(lambda: here.everything.dispatch.open_count == 2, "both")
            await serve(thread)
            assert (await here.answer())[0] == 200
            assert await here.message() == b""
            await here.forgotten()
            assert here.everything.endings() == ["200", "499 left"]
            assert thread.silent

        with_place(test)

    @pytest.mark.parametrize("headers", [{"connection": "close"}, {"content-length": "-1"}], ids=["wish", "refusal"])
    @pytest.mark.parametrize("body", [b"", b"b" * (INLINE_BODY + 1)], ids=["small", "large"])
    def test_what_comes_behind_the_end_is_not_served(
        self, headers: dict[str, str | list[str]], body: bytes, with_place: Run
    ) -> None:
        """Mongrel2 had read it before it heard of our closing: it may be the body of a request that was refused."""

        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await here.ask(headers=headers)
            if "connection" in headers:
                await serve(thread)
            status, _ = await here.answer()
            assert await here.message() == b""
            await here.ask(body=body)
            await here.nothing()
            assert thread.silent
            assert here.everything.endings()[:2] == [{200: "200", 400: "400 refused"}[status], "499 left"]
            assert here.connections() == []

        with_place(test)

    def test_an_upload_that_comes_behind_the_end_is_not_served(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await here.ask(headers={"content-length": "-1"})
            assert await here.refused() == 400
            await here.ask(headers={"content-length": "5"}, UPLOAD_STREAM="0")
            await here.part(0, b"hello", UPLOAD_STREAM_DONE="1")
            await until(lambda: len(here.everything.endings()) == 2, "its end")
            await here.nothing()
            assert thread.silent
            assert here.everything.endings()[:2] == ["400 refused", "499 left"]

        with_place(test)


class TestStreaming:
    async def begin(self, here: Place) -> FarEnd:
        [thread] = (await here.worker()).threads
        await here.ask()
        await thread.take()
        thread.say(HEAD)
        assert (await here.message()).startswith(b"HTTP/1.1 200 OK\r\n")  # alone: a head may be all there is for long
        return thread

    def test_parts_go_out_after_a_while(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            thread = await self.begin(here)
            thread.say(frames.frame(Kind.PART, b"first"))
            assert await here.message() == b"5\r\nfirst\r\n"
            thread.say(frames.frame(Kind.PART, b"second"), frames.END, frames.DONE)
            assert await here.message() == b"6\r\nsecond\r\n0\r\n\r\n"
            await here.nothing()

        with_place(test)

    def test_never_takes_more_messages_than_mongrel2_keeps(
        self, with_place: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Though parts of all sizes come at any pace. With a thousandth of the real sizes and less; and any delay of an
        early message may be over before the next part."""
        monkeypatch.setattr(mongrel2_parts, "FIRST_SIZE", 1)
        monkeypatch.setattr(mongrel2_parts, "LARGEST", 2048)
        monkeypatch.setattr(mongrel2_parts, "WRITING_TIME", 1000.0)

        async def test(here: Place) -> None:
            chance = random.Random(16)
            for client in range(1, 200):
                closes = chance.random() < 0.5
                await here.ask(client, headers={"connection": "close"} if closes else {})
                connection = await until(lambda: here.edge._connections.get(("srv-1", str(client))), "it")  # noqa: B023
                exchange = connection.current
                assert exchange is not None
                exchange.begin(a_head())
                joiner = connection._joiner
                assert joiner is not None
                timer, sent_before, framed = None, 0, 0
                while framed < 14 * 1024:
                    part = bytes(chance.choice([1, 1, 1 << min(2 * joiner.sent, 11)]))
                    exchange.part(part)
                    framed += len(chunk(part))
                    if timer is not connection._timer:
                        timer, sent_before = connection._timer, joiner.sent
                    if timer is not None and sent_before < EARLY_MESSAGES and chance.random() < 0.5:
                        timer.cancel()
                        connection._due(joiner)
                    elif sent_before >= EARLY_MESSAGES and chance.random() < 0.1:
                        break
                exchange.finish()
                await here.nothing(0)
                messages = here.received.pop(str(client))
                assert len(messages) <= 16
                assert (messages[-1] == b"") == closes
                assert messages[-2 if closes else -1].endswith(b"0\r\n\r\n")

        with_place(test)

    def test_that_fails_is_closed_with_what_there_is(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            thread = await self.begin(here)
            thread.say(frames.frame(Kind.PART, b"part"), frames.CUT, frames.DONE)
            assert await here.message() == b"4\r\npart\r\n"
            assert await here.message() == b""
            assert here.everything.endings() == ["200 cut"]

        with_place(test)

    def test_to_a_client_that_leaves(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            worker = await here.worker()
            await here.ask()
            await worker.threads[0].take()
            worker.threads[0].say(HEAD, frames.frame(Kind.PART, b"part"))
            await here.message()
            await here.leave()
            assert (await worker.control.hear())[0] is Kind.CLIENT_GONE
            await here.forgotten()
            worker.threads[0].say(frames.frame(Kind.PART, b"part"), frames.CUT, frames.DONE)
            await until(lambda: here.everything.dispatch.open_count == 0, "its end")
            assert here.everything.endings() == ["499 left"]

        with_place(test)

    def test_that_is_longer_than_mongrel2_promises_is_told_once(
        self, with_place: Run, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(mongrel2_parts, "WRITING_TIME", 1000.0)

        async def test(here: Place) -> None:
            for client in (1, 2):
                await here.ask(client)
                connection = await until(lambda: here.edge._connections.get(("srv-1", str(client))), "it")  # noqa: B023
                assert connection.current is not None
                connection.current.begin(a_head())
                for _ in range(EARLY_MESSAGES + 1):
                    connection.current.part(b"x")
                    assert connection._joiner is not None
                    connection._due(connection._joiner)
                connection.current.part(b"x")
                connection.current.finish()
                assert (await here.answer(client))[1] == b"x" * (EARLY_MESSAGES + 2)
            assert caplog.text.count("more than the 16 messages that") == 1

        with_place(test)

    def test_what_all_hold_has_a_limit(self, with_place: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        """The number of clients is theirs to choose. Each gets all of its answer all the same."""
        monkeypatch.setattr(joined_bytes, "LIMIT", 300_000)

        async def test(here: Place) -> None:
            here.edge.flow.on = False
            most = 0
            for client in range(1, 9):
                await here.ask(client)
                connection = await until(lambda: here.edge._connections.get(("srv-1", str(client))), "it")  # noqa: B023
                exchange = connection.current
                assert exchange is not None
                exchange.begin(a_head(length=1_000_000))
                for _ in range(10):
                    exchange.part(bytes(100_000))
                    most = max(most, here.edge.joined.size)
                exchange.finish()
            for client in range(1, 9):
                assert await here.answer(client) == (200, bytes(1_000_000))
            assert 300_000 <= most <= 300_000 + 8 * ALWAYS + mongrel2_parts.LARGEST
            assert most < 2_000_000
            assert here.edge.joined.size == 0
            await here.forgotten()

        with_place(test)

    def test_to_a_mongrel2_that_does_not_keep_up(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            thread = await self.begin(here)
            link = here.edge.link
            link._unsent_bytes += 100_000_000  # as if so much waited
            part = frames.frame(Kind.PART, bytes(100_000))
            saying = asyncio.ensure_future(thread.say_it_all(part * 20 + frames.END + frames.DONE))
            await turns(50)
            assert not saying.done()
            link._unsent_bytes -= 100_000_000
            here.edge._room()
            await saying
            await here.forgotten()
            here.edge._room()
            assert here.everything.endings() == ["200"]

        with_place(test)

    def test_whose_requests_wait_until_it_does(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            link = here.edge.link
            link._unsent_bytes += 100_000_000  # as if so much waited
            await here.ask()
            await until(here.connections, "the request")
            [connection] = here.connections()
            begun = [connection.current is not None]
            link._unsent_bytes -= 100_000_000
            here.edge._room()
            begun.append(connection.current is not None)  # in the queue, for there is no worker
            assert begun == [False, True]
            here.edge._room()
            await here.leave()
            await here.forgotten()

        with_place(test)


class TestDisconnecting:
    def test_all_that_is_pipelined_is_left(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            worker = await here.worker()
            for _ in range(3):
                await here.ask()
            request = await worker.threads[0].take()
            await here.leave()
            assert await worker.control.hear() == (Kind.CLIENT_GONE, request.key.encode())
            await here.forgotten()
            worker.threads[0].say(whole())
            await here.nothing()
            assert here.everything.endings()[:3] == ["499 left"] * 3

        with_place(test)

    def test_of_an_idle_connection_is_nothing(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            await here.leave()
            await here.nothing()
            assert len(here.everything.logged()) == 1

        with_place(test)


class TestARestart:
    def test_no_answer_reaches_a_client_of_the_next_mongrel2(
        self, with_place: Run, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def test(here: Place) -> None:
            threads = (await here.worker(2)).threads
            await here.ask(1, URI="/old", PATH="/old")
            await until(lambda: not all(each.silent for each in threads), "the request")
            [busy] = [each for each in threads if not each.silent]
            assert (await busy.take()).target == "/old"
            await here.restart()
            await here.ask(1, URI="/new", PATH="/new")
            [free] = [each for each in threads if each is not busy]
            assert (await free.take()).target == "/new"
            busy.say(whole(b"old"))
            await turns(10)
            free.say(whole(b"new"))
            assert await here.answer(1) == (200, b"new")
            await here.nothing()
            assert here.everything.endings()[:2] == ["499 left", "200"]
            assert "the answers for 1 of its connections are dropped" in caplog.text

        with_place(test, threads=2)

    def test_gives_the_number_of_a_closed_connection_to_another_client(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await here.ask(headers={"content-length": "-1"})
            assert await here.refused() == 400
            await here.restart()
            await here.ask()
            await serve(thread)
            assert (await here.answer())[0] == 200

        with_place(test)

    def test_that_is_found_only_in_the_midst_of_an_answer(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await here.ask()
            await thread.take()
            link = here.edge.link
            connection = here.connections()[0]
            here.edge.loop.remove_reader(link._xpub.fileno())
            here.side.close()
            here.side = Mongrel2Side(here.side.endpoints)
            assert connection.current is not None
            connection.current.begin(a_head())

            def gone() -> bool:
                connection._send(b"is anybody there")
                return link.generation > connection._generation

            await until(gone, "the new generation")
            here.edge.loop.add_reader(link._xpub.fileno(), link._look)
            await until(lambda: here.everything.dispatch.open_count == 0, "its end")
            thread.say(frames.CUT, frames.DONE)

        with_place(test)

    def test_whose_connections_have_balances_of_their_own(self, with_place: Run) -> None:
        """What ended with the one before, late, has none to leave behind: the number is another client's."""

        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await here.ask(DOWNLOAD_CREDITS="102400")
            await thread.take()
            [old] = here.connections()
            assert old.current is not None
            here.edge.link._begin_generation(subscribed=True)
            assert here.edge.flow.on is None
            old.current.answer(a_head(), b"an answer that ends just now")
            assert here.everything.endings() == ["200"]
            assert here.edge.flow._deciding is None
            assert here.edge.flow._idle == {}
            thread.say(frames.DONE)

        with_place(test)


class TestRefusing:
    def test_what_mongrel2_does_not_write(self, with_place: Run, caplog: pytest.LogCaptureFixture) -> None:
        async def test(here: Place) -> None:
            await here.say(b"srv-1 3 /t 5:12345,0:,")
            assert await here.refused(3) == 400
            assert here.everything.endings() == ["400 refused"]
            await here.say(b"complete nonsense")
            await here.say(b"\0")
            await here.nothing()
            assert sum("was dropped" in line for line in caplog.messages) == 4
            await here.forgotten()

        with_place(test)

    def test_what_could_be_read_in_two_ways(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            await here.ask(headers={"content-length": "+3"}, METHOD="POST")
            assert await here.refused() == 400
            assert '"POST /t HTTP/1.1" 400 ' in here.everything.logged()[0]

        with_place(test)

    def test_websockets(self, with_place: Run, caplog: pytest.LogCaptureFixture) -> None:
        async def test(here: Place) -> None:
            for _ in range(2):
                await here.say(
                    tnetstring_message(
                        {**REQUEST_LINE, "METHOD": "WEBSOCKET_HANDSHAKE"},
                        {"host": "a", "upgrade": "websocket", "connection": "Upgrade"},
                        b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
                    )
                )
                assert await here.refused(5) == 501
            await here.say(
                tnetstring_message({**REQUEST_LINE, "METHOD": "WEBSOCKET", "FLAGS": "0x81"}, {"host": "a"}, b"early")
            )
            await here.nothing(5)
            assert caplog.text.count("WebSockets are not served: handshakes get 501") == 1

        with_place(test)

    @pytest.mark.parametrize("kind", ["JSON", "XML"])
    def test_socket_messages(self, kind: str, with_place: Run, caplog: pytest.LogCaptureFixture) -> None:
        async def test(here: Place) -> None:
            for _ in range(2):
                await here.say(
                    tnetstring_message(
                        {"METHOD": kind, "PATH": "@chat", "PATTERN": "@chat", "REMOTE_ADDR": "::1"},
                        {},
                        b"{}",
                        "srv-1 5 @chat",
                    )
                )
                assert await here.message(5) == b""
            assert caplog.text.count(f"{kind} socket messages are not served; closing @chat") == 1
            assert here.connections() == []

        with_place(test)

    def test_streamed_uploads_that_are_too_large(self, with_place: Run) -> None:
        """Mongrel2's task sleeps until it has credits, and only then sees that the connection is closed."""

        async def test(here: Place) -> None:
            await here.ask(METHOD="POST", headers={"content-length": str(MAX_BODY + 1)}, UPLOAD_STREAM="0")
            assert await here.refused() == 413
            assert await here.orders() == [mongrel2_replies.credits("srv-1", "1", ENOUGH)]
            await here.forgotten()
            assert here.everything.endings() == ["413 refused"]

        with_place(test)

    def test_parts_of_a_streamed_upload_that_began_with_a_dispatcher_that_is_gone(self, with_place: Run) -> None:
        """Mongrel2 adds credits up in a C int: after the first they get back what they cost."""

        async def test(here: Place) -> None:
            for _ in range(3):
                await here.say(b"srv-1 1 /t 24:13:UPLOAD_STREAM,4:1000,}4:data,")
                assert await here.message() == b""
            await here.say(b"srv-1 1 /t 51:18:UPLOAD_STREAM_DONE,1:1,13:UPLOAD_STREAM,5:26480,}0:,")
            assert await here.message() == b""
            assert await here.orders() == [mongrel2_replies.credits("srv-1", "1", n) for n in (ENOUGH, 4, 4)]

        with_place(test)

    @pytest.mark.parametrize("trusted", [("UPLOAD_STREAM", "0"), ("DOWNLOAD_CREDITS", "102400")])
    def test_what_takes_a_handler_of_ones_own(
        self, trusted: tuple[str, str], with_place: Run, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def test(here: Place) -> None:
            for client in (1, 2):
                message = tnetstring_message(
                    {**REQUEST_LINE, **dict([trusted])}, {"host": "a"}, b"", f"srv-1 {client} /t"
                )
                await here.say(message)
                assert await here.refused(client) == 501
            assert caplog.text.count("which --shared-handler excludes") == 1

        with_place(test, shared=True)


class TestStreamedUploads:
    def test_are_taken_in_parts(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            body = bytes(range(200)) * 150
            await here.ask(METHOD="POST", headers={"content-length": "30000"}, body=body[:100], UPLOAD_STREAM="0")
            assert await here.orders() == [mongrel2_replies.credits("srv-1", "1", 29_900)]
            await here.part(100, body[100:20_000])
            await here.part(20_000, body[20_000:], UPLOAD_STREAM_DONE="1")
            request = await thread.take()
            assert (request.content_length, request.body) == (30_000, body)
            thread.say(whole())
            assert await here.answer() == (200, b"hello")

        with_place(test)

    def test_that_come_in_chunks_end_the_connection(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await here.ask(METHOD="POST", headers={"transfer-encoding": "chunked"}, UPLOAD_STREAM="0")
            await here.part(0, b"body", UPLOAD_STREAM_DONE="1")
            await serve(thread)
            assert (await here.answer())[0] == 200
            assert await here.message() == b""

        with_place(test)

    @pytest.mark.parametrize("ending", ["the client", "Mongrel2"])
    def test_that_are_abandoned_have_one_line(self, ending: str, with_place: Run) -> None:
        async def test(here: Place) -> None:
            await here.ask(METHOD="POST", headers={"content-length": "30000"}, UPLOAD_STREAM="0")
            await here.orders()
            if ending == "the client":
                await here.leave()
            else:
                await here.restart()
            await until(here.everything.endings, "its line")
            assert here.everything.endings() == ["499 left"]

        with_place(test)

    def test_are_refused_when_we_stop(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            await here.ask(METHOD="POST", headers={"content-length": "30000"}, UPLOAD_STREAM="0")
            await here.orders()
            here.edge.drain()
            assert await here.refused() == 503

        with_place(test)

    def test_that_say_nothing_any_more_are_refused(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            here.edge._streams._times = BodyTimes(0.0, 0.0)
            await here.ask(METHOD="POST", headers={"content-length": "30000"}, UPLOAD_STREAM="0")
            assert await here.refused() == 408

        with_place(test)


class TestKeepingAlive:
    def test_what_lasts(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            for client in (1, 2):
                await here.ask(client)
            await until(lambda: len(here.connections()) == 2, "both")
            assert await here.orders() in (
                [mongrel2_replies.keep_alive_all("srv-1", ids)] for ids in (["1", "2"], ["2", "1"])
            )
            for client in (1, 2):
                await here.leave(client)

        with_place(test)


@pytest.fixture
def upload(tmp_path: Path) -> Iterator[Path]:
    store = tmp_path / "store"
    store.mkdir()
    path = store / "upl.abcdef"
    path.write_bytes(b"the body")
    yield path
    assert os.listdir(store) == []  # however it went
    assert os.listdir(tmp_path / UPLOADS) == []


START, DONE = "x-mongrel2-upload-start", "x-mongrel2-upload-done"


class UploadTests:
    async def start(self, here: Place, name: str, length: str | None = "8", client: int = 1) -> None:
        framing = {"content-length": length} if length else {"transfer-encoding": "chunked"}
        await here.ask(client, METHOD="POST", headers={**framing, START: name})

    async def done(self, here: Place, name: str, length: str | None = "8", client: int = 1) -> None:
        framing = {"content-length": length} if length else {"transfer-encoding": "chunked"}
        await here.ask(client, METHOD="POST", headers={**framing, START: name, DONE: name})


class TestUploads(UploadTests):
    @pytest.mark.parametrize("length", ["8", "3", None])
    def test_are_a_body_in_a_file(self, length: str | None, upload: Path, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await self.start(here, str(upload), length)
            quiet = [here.edge.quiet]  # nobody waits for an answer yet
            await self.done(here, str(upload), length)
            request = await thread.take()
            quiet.append(here.edge.quiet)
            assert quiet == [True, False]
            assert (request.content_length, request.body_in_file) == (int(length or 8), True)
            assert not any(name in (START, DONE) for name, _ in request.headers)
            with open(thread.descriptors.pop(), "rb") as file:
                assert file.read() == b"the body"
            assert not upload.exists()
            thread.say(whole())
            assert (await here.answer())[0] == 200
            await here.forgotten()

        with_place(test)

    @pytest.mark.parametrize("length", ["8", None])
    def test_that_came_in_chunks_end_the_connection(self, length: str | None, upload: Path, with_place: Run) -> None:
        """Mongrel2 would mix bytes of its memory into a large body that follows one."""

        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await self.start(here, str(upload), length)
            await self.done(here, str(upload), length)
            await serve(thread)
            assert (await here.answer())[0] == 200
            if length is None:
                assert await here.message() == b""
            await here.nothing()

        with_place(test)

    def test_are_found_through_the_chroot(self, upload: Path, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await self.start(here, "/upl.abcdef")
            await self.done(here, "/upl.abcdef")
            assert (await thread.take()).body_in_file
            thread.say(whole())
            assert (await here.answer())[0] == 200

        with_place(test, chroot=str(upload.parent))

    def test_that_are_too_large_are_refused_at_their_start(self, upload: Path, with_place: Run) -> None:
        async def test(here: Place) -> None:
            await self.start(here, str(upload), str(MAX_BODY + 1))
            assert await here.refused() == 413
            await here.forgotten()
            await until(lambda: not upload.exists(), "the file to be removed")

        with_place(test)

    @pytest.mark.parametrize("waits", [True, False])
    def test_that_are_done_before_the_refusal_gets_there_are_removed(
        self, waits: bool, upload: Path, with_place: Run
    ) -> None:
        async def test(here: Place) -> None:
            if waits:  # behind another request of the connection
                await here.ask()
            await self.start(here, str(upload), str(MAX_BODY + 1))
            await self.done(here, str(upload), str(MAX_BODY + 1))
            await until(lambda: not upload.exists(), "the file to be removed")
            if waits:
                await here.leave()
            await here.forgotten()
            assert len(here.everything.endings()) == 1 + waits, "the request has one end"

        with_place(test)

    def test_chunked_ones_that_turn_out_too_large(
        self, upload: Path, with_place: Run, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def test(here: Place) -> None:
            caplog.set_level(logging.DEBUG, "wsgid.dispatcher")
            os.truncate(upload, MAX_BODY + 1)
            await self.start(here, str(upload), None)
            await self.done(here, str(upload), None)
            assert (await here.answer())[0] == 413
            await here.forgotten()
            assert "is refused: 413: the body is longer than" in caplog.text

        with_place(test)

    def test_that_are_shorter_than_promised(
        self, upload: Path, with_place: Run, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def test(here: Place) -> None:
            await self.start(here, str(upload), "9")
            await self.done(here, str(upload), "9")
            assert (await here.answer())[0] == 500
            assert "Content-Length promises 9" in caplog.text

        with_place(test)

    def test_that_are_not_there(self, upload: Path, with_place: Run, caplog: pytest.LogCaptureFixture) -> None:
        async def test(here: Place) -> None:
            upload.unlink()
            await self.start(here, str(upload))
            await self.done(here, str(upload))
            assert (await here.answer())[0] == 500
            assert "--mongrel2-chroot" in caplog.text

        with_place(test)

    def test_that_began_with_a_dispatcher_that_is_gone(
        self, upload: Path, with_place: Run, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def test(here: Place) -> None:
            await self.done(here, str(upload))
            assert await here.refused() == 503
            assert f"an upload is done whose beginning was not seen here: {upload}" in caplog.text
            await here.forgotten()
            await until(lambda: not upload.exists(), "the file to be removed")

        with_place(test)

    def test_whose_client_leaves_before_they_are_done(self, upload: Path, with_place: Run) -> None:
        """Mongrel2 removes the file."""

        async def test(here: Place) -> None:
            await self.start(here, str(upload))
            await here.leave()
            await until(here.everything.endings, "its line")
            assert here.everything.endings() == ["499 left"]
            upload.unlink()

        with_place(test)

    @pytest.mark.parametrize("when", ["waiting", "opening", "queued", "serving"])
    def test_whose_client_leaves_later_are_removed(self, when: str, upload: Path, with_place: Run) -> None:
        async def test(here: Place) -> None:
            if when == "waiting":
                await here.ask()
            hold = Hold(here.executor)
            if when == "serving":
                await here.worker()
            await self.start(here, str(upload))
            await self.done(here, str(upload))
            await until(lambda: any(each._bodies for each in here.connections()), "the upload")
            if when in ("queued", "serving"):
                hold.let_go()
                await until(lambda: not upload.exists(), "the file to be opened")
            await here.leave()
            await here.forgotten()
            if when in ("waiting", "opening"):
                hold.let_go()
            await until(lambda: not upload.exists(), "the file to be removed")
            await until(lambda: here.everything.dispatch.open_count == 0, "its end")

        with_place(test)

    def test_of_a_refused_request_are_removed(self, upload: Path, with_place: Run) -> None:
        async def test(here: Place) -> None:
            await self.start(here, str(upload), "+8")
            assert await here.refused() == 400
            await here.forgotten()
            await until(lambda: not upload.exists(), "the file to be removed")

        with_place(test)

    def test_of_a_refused_request_that_are_done_are_removed(self, upload: Path, with_place: Run) -> None:
        async def test(here: Place) -> None:
            await self.start(here, str(upload), "+8")
            await self.done(here, str(upload), "+8")
            await until(lambda: not upload.exists(), "the file to be removed")
            assert await here.refused() == 400
            await here.nothing()
            await here.forgotten()
            assert here.everything.endings() == ["400 refused"] * 2, "that one, and the one that nothing() asks with"

        with_place(test)

    def test_of_a_refused_request_that_began_elsewhere(self, upload: Path, with_place: Run) -> None:
        async def test(here: Place) -> None:
            await self.done(here, str(upload), "+8")
            assert await here.refused() == 400
            await here.forgotten()
            await until(lambda: not upload.exists(), "the file to be removed")

        with_place(test)

    def test_behind_a_refusal_are_removed(self, upload: Path, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await here.ask()
            await self.start(here, str(upload))
            await here.say(b"srv-1 1 /t 5:12345,0:,")
            await self.done(here, str(upload))
            await until(lambda: not upload.exists(), "the file to be removed")
            await serve(thread)
            assert (await here.answer())[0] == 200
            assert await here.refused() == 400
            assert sorted(here.everything.endings()) == ["200", "400 refused", "503 refused"]
            await here.forgotten()

        with_place(test)

    def test_behind_too_many_requests_are_removed(self, upload: Path, with_place: Run) -> None:
        async def test(here: Place) -> None:
            await self.start(here, str(upload))
            for _ in range(PIPELINE_LIMIT + 1):
                await here.ask()
            await self.done(here, str(upload))
            await until(lambda: not upload.exists(), "the file to be removed")
            await here.leave()
            await here.forgotten()

        with_place(test)

    def test_that_are_on_their_way_when_we_drain_are_refused(self, upload: Path, with_place: Run) -> None:
        """Their "done" would reach nobody."""

        async def test(here: Place) -> None:
            await self.start(here, str(upload))
            await until(lambda: here.edge._uploads._uploads._wanted, "the start")
            here.edge.drain()
            assert await here.refused() == 503
            await here.forgotten()
            await until(lambda: not upload.exists(), "the file to be removed")

        with_place(test)

    def test_whose_mongrel2_is_gone_are_removed(self, upload: Path, with_place: Run) -> None:
        async def test(here: Place) -> None:
            await self.start(here, str(upload))
            await until(lambda: here.edge._uploads._uploads._wanted, "the start")
            await here.restart()
            assert here.everything.endings() == ["499 left"]
            await until(lambda: not upload.exists(), "the file to be removed")

        with_place(test)

    def test_that_mongrel2_has_dropped_without_a_word_are_asked_after(
        self, upload: Path, with_place: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(uploads, "ASK_AFTER", 0.0)

        async def test(here: Place) -> None:
            await self.start(here, str(upload))
            await here.nothing()
            assert await here.orders() == [mongrel2_replies.keep_alive("srv-1", "1")]
            await here.leave()
            await until(lambda: "499 left" in here.everything.endings(), "its line")
            upload.unlink()

        with_place(test)

    def test_that_began_with_another_daemon_are_served(self, upload: Path, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await self.done(here, str(upload))
            assert (await thread.take()).body_in_file
            os.close(thread.descriptors.pop())
            thread.say(whole())
            assert (await here.answer())[0] == 200

        with_place(test, shared=True)

    def test_that_end_with_another_daemon_are_left_to_it(self, upload: Path, tmp_path: Path, with_place: Run) -> None:
        async def test(here: Place) -> None:
            await self.start(here, str(upload))
            await here.nothing()
            assert os.listdir(tmp_path / UPLOADS) == []
            here.edge._lost()
            await turns(10)
            assert upload.exists()
            upload.unlink()

        with_place(test, shared=True)

    def test_that_begin_while_we_drain_are_refused(self, upload: Path, with_place: Run) -> None:
        """For the answers in progress, under flow control, we still listen."""

        async def test(here: Place) -> None:
            await here.worker()
            await here.ask(DOWNLOAD_CREDITS="102400")
            await until(here.connections, "the request")
            here.edge.drain()
            await self.start(here, str(upload), client=2)
            assert await here.refused(2) == 503
            await until(lambda: not upload.exists(), "the file to be removed")
            await here.leave()
            await here.forgotten()

        with_place(test)

    @pytest.mark.parametrize("shared", [True, False])
    def test_that_were_refused_are_refused_once(self, shared: bool, upload: Path, with_place: Run) -> None:
        async def test(here: Place) -> None:
            await self.start(here, str(upload), str(MAX_BODY + 1))
            assert await here.refused() == 413
            await self.done(here, str(upload), str(MAX_BODY + 1))
            await here.nothing()
            assert here.everything.endings() == ["413 refused", "400 refused"], "400 is of nothing()"

        with_place(test, shared=shared)

    def test_behind_a_request_that_closes_the_connection_are_given_up(self, upload: Path, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await here.ask(headers={"connection": "close"})
            await self.start(here, str(upload))
            await serve(thread)
            assert await here.refused() == 200
            await until(lambda: not upload.exists(), "the file to be removed")
            await self.done(here, str(upload))  # the close message came too late for Mongrel2
            await here.nothing()
            assert sorted(here.everything.endings()) == ["200", "400 refused", "499 left"], "400 is of nothing()"

        with_place(test)


REFUSAL = frames.answer(Answer(a_head("403 Forbidden"), b"not you", True))


class TestUploadsThatAreAskedAbout(UploadTests):
    def test_are_served_by_the_same_name(self, upload: Path, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await self.start(here, str(upload))
            question = await thread.take(Kind.ASK)
            assert (question.method, question.content_length, question.client_id) == ("POST", 8, "1")
            await self.done(here, str(upload))
            await until(lambda: here.everything.dispatch.open_count, "the whole body")
            assert thread.silent
            thread.say(frames.ADMITTED)
            request = await thread.take()
            assert (request.key, request.id) == (question.key, question.id)
            thread.say(whole())
            assert (await here.answer())[0] == 200

        with_place(test, filters=True)

    @pytest.mark.parametrize("when", ["at its start", "when it is done", "behind another request"])
    def test_are_refused(self, when: str, upload: Path, with_place: Run) -> None:
        async def test(here: Place) -> None:
            threads = (await here.worker(threads=2)).threads
            if when == "behind another request":
                await here.ask()
                await until(lambda: not all(each.silent for each in threads), "it to be served")
            busy = [each for each in threads if not each.silent]
            await self.start(here, str(upload))
            await until(lambda: sum(not each.silent for each in threads) == 1 + len(busy), "the question")
            [thread] = [each for each in threads if not (each.silent or each in busy)]
            await thread.take(Kind.ASK)
            if when != "at its start":
                await self.done(here, str(upload))
                await until(lambda: here.everything.dispatch.open_count == 1 + len(busy), "the whole body")
            thread.say(REFUSAL)
            await until(lambda: not upload.exists(), "the file to be removed")
            for each in busy:
                await serve(each)
                assert (await here.answer())[0] == 200
            assert await here.answer() == (403, b"not you")
            if when == "at its start":
                assert await here.message() == b""
                await self.done(here, str(upload))  # Mongrel2 had not heard of it
                await here.nothing()
            await here.forgotten()
            assert here.everything.endings()[: 1 + len(busy)] == ["200"] * len(busy) + ["403 refused"]

        with_place(test, filters=True)

    @pytest.mark.parametrize("ending", ["leaves", "Mongrel2 restarts", "stop"])
    def test_that_end_before_there_is_a_verdict(self, ending: str, upload: Path, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await self.start(here, str(upload))
            await thread.take(Kind.ASK)
            if ending == "leaves":
                upload.unlink()
                await here.leave()
            elif ending == "stop":
                here.edge.drain()
            else:
                await here.restart()
            await until(here.everything.endings, "its line")
            thread.say(REFUSAL)
            await until(lambda: not upload.exists(), "the file to be removed")
            assert here.everything.endings() == ["503 refused" if ending == "stop" else "499 left"]

        with_place(test, filters=True)

    def test_when_they_are_done_if_they_may_have_begun_elsewhere(self, upload: Path, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await self.start(here, str(upload))
            await self.done(here, str(upload))
            question = await thread.take(Kind.ASK)
            thread.say(frames.ADMITTED)
            assert (await thread.take()).key == question.key
            thread.say(whole())
            assert (await here.answer())[0] == 200

        with_place(test, filters=True, shared=True)

    def test_with_a_body_in_one_message(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await here.ask(body=bytes(INLINE_BODY + 1), METHOD="POST")
            assert (await thread.take(Kind.ASK)).body == b""
            thread.say(REFUSAL)
            assert await here.answer() == (403, b"not you")
            await here.forgotten()

        with_place(test, filters=True)

    @pytest.mark.parametrize("whole", [True, False])
    def test_in_parts(self, whole: bool, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            size = INLINE_BODY + 1
            await here.ask(METHOD="POST", headers={"content-length": str(size)}, UPLOAD_STREAM="0")
            await thread.take(Kind.ASK)
            await here.part(0, bytes(size if whole else 100))
            thread.say(REFUSAL)
            assert await here.answer() == (403, b"not you")
            if not whole:
                assert await here.message() == b""
            await here.forgotten()

        with_place(test, filters=True)


class TestTheEnd:
    def test_draining_takes_nothing_new_and_answers_the_rest(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            for _ in range(3):
                await here.ask()
            await until(lambda: here.everything.dispatch.open_count == 3, "the requests")
            here.edge.drain()
            here.everything.dispatch.drain()
            quiet = [here.edge.quiet]
            thread.serve_all(whole())
            for _ in range(3):
                assert (await here.answer())[0] == 200
            assert await here.message() == b""  # with the last
            quiet.append(here.edge.quiet)
            assert quiet == [False, True]
            assert here.everything.endings() == ["200"] * 3

        with_place(test)

    def test_closing_lets_the_last_answer_out(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with place(tmp_path) as here:
                [thread] = (await here.worker()).threads
                await here.ask()
                await serve(thread)
                await here.forgotten()
                here.edge.close()
                assert (await here.answer())[0] == 200
                assert here.edge.address == f"mongrel2 {here.side.endpoints.recv} {here.side.endpoints.send}"

        run(main())

    def test_aborting_ends_what_waits_behind_an_answer_that_is_not_taken(self, with_place: Run) -> None:
        async def test(here: Place) -> None:
            [thread] = (await here.worker()).threads
            await here.ask(DOWNLOAD_CREDITS="102400")
            await here.ask()
            await thread.take()
            await thread.say_it_all(whole(bytes(250_000)))
            await until(lambda: sum(map(len, here._take().get("1", []))) == 102_400, "all that it can be sent")
            quiet = [here.edge.quiet]
            here.edge.abort()
            quiet.append(here.edge.quiet)
            assert quiet == [False, True]
            await until(lambda: here._take()["1"][-1] == b"", "the end of the connection")
            assert here.everything.endings() == ["499 left"] * 2
            await here.forgotten()

        with_place(test)

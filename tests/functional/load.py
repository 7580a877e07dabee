"""Load on tests/apps/ledger: clients that send one numbered request after the other, and record what became of each.

The clients share one event loop in a thread of their own, so a test goes on meanwhile: it kills, restarts, counts. They
read answers by themselves, as h11 would cost more than the server under load; what they accept is only what this
application and wsgid may send: framed by Content-Length or in chunks, ended by nothing that was not asked for.
"""

import asyncio
import itertools
import random
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import uvloop

from tests.deadlines import seconds, wait_for

CLIENTS = 32

HANG = 10.0
"""Seconds (before stretching) after which an answer is taken to be never coming."""

BIG = 100 * 1024
"""Bytes of a body that is spooled to a file, and that Mongrel2 hands over as an upload."""

REFUSED = "refused"

PAUSE = 0.01
"""Seconds until a client that nobody listened to tries again: else it would do nothing but that."""

SPREAD = 0.5
"""Of Retry-After: those that were refused together would come back together, else."""

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, before it is sent."""

    method: str
    target: str
    body: bytes = b""


MakeRequest = Callable[[int], Asked]
"""From a request's number to the request."""


def mixed(milliseconds: int = 0) -> MakeRequest:
    """GET and POST in turn: every other GET is answered in parts, one POST of sixteen has a big body."""

    def make(number: int) -> Asked:
        target = f"/{number}?ms={milliseconds}"
        if number % 2 == 0:
            return Asked("GET", f"{target}&parts=3" if number % 4 == 0 else target)
        body = f"body of {number}, ".encode()
        return Asked("POST", target, body * (BIG // len(body)) if number % 32 == 1 else body)

    return make


def same(method: str, query: str) -> MakeRequest:
    """All alike but for their numbers."""
    return lambda number: Asked(method, f"/{number}?{query}")


@dataclass(frozen=True, slots=True)
class Record:
    """What became of one request."""

    number: int
    method: str
    status: int
    """Of the answer, complete or not; 0 when there was none."""
    took: float
    """Seconds."""
    trouble: str = ""
    """Why this is not one complete answer to this very request: ``no answer`` when the connection just ended, ``cut``,
    ``hung``, ``refused`` when it could not be connected, or a sentence."""
    pid: int = 0
    """The worker that answered; 0 when the answer is wsgid's own."""
    attempt: int = 0
    release: str = ""
    retry_after: str = ""


class Malformed(Exception):
    """What came is no answer."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Load:
    """Sends from ``with`` on to its end, or until ``limit`` requests have been sent; then ``records`` is complete."""

    def __init__(
        self,
        address: Address,
        make: MakeRequest,
        *,
        clients: int = CLIENTS,
        limit: int | None = None,
        patient: bool = False,
        apart: float = 0.0,
    ) -> None:
        """``patient``: a client that is refused comes back about when Retry-After tells it to, and not at once.
        ``apart``: seconds from the beginning of one client to that of the next."""
        self.records: list[Record] = []
        """In the order in which they ended."""
        self.surplus: list[bytes] = []
        """What came on a connection after its last answer."""
        self._address = address
        self._make = make
        self._clients = clients
        self._patient = patient
        self._apart = apart
        self._numbers = iter(itertools.count() if limit is None else range(limit))
        self._over = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="load")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Waits for the answers to what has been sent. Raises what a client died of."""
        self._over = True
        self.join()

    def join(self) -> None:
        """Returns when all clients have finished. Raises AssertionError, and what a client died of."""
        self._thread.join(seconds(HANG) * 3)
        assert not self._thread.is_alive(), "the clients do not come to an end"
        if self._failure is not None:
            raise self._failure

    def wait_for(self, more: int) -> None:
        """Returns when so many requests more than now have ended. Raises AssertionError."""
        goal = len(self.records) + more
        wait_for(lambda: len(self.records) >= goal or not self._thread.is_alive(), f"{more} more answers")

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._all())
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits for this one
            self._failure = error

    async def _all(self) -> None:
        clients = [_Client(self._address, self.records, self.surplus, self._patient) for _ in range(self._clients)]
        for each in clients:
            await each.connect()  # before the first one asks: connecting takes its time, which is not the answer's
        async with asyncio.TaskGroup() as group:
            for each in clients:
                group.create_task(each.work(self._next))
                if self._apart:
                    await asyncio.sleep(self._apart)

    def _next(self) -> tuple[int, Asked] | None:
        number = None if self._over else next(self._numbers, None)
        return None if number is None else (number, self._make(number))


class _Client:
    """One kept-alive connection, replaced when it ends."""

    def __init__(self, address: Address, records: list[Record], surplus: list[bytes], patient: bool) -> None:
        self._address = address
        self._records = records
        self._surplus = surplus
        self._patient = patient
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def connect(self) -> None:
        """Raises OSError."""
        self._streams = await asyncio.open_connection(*self._address)

    async def work(self, following: Callable[[], tuple[int, Asked] | None]) -> None:
        while given := following():
            record = await self._request(*given)
            self._records.append(record)
            if self._patient and record.retry_after:
                await self._come_back_after(float(record.retry_after))
        await self._finish()

    async def _come_back_after(self, pause: float) -> None:
        """On another connection: this one may reach the server's keep-alive limit meanwhile."""
        await self._finish()
        await asyncio.sleep(pause * random.uniform(1 - SPREAD, 1 + SPREAD))
        await self.connect()

    async def _request(self, number: int, asked: Asked) -> Record:
        begun = time.monotonic()
        answer, trouble = None, ""
        try:
            async with asyncio.timeout(seconds(HANG)):
                answer = await self._exchange(asked)
        except TimeoutError:
            trouble = "hung"
        except asyncio.IncompleteReadError as error:
            trouble = "cut" if error.partial else "no answer"
        except ConnectionRefusedError:
            trouble = REFUSED
        except ConnectionError:
            trouble = "no answer"
        except Malformed as error:
            trouble = str(error)
        took = time.monotonic() - begun
        if trouble == REFUSED:
            await asyncio.sleep(PAUSE)
        if answer is None or answer.headers.get("connection") == "close":
            await self._finish(quietly=answer is None)
        if answer is None:
            return Record(number, asked.method, 0, took, trouble)
        return _judged(number, asked, answer, took)

    async def _exchange(self, asked: Asked) -> _Answer:
        """Raises IncompleteReadError, ConnectionError, Malformed."""
        if self._streams is None:
            await self.connect()
        assert self._streams is not None
        reader, writer = self._streams
        writer.write(_request_bytes(asked))
        return await _read_answer(reader)

    async def _finish(self, *, quietly: bool = False) -> None:
        """Ends the connection, and looks whether more comes on it than was asked for."""
        if self._streams is None:
            return
        reader, writer = self._streams
        self._streams = None
        with suppress(OSError, TimeoutError):  # it has ended already, or never ends: what came on it is what counts
            if not quietly:
                writer.write_eof()
                async with asyncio.timeout(seconds(HANG)):
                    if rest := await reader.read():
                        self._surplus.append(rest)
            writer.close()
            await writer.wait_closed()


def _request_bytes(asked: Asked) -> bytes:
    length = f"Content-Length: {len(asked.body)}\r\n" if asked.body or asked.method == "POST" else ""
    return f"{asked.method} {asked.target} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n".encode() + asked.body


async def _read_answer(reader: asyncio.StreamReader) -> _Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *fields = head.removesuffix("\r\n\r\n").split("\r\n")
    version, _, rest = line.partition(" ")
    if version != "HTTP/1.1" or not rest[:3].isdecimal():
        raise Malformed(f"not a status line: {line!r}")
    pairs = (field.partition(":") for field in fields)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    try:
        return _Answer(int(rest[:3]), headers, await _read_body(reader, headers))
    except asyncio.IncompleteReadError as error:
        raise asyncio.IncompleteReadError(head.encode() + error.partial, error.expected) from None


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") == "chunked":
        chunks = []
        while size := int(await reader.readuntil(b"\r\n"), 16):
            chunks.append(await _read_chunk(reader, size))
        await _read_chunk(reader, 0)
        return b"".join(chunks)
    if "content-length" not in headers:
        raise Malformed(f"an answer whose end cannot be told: {headers}")
    return await reader.readexactly(int(headers["content-length"]))


async def _read_chunk(reader: asyncio.StreamReader, size: int) -> bytes:
    data = await reader.readexactly(size + 2)
    if not data.endswith(b"\r\n"):
        raise Malformed(f"a chunk that does not end where it should: {data[-20:]!r}")
    return data[:-2]


def _judged(number: int, asked: Asked, answer: _Answer, took: float) -> Record:
    """Does the answer belong to the request?"""
    if answer.status != 200:
        retry_after = answer.headers.get("retry-after", "")
        return Record(number, asked.method, answer.status, took, retry_after=retry_after)
    fields = answer.body.decode("latin-1").split()
    if len(fields) != 6 or [*fields[:2], fields[5]] != [asked.method, str(number), str(zlib.crc32(asked.body))]:
        return Record(number, asked.method, 200, took, f"the answer to another request: {answer.body!r}")
    return Record(number, asked.method, 200, took, "", int(fields[2]), int(fields[3]), fields[4])


def complaints(load: Load) -> list[str]:
    """All that is not one complete answer to one request: empty when nothing is wrong."""
    told = [
        f"{each.method} {each.number}: {each.trouble} after {each.took:.3f} s" for each in load.records if each.trouble
    ]
    told += [f"more than was asked for: {rest[:200]!r}" for rest in load.surplus]
    numbers = {each.number for each in load.records}
    return told if len(numbers) == len(load.records) else [*told, "a request has two records"]


def other_than(status: int, records: Sequence[Record]) -> list[Record]:
    """Those that got another status."""
    return [each for each in records if each.status != status]

"""Bodies that go up and down, each at its pace: many at once, by one process of its own, so that who measures something
beside it does not wait for it.

They go to tests/apps/downloads. The process reads its plan from the standard input and writes what became of it to the
standard output; `Transfers` starts it.
"""

import asyncio
import hashlib
import resource
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import msgspec
import uvloop

from tests.apps.downloads.app.wsgi import PART, part
from tests.deadlines import seconds, wait_for
from tests.functional.client_process import ClientProcess
from tests.functional.load import Address

SILENCE = 60.0
"""Seconds (before stretching) without a byte after which an answer is taken to be never coming."""

RECEIVE_BUFFER = 64 * 1024
"""Bytes that the kernel keeps for a client with a rate: what it has not asked for yet is to stay with the server."""

SEGMENT = 1460
"""Bytes of a TCP segment to such a client, as on Ethernet. By those of the loopback interface, of 64 KiB, the kernel
sizes its buffers, and then keeps 4 MiB of an answer before the server notices that its client is slow."""

STEPS = 2
"""A second, at least, in which a client with a rate sends or reads something."""

TOLD = 64
"""Bytes of an answer that are kept: as many as the digest of an upload."""

STATUS = slice(9, 12)
"""Where an answer's head has it."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """One request, and its pace: that of its body if it has one, else that of the answer's."""

    target: str
    size: int
    """Bytes of that body."""
    upload: bool = False
    first: int = 0
    """Number of the body's first part."""
    rate: float = 0.0
    """Bytes a second; 0: as fast as it goes."""
    halt: float = 0.0
    """Seconds for which nothing is sent, or read, in the middle."""
    trickled: bool = False
    """All of the request is sent byte by byte, its head too."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of one."""

    status: int
    """0 when there was no answer."""
    beginning: str
    """Of the answer's body."""
    digest: str
    """SHA-256 of the answer's body."""
    took: float
    """Seconds."""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    address: Address
    transfers: list[Transfer]
    apart: float
    """Seconds from the beginning of one to that of the next."""


def upload(size: int, *, first: int = 0, rate: float = 0.0) -> Transfer:
    return Transfer("/digest", size, upload=True, first=first, rate=rate)


def trickled(size: int, rate: float) -> Transfer:
    return Transfer("/digest", size, upload=True, rate=rate, trickled=True)


def generated(count: int, *, first: int = 0, rate: float = 0.0, halt: float = 0.0) -> Transfer:
    """So many parts, one after the other."""
    return Transfer(f"/parts?n={count}&first={first}", count * PART, first=first, rate=rate, halt=halt)


def file(path: Path, *, rate: float = 0.0, halt: float = 0.0) -> Transfer:
    """Of a file that `write_file` has written."""
    return Transfer(f"/file?path={path}", path.stat().st_size, rate=rate, halt=halt)


def write_file(path: Path, size: int) -> None:
    with path.open("wb") as made:
        made.writelines(pieces(0, size, PART))


@lru_cache
def digest_of(first: int, size: int) -> str:
    digest = hashlib.sha256()
    for piece in pieces(first, size, PART):
        digest.update(piece)
    return digest.hexdigest()


def pieces(first: int, size: int, most: int) -> Iterator[bytes]:
    """The body of so many bytes that begins with this part, in pieces of at most ``most`` bytes."""
    for start in range(0, size, PART):
        data = part(first + start // PART)[: size - start]
        yield from (data[at : at + most] for at in range(0, len(data), most))


class Transfers(ClientProcess):
    """Goes on from ``with`` to its end, or until all have ended."""

    def __init__(self, address: Address, transfers: Sequence[Transfer], *, apart: float = 0.0) -> None:
        super().__init__("tests.functional.transfers", msgspec.json.encode(Plan(address, list(transfers), apart)))
        self._transfers = transfers

    def ended(self, limit: float) -> list[Ended]:
        """What became of each, in the order of the plan, once all have ended. Raises AssertionError when they have not
        within ``limit`` seconds (before stretching)."""
        wait_for(lambda: self.over, "all bodies to be transferred", limit)
        return msgspec.json.decode(self.output(), type=list[Ended])

    def complaints(self, limit: float) -> list[str]:
        """All that is not one whole body and its answer: empty when nothing is wrong. Raises AssertionError."""
        judged = zip(self._transfers, self.ended(limit), strict=True)
        return [
            f"{each.target}, from part {each.first} on: {wrong}" for each, end in judged if (wrong := _wrong(each, end))
        ]


def _wrong(transfer: Transfer, ended: Ended) -> str:
    if ended.trouble or ended.status != 200:
        return ended.trouble or f"got {ended.status} {ended.beginning!r}"
    wanted = digest_of(transfer.first, transfer.size)
    if (ended.beginning if transfer.upload else ended.digest) != wanted:
        return f"the digest of what came is not {wanted}: {ended}"
    return ""


# In the process


async def _carry_out(plan: Plan) -> list[Ended]:
    tasks = []
    for each in plan.transfers:
        tasks.append(asyncio.create_task(_ended(plan.address, each)))
        await asyncio.sleep(plan.apart)
    return await asyncio.gather(*tasks)


async def _ended(address: Address, transfer: Transfer) -> Ended:
    begun = time.monotonic()
    try:
        status, beginning, digest = await _exchange(address, transfer)
    except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError) as error:
        return Ended(0, "", "", time.monotonic() - begun, f"{type(error).__name__}: {error}")
    return Ended(status, beginning, digest, time.monotonic() - begun)


async def _exchange(address: Address, transfer: Transfer) -> tuple[int, str, str]:
    """The answer's status, the beginning of its body, and the digest of it. Raises OSError, IncompleteReadError,
    TimeoutError, ValueError."""
    reader, writer = await asyncio.open_connection(sock=await _connected(address, transfer))
    with closing(writer):
        # Without chunks: what follows the head, up to the end of the connection, is the body.
        length = f"Content-Length: {transfer.size}\r\n" if transfer.upload else ""
        method = "POST" if transfer.upload else "GET"
        head = f"{method} {transfer.target} HTTP/1.0\r\nHost: localhost\r\n{length}\r\n".encode()
        if transfer.trickled:
            await _trickle(writer, head, transfer.rate)
        else:
            writer.write(head)
        pace = _Pace(transfer)
        if transfer.upload:
            for piece in pieces(transfer.first, transfer.size, pace.step):
                writer.write(piece)
                await writer.drain()
                await pace.after(len(piece))
        async with asyncio.timeout(seconds(SILENCE)):
            head = await reader.readuntil(b"\r\n\r\n")
        return int(head[STATUS]), *await _read(reader, _Pace() if transfer.upload else pace)


async def _trickle(writer: asyncio.StreamWriter, data: bytes, rate: float) -> None:
    for at in range(len(data)):
        writer.write(data[at : at + 1])
        await asyncio.sleep(1 / rate)


async def _read(reader: asyncio.StreamReader, pace: "_Pace") -> tuple[str, str]:
    digest, beginning = hashlib.sha256(), b""
    while True:
        async with asyncio.timeout(seconds(SILENCE)):
            data = await reader.read(pace.step)
        if not data:
            return beginning.decode("latin-1"), digest.hexdigest()
        beginning = (beginning + data[:TOLD])[:TOLD]
        digest.update(data)
        await pace.after(len(data))


async def _connected(address: Address, transfer: Transfer) -> socket.socket:
    """Raises OSError."""
    made = socket.socket()
    made.setblocking(False)
    if transfer.rate:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
    try:
        await asyncio.get_running_loop().sock_connect(made, address)
    except OSError:
        made.close()
        raise
    return made


class _Pace:
    """Waits where a client would be too fast, or halts."""

    def __init__(self, transfer: Transfer | None = None) -> None:
        self._rate = transfer.rate if transfer else 0.0
        self._halt = transfer.halt if transfer else 0.0
        self._middle = transfer.size // 2 if transfer else 0
        self._done = 0
        self._begun = time.monotonic()
        self.step = _step(transfer)
        """Bytes at a time."""

    async def after(self, count: int) -> None:
        self._done += count
        if self._halt and self._done >= self._middle:
            halt, self._halt = self._halt, 0.0
            self._begun += halt
            await asyncio.sleep(halt)
        ahead = self._done / self._rate - (time.monotonic() - self._begun) if self._rate else 0.0
        if ahead > 0:
            await asyncio.sleep(ahead)


def _step(transfer: Transfer | None) -> int:
    if transfer is None or not transfer.rate:
        return PART
    return 1 if transfer.trickled else min(PART, max(1, int(transfer.rate / STEPS)))


def main() -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.stdout.buffer.write(msgspec.json.encode(runner.run(_carry_out(plan))))


if __name__ == "__main__":
    main()

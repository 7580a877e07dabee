"""Uploads in a closed loop: each of so many clients sends its next body when it has the answer to the last one."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.functional.clients import Connection, Cut
from tests.functional.load import Address

from bench.contender import NotMeasured


@dataclass(frozen=True)
class Upload:
    body: bytes
    """The same for all, and sent from where it lies: who measures has little to do."""
    answer: bytes
    """Of which the server's body has to consist."""


@dataclass(frozen=True)
class Uploaded:
    requests: int
    seconds: float
    """From the beginning of the first to the end of the last, so all are whole."""


def upload(address: Address, upload: Upload, clients: int, seconds: float) -> Uploaded:
    """Nobody begins another one after so many seconds. Raises NotMeasured."""
    begun = time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        counts = pool.map(lambda _: _one_after_the_other(address, upload, begun + seconds), range(clients))
    return Uploaded(sum(counts), time.monotonic() - begun)


def _one_after_the_other(address: Address, upload: Upload, end: float) -> int:
    count = 0
    while not count or time.monotonic() < end:
        _send(address, upload)
        count += 1
    return count


def _send(address: Address, upload: Upload) -> None:
    """On a connection of its own: not every server keeps one."""
    head = f"POST / HTTP/1.1\r\nHost: bench.example\r\nContent-Length: {len(upload.body)}\r\n\r\n"
    try:
        with Connection(address) as connection:
            connection.send(head.encode())
            connection.send(upload.body)
            answer = connection.answer("POST")
    except (OSError, Cut) as error:
        raise NotMeasured(f"an upload of {len(upload.body)} bytes: {error!r}") from error
    if (answer.status, answer.body) != (200, upload.answer):
        raise NotMeasured(f"an upload of {len(upload.body)} bytes is answered {answer.status} {answer.body[:200]!r}")

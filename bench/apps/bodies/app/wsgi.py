"""Bodies up and down: ``GET /1048576`` is answered with so many bytes, a POST with its body's length and CRC-32.

The checksum is the one that costs next to nothing: it is the servers that are measured.
"""

import random
import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any
from wsgiref.types import StartResponse

PART = random.Random(0).randbytes(64 * 1024)
"""Every body is a row of these, the last one cut off."""

AT_ONCE = 1024 * 1024
"""Bytes that are made as one; a larger answer is made part by part."""


@lru_cache
def whole(size: int) -> bytes:
    return (PART * (size // len(PART) + 1))[:size]


def parts(size: int) -> Iterator[bytes]:
    full, rest = divmod(size, len(PART))
    for _ in range(full):
        yield PART
    yield PART[:rest]


def told(pieces: Iterable[bytes]) -> bytes:
    """What an upload is answered with."""
    length = checksum = 0
    for piece in pieces:
        length += len(piece)
        checksum = zlib.crc32(piece, checksum)
    return f"{length} {checksum}\n".encode()


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    answer: Iterable[bytes]
    if environ["REQUEST_METHOD"] == "POST":
        read = environ["wsgi.input"].read
        answer = [body := told(iter(lambda: read(len(PART)), b""))]
        size = len(body)
    else:
        size = int(environ["PATH_INFO"].lstrip("/") or "0")
        answer = [whole(size)] if size <= AT_ONCE else parts(size)
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(size))])
    return answer

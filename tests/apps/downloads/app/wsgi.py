"""Large bodies whose bytes can be told: each is a row of parts, and part n is the number n and a piece of noise.

``/parts?n=...`` gives so many parts, from part ``first`` (0) on, ``/file?path=...`` a file by ``wsgi.file_wrapper``,
anything else one line. A POST is told the SHA-256 of its body. With ``ledger=<path>`` the file there gets a byte for
each part that has been given.
"""

import hashlib
import random
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO
from urllib.parse import parse_qs
from wsgiref.types import StartResponse

PART = 64 * 1024
"""Bytes."""

NUMBER = 8
"""Bytes of a part that are its number."""

SHIFTS = 4093
"""Pieces of noise that differ: each begins a byte behind the one before. Random bytes for each part would take longer
than everything that is done with them."""

NOISE = random.Random(0).randbytes(PART + SHIFTS)


def part(number: int) -> bytes:
    start = number % SHIFTS
    return number.to_bytes(NUMBER) + NOISE[start : start + PART - NUMBER]


def parts(first: int, count: int, ledger: str) -> Iterator[bytes]:
    with open(ledger or "/dev/null", "ab", buffering=0) as given:
        for number in range(first, first + count):
            yield part(number)
            given.write(b".")


def digest(body: BinaryIO) -> str:
    made = hashlib.sha256()
    while piece := body.read(PART):
        made.update(piece)
    return made.hexdigest()


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    query = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
    told = digest(environ["wsgi.input"]).encode() if environ["REQUEST_METHOD"] == "POST" else b"quick\n"
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    if environ["PATH_INFO"] == "/parts":
        return parts(int(query.get("first", "0")), int(query["n"]), query.get("ledger", ""))
    if environ["PATH_INFO"] == "/file":
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](open(query["path"], "rb"))  # noqa: SIM115 (its close() closes it)
        return wrapped
    return [told]

"""Large answers whose bytes can be told: part n is what `random` makes of the seed n.

``/parts?n=...`` gives so many parts, ``/file?path=...`` a file by ``wsgi.file_wrapper``, anything else one line. With
``ledger=<path>`` the file there gets a byte for each part that has been given.
"""

import random
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse

PART = 64 * 1024
"""Bytes."""


def part(number: int) -> bytes:
    return random.Random(number).randbytes(PART)


def parts(count: int, ledger: str) -> Iterator[bytes]:
    with open(ledger or "/dev/null", "ab", buffering=0) as given:
        for number in range(count):
            yield part(number)
            given.write(b".")


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    query = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    if environ["PATH_INFO"] == "/parts":
        return parts(int(query["n"]), query.get("ledger", ""))
    if environ["PATH_INFO"] == "/file":
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](open(query["path"], "rb"))  # noqa: SIM115 (its close() closes it)
        return wrapped
    return [b"quick\n"]

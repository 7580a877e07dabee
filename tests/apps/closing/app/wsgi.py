"""Answers that end in every way there is. Each notes the calls of its close() in the file CLOSINGS, one line a call.

``/<way>``: see WAYS. ``/`` has an answer without close().
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from wsgiref.types import StartResponse, WSGIEnvironment

PART = b"part\n"


class Body:
    def __init__(self, way: str, parts: Iterable[bytes]) -> None:
        self._way = way
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._parts)

    def close(self) -> None:
        # One write in append mode: lines of several processes do not mix.
        with open(os.environ["CLOSINGS"], "ab", buffering=0) as closings:
            closings.write(f"{self._way}\n".encode())
        if self._way == "close-fails":
            raise RuntimeError("close() failed on request")


class WholeBody(list[bytes]):
    """A list, whose length says that nothing is left to do, but for its close()."""

    def __init__(self, way: str, parts: Iterable[bytes]) -> None:
        super().__init__(parts)
        self.close = Body(way, ()).close


def _fails_at_once() -> Iterator[bytes]:
    yield from []
    raise RuntimeError("failed on request, before the first part")


def _fails_later() -> Iterator[bytes]:
    yield PART
    raise RuntimeError("failed on request, after the first part")


def _exits() -> Iterator[bytes]:
    yield PART
    sys.exit(3)


def _endless() -> Iterator[bytes]:
    while True:
        yield PART * 10_000


def _not_bytes() -> Iterator[bytes]:
    yield "text"  # type: ignore[misc]


WAYS: dict[str, Callable[[], Iterable[bytes]]] = {
    "parts": lambda: iter([PART, PART]),
    "list": lambda: [PART, PART],
    "nothing": lambda: iter([]),
    "too-long": lambda: iter([PART, PART, PART]),
    "too-short": lambda: iter([PART]),
    "not-bytes": _not_bytes,
    "fails-at-once": _fails_at_once,
    "fails-later": _fails_later,
    "exits": _exits,
    "close-fails": lambda: iter([PART, PART]),
    "never-starts": lambda: iter([PART]),
    "endless": _endless,
}


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    way = environ["PATH_INFO"].removeprefix("/")
    if not way:
        start_response("204 No Content", [])
        return []
    if way != "never-starts":
        length = [("Content-Length", str(2 * len(PART)))] if way in ("too-long", "too-short") else []
        start_response("200 OK", [("Content-Type", "text/plain"), *length])
    parts = WAYS[way]()
    return WholeBody(way, parts) if way == "list" else Body(way, parts)

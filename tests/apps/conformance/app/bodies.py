"""Iterables of every kind (PEP 3333, "The Application/Framework Side" and "Handling the Content-Length Header")."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from given import TEXT, given, note, pass_gate

PIECE = 100_000
"""Bytes: three of them are more than one frame of the channel carries."""


class Body:
    """Notes each call of its close()."""

    def __init__(self, parts: Iterable[Any]) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[Any]:
        return iter(self._parts)

    def close(self) -> None:
        note("closed")


def start(environ: WSGIEnvironment, start_response: StartResponse) -> None:
    """With ``status`` and ``headers``."""
    start_response(given(environ, "status", "200 OK"), given(environ, "headers", [TEXT]))


def yields(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Each of ``parts``, and notes that it was closed."""
    start(environ, start_response)
    return Body(given(environ, "parts", [b"part"]))


# Other iterables


def generator(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    """Its ``finally`` is what its close() does."""
    start(environ, start_response)
    try:
        yield from given(environ, "parts", [b"part"])
    finally:
        note("closed")


def by_index(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The old protocol of iteration: no ``__iter__``."""

    class Body:
        def __getitem__(self, index: int) -> bytes:
            return [b"by ", b"index"][index]

    start(environ, start_response)
    return Body()  # type: ignore[return-value]  # iter() takes it all the same


def large(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start(environ, start_response)
    return [b"l" * PIECE] * 3


def waits_for_a_gate(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start(environ, start_response)
    return Body(_parts_around_a_gate(given(environ, "gate", "")))


def _parts_around_a_gate(gate: str) -> Iterator[bytes]:
    yield b"first"
    pass_gate(gate)
    yield b", second"


def waits_for_the_end(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Gives its second part when it has been told that the client sends no more, or has left."""
    start(environ, start_response)
    return Body(_parts_around_the_end(environ["wsgid.client_gone"]))


def _parts_around_the_end(client_gone: Callable[[], bool]) -> Iterator[bytes]:
    yield b"first"
    while not client_gone():
        time.sleep(0.005)
    yield b", second"


# Parts that are not bytes, and cannot be written down in a query


def gives_a_bytearray(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[Any]:
    start(environ, start_response)
    return [bytearray(b"body")]


def gives_a_memoryview(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[Any]:
    start(environ, start_response)
    return [memoryview(b"body")]


# Failures


def fails(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    raise RuntimeError("raised on request")


def exits(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    sys.exit("left on request")


def started_and_fails(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start(environ, start_response)
    raise RuntimeError("raised on request")


def fails_behind(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Behind ``parts``."""
    start(environ, start_response)
    return Body(_failing(given(environ, "parts", [b"part"])))


def _failing(parts: Iterable[bytes]) -> Iterator[bytes]:
    yield from parts
    raise RuntimeError("raised on request")


def exits_behind(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start(environ, start_response)
    return Body(_exiting())


def _exiting() -> Iterator[bytes]:
    yield b"part"
    sys.exit("left on request")


def cannot_be_iterated(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Its ``__iter__`` fails, and it is closed all the same."""

    class Unwilling(Body):
        def __iter__(self) -> Iterator[bytes]:
            raise RuntimeError("raised on request")

    start(environ, start_response)
    return Unwilling([])


def closes_unstarted(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return Body([b"body"])


def cannot_be_closed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    class Stuck(Body):
        def close(self) -> None:
            super().close()
            raise RuntimeError("raised on request")

    start(environ, start_response)
    return Stuck(given(environ, "parts", [b"part"]))


def surplus(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Parts without end, behind a Content-Length of 4."""

    def parts() -> Iterator[bytes]:
        while True:
            note("asked")
            yield b"part"

    start_response("200 OK", [TEXT, ("Content-Length", "4")])
    return Body(parts())


JUDGED: dict[str, WSGIApplication] = {
    "generator": generator,
    "waits-for-a-gate": waits_for_a_gate,
    "waits-for-the-end": waits_for_the_end,
}

UNJUDGED: dict[str, WSGIApplication] = {
    "yields": yields,
    "large": large,
    "by-index": by_index,
    "gives-a-bytearray": gives_a_bytearray,
    "gives-a-memoryview": gives_a_memoryview,
    "fails": fails,
    "exits": exits,
    "started-and-fails": started_and_fails,
    "fails-behind": fails_behind,
    "exits-behind": exits_behind,
    "cannot-be-iterated": cannot_be_iterated,
    "closes-unstarted": closes_unstarted,
    "cannot-be-closed": cannot_be_closed,
    "surplus": surplus,
}

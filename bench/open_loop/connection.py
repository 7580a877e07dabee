"""One connection to a server: asks, and has its answer read by httptools."""

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

import httptools

from bench.open_loop.outcome import Fate, fate_of


class Asking(Protocol):
    """A request that waits for its answer."""

    @property
    def data(self) -> bytes: ...

    @property
    def beginning(self) -> bytes:
        """Of the body of a right answer."""
        ...

    def end(self, fate: Fate) -> None: ...


class Connection(asyncio.Protocol):
    def __init__(self, idle: Callable[["Connection"], None], ended: Callable[["Connection"], None]) -> None:
        """``idle`` is called after an answer, when another request may be sent; ``ended`` when none will ever be."""
        self._idle = idle
        self._ended = ended
        self._asking: Asking | None = None
        self._served = False
        """Has it given an answer before?"""
        self._begun = False
        """Has a byte of this answer come?"""
        self._body = bytearray()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.WriteTransport

    def ask(self, asking: Asking) -> None:
        self._asking, self._begun = asking, False
        self._transport.write(asking.data)

    def leave(self) -> None:
        """The client has no patience left."""
        self._asking = None
        self._transport.abort()

    def close(self) -> None:
        self._transport.close()

    # asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's are not derived from it

    def data_received(self, data: bytes) -> None:
        self._begun = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._over(Fate.WRONG)
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._ended(self)
        self._over(Fate.STALE if self._served and not self._begun else Fate.CUT)

    # httptools

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        body, self._body = self._body, bytearray()
        asking, keeps = self._asking, self._parser.should_keep_alive()
        if asking is None or not keeps:
            self._transport.close()
        if asking is None:  # more than was asked for
            return
        self._served = True
        self._over(fate_of(self._parser.get_status_code(), bytes(body), asking.beginning))
        if keeps:
            self._idle(self)

    def _over(self, fate: Fate) -> None:
        asking, self._asking = self._asking, None
        if asking is not None:
            asking.end(fate)

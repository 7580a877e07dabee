"""The HTTP edge: listeners, and the watch over time limits. The connections are in `http_connection`."""

import asyncio
import logging
import socket

from wsgid.channel.counts import EdgeCounts
from wsgid.dispatcher import descriptors
from wsgid.dispatcher.dispatch import Dispatch
from wsgid.dispatcher.edges.http_connection import LINGER, HttpConnection, HttpTimes
from wsgid.dispatcher.listening import address, serve
from wsgid.protocol import http_answer
from wsgid.protocol.forwarded import FrontEnds
from wsgid.protocol.limits import HttpLimits

log = logging.getLogger("wsgid.dispatcher")

WATCH_INTERVAL = 0.5
"""Seconds between looks at the time limits: one sweep over all connections instead of a timer for each request."""

MOST_TURNED_AWAY = 64
"""Clients that are being told so at the same time; more than these hear nothing, their connections are just ended."""

TELL_INTERVAL = 60.0
"""Seconds, at least, between two warnings that there are too many connections."""


class HttpEdge:
    """Serves HTTP/1.0 and 1.1 on listening sockets that were opened before us."""

    def __init__(
        self,
        dispatch: Dispatch,
        limits: HttpLimits,
        times: HttpTimes,
        loop: asyncio.AbstractEventLoop,
        server: str,
        front_ends: FrontEnds,
        script_name: str = "",
    ) -> None:
        self.dispatch = dispatch
        self.limits = limits
        self.times = times
        self.loop = loop
        self.server = server
        self.front_ends = front_ends
        self.script_name = script_name
        self.connections: set[HttpConnection] = set()
        self.max_connections = descriptors.connections()
        self._turned_away: set[TurnedAway] = set()
        self._tell_again = 0.0
        """When the next warning about too many connections may come."""
        self.accepted = 0
        """Connections that were let in."""
        self._not_let_in = 0
        self._servers: list[asyncio.Server] = []
        self._watch = loop.call_later(WATCH_INTERVAL, self._look)

    async def listen(self, listener: socket.socket, backlog: int) -> str:
        """Serves this socket; returns its address for people."""
        self._servers.append(await serve(self.loop, listener, backlog, lambda: HttpConnection(self)))
        return address(listener)

    def turn_away(self, transport: asyncio.Transport) -> None:
        """Answers a client that is one too many, whatever it asks for, and ends the connection."""
        self._not_let_in += 1
        now = self.loop.time()
        if now >= self._tell_again:
            self._tell_again = now + TELL_INTERVAL
            log.warning(
                "there are %d HTTP connections, as many as may be; more clients are answered 503. The limit follows "
                "from that of open files (%d are kept for other uses, half of the rest for bodies in files), up to %d: "
                "raise it with ulimit -n, or with LimitNOFILE of a systemd unit",
                self.max_connections,
                descriptors.RESERVED,
                descriptors.MOST_CONNECTIONS,
            )
        if len(self._turned_away) < MOST_TURNED_AWAY:
            TurnedAway(transport, self._full(), self._turned_away, self.loop)
        else:
            transport.abort()

    def _full(self) -> bytes:
        head, body = http_answer.refusal(503, "too many connections")
        opening = http_answer.opening(
            head,
            method="GET",
            version="HTTP/1.1",
            keep_alive=False,
            body_length=len(body),
            date=self.dispatch.clock.date(),
            server=self.server,
            request_id="",  # no request has been read, and no log has one
        )
        return opening.head + body

    def _look(self) -> None:
        now = self.loop.time()
        for connection in list(self.connections):
            connection.look(now)
        self._watch = self.loop.call_later(WATCH_INTERVAL, self._look)

    def drain(self) -> None:
        """No new connections; idle ones end now, the others with their last answer."""
        for server in self._servers:
            server.close()
        for connection in list(self.connections):
            connection.drain()

    @property
    def quiet(self) -> bool:
        """No connection has a request on its way in, or an answer on its way out."""
        return not self.connections

    def counts(self) -> EdgeCounts:
        return EdgeCounts("http", len(self.connections), self.accepted, self._not_let_in)

    def abort(self) -> None:
        """Cuts off whoever has not taken its answer, or is still sending."""
        for connection in list(self.connections):
            connection.abort()
        for one_too_many in list(self._turned_away):
            one_too_many.abort()

    def close(self) -> None:
        self._watch.cancel()
        self.abort()


class TurnedAway(asyncio.Protocol):
    """A connection whose answer was ready before its request. What the client sends is read and forgotten for a while,
    as closing with unread bytes would take the answer from it (RFC 9112 section 9.6)."""

    def __init__(
        self, transport: asyncio.Transport, answer: bytes, others: "set[TurnedAway]", loop: asyncio.AbstractEventLoop
    ) -> None:
        self._others = others
        others.add(self)
        self.abort = transport.abort
        self._over = loop.call_later(LINGER, transport.abort)
        transport.set_protocol(self)
        transport.write(answer)
        transport.write_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        self._over.cancel()
        self._others.discard(self)

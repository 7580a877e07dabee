"""One client of Mongrel2, while something of it is in progress."""

import asyncio
import logging
import os
from typing import TYPE_CHECKING

from wsgid.dispatcher.edges.client import ClientConnection
from wsgid.dispatcher.exchange import Exchange
from wsgid.protocol import mongrel2_replies, mongrel2_uploads
from wsgid.protocol.http_request import Refused
from wsgid.protocol.mongrel2_parts import PartJoiner

if TYPE_CHECKING:
    from wsgid.dispatcher.edges.mongrel2 import Mongrel2Edge

log = logging.getLogger("wsgid.dispatcher")


HOLD_TIME = 0.005
"""Seconds. 200 messages a second leave Mongrel2's writer all the time it needs (0.2 ms between two were enough when
measured), and nobody who pipelines sees the difference."""

HELD_LIMIT = 256 * 1024
"""Bytes of answers that are joined."""


class Mongrel2Connection(ClientConnection):
    """Its bytes go out as few messages (see `PartJoiner`), the end of the connection as a message without any."""

    __slots__ = (
        "_closed",
        "_edge",
        "_generation",
        "_held",
        "_held_timer",
        "_joiner",
        "_timer",
        "client_id",
        "server_id",
    )

    def __init__(self, edge: "Mongrel2Edge", server_id: str, client_id: str) -> None:
        super().__init__(edge.dispatch, edge.server)
        # Per connection
        self.server_id = server_id
        self.client_id = client_id
        self._edge = edge
        self._generation = edge.link.generation
        self._closed = False
        self._held = bytearray()
        """Answers to pipelined requests, until the next one joins them."""
        self._held_timer: asyncio.TimerHandle | None = None
        # Per answer
        self._joiner: PartJoiner | None = None
        """Of an answer that comes in parts."""
        self._timer: asyncio.TimerHandle | None = None

    @property
    def in_progress(self) -> bool:
        return self.current is not None or bool(self.waiting)

    def left(self) -> None:
        """The client is gone, or the Mongrel2 it spoke to."""
        self._closed = True
        self._forget_timer()
        self._held.clear()
        self.all_left()
        self._edge.dispatch.check_quiet()

    # Requests (see `ClientConnection`).

    def _may_go_on(self) -> bool:
        return not self._closed and not self.choked

    def _turns_done(self) -> None:
        self._edge.forget(self)

    def _submit_with_file(self, exchange: Exchange) -> None:
        """The length of a chunked upload is known only now."""
        try:
            size = os.fstat(exchange.body_fd).st_size
            exchange.request = mongrel2_uploads.with_file(exchange.request, size)
        except ValueError as error:
            log.error("request %s: %s", exchange.request.id, error)
            exchange.fail(500, "the body of the request is not whole")
            return
        try:
            self._edge.check_size(exchange.request)
        except Refused as refused:
            exchange.fail(refused.code, refused.why)
        else:
            super()._submit_with_file(exchange)

    def spool_has_room(self) -> None:
        """The body came in one message: there is nobody to slow down."""

    def spool_failed(self, error: OSError) -> None:
        """Said when it is the request's turn."""

    # Answers.

    @property
    def choked(self) -> bool:
        return self._edge.link.choked

    def room(self) -> None:
        """Mongrel2 takes messages again."""
        if self.current is None:
            self.go_on()
        elif self.current.slot is not None:
            self.current.slot.resume()

    def _write(self, data: bytes) -> None:
        if self._joiner is None:
            self._joiner = PartJoiner()
        if message := self._joiner.add(data):
            self._forget_timer()  # it was for what goes out now
            self._send(message)
        elif self._timer is None:
            self._timer = self._edge.loop.call_later(self._joiner.delay, self._due, self._joiner)
        if self._joiner.overdrawn:
            self._edge.overdrawn()

    def _due(self, joiner: PartJoiner) -> None:
        self._timer = None
        self._send(joiner.take())

    def _write_last(self, data: bytes, keep_alive: bool) -> None:
        message = data
        if self._joiner is not None:
            message = self._joiner.add(data) or self._joiner.take()
            self._forget_timer()
            self._joiner = None
        if keep_alive and self.waiting:
            self._hold(message)
        else:
            self._send(message)
        if not keep_alive:
            self._close()

    def _abort(self) -> None:
        """A close message and not a cancel, which would take away what the client has yet to read of the answer."""
        self._write_last(b"", keep_alive=False)

    def _close(self) -> None:
        self._closed = True
        self._edge.link.send(mongrel2_replies.close(self.server_id, self.client_id), self._generation)
        if self.waiting:
            # They were pipelined behind a request that closes the connection: nobody will read their answers.
            self._edge.loop.call_soon(self.left)

    def _hold(self, data: bytes) -> None:
        """An answer whose successor is already being worked on waits a moment for it: the answers to pipelined
        requests, one message each, would overrun Mongrel2's queue of 16."""
        self._held += data
        if len(self._held) > HELD_LIMIT:
            self._send_held()
        elif self._held_timer is None:
            self._held_timer = self._edge.loop.call_later(HOLD_TIME, self._send_held)

    def _send_held(self) -> None:
        self._send(b"")

    def _send(self, data: bytes) -> None:
        if self._held_timer is not None:
            self._held_timer.cancel()
            self._held_timer = None
        if self._held:
            data = bytes(self._held + data)
            self._held.clear()
        if data:
            message = mongrel2_replies.reply(self.server_id, self.client_id, data)
            self._edge.link.send(message, self._generation)

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

"""One client of Mongrel2, while something of it is in progress."""

import asyncio
import logging
import math
import os
from typing import TYPE_CHECKING

from wsgid.dispatcher.edges.client import WINDOW, WRITE_TIMEOUT, ClientConnection
from wsgid.dispatcher.edges.joined_bytes import ALWAYS
from wsgid.dispatcher.exchange import Exchange
from wsgid.logs import about
from wsgid.protocol import mongrel2_replies, mongrel2_uploads
from wsgid.protocol.http_request import Refused
from wsgid.protocol.mongrel2_credits import DownloadCredits
from wsgid.protocol.mongrel2_parts import PartJoiner

if TYPE_CHECKING:
    from wsgid.dispatcher.edges.mongrel2 import Mongrel2Edge

log = logging.getLogger("wsgid.dispatcher")


HOLD_TIME = 0.005
"""Seconds. 200 messages a second leave Mongrel2's writer all the time it needs (0.2 ms between two were enough when
measured), and nobody who pipelines sees the difference."""

MIN_WRITE_RATE = 300
"""Bytes a second, as Mongrel2's ``limits.min_write_rate`` comes. It tells only of whole messages, so a client has
WRITE_TIMEOUT and the time that the message being written takes at this rate."""

MESSAGE_SIZE = 50 * 1024
"""Bytes of a message, at most, with flow control: half of what may wait, so that Mongrel2 has the next one while it
tells us of the one before, and we hear of a slow client twice as often. (With 16 KiB downloads took twice the time.)"""

HELD_LIMIT = 256 * 1024
"""Bytes of answers that are joined."""


class Mongrel2Connection(ClientConnection):
    """Its bytes go out as few messages (see `PartJoiner`), the end of the connection as a message without any."""

    __slots__ = (
        "_closed",
        "_credits",
        "_edge",
        "_generation",
        "_held",
        "_held_timer",
        "_joiner",
        "_timer",
        "_waits_since",
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
        self._credits = edge.flow.take((server_id, client_id))
        """Bytes that it may be sent now; None without flow control."""
        self._held = bytearray()
        """Answers to pipelined requests, until the next one joins them; with flow control also parts of one."""
        self._held_timer: asyncio.TimerHandle | None = None
        self._waits_since = math.inf
        """When it was first seen that the rest of an answer, or the next request, waits for credits."""
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
        self._forget_joiner()
        self._held.clear()
        self.all_left()
        self._edge.dispatch.check_quiet()

    # Requests (see `ClientConnection`).

    def _may_go_on(self) -> bool:
        return not self._closed and self.window() > 0

    def _turns_done(self) -> None:
        self._edge.forget(self)
        if self._credits is not None and not self._closed and not self._outlived:
            self._edge.flow.rest((self.server_id, self.client_id), self._credits)

    @property
    def _outlived(self) -> bool:
        """Its Mongrel2 is gone: its number, and a balance, are those of another client."""
        return self._generation != self._edge.link.generation

    def _submit_with_file(self, exchange: Exchange) -> None:
        """The length of a chunked upload is known only now."""
        try:
            size = os.fstat(exchange.body_fd).st_size
            exchange.request = mongrel2_uploads.with_file(exchange.request, size)
        except ValueError as error:
            log.error("request %s: %s", exchange.request.id, error, extra=about(exchange.request.id))
            exchange.fail(500, "the body of the request is not whole")
            return
        try:
            self._edge.check_size(exchange.request)
        except Refused as refused:
            request_id = exchange.request.id
            log.debug("request %s is refused: %s", request_id, refused, extra=about(request_id))
            exchange.fail(refused.code, refused.why)
        else:
            super()._submit_with_file(exchange)

    def spool_has_room(self) -> None:
        """The body came in one message: there is nobody to slow down."""

    def spool_failed(self, error: OSError) -> None:
        """Said when it is the request's turn."""

    # Answers.

    def window(self) -> int:
        """With flow control the balance. Without it Mongrel2 does not tell what becomes of its clients: it takes all,
        unless the link to it, or what is joined for all of them, is full."""
        if self._edge.link.choked:
            return 0
        held = self._joiner.size if self._joiner is not None else 0
        if self._credits is None:
            return WINDOW if self._edge.joined.admits(self) else max(0, ALWAYS - held)
        return self._credits.left - len(self._held) - held

    @property
    def uncounted(self) -> bool:
        """Another process spoke to it before us: what waits for it in Mongrel2 is not known."""
        return self._credits is not None and not self._credits.counted and self._edge.flow.on is True

    def credited(self, count: int) -> None:
        """Mongrel2 has written so many bytes."""
        self._waits_since = math.inf
        if self._credits is not None:
            self._credits.returned(count)
            if self._held and self._credits.left == self._credits.size:
                self._send_held()
            self.room()

    def is_stalled(self, now: float) -> bool:
        """Asked once in a while: has the client taken nothing for too long, although something waits for it? Mongrel2's
        reaper would let one that has taken much be silent for hours, and we keep it from ending those on whom we are at
        work."""
        if self._credits is None or not (self.unsent or (self.waiting and self.current is None)):
            self._waits_since = math.inf
            return False
        self._waits_since = min(self._waits_since, now)
        return now - self._waits_since > WRITE_TIMEOUT + self._credits.oldest / MIN_WRITE_RATE

    def no_credits(self) -> None:
        """There is no flow control after all."""
        self._credits = None
        self.room()

    def _write(self, data: bytes) -> None:
        if self._credits is not None and self._edge.flow.on:
            self._write_by_credits(self._joined(data))
            return
        now = self._edge.loop.time()
        joiner = self._joiner = self._joiner or PartJoiner(now)
        self._edge.joined.add(self, len(data))
        if joiner.add(data, now):
            self._send_joined(joiner)
        elif self._timer is None:
            self._timer = self._edge.loop.call_later(joiner.delay, self._due, joiner)
        if joiner.overdrawn:
            self._edge.overdrawn()

    def _write_by_credits(self, data: bytes) -> None:
        """At once, unless something is still on its way: a hundred thousand small parts, one message each and one with
        its credits back, would keep us and Mongrel2 busy for seconds."""
        assert self._credits is not None, "asked only with flow control"
        if self._credits.left == self._credits.size or len(self._held) + len(data) >= MESSAGE_SIZE:
            self._send(data)
        else:
            self._hold(data)

    def _due(self, joiner: PartJoiner) -> None:
        self._timer = None
        self._send_joined(joiner)

    def _send_joined(self, joiner: PartJoiner) -> None:
        self._forget_timer()
        self._edge.joined.remove(self, joiner.size)
        if self._credits is not None or self._held:
            self._send(joiner.take())
        elif message := joiner.take(mongrel2_replies.address(self.server_id, self.client_id)):
            self._edge.link.send(message, self._generation)

    def _joined(self, data: bytes) -> bytes:
        """With what is still held of the answer."""
        if (joiner := self._joiner) is None:
            return data
        self._forget_joiner()
        joiner.add(data, self._edge.loop.time())
        return joiner.take()

    def _forget_joiner(self) -> None:
        if self._joiner is not None:
            self._edge.joined.remove(self, self._joiner.size)
            self._joiner = None
        self._forget_timer()

    def _write_last(self, data: bytes, keep_alive: bool) -> None:
        message = self._joined(data)
        if keep_alive and self.waiting:
            self._hold(message)
        else:
            self._send(message)
        if not keep_alive:
            self._close()

    def _abort(self) -> None:
        """A close message and not a cancel, which would take away what the client has yet to read of the answer."""
        if not self._closed:
            self._write_last(b"", keep_alive=False)

    def cancel(self) -> None:
        """The end of it at once, also of what Mongrel2 has yet to write, and of all that is in progress on it."""
        self._closed = True
        self._edge.link.send(mongrel2_replies.cancel(self.server_id, self.client_id), self._generation)
        self._edge.closed(self)
        self._edge.flow.left((self.server_id, self.client_id))
        if self.current is not None:
            self.current.cut()
        self.left()

    def abort(self) -> None:
        """The end of it, and of all that is in progress on it."""
        self._abort()
        self.left()

    def _close(self) -> None:
        self._closed = True
        self._edge.link.send(mongrel2_replies.close(self.server_id, self.client_id), self._generation)
        self._edge.closed(self)
        if self._credits is not None:
            self._edge.flow.closed((self.server_id, self.client_id), self._credits)
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
        if self._credits is None:
            self._send_message(data)
        elif not self._outlived:
            self._spend(data, self._credits)

    def _spend(self, data: bytes, credits: DownloadCredits) -> None:
        if self._edge.flow.on:
            for start in range(0, len(data), MESSAGE_SIZE):
                credits.spend(min(MESSAGE_SIZE, len(data) - start))
                self._send_message(data[start : start + MESSAGE_SIZE])
        elif data:  # in as few messages as without flow control, which it may be
            credits.spend(len(data))
            self._send_message(data)
            self._edge.flow.answered()

    def _send_message(self, data: bytes) -> None:
        if data:
            message = mongrel2_replies.reply(self.server_id, self.client_id, data)
            self._edge.link.send(message, self._generation)

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

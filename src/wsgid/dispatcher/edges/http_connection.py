"""One HTTP connection: requests in by `RequestReader`, their turns by `ClientConnection`, answers out to the transport.

What is left for here: when to read and when not, how long each thing may take, and how a connection ends.
"""

import asyncio
import logging
import socket
import struct
from typing import TYPE_CHECKING, Final, cast

import msgspec

from wsgid.channel.frames import INLINE_BODY
from wsgid.dispatcher.edges.body_times import BodyTimes
from wsgid.dispatcher.edges.client import (
    BODY_LOST,
    PIPELINE_LIMIT,
    SHORT_WINDOW,
    WINDOW,
    WRITE_TIMEOUT,
    ClientConnection,
    is_judged,
)
from wsgid.dispatcher.edges.http_requests import Requests
from wsgid.dispatcher.edges.incoming_body import IncomingBody
from wsgid.protocol.http_answer import UNTIL_CLOSE
from wsgid.protocol.http_reader import BETWEEN, BODY, HEAD, LAST, REFUSED, Incoming, RequestReader
from wsgid.protocol.http_request import NO_BODY, Refused
from wsgid.protocol.values import Request

if TYPE_CHECKING:
    from wsgid.dispatcher.edges.http import HttpEdge

log = logging.getLogger("wsgid.dispatcher")

FEED_SIZE: Final = 8 * 1024
"""What the parser is fed at once. It cannot be stopped within, so this bounds how many pipelined requests (18 bytes is
the shortest) become objects before we look whether there are too many."""

LINGER: Final = 2.0
"""Seconds for which we go on reading, and forgetting, after a refusal: closing with unread bytes in the socket would
reset the connection, and the client would not see the answer (RFC 9112 section 9.6)."""

WRITE_HIGH_WATER: Final = 32 * 1024
"""Bytes in the transport's buffer at which it gets no more. What lies there up to this is not counted
(`wsgid.dispatcher.storage`): each connection may have as much."""

LINGER_NOT_AT_ALL: Final = struct.pack("ii", 1, 0)
"""A value of SO_LINGER with which closing resets the connection (socket(7))."""

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
NEVER: Final = float("inf")


class HttpTimes(msgspec.Struct, frozen=True):
    """How long a client may take, in seconds."""

    header: float
    """From the first byte of a request, or the connection, to the end of the head."""
    keepalive: float
    """Between requests."""
    body: BodyTimes
    """For a body that is on its way."""


class HttpConnection(ClientConnection, asyncio.Protocol):
    __slots__ = (
        "_body",
        "_choked",
        "_closing",
        "_counted",
        "_deadline",
        "_edge",
        "_eof",
        "_feeding",
        "_reader",
        "_reading",
        "_requests",
        "_times",
        "_transport",
        "_unasked",
        "_unparsed",
        "_unsent",
        "_wants_continue",
        "_write_deadline",
    )

    def __init__(self, edge: "HttpEdge") -> None:
        super().__init__(edge.dispatch, edge.server)
        # Per connection
        self._edge = edge
        self._times = edge.times
        self._reader = RequestReader(edge.limits, edge.script_name, self)
        self._unparsed = b""
        """Received, but not fed: too many requests wait already."""
        self._feeding = False
        self._reading = True
        self._eof = False
        """The client has sent its last byte."""
        self._choked = False
        self._counted = 0
        """Bytes in the transport's buffer when the client choked on them."""
        self._closing = False
        """The last answer has been written; what still comes is forgotten."""
        self._deadline = edge.loop.time() + edge.times.header
        """By the loop's clock. Below 0 it is a time limit that the next `look` begins to count: each request has two of
        them, and asking the clock for each was a hundredth of its price."""
        self._write_deadline = NEVER
        self._unsent = 0
        """Bytes in the transport's buffer when last looked at, while the client chokes on them."""
        # Per request on its way in
        self._body = self._new_body()
        self._unasked: Incoming | None = None
        """Its head, while its body, which is chunked, may become one that goes to a file."""
        self._wants_continue = False

    def _new_body(self) -> IncomingBody:
        return IncomingBody(self._dispatch.disk, self)

    # What the transport says.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=WRITE_HIGH_WATER)
        self._requests = Requests(self._dispatch, self._edge.front_ends, transport)
        if self._dispatch.draining:
            self._transport.close()
        elif len(self._edge.connections) >= self._edge.max_connections:
            # What it asks for is not read, but that it is refused has its line in the access log.
            self._dispatch.open(self._unread_request(), self, keep_alive=False).drop(503)
            self._edge.turn_away(self._transport)
        else:
            self._edge.connections.add(self)
            self._edge.accepted += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._edge.connections.discard(self)
        self._closing = True
        self._unparsed = b""
        self._count_buffered(0)
        self._abandon()
        self.all_left()
        self._dispatch.check_quiet()

    def data_received(self, data: bytes) -> None:
        if self._closing or self._eof or (self._dispatch.draining and not self.receiving):
            return
        if self._unparsed or len(data) > FEED_SIZE or len(self.waiting) >= PIPELINE_LIMIT:
            self._unparsed += data
            self._feed_on()
            self._mind_reading()
        else:
            self._feed(data)
            if self._body.size:
                self._mind_reading()

    def eof_received(self) -> bool:
        """The client will send no more (see `may_have_left`); a request that is not whole is given up."""
        self._abandon()
        self._eof = True
        self._deadline = NEVER
        self.may_have_left()
        if not self._in_progress:
            self._end()
        return self._in_progress

    def _abandon(self) -> None:
        """A request that was not whole never will be; it has its line in the access log all the same."""
        self._body.close()
        if self.receiving and self._reader.target:
            self._dispatch.open(self._unread_request(), self, keep_alive=False).leave()
            self._reader.stop()

    def pause_writing(self) -> None:
        self._choked = True
        self._count_buffered(self._transport.get_write_buffer_size())
        self._watch_writing()

    def resume_writing(self) -> None:
        self._choked = False
        self._count_buffered(0)
        self._write_deadline = NEVER
        self.room()
        if self.current is None:
            self._feed_on()

    def _count_buffered(self, size: int) -> None:
        self._dispatch.storage.memory.count(size - self._counted)
        self._counted = size

    # Reading requests (see `wsgid.protocol.http_reader.Sink`).

    def _feed_on(self) -> None:
        """Feeds what has been received, as long as not too much waits."""
        if self._feeding:
            return
        self._feeding = True
        while self._unparsed and len(self.waiting) < PIPELINE_LIMIT:
            data, self._unparsed = self._unparsed[:FEED_SIZE], self._unparsed[FEED_SIZE:]
            self._feed(data)
        self._feeding = False
        self._mind_reading()

    def _feed(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
        except Refused as refused:
            self._refuse_incoming(refused)

    def _refuse_incoming(self, refused: Refused) -> None:
        self._unparsed = b""
        self._deadline = NEVER
        self._body.close()
        self.refuse(self._unread_request(), refused)

    def _unread_request(self) -> Request:
        """As much as is known of the request that is on its way in."""
        question = self._body.question
        return question.request if question is not None else self._requests.unread(self._reader)

    def request_begins(self) -> None:
        self._deadline = -self._times.header

    def head_read(self, head: Incoming) -> None:
        if head.body.chunked or head.body.length:
            self._wants_continue = head.expects_continue
            if head.body.chunked:
                self._unasked = head
            elif (head.body.length or 0) > INLINE_BODY:
                self._ask(head)
            self._await_client()
            self._send_continue()

    def _ask(self, head: Incoming) -> None:
        """Its body goes to a file."""
        self._unasked = None
        if self._dispatch.filters_uploads:
            self._body.question = self._dispatch.ask(self._requests.begun(head), self._body_judged)

    def _body_judged(self, refused: Refused | None) -> None:
        """The verdict on one that is not whole yet."""
        if refused is None:
            self._send_continue()
        else:
            self._reader.stop()
            self._refuse_incoming(refused)

    @property
    def _client_waits(self) -> bool:
        """For ``100 Continue``, which comes when the body may, and when it would not be taken for the answer to another
        request."""
        return self._wants_continue and (self._in_progress or not is_judged(self._body))

    def _await_client(self) -> None:
        """From now on it has its time for what it is sending."""
        if self._client_waits:
            self._deadline = NEVER
        else:
            times = self._times
            limit = times.header if self._reader.phase is HEAD else times.body.limit
            self._deadline = self._edge.loop.time() + limit

    def _send_continue(self) -> None:
        if self._wants_continue and not self._client_waits:
            self._wants_continue = False
            self._transport.write(CONTINUE)
            self._await_client()

    def body_read(self, part: bytes) -> None:
        self._wants_continue = False
        self._deadline = self._times.body.heard(self._deadline, len(part), self._edge.loop.time())
        self._body.add(part)
        if self._unasked is not None and self._body.in_file:
            self._ask(self._unasked)

    def request_read(self, head: Incoming, keep_alive: bool) -> None:
        self._deadline = NEVER
        if head.body is NO_BODY:
            self.arrive(self._requests.whole(head, None, b""), keep_alive)
            return
        self._wants_continue = False
        self._unasked = None
        body = self._body
        length = body.size if head.body.chunked else head.body.length
        inline, in_file = b"", None
        if body.size:
            self._body = self._new_body()
            if body.in_file:
                in_file = body
            else:
                inline = body.in_memory()
        key = body.question.request.key if body.question is not None else ""
        self.arrive(self._requests.whole(head, length, inline, key), keep_alive, in_file)

    def spool_has_room(self) -> None:
        self._mind_reading()

    def spool_failed(self, error: OSError) -> None:
        """A body that waits for its turn has failed too, then, and says so when it comes."""
        if self._body.error is not None and self.receiving:
            log.error("the body of a request could not be stored: %s", error)
            self._reader.stop()
            self._refuse_incoming(Refused(500, BODY_LOST))

    def _mind_reading(self) -> None:
        """Reads unless too much waits already.

        While nothing is read, neither the end of what a client sends nor a reset is noticed, as both lie behind what
        has not been read: of such a client one request may be served for nobody, until its answer is written. So the
        limits are such that only a flood (more than PIPELINE_LIMIT requests behind the one being served) or a disk
        that is slower than the network meets them, and a body that is on its way in is no request yet.
        """
        reading = not self._unparsed and not self._body.full
        if reading is not self._reading and not self._transport.is_closing():
            self._reading = reading
            if reading:
                self._transport.resume_reading()
                if self.receiving:
                    self._await_client()
            else:
                self._transport.pause_reading()

    # Answers (see `ClientConnection`).

    def window(self) -> int:
        if self._choked:
            return 0
        return WINDOW if self._dispatch.storage.memory.left > WINDOW else SHORT_WINDOW

    @property
    def _in_progress(self) -> bool:
        return self.current is not None or bool(self.waiting)

    def _write(self, data: bytes) -> None:
        self._transport.write(data)

    def _write_last(self, data: bytes, keep_alive: bool) -> None:
        if data:
            self._transport.write(data)
        if not keep_alive:
            self._end()

    def _abort(self) -> None:
        incomplete = self._opening is not None and self._opening.framing is UNTIL_CLOSE
        if incomplete or self._transport.get_write_buffer_size():
            # The end of the connection could pass for the end of the answer, a reset does not.
            sock: socket.socket = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT_AT_ALL)
        self._closing = True
        self._unparsed = b""
        self._transport.abort()

    abort = _abort

    def _may_go_on(self) -> bool:
        """A client that does not take its answers gets no further ones computed."""
        return not self._choked and not self._closing

    def _turns_done(self) -> None:
        if self._unparsed:
            self._feed_on()
            if self._in_progress:
                return
        if self._closing:
            return
        phase = self._reader.phase
        if phase is BETWEEN and not (self._eof or self._dispatch.draining):
            self._deadline = -self._times.keepalive
        elif self._eof or phase is LAST or (self._dispatch.draining and not self.receiving):
            self._end()
        else:
            self._send_continue()

    def turn_over(self) -> None:
        ClientConnection.turn_over(self)  # super() costs several times as much (Python 3.11)
        if self._unparsed:
            self._feed_on()

    # Time, and the end.

    @property
    def receiving(self) -> bool:
        """A request is on its way in."""
        return self._reader.phase in (HEAD, BODY) and not self._eof

    def drain(self) -> None:
        if not self._in_progress and not self.receiving and not self._closing:
            self._end()

    def _end(self) -> None:
        """Nothing more will be answered here; what has been written still goes out."""
        self._closing = True
        self._unparsed = b""
        self._watch_writing()
        if self._reader.phase is REFUSED and not self._eof and self._transport.can_write_eof():
            self._deadline = self._edge.loop.time() + LINGER
            self._transport.write_eof()
            self._mind_reading()
        else:
            self._deadline = NEVER
            self._transport.close()

    def _watch_writing(self) -> None:
        self._unsent = self._transport.get_write_buffer_size()
        self._write_deadline = self._edge.loop.time() + WRITE_TIMEOUT

    def look(self, now: float) -> None:
        """The edge comes by every half second."""
        if self._deadline < 0:
            self._deadline = now - self._deadline
        if self._deadline < now and (self._reading or self._closing):  # what we do not read cannot come
            self._expired()
        if self._write_deadline < now:
            if self._transport.get_write_buffer_size() >= self._unsent:
                self._cut_off()
            else:
                self._watch_writing()

    def _cut_off(self) -> None:
        """The client takes nothing. It has not left: it is we who end it, and the access log says so."""
        exchange = self.current
        if exchange is not None:
            exchange.cut()
        if exchange is None or not exchange.ended:  # what is stuck are earlier answers
            self.abort()

    def _expired(self) -> None:
        if self._closing:
            self.abort()
        elif self.receiving:
            part = "head" if self._reader.phase is HEAD else "body"
            self._reader.stop()
            self._refuse_incoming(Refused(408, f"the {part} of the request did not come in time"))
        else:
            self._end()

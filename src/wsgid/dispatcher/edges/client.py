"""A client's connection, whatever it came by: its requests in order, one at a time in the workers' hands.

What the two edges have in common is here: turns, framing of answers, keeping alive or closing. What they have not, how
bytes reach the client and how many it takes, is a property and four methods.
"""

import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Protocol

import msgspec

from wsgid.dispatcher.dispatch import Dispatch
from wsgid.dispatcher.exchange import Exchange
from wsgid.dispatcher.outgoing import Outgoing
from wsgid.dispatcher.question import Question
from wsgid.dispatcher.sent_file import PassedFile, SentFile
from wsgid.logs import about
from wsgid.protocol import http_answer
from wsgid.protocol.http_answer import CHUNKED, LENGTH, NONE, UNTIL_CLOSE, Opening
from wsgid.protocol.http_request import Refused
from wsgid.protocol.values import Request, UnwritableHead, WrittenHead

PIPELINE_LIMIT = 64
"""Requests of one connection that may wait behind the one being served. Browsers pipeline none, tools a few."""

JOIN_LIMIT = 16 * 1024
"""Up to this size head and body are joined to one write: the copy is cheaper than a second call."""

WINDOW = 512 * 1024
"""Bytes that an edge takes at once which has no limit of its own: more than any ANSWER frame of an ordinary size gives,
so that such an answer goes out whole."""

SHORT_WINDOW = 32 * 1024
"""The same while memory is short."""

WRITE_TIMEOUT = 60.0
"""Seconds in which a client that we wait for takes nothing at all; nginx's send_timeout is the same."""

BODY_LOST = "the body of the request could not be stored"

log = logging.getLogger("wsgid.dispatcher")


class PendingBody(Protocol):
    """A body in a file that is still being written, or not opened yet."""

    question: Question | None
    """Whether it may be that large, if that was asked. Closed with it."""

    @property
    def error(self) -> OSError | None:
        """Why it will never be whole."""

    def finish(self, finished: Callable[[int | OSError], None]) -> None:
        """Calls back once the body is whole, with a descriptor, which is the callee's, or with what went wrong."""

    def explain(self, error: OSError) -> str:
        """What went wrong and what can be done, for the log."""

    def close(self) -> None:
        """Nobody wants it any more."""


def is_judged(body: PendingBody) -> bool:
    return body.question is None or body.question.ended


class ClientConnection(ABC):
    """See `wsgid.dispatcher.exchange.Client`, which this is for each of its exchanges in turn.

    What the edge does not take at once is kept (`wsgid.dispatcher.outgoing`), so that no worker waits for a client.
    """

    __slots__ = (
        "_bodies",
        "_complete",
        "_deaf",
        "_dispatch",
        "_going_on",
        "_nothing_follows",
        "_opening",
        "_outgoing",
        "_server",
        "current",
        "waiting",
    )

    def __init__(self, dispatch: Dispatch, server: str) -> None:
        self._dispatch = dispatch
        self._server = server
        self.current: Exchange | None = None
        """Whose turn it is."""
        self.waiting: deque[tuple[Exchange, Refused | None]] = deque()
        """Behind it, in order; those with a reason are refused when their turn comes."""
        self._bodies: dict[Exchange, PendingBody] = {}
        """Of requests whose body is in a file, until they are submitted."""
        self._deaf = False
        """A request has been refused: it is the last."""
        self._nothing_follows = False
        """The client has sent its last byte."""
        self._going_on = False
        self._opening: Opening | None = None
        """Of the answer in progress."""
        self._outgoing: Outgoing | None = None
        """What the edge has yet to take of it."""
        self._complete = False
        """That is all there will be of it."""

    # How the edge sends.

    @abstractmethod
    def window(self) -> int:
        """How many bytes the edge takes now. When it has said 0 it calls `room` as soon as it takes more. One that is
        not used up, or is open again at once, needs no such call: see `_keep`."""

    @abstractmethod
    def _write(self, data: bytes) -> None:
        """Bytes of an answer, more of which follow: at least one, and at most `window`."""

    @abstractmethod
    def _write_last(self, data: bytes, keep_alive: bool) -> None:
        """The last bytes of an answer, at most `window` and possibly none; then the next turn, or the end of the
        connection."""

    @abstractmethod
    def _abort(self) -> None:
        """Ends the connection at once, so that the client can tell that the answer is not whole."""

    @abstractmethod
    def _turns_done(self) -> None:
        """Nothing is in progress on this connection any more."""

    # Requests, in order.

    def arrive(self, request: Request, keep_alive: bool, body: PendingBody | None = None) -> None:
        """`body` when it is in a file, which need not be whole before it is this request's turn."""
        exchange = self._dispatch.open(request, self, keep_alive)
        if self._deaf:
            exchange.drop(503)
            if body is not None:
                body.close()
            return
        if body is not None:
            self._bodies[exchange] = body
            if body.question is not None:
                body.question.hand_on(partial(self._judged, exchange, body))
        elif self.current is None and not (self.waiting or self._going_on) and self._may_go_on():
            # As nearly always: nothing is in progress here.
            self.current = exchange
            self._dispatch.submit(exchange)
            return
        self._line_up(exchange, None)

    def refuse(self, request: Request, refused: Refused) -> None:
        """The request is answered by us, in its turn, and the connection ends with it: what comes after it is not
        even kept."""
        if request.body:
            request = msgspec.structs.replace(request, body=b"")
        log.debug("request %s is refused: %s", request.id, refused, extra=about(request.id))
        exchange = self._dispatch.open(request, self, keep_alive=False)
        if self._deaf:
            exchange.drop(refused.code)
            return
        self._deaf = True
        self._line_up(exchange, refused)

    def _line_up(self, exchange: Exchange, refused: Refused | None) -> None:
        self.waiting.append((exchange, refused))
        if self.current is None:
            self.go_on()

    def _begin_turn(self, exchange: Exchange, refused: Refused | None) -> None:
        if refused is not None:
            exchange.refuse(*refused.answer())
        elif self._bodies:
            self._submit_with_body(exchange)
        else:
            self._dispatch.submit(exchange)

    def _submit_with_body(self, exchange: Exchange) -> None:
        """If it is this one that has one."""
        body = self._bodies.get(exchange)
        if body is None:
            self._dispatch.submit(exchange)
        elif not is_judged(body):
            pass  # `_judged` goes on
        elif body.error is not None:
            self._body_ready(exchange, body, body.error)
        else:
            body.finish(lambda opened: self._body_ready(exchange, body, opened))

    def _judged(self, exchange: Exchange, body: PendingBody, refused: Refused | None) -> None:
        """The verdict on a body that has come before it."""
        if refused is not None:
            del self._bodies[exchange]
            body.close()
        if exchange is self.current:
            self._begin_turn(exchange, refused)
        elif refused is not None:
            self.waiting = deque((each, refused if each is exchange else why) for each, why in self.waiting)

    def _body_ready(self, exchange: Exchange, body: PendingBody, opened: int | OSError) -> None:
        self._bodies.pop(exchange, None)
        if isinstance(opened, OSError):
            request_id = exchange.request.id
            log.error("request %s: %s", request_id, body.explain(opened), extra=about(request_id))
            exchange.fail(500, BODY_LOST)
        elif exchange.ended:
            self._dispatch.close_file(opened)
        else:
            exchange.body_fd = opened
            self._dispatch.counters.uploads += 1
            self._submit_with_file(exchange)
            if self._nothing_follows:
                exchange.client_may_have_left()

    def _submit_with_file(self, exchange: Exchange) -> None:
        self._dispatch.submit(exchange)

    def turn_over(self) -> None:
        self.current = None
        self._opening = None
        if self._outgoing is not None:
            self._forget_outgoing()
        self.go_on()

    def go_on(self) -> None:
        """Begins the next turn, if there is one and nothing is in progress."""
        if self._going_on:
            return  # further down this stack: refusals end at once, and a thousand of them are a loop, not a recursion
        if self.waiting:
            self._going_on = True
            while self.current is None and self.waiting and self._may_go_on():
                self.current, refused = self.waiting.popleft()
                self._begin_turn(self.current, refused)
            self._going_on = False
        if self.current is None and not self.waiting:
            self._turns_done()

    def _may_go_on(self) -> bool:
        return True

    def all_left(self) -> None:
        """The client is gone: nobody waits for any of these."""
        waiting = self._take_waiting()
        if self.current is not None:
            self.current.client_left()
        for exchange in waiting:
            exchange.client_left()
        for body in self._bodies.values():
            body.close()
        self._bodies.clear()

    def may_have_left(self) -> None:
        """The client sends no more. It is gone, or has half-closed the connection to say that this was all: TCP shows
        the same until an answer is written to it.

        What finds no worker is dropped unserved, as nginx does it: behind a queue nearly all of these clients have
        given up, and computing for them is what an overloaded server can least afford. So is what was pipelined behind
        the request that is being served. That one is finished, and its answer sent.
        """
        self._nothing_follows = True
        for exchange in self._take_waiting():
            exchange.leave()
            if (body := self._bodies.pop(exchange, None)) is not None:
                body.close()
        # One whose body is still being stored has not looked for a worker yet.
        if self.current is not None and self.current not in self._bodies:
            self.current.client_may_have_left()

    def _take_waiting(self) -> list[Exchange]:
        waiting = [exchange for exchange, _ in self.waiting]
        self.waiting.clear()
        return waiting

    # Answers (see `Client`).

    @property
    def choked(self) -> bool:
        return self._outgoing is not None and self._outgoing.full

    @property
    def unsent(self) -> int:
        return self._outgoing.size if self._outgoing is not None else 0

    def send_whole(self, head: WrittenHead, body: bytes) -> int:
        opening = self._opening = self._open(head, len(body))
        if opening.framing is NONE:
            body = b""
        if len(body) <= JOIN_LIMIT:
            self._put_last(opening.head + body, opening.keep_alive)
        else:
            self._put(opening.head)
            self._put_last(body, opening.keep_alive)
        return len(body)

    def send_head(self, head: WrittenHead) -> None:
        self._opening = self._open(head, None)
        self._put(self._opening.head)

    def send_part(self, part: bytes) -> int:
        framing = self._begun().framing
        if framing is NONE:
            return 0
        self._put(http_answer.chunk(part) if framing is CHUNKED else part)
        return len(part)

    def send_end(self) -> None:
        opening = self._begun()
        self._put_last(http_answer.LAST_CHUNK if opening.framing is CHUNKED else b"", opening.keep_alive)

    def send_cut(self) -> bool:
        opening = self._begun()
        if self._outgoing is None or opening.framing is UNTIL_CLOSE:
            # An answer that ends with its connection can be cut only by a reset (`HttpConnection.cut`), which takes
            # from the client whatever it has not read: there is no point in sending more.
            self.cut()
            return False
        self._opening = msgspec.structs.replace(opening, keep_alive=False)
        self._complete = True
        return True

    def send_file(self, head: WrittenHead, file: PassedFile) -> None:
        opening = self._open(head, None)
        if opening.framing is not LENGTH:
            raise UnwritableHead("a file is to be the body of an answer that has none")
        self._opening = opening
        self._outgoing = SentFile(opening.head, file, self._dispatch.storage, self)
        self._complete = True

    def _put(self, data: bytes) -> None:
        if self._outgoing is None and len(data) <= self.window():
            self._write(data)
        elif data:
            self._keep(data)

    def _put_last(self, data: bytes, keep_alive: bool) -> None:
        if self._outgoing is None and len(data) <= self.window():
            self._write_last(data, keep_alive)
        else:
            self._complete = True
            self._keep(data)

    def _keep(self, data: bytes) -> None:
        """It is more than the edge takes, or comes behind what was more."""
        if self._outgoing is None:
            if (window := self.window()) > 0:
                self._write(data[:window])
                data = data[window:]
            self._outgoing = self._dispatch.stored_answer(self)
            # An edge whose window was not used up, or is open again, has no reason to call `room`. Not here: whoever
            # sends has yet to note that it has sent.
            self._dispatch.disk.soon(self.outgoing_ready)
        self._outgoing.add(data)

    def room(self) -> None:
        """The edge takes bytes again (see `window`)."""
        if self._outgoing is not None:
            self.outgoing_ready()
        elif self.current is None:
            self.go_on()

    def outgoing_ready(self) -> None:
        """Hands over as much as the edge takes."""
        outgoing = self._outgoing
        while outgoing is not None and (window := self.window()) > 0 and (piece := outgoing.take(window)):
            if outgoing.size:
                self._write(piece)
            else:
                self._hand_over_last(piece)
            outgoing = self._outgoing  # that of the next answer already, or none
        if self.current is not None and not self.choked:
            self.current.room()

    def _hand_over_last(self, piece: bytes) -> None:
        """All that was kept has been taken."""
        exchange, complete, keep_alive = self.current, self._complete, self._begun().keep_alive
        self._forget_outgoing()
        if not complete:
            self._write(piece)
        else:
            self._write_last(piece, keep_alive)
            if exchange is not None:
                exchange.sent_all()

    def outgoing_failed(self, why: str) -> None:
        if (exchange := self.current) is not None:
            request_id = exchange.request.id
            log.error("request %s: the answer is cut: %s", request_id, why, extra=about(request_id))
            exchange.cut()

    def _forget_outgoing(self) -> None:
        if self._outgoing is not None:
            self._outgoing.close()
        self._outgoing = None
        self._complete = False

    def cut(self) -> None:
        self._abort()

    def _open(self, head: WrittenHead, body_length: int | None) -> Opening:
        exchange = self.current
        assert exchange is not None, "only the exchange whose turn it is sends"
        request = exchange.request
        return http_answer.opening(
            head,
            method=request.method,
            version=request.version,
            keep_alive=exchange.keep_alive and (not self._dispatch.draining or bool(self.waiting)),
            body_length=body_length,
            date=self._dispatch.clock.date(),
            server=self._server,
            request_id=request.id,
        )

    def _begun(self) -> Opening:
        assert self._opening is not None, "the head is sent before the parts"
        return self._opening

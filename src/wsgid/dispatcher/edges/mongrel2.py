"""The Mongrel2 edge: messages from the link to requests, answers to messages.

One edge is one handler of one Mongrel2: one --recv/--send pair. Its guarantees hold while this daemon is the handler's
only peer, since Mongrel2 deals its messages out to all of them in turn.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor

import msgspec

from wsgid.channel.counts import EdgeCounts
from wsgid.channel.frames import INLINE_BODY
from wsgid.dispatcher.dispatch import STOPPING, Dispatch
from wsgid.dispatcher.edges.body_times import BodyTimes
from wsgid.dispatcher.edges.client import PIPELINE_LIMIT, PendingBody
from wsgid.dispatcher.edges.closed_connections import ClosedConnections
from wsgid.dispatcher.edges.file_uploads import FileUploads
from wsgid.dispatcher.edges.flow_control import FlowControl
from wsgid.dispatcher.edges.incoming_body import IncomingBody
from wsgid.dispatcher.edges.joined_bytes import JoinedBytes
from wsgid.dispatcher.edges.keep_alive import INTERVAL, KeepAlive
from wsgid.dispatcher.edges.mongrel2_connection import Mongrel2Connection
from wsgid.dispatcher.edges.mongrel2_link import Mongrel2Link
from wsgid.dispatcher.edges.streamed_uploads import StreamedUploads
from wsgid.dispatcher.question import Judged, Question, in_its_turn
from wsgid.protocol import mongrel2, mongrel2_replies
from wsgid.protocol.http_request import Refused, wants_keep_alive
from wsgid.protocol.limits import HttpLimits
from wsgid.protocol.mongrel2_messages import (
    Credits,
    Disconnected,
    HttpRequest,
    MalformedMessage,
    RefusedRequest,
    SocketMessage,
    StreamPart,
    StreamStarted,
    UploadDone,
    UploadStarted,
    WebSocketFrame,
    WebSocketHandshake,
)
from wsgid.protocol.mongrel2_terms import Terms
from wsgid.protocol.values import Request
from wsgid.upload_journal import UploadJournal

log = logging.getLogger("wsgid.dispatcher")

LINGER = 1.0
"""Seconds that the last answers get to reach Mongrel2 at the end."""


class Mongrel2Edge:
    """The open connections of one handler; one that is idle is not known here, Mongrel2 keeps it."""

    def __init__(
        self,
        dispatch: Dispatch,
        recv: str,
        send: str,
        *,
        chroot: str,
        shared: bool,
        limits: HttpLimits,
        trusts: Callable[[str], bool],
        body_times: BodyTimes,
        executor: Executor,
        journal: UploadJournal,
        loop: asyncio.AbstractEventLoop,
        server: str,
    ) -> None:
        self.dispatch = dispatch
        self.address = f"mongrel2 {recv} {send}"
        self.loop = loop
        self.server = server
        self._shared = shared
        self._limits = limits
        self._terms = Terms(dispatch.request_key, limits, trusts, lambda doubt: log.debug("%s", doubt))
        self._executor = executor
        self.flow = self._flow_control()
        self.joined = JoinedBytes(loop, self._room)
        self._connections: dict[tuple[str, str], Mongrel2Connection] = {}
        self._closed = ClosedConnections()
        self._uploads = FileUploads(self, chroot, journal, dispatch.disk, shared=shared)
        self._streams = StreamedUploads(self, limits, body_times, dispatch.disk)
        self._keep_alive = KeepAlive()
        self._timer = loop.call_later(INTERVAL, self._look)
        self._draining = False
        self._warned: set[str] = set()
        self.link = Mongrel2Link(
            recv,
            send,
            loop,
            received=self._received,
            lost=self._lost,
            room=self._room,
            pressed=lambda: dispatch.queued > 0,
        )

    # Messages in.

    def _received(self, message: bytes) -> None:
        try:
            value = mongrel2.parse(message, self._terms)
        except MalformedMessage as malformed:
            self._malformed(malformed)
            return
        match value:
            case HttpRequest():
                if not value.credits or self._credits(value.request, value.credits):
                    self._request(value.request)
            case Disconnected():
                self._uploads.left(value.server_id, value.client_id)
                self._upload_left(self._streams.left(value.server_id, value.client_id))
                self.flow.left((value.server_id, value.client_id))
                self.dispatch.check_quiet()
                connection = self._connections.pop((value.server_id, value.client_id), None)
                if connection is not None:
                    connection.left()
            case UploadStarted():
                if self._credits(value.request, value.credits):
                    self._upload_started(value)
            case UploadDone():
                self._uploads.done(value)
            case RefusedRequest():
                self._refused(value)
            case WebSocketHandshake():
                self._warn_once("WebSocket", "WebSockets are not served: handshakes get 501")
                self._refuse(value.request, Refused(501, "WebSockets are not served here"))
            case StreamStarted():
                self._stream_started(value)
            case StreamPart():
                if not self._streams.part(value) and not self._shared:
                    self._end_stream(value)
            case SocketMessage():
                self._warn_once(
                    value.kind.name, f"{value.kind.name} socket messages are not served; closing {value.path}"
                )
                self.link.send(mongrel2_replies.close(value.server_id, value.client_id), self.link.generation)
            case Credits():
                self._credited(value)
            case WebSocketFrame():
                pass  # of a connection that is being refused

    def _connection(self, server_id: str, client_id: str) -> Mongrel2Connection:
        key = (server_id, client_id)
        connection = self._connections.get(key)
        if connection is None:
            connection = self._connections[key] = Mongrel2Connection(self, server_id, client_id)
        return connection

    def _flow_control(self) -> FlowControl:
        return FlowControl(self.loop, self._no_credits, False if self._shared else None)

    def _credits(self, request: Request, size: int) -> bool:
        """`size` is 0 when there is no flow control, and in all but a connection's first request. False when the
        request is refused."""
        if size and self._shared:
            self._warn_once("flow control", SHARED_FLOW_CONTROL)
            self._refuse(request, Refused(501, "the server is not set up for this"))
            return False
        key = (request.server_id, request.client_id)
        if size and key not in self._connections:
            self.flow.begun(key, size)
        return True

    def _credited(self, credits: Credits) -> None:
        if self._shared:
            return  # of an answer that another daemon gave, or a refusal
        self.flow.credited()
        key = (credits.server_id, credits.client_id)
        connection = self._connections.get(key)
        if connection is not None:
            connection.credited(credits.count)
        else:
            self.flow.returned(key, credits.count)
            self.dispatch.check_quiet()

    def _no_credits(self) -> None:
        for connection in list(self._connections.values()):
            connection.no_credits()

    def forget(self, connection: Mongrel2Connection) -> None:
        """Nothing is in progress on it."""
        key = (connection.server_id, connection.client_id)
        if self._connections.get(key) is connection:
            del self._connections[key]
        self.dispatch.check_quiet()

    def _request(self, request: Request) -> None:
        if self._closed.have(request):
            self._left(request)
        elif self._draining:
            self._refuse(request, Refused(503, STOPPING))
        elif len(request.body) > self._limits.body:
            self._refuse(request, self._limits.large_body())
        elif len(request.body) <= INLINE_BODY:
            self._arrive(request, None)
        else:
            self._spool(request)

    def _arrive(self, request: Request, body: PendingBody | None, *, last: bool = False) -> None:
        """`last`: with its answer the connection ends, whatever the client wants."""
        connection = self._connection(request.server_id, request.client_id)
        if len(connection.waiting) < PIPELINE_LIMIT:
            wanted = wants_keep_alive(request.version, request.headers)
            connection.arrive(request, wanted and not last and not connection.uncounted, body)
            return
        connection.refuse(request, Refused(503, "too many requests wait on this connection"))
        if body is not None:
            body.close()

    def _spool(self, request: Request) -> None:
        """A body that Mongrel2 held in memory (its limits.content_length is raised) and a channel does not carry."""
        connection = self._connection(request.server_id, request.client_id)
        body = IncomingBody(self.dispatch.disk, connection)
        body.add(request.body)
        request = msgspec.structs.replace(request, body=b"", body_in_file=True)
        body.question = self.ask(request, in_its_turn)
        self._arrive(request, body)

    def check_size(self, request: Request) -> None:
        """Raises Refused when the body is longer than we take."""
        if (request.content_length or 0) > self._limits.body:
            raise self._limits.large_body()

    # Uploads to files (see `FileOwner`).

    def _upload_started(self, started: UploadStarted) -> None:
        self._uploads.started(started)
        if self._draining:
            self._uploads.refuse_all(Refused(503, STOPPING))

    def file_done(self, request: Request, file: PendingBody) -> None:
        self._upload_done(request, file)

    def file_refused(self, request: Request, refused: Refused) -> None:
        self._refuse(request, refused)

    def file_left(self, request: Request) -> None:
        self._upload_left(request)

    def ask_after(self, server_id: str, client_id: str) -> None:
        """An answer of any kind to a client that it does not know has Mongrel2 say so; this one does nothing else."""
        self.link.send(mongrel2_replies.keep_alive(server_id, client_id), self.link.generation)

    # Uploads of either kind.

    def ask(self, request: Request, judged: Judged) -> Question | None:
        return self.dispatch.ask(request, judged) if self.dispatch.filters_uploads else None

    def closed(self, connection: Mongrel2Connection) -> None:
        """By us."""
        server_id, client_id = connection.server_id, connection.client_id
        self._closed.add(server_id, client_id)
        self._uploads.closed(server_id, client_id)
        if self._streams.holds(server_id, client_id):
            self._upload_left(self._streams.left(server_id, client_id))
            self._allow(server_id, client_id, self._streams.end(server_id, client_id))

    def _upload_done(self, request: Request, body: PendingBody | None) -> None:
        if self._closed.have(request):
            self._left(request)
            if body is not None:
                body.close()
        else:
            # Behind a chunked body on the same connection Mongrel2 1.12.2 stores a large one with some bytes of its own
            # memory in it.
            chunked = any(name == "transfer-encoding" for name, _ in request.headers)
            self._arrive(request, body, last=chunked)

    def _upload_left(self, request: Request | None) -> None:
        """It will never be whole."""
        if request is not None:
            self._left(request)

    def _left(self, request: Request) -> None:
        """Nobody waits for an answer. It has its line in the access log all the same."""
        nobody = Mongrel2Connection(self, request.server_id, request.client_id)
        self.dispatch.open(request, nobody, keep_alive=False).leave()

    # Streamed uploads (see `StreamOwner`).

    def _stream_started(self, started: StreamStarted) -> None:
        refused = None
        if self._shared:
            self._warn_once("upload.stream", SHARED_STREAMS)
            refused = Refused(501, "streamed uploads are not served here")
        else:
            self._credits(started.request, started.credits)
            if self._draining:
                refused = Refused(503, STOPPING)
        self._streams.start(started.request, refused)

    def allow(self, request: Request, count: int) -> None:
        self._allow(request.server_id, request.client_id, count)

    def _allow(self, server_id: str, client_id: str, count: int) -> None:
        self.link.send(mongrel2_replies.credits(server_id, client_id, count), self.link.generation)

    def stream_done(self, request: Request, body: PendingBody | None) -> None:
        self._streams.done(request)
        self._upload_done(request, body)

    def stream_refused(self, request: Request, refused: Refused) -> None:
        self._refuse(request, refused)

    def _end_stream(self, part: StreamPart) -> None:
        """A part of one whose beginning went to a dispatcher that has died, or whose connection we have closed, which
        happens only when all answers are written."""
        self.link.send(mongrel2_replies.close(part.server_id, part.client_id), self.link.generation)
        if count := self._streams.end(part.server_id, part.client_id, len(part.data)):
            self._allow(part.server_id, part.client_id, count)

    # What is refused.

    def _refuse(self, request: Request, refused: Refused) -> None:
        self._connection(request.server_id, request.client_id).refuse(request, refused)

    def _refused(self, value: RefusedRequest) -> None:
        request = value.request
        if not value.upload or self._uploads.refused(request, value.upload, done=value.upload_done):
            self._refuse(request, Refused(value.code, value.reason))

    def _malformed(self, malformed: MalformedMessage) -> None:
        log.warning("a message that Mongrel2 does not write was dropped: %s", malformed)
        if malformed.server_id is not None and malformed.client_id is not None:
            key = self.dispatch.request_key()
            request = mongrel2.unread_request(key, malformed.server_id, malformed.client_id)
            self._refuse(request, Refused(400, "the request could not be read"))

    def overdrawn(self) -> None:
        """An answer takes more messages than Mongrel2 promises to keep."""
        self._warn_once("long answers", LONG_ANSWER)

    def _warn_once(self, about: str, text: str) -> None:
        if about not in self._warned:
            self._warned.add(about)
            log.warning("%s", text)

    # Once a second.

    def _look(self) -> None:
        self._timer = self.loop.call_later(INTERVAL, self._look)
        now = self.loop.time()
        self._streams.look(now)
        for connection in [each for each in self._connections.values() if each.is_stalled(now)]:
            connection.cancel()
            self.forget(connection)
        for message in self._keep_alive.due({*self._connections, *self._streams.connections}):
            self.link.send(message, self.link.generation)
        self.dispatch.check_quiet()  # those who take nothing are not waited for any more

    # Mongrel2 comes and goes.

    def _lost(self) -> None:
        """The end of a generation. Its clients are gone, and their numbers will be those of others."""
        lost, self._connections = self._connections, {}
        self._closed = ClosedConnections()
        self._uploads.lost()
        self.flow.forget_timer()
        self.flow = self._flow_control()
        self.dispatch.check_quiet()
        for request in self._streams.left_all():
            self._upload_left(request)
        if lost:
            log.warning("Mongrel2 went away or came back: the answers for %d of its connections are dropped", len(lost))
            # Not here: this may be in the midst of an answer of one of them.
            self.loop.call_soon(_all_left, list(lost.values()))

    def _room(self) -> None:
        for connection in list(self._connections.values()):
            connection.room()

    # The end.

    def drain(self) -> None:
        self.link.take_arrived()
        self._draining = True
        if self.flow.on is False or self.quiet:
            self.link.stop_receiving()
        # Else the answers in progress need their credits; new requests come with them, and are refused.
        # Their "done" would reach nobody.
        self._uploads.refuse_all(Refused(503, STOPPING))
        self._streams.refuse_all(Refused(503, STOPPING))

    @property
    def quiet(self) -> bool:
        return self.flow.written and all(not connection.in_progress for connection in self._connections.values())

    def counts(self) -> EdgeCounts:
        return EdgeCounts(self.address, len(self._connections), None, None, self.link.connected)

    def abort(self) -> None:
        """Cuts off whoever has not taken its answer: what waits behind it is not answered any more."""
        for connection in list(self._connections.values()):
            connection.abort()
        self.flow.wait_for_nobody()

    def close(self) -> None:
        """The executor's shutdown waits for the last answers: those of all edges go out side by side."""
        self._timer.cancel()
        self.flow.forget_timer()
        self.link.close(LINGER)
        self._executor.submit(self.link.terminate)


def _all_left(connections: list[Mongrel2Connection]) -> None:
    for connection in connections:
        connection.left()


LONG_ANSWER = (
    "an answer is larger than 64 MiB, or goes on for longer than some 40 s: it takes more than the 16 messages that "
    "Mongrel2 keeps for a client, and one that stops reading for a while is cut off. (Said once.)"
)
SHARED_FLOW_CONTROL = (
    "Mongrel2 runs with download.flow_control=1, which --shared-handler excludes: the credits for one daemon's answers "
    "reach another. Requests are refused with 501. Set it to 0, or give each daemon a handler of its own"
)
SHARED_STREAMS = (
    "Mongrel2 runs with upload.stream=1, which --shared-handler excludes: the parts of one body reach several daemons. "
    "Big uploads are refused with 501. Set it to 0 and upload.temp_store to a file name ending in XXXXXX, in a "
    "directory that all of them see; or give each daemon a handler of its own"
)

"""The Mongrel2 edge: messages from the link to requests, answers to messages.

One edge is one handler of one Mongrel2: one --recv/--send pair. Its guarantees hold while this daemon is the handler's
only peer, since Mongrel2 deals its messages out to all of them in turn.
"""

import asyncio
import logging
from concurrent.futures import Executor

import msgspec

from wsgid.channel.frames import INLINE_BODY
from wsgid.dispatcher.dispatch import STOPPING, Dispatch
from wsgid.dispatcher.edges.client import BODY_LOST, PIPELINE_LIMIT, PendingBody
from wsgid.dispatcher.edges.incoming_body import IncomingBody
from wsgid.dispatcher.edges.mongrel2_connection import Mongrel2Connection
from wsgid.dispatcher.edges.mongrel2_link import Mongrel2Link
from wsgid.dispatcher.edges.upload_file import UploadFile
from wsgid.dispatcher.edges.uploads import Uploads
from wsgid.protocol import mongrel2, mongrel2_replies, mongrel2_uploads
from wsgid.protocol.http_request import Refused, wants_keep_alive
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
from wsgid.protocol.values import Request

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
        max_body: int,
        spool_directory: str,
        executor: Executor,
        loop: asyncio.AbstractEventLoop,
        server: str,
    ) -> None:
        self.dispatch = dispatch
        self.address = f"mongrel2 {recv} {send}"
        self.loop = loop
        self.server = server
        self._chroot = chroot.encode("utf-8", "surrogateescape")
        self._max_body = max_body
        self._spool_directory = spool_directory
        self._executor = executor
        self._connections: dict[tuple[str, str], Mongrel2Connection] = {}
        self._uploads = Uploads()
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
            value = mongrel2.parse(message, self.dispatch.request_id)
        except MalformedMessage as malformed:
            self._malformed(malformed)
            return
        match value:
            case HttpRequest():
                if value.credits:
                    self._warn_once("flow control", FLOW_CONTROL)
                self._request(value.request)
            case Disconnected():
                self._uploads.left(value.server_id, value.client_id)
                connection = self._connections.pop((value.server_id, value.client_id), None)
                if connection is not None:
                    connection.left()
            case UploadStarted():
                self._upload_started(value)
            case UploadDone():
                self._upload_done(value)
            case RefusedRequest():
                self._refused(value)
            case WebSocketHandshake():
                self._warn_once("WebSocket", "WebSockets are not served: handshakes get 501")
                self._refuse(value.request, Refused(501, "WebSockets are not served here"))
            case StreamStarted():
                self._stream_started(value)
            case SocketMessage():
                self._warn_once(
                    value.kind.name, f"{value.kind.name} socket messages are not served; closing {value.path}"
                )
                self.link.send(mongrel2_replies.close(value.server_id, value.client_id), self.link.generation)
            case WebSocketFrame() | StreamPart() | Credits():
                pass  # of a connection that is being refused; credits come with flow control, which is warned about

    def _connection(self, server_id: str, client_id: str) -> Mongrel2Connection:
        key = (server_id, client_id)
        connection = self._connections.get(key)
        if connection is None:
            connection = self._connections[key] = Mongrel2Connection(self, server_id, client_id)
        return connection

    def forget(self, connection: Mongrel2Connection) -> None:
        """Nothing is in progress on it."""
        key = (connection.server_id, connection.client_id)
        if self._connections.get(key) is connection:
            del self._connections[key]
        self.dispatch.check_quiet()

    def _request(self, request: Request) -> None:
        if len(request.body) > self._max_body:
            self._refuse(request, self._too_large())
        elif len(request.body) <= INLINE_BODY:
            self._arrive(request, None)
        else:
            self._spool(request)

    def _arrive(self, request: Request, body: PendingBody | None) -> None:
        connection = self._connection(request.server_id, request.client_id)
        if len(connection.waiting) < PIPELINE_LIMIT:
            connection.arrive(request, wants_keep_alive(request.version, request.headers), body)
            return
        connection.refuse(request, Refused(503, "too many requests wait on this connection"))
        if body is not None:
            body.close()

    def _spool(self, request: Request) -> None:
        """A body that Mongrel2 held in memory (its limits.content_length is raised) and a channel does not carry."""
        connection = self._connection(request.server_id, request.client_id)
        body = IncomingBody(self._spool_directory, self._executor, self.loop, connection)
        try:
            body.add(request.body)
        except OSError as error:
            log.error("no file for the body of request %s: %s", request.id, error)
            connection.refuse(request, Refused(500, BODY_LOST))
        else:
            self._arrive(msgspec.structs.replace(request, body=b"", body_in_file=True), body)

    def _too_large(self) -> Refused:
        return Refused(413, f"the body is longer than {self._max_body} bytes")

    def check_size(self, request: Request) -> None:
        """Raises Refused when the body is longer than we take."""
        if (request.content_length or 0) > self._max_body:
            raise self._too_large()

    # Uploads (docs/mongrel2.md).

    def _upload_started(self, started: UploadStarted) -> None:
        request = started.request
        fits = (request.content_length or 0) <= self._max_body
        self._uploads.start(request, started.path, wanted=fits)
        if not fits:
            # With the close message that follows Mongrel2 removes the file, unless it is done already.
            self._refuse(request, self._too_large())

    def _upload_done(self, done: UploadDone) -> None:
        request = done.request
        wanted = self._uploads.done(request, done.path)
        if wanted is None:
            log.warning("an upload that never started is done, its file is not touched: %r", done.path)
            self._refuse(request, Refused(400, "an upload that never started"))
        elif wanted:
            self._arrive(request, self._file(done.path))
        else:
            self._file(done.path).close()

    def _file(self, path: bytes) -> UploadFile:
        return UploadFile(mongrel2_uploads.outside_chroot(self._chroot, path), self._executor, self.loop)

    # What is refused.

    def _refuse(self, request: Request, refused: Refused) -> None:
        self._connection(request.server_id, request.client_id).refuse(request, refused)

    def _refused(self, value: RefusedRequest) -> None:
        request = value.request
        if value.upload and not value.upload_done:
            self._uploads.start(request, value.upload, wanted=False)
        elif value.upload and self._uploads.done(request, value.upload) is not None:
            self._file(value.upload).close()
        self._refuse(request, Refused(400, value.reason))

    def _malformed(self, malformed: MalformedMessage) -> None:
        log.warning("a message that Mongrel2 does not write was dropped: %s", malformed)
        if malformed.server_id is not None and malformed.client_id is not None:
            request = self._unknown(malformed.server_id, malformed.client_id)
            self._refuse(request, Refused(400, "the request could not be read"))

    def _unknown(self, server_id: str, client_id: str) -> Request:
        """A request of which no more is known than where it came from."""
        return Request(
            id=self.dispatch.request_id(),
            method="-",
            target="",
            script_name="",
            path="",
            query="",
            version="HTTP/1.1",
            headers=[],
            scheme="http",
            server_name="",
            server_port="",
            remote_addr="",
            remote_port="",
            server_id=server_id,
            client_id=client_id,
            content_length=None,
            body=b"",
            body_in_file=False,
        )

    def _stream_started(self, started: StreamStarted) -> None:
        """Refusing takes an answer, a close message, and credits that wake the task which waits for them."""
        self._warn_once("upload.stream", STREAMS)
        request = started.request
        self._refuse(request, Refused(501, "streamed uploads are not served here"))
        self.link.send(mongrel2_replies.credits(request.server_id, request.client_id, 1), self.link.generation)

    def overdrawn(self) -> None:
        """An answer takes more messages than Mongrel2 promises to keep."""
        self._warn_once("long answers", LONG_ANSWER)

    def _warn_once(self, about: str, text: str) -> None:
        if about not in self._warned:
            self._warned.add(about)
            log.warning("%s", text)

    # Mongrel2 comes and goes.

    def _lost(self) -> None:
        """The end of a generation. Its clients are gone, and their numbers will be those of others."""
        lost, self._connections = self._connections, {}
        self._uploads = Uploads()
        if lost:
            log.warning("Mongrel2 went away or came back: the answers for %d of its connections are dropped", len(lost))
            # Not here: this may be in the midst of an answer of one of them.
            self.loop.call_soon(_all_left, list(lost.values()))

    def _room(self) -> None:
        for connection in list(self._connections.values()):
            connection.room()

    # The end.

    def drain(self) -> None:
        self.link.stop_receiving()
        # Their "done" would reach nobody. Refused now, Mongrel2 removes their files.
        for request in self._uploads.refuse_all():
            self._refuse(request, Refused(503, STOPPING))

    @property
    def quiet(self) -> bool:
        return all(not connection.in_progress for connection in self._connections.values())

    def abort(self) -> None:
        """What is still in progress has its end."""
        _all_left(list(self._connections.values()))

    def close(self) -> None:
        """The executor's shutdown waits for the last answers: those of all edges go out side by side."""
        self.link.close(LINGER)
        self._executor.submit(self.link.terminate)


def _all_left(connections: list[Mongrel2Connection]) -> None:
    for connection in connections:
        connection.left()


LONG_ANSWER = (
    "an answer is larger than 64 MiB, or goes on for longer than some 40 s: it takes more than the 16 messages that "
    "Mongrel2 keeps for a client, and one that stops reading for a while is cut off. (Said once.)"
)
FLOW_CONTROL = (
    "Mongrel2 runs with download.flow_control=1, which is not served yet: it ends connections whose answers are "
    "larger than 100 KiB. Set it to 0"
)
STREAMS = (
    "Mongrel2 runs with upload.stream=1, which is not served: big uploads are refused with 501. Set it to 0 and "
    "upload.temp_store to a file name ending in XXXXXX"
)

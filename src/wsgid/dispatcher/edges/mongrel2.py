"""The Mongrel2 edge: messages from the link to requests, answers to messages.

One edge is one handler of one Mongrel2: one --recv/--send pair. Its guarantees hold while this daemon is the handler's
only peer, since Mongrel2 deals its messages out to all of them in turn.
"""

import asyncio
import logging
from concurrent.futures import Executor

import msgspec

from wsgid.channel.frames import INLINE_BODY
from wsgid.dispatcher.dispatch import Dispatch
from wsgid.dispatcher.edges.client import PIPELINE_LIMIT
from wsgid.dispatcher.edges.incoming_body import IncomingBody
from wsgid.dispatcher.edges.mongrel2_connection import Mongrel2Connection
from wsgid.dispatcher.edges.mongrel2_link import Mongrel2Link
from wsgid.dispatcher.edges.upload_file import UploadFile
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

LINGER = 2.0
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
        self._warned: set[str] = set()
        self.link = Mongrel2Link(recv, send, loop, received=self._received, lost=self._lost, room=self._room)

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
        connection = self._connection(request.server_id, request.client_id)
        keep_alive = wants_keep_alive(request.version, request.headers)
        if len(connection.waiting) >= PIPELINE_LIMIT:
            connection.refuse(request, Refused(503, "too many requests wait on this connection"))
        elif len(request.body) > self._max_body:
            connection.refuse(request, self._too_large())
        elif len(request.body) <= INLINE_BODY:
            connection.arrive(request, keep_alive)
        else:
            self._spool(connection, request, keep_alive)

    def _spool(self, connection: Mongrel2Connection, request: Request, keep_alive: bool) -> None:
        """A body that Mongrel2 held in memory (its limits.content_length is raised) and a channel does not carry."""
        body = IncomingBody(self._spool_directory, self._executor, self.loop, connection)
        try:
            body.add(request.body)
        except OSError as error:
            log.error("no file for the body of request %s: %s", request.id, error)
            connection.refuse(request, Refused(500, "the body of the request could not be stored"))
        else:
            connection.arrive(msgspec.structs.replace(request, body=b"", body_in_file=True), keep_alive, body)

    def _too_large(self) -> Refused:
        return Refused(413, f"the body is longer than {self._max_body} bytes")

    def check_size(self, request: Request) -> None:
        """Raises Refused when the body is longer than we take."""
        if (request.content_length or 0) > self._max_body:
            raise self._too_large()

    # Uploads (docs/mongrel2.md).

    def _upload_started(self, started: UploadStarted) -> None:
        request = started.request
        connection = self._connection(request.server_id, request.client_id)
        if (request.content_length or 0) > self._max_body:
            # With the close message that follows Mongrel2 removes the file, unless it is done already.
            connection.uploads[started.path] = False
            connection.refuse(request, self._too_large())
        else:
            connection.uploads[started.path] = True

    def _upload_done(self, done: UploadDone) -> None:
        request = done.request
        connection = self._connection(request.server_id, request.client_id)
        wanted = connection.uploads.pop(done.path, None)
        if wanted is None:
            log.warning("an upload that never started is done, its file is not touched: %r", done.path)
            connection.refuse(request, Refused(400, "an upload that never started"))
            return
        file = UploadFile(mongrel2_uploads.outside_chroot(self._chroot, done.path), self._executor, self.loop)
        if wanted:
            connection.arrive(request, wants_keep_alive(request.version, request.headers), file)
        else:
            file.close()

    # What is refused.

    def _refuse(self, request: Request, refused: Refused) -> None:
        self._connection(request.server_id, request.client_id).refuse(request, refused)

    def _refused(self, value: RefusedRequest) -> None:
        request = value.request
        if value.upload:
            self._forget_upload(value)
        self._refuse(request, Refused(400, value.reason))

    def _forget_upload(self, value: RefusedRequest) -> None:
        """Closing the connection makes Mongrel2 remove the file, until the upload is done: then it is ours."""
        request = value.request
        uploads = self._connection(request.server_id, request.client_id).uploads
        if not value.upload_done:
            uploads[value.upload] = False
        elif uploads.pop(value.upload, None) is not None:
            path = mongrel2_uploads.outside_chroot(self._chroot, value.upload)
            UploadFile(path, self._executor, self.loop).close()

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

    def _warn_once(self, about: str, text: str) -> None:
        if about not in self._warned:
            self._warned.add(about)
            log.warning("%s", text)

    # Mongrel2 comes and goes.

    def _lost(self) -> None:
        """The end of a generation. Its clients are gone, and their numbers will be those of others."""
        lost, self._connections = self._connections, {}
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

    @property
    def quiet(self) -> bool:
        return all(not connection.in_progress for connection in self._connections.values())

    def close(self) -> None:
        self.link.close(LINGER)


def _all_left(connections: list[Mongrel2Connection]) -> None:
    for connection in connections:
        connection.left()


FLOW_CONTROL = (
    "Mongrel2 runs with download.flow_control=1, which is not served yet: it ends connections whose answers are "
    "larger than 100 KiB. Set it to 0"
)
STREAMS = (
    "Mongrel2 runs with upload.stream=1, which is not served: big uploads are refused with 501. Set it to 0 and "
    "upload.temp_store to a file name ending in XXXXXX"
)

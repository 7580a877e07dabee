"""What Mongrel2 may say to a handler, as values.

``mongrel2.parse`` makes one of these of each ZeroMQ message. The names are for the edge's ``match``; every value
knows which connection it speaks of, by ``server_id`` (Mongrel2's ``send_ident``) and ``client_id`` (its connection
number), either itself or in its ``request``. What the ``mongrel2`` modules of this package say about Mongrel2 was
measured on 1.12.2 as Debian 12 ships it; 1.13.0 speaks the same protocol.
"""

import enum

import msgspec

from wsgid.protocol.values import Request


class MalformedMessage(ValueError):
    """Not a message that Mongrel2 writes. ``str()`` says what was wrong and where.

    When the first two words could be read, ``server_id`` and ``client_id`` name the connection, so that whoever waits
    there can be answered 400 and the connection closed. Both are None when there is nobody to answer: the words
    themselves are wrong, or the message is about a connection and not from it (a control message).
    """

    def __init__(self, reason: str, server_id: str | None = None, client_id: str | None = None) -> None:
        super().__init__(reason)
        self.server_id = server_id
        self.client_id = client_id


class HttpRequest(msgspec.Struct, frozen=True, gc=False):
    """An ordinary request, its body inside."""

    request: Request
    credits: int
    """Bytes that may be queued on this connection, said with its first request when Mongrel2 runs with
    ``download.flow_control``; otherwise 0."""


class RefusedRequest(msgspec.Struct, frozen=True, gc=False):
    """A request that a gateway must not pass on, because two programs could read it in two ways, or that is too large.

    The connection is to be closed after the answer: what Mongrel2 takes for the next request on it may be this one's
    body.
    """

    request: Request
    """For the log only: its headers may be what is wrong with it. It has no body."""
    code: int
    """The status of the answer."""
    reason: str
    """The rule it breaks, for the log and for the answer."""
    upload: bytes
    """The file that its body goes to, as in UploadStarted; ``b""`` when Mongrel2 made none."""
    upload_done: bool
    """As in UploadDone: the file is the handler's now, to be removed. Until then closing the connection removes it."""


class UploadStarted(msgspec.Struct, frozen=True, gc=False):
    """Mongrel2 begins to write a big request's body to a file. Nothing has to be answered.

    A close message now refuses the upload; Mongrel2 then removes the file, unless the upload was done in the meantime.
    """

    request: Request
    """As it will be in UploadDone."""
    credits: int
    path: bytes
    """The file, as Mongrel2 sees it: inside its chroot, or relative to its working directory."""


class UploadDone(msgspec.Struct, frozen=True, gc=False):
    """The body is complete and in a file, which is the handler's from now on: Mongrel2 never removes it."""

    request: Request
    """``body_in_file`` is True. ``content_length`` is None for a chunked upload; see ``mongrel2_uploads.with_file``."""
    path: bytes
    """As in UploadStarted."""


class StreamStarted(msgspec.Struct, frozen=True, gc=False):
    """A big request that Mongrel2 (``upload.stream``) will hand over in parts, as the handler grants upload credits."""

    request: Request
    """``body`` holds what has come already; ``content_length`` is that of the whole, None when it is chunked."""
    credits: int


class StreamPart(msgspec.Struct, frozen=True, gc=False):
    """The next part of a streamed body."""

    server_id: str
    client_id: str
    offset: int
    """Of the first byte of ``data`` in the whole body."""
    data: bytes
    last: bool


class Disconnected(msgspec.Struct, frozen=True, gc=False):
    """The client has left, or an answer named a connection that is no more."""

    server_id: str
    client_id: str


class Credits(msgspec.Struct, frozen=True, gc=False):
    """So many bytes of answers have been written to the client (``download.flow_control``)."""

    server_id: str
    client_id: str
    count: int


class SocketKind(enum.Enum):
    JSON = "JSON"
    XML = "XML"


class SocketMessage(msgspec.Struct, frozen=True, gc=False):
    """A message of Mongrel2's JSON or XML socket protocols: not HTTP."""

    server_id: str
    client_id: str
    kind: SocketKind
    path: str
    """The route it was sent to: ``@chat``, ``<bbs``."""
    remote_addr: str
    body: bytes


class WebSocketHandshake(msgspec.Struct, frozen=True, gc=False):
    """A client asks for a WebSocket. The handler sends the whole answer; frames may arrive before it does."""

    request: Request
    """Without a body. Mongrel2 does not say what its method was: it is given as GET, the only legal one."""
    credits: int
    accept: str
    """The value of Sec-WebSocket-Accept, for a 101 answer."""


class WebSocketFrame(msgspec.Struct, frozen=True, gc=False):
    """A frame, its fragments joined and unmasked."""

    server_id: str
    client_id: str
    flags: int
    """The frame's first byte: FIN, RSV and opcode (RFC 6455, section 5.2)."""
    payload: bytes


Message = (
    HttpRequest
    | RefusedRequest
    | UploadStarted
    | UploadDone
    | StreamStarted
    | StreamPart
    | Disconnected
    | Credits
    | SocketMessage
    | WebSocketHandshake
    | WebSocketFrame
)

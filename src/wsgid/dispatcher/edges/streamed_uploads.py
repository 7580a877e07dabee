"""Bodies that Mongrel2 hands over in parts, as we allow (``upload.stream``): stored while they arrive, then served.

Mongrel2 sends a part when it has credits. While it has none it does not read from the client either, and sleeps: one
whose connection we close has to be woken by a credit, or it keeps the connection for good.
"""

import logging
from collections.abc import Iterable
from typing import Protocol

import msgspec

from wsgid.channel.frames import INLINE_BODY
from wsgid.dispatcher.disk import Disk
from wsgid.dispatcher.edges.body_times import BodyTimes
from wsgid.dispatcher.edges.client import BODY_LOST, PendingBody
from wsgid.dispatcher.edges.flow_control import REMEMBERED
from wsgid.dispatcher.edges.incoming_body import IncomingBody
from wsgid.dispatcher.question import Judged, Question
from wsgid.logs import about
from wsgid.protocol.http_request import Refused
from wsgid.protocol.limits import HttpLimits
from wsgid.protocol.mongrel2_credits import ENOUGH, UploadCredits
from wsgid.protocol.mongrel2_messages import StreamPart
from wsgid.protocol.values import Request

log = logging.getLogger("wsgid.dispatcher")


CHUNK_TIME = 100.0
"""Seconds. Mongrel2 hands over a chunk when it has all of it, and takes chunks of 102,400 bytes: a client that sends 1
KB a second is silent for so long."""


class StreamOwner(Protocol):
    def allow(self, request: Request, count: int) -> None:
        """Mongrel2 may send so many bytes more of this request's body."""

    def ask(self, request: Request, judged: Judged) -> Question | None:
        """See `Dispatch.ask`. None when there are no upload filters."""

    def stream_done(self, request: Request, body: PendingBody | None) -> None:
        """The body is whole: in the request, or in a file when there is a ``body``, about which a question may still be
        open."""

    def stream_refused(self, request: Request, refused: Refused) -> None:
        """The client is to be told, and its connection closed."""


class StreamedUpload:
    """One request whose body is on its way. Ends as done, or as refused, or by `close`."""

    __slots__ = (
        "_asked",
        "_behind",
        "_body",
        "_credits",
        "_deadline",
        "_disk",
        "_limits",
        "_owner",
        "_times",
        "ended",
        "request",
    )

    def __init__(self, request: Request, owner: StreamOwner, limits: HttpLimits, times: BodyTimes, disk: Disk) -> None:
        self.request = msgspec.structs.replace(request, body=b"")
        self.ended = False
        self._owner = owner
        self._limits = limits
        self._disk = disk
        self._times = times
        if request.content_length is None:
            self._times = msgspec.structs.replace(times, limit=times.limit + CHUNK_TIME)
        self._deadline = self._times.begun(self._disk.time())
        self._behind = False
        """The disk is: Mongrel2 is allowed nothing."""
        self._body = IncomingBody(disk, self)
        self._asked = False
        self._credits = UploadCredits(request.content_length, len(request.body))

    def begin(self, first: bytes) -> None:
        """``first`` has come with the request."""
        if (self.request.content_length or 0) > self._limits.body:
            self._refuse(self._limits.large_body())
            return
        if (self.request.content_length or 0) > INLINE_BODY:
            self._ask()
        self._add(first, last=False)

    def _ask(self) -> None:
        """It goes to a file."""
        self._asked = True
        self._body.question = self._owner.ask(self.request, self._judged)

    def _judged(self, refused: Refused | None) -> None:
        """The verdict on one that is not whole yet."""
        if refused is not None:
            self._refuse(refused)

    def part(self, part: StreamPart) -> None:
        if part.offset != self._body.size:
            id = self.request.id
            log.error(PART_MISSING, id, self._body.size, part.offset, extra=about(id))
            self._refuse(Refused(400, "a part of the body is missing"))
            return
        self._credits.took(len(part.data))
        self._add(part.data, part.last)

    def _add(self, data: bytes, last: bool) -> None:
        self._deadline = self._times.heard(self._deadline, len(data), self._disk.time())
        if self._body.size + len(data) > self._limits.body:
            self._refuse(self._limits.large_body())
            return
        self._body.add(data)
        if self._body.in_file and not self._asked:
            self._ask()
        if last or self._body.size == self.request.content_length:
            self._done()
        elif self._body.full:
            self._behind = True
        else:
            self._allow()

    def _allow(self) -> None:
        if count := self._credits.grant():
            self._owner.allow(self.request, count)

    def _done(self) -> None:
        self.ended = True
        size, length = self._body.size, self.request.content_length
        if length is not None and size != length:
            self._refuse(Refused(400, f"{size} bytes of body where Content-Length promises {length}"))
        elif self._body.in_file:
            whole = msgspec.structs.replace(self.request, content_length=size, body_in_file=True)
            self._owner.stream_done(whole, self._body)
        else:
            whole = msgspec.structs.replace(self.request, content_length=size, body=self._body.in_memory())
            self._owner.stream_done(whole, None)

    def look(self, now: float) -> None:
        """Refuses it when it comes too slowly, unless it is we who are behind."""
        if self._deadline < now and not self._body.full:
            self.refuse(Refused(408, "the body of the request did not come in time"))

    def refuse(self, refused: Refused) -> None:
        if not self.ended:
            self._refuse(refused)

    def _refuse(self, refused: Refused) -> None:
        self.close()
        self._owner.stream_refused(self.request, refused)

    def close(self) -> None:
        """Nobody wants it any more."""
        self.ended = True
        self._body.close()

    # See `SpoolOwner`.

    def spool_has_room(self) -> None:
        if self._behind and not self.ended:
            self._behind = False
            self._deadline = self._times.begun(self._disk.time())
            self._allow()

    def spool_failed(self, error: OSError) -> None:
        """A whole one says so when it is its turn (`PendingBody.error`)."""
        if not self.ended:
            id = self.request.id
            log.error("request %s: %s", id, self._body.explain(error), extra=about(id))
            self._refuse(Refused(500, BODY_LOST))


class StreamedUploads:
    """Those of one generation of one Mongrel2, each until it is whole or its connection has ended."""

    __slots__ = ("_disk", "_ending", "_limits", "_owner", "_streams", "_times")

    def __init__(self, owner: StreamOwner, limits: HttpLimits, times: BodyTimes, disk: Disk) -> None:
        self._owner = owner
        self._limits = limits
        self._times = times
        self._disk = disk
        self._streams: dict[tuple[str, str], StreamedUpload] = {}
        """By server and client id: Mongrel2 reads one request of a connection at a time."""
        self._ending: dict[tuple[str, str], None] = {}
        """Those that have got ENOUGH, in this order. Mongrel2 does not always tell when it has closed one."""

    def start(self, request: Request, refused: Refused | None) -> None:
        """With a reason, to refuse it."""
        stream = StreamedUpload(request, self._owner, self._limits, self._times, self._disk)
        self._streams[(request.server_id, request.client_id)] = stream
        self._ending.pop((request.server_id, request.client_id), None)
        if refused is not None:
            stream.refuse(refused)
        else:
            stream.begin(request.body)

    def part(self, part: StreamPart) -> bool:
        """False when it belongs to none."""
        stream = self._streams.get((part.server_id, part.client_id))
        if stream is None:
            return False
        if not stream.ended:  # or it was sent before Mongrel2 heard that it is refused
            stream.part(part)
        return True

    def done(self, request: Request) -> None:
        """It is whole: Mongrel2 has forgotten it too."""
        del self._streams[(request.server_id, request.client_id)]

    def holds(self, server_id: str, client_id: str) -> bool:
        """Does Mongrel2 stand in the midst of one, wanted or not, on this connection?"""
        return bool(self._streams) and (server_id, client_id) in self._streams

    def end(self, server_id: str, client_id: str, size: int = 0) -> int:
        """We have closed the connection, and a part of so many bytes has still come: credits to give, if any, so that
        Mongrel2's task goes on until it sees the end."""
        key = (server_id, client_id)
        if key in self._ending:
            return size
        self._ending[key] = None
        if len(self._ending) > REMEMBERED:
            del self._ending[next(iter(self._ending))]
        return ENOUGH

    def left(self, server_id: str, client_id: str) -> Request | None:
        """The connection has ended: the request of which it was in the midst, if nothing has been said about it."""
        self._ending.pop((server_id, client_id), None)
        stream = self._streams.pop((server_id, client_id), None)
        if stream is None or stream.ended:
            return None
        stream.close()
        return stream.request

    def left_all(self) -> list[Request]:
        """All connections have ended."""
        self._ending.clear()
        left = [self.left(*key) for key in list(self._streams)]
        return [request for request in left if request is not None]

    @property
    def connections(self) -> Iterable[tuple[str, str]]:
        """Those on which Mongrel2 stands in the midst of one."""
        return self._streams.keys()

    def look(self, now: float) -> None:
        """Once in a while."""
        for stream in list(self._streams.values()):
            stream.look(now)

    def refuse_all(self, refused: Refused) -> None:
        for stream in list(self._streams.values()):
            stream.refuse(refused)


PART_MISSING = (
    "request %s: a streamed upload goes on at byte %d, and Mongrel2 sent what begins at byte %d: if other daemons take "
    "requests from the same handler, each gets a part of it. Say so with --shared-handler, and set upload.stream to 0"
)

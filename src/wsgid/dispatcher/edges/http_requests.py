"""Makes the requests of one HTTP connection: of what the parser gives, and of what is known of its client."""

import asyncio
import logging
from typing import Final

from wsgid.dispatcher.dispatch import Dispatch
from wsgid.dispatcher.edges.peer import peer_and_origin
from wsgid.logs import about
from wsgid.protocol.forwarded import FrontEnds, as_told
from wsgid.protocol.http_reader import Incoming, RequestReader
from wsgid.protocol.http_request import NO_BODY, Target
from wsgid.protocol.values import Request

SERVER_ID: Final = "http"
UNREAD: Final = Target("", "", "", "")
"""Of a request that is not whole: nobody looks at it."""

log = logging.getLogger("wsgid.dispatcher")


class Requests:
    __slots__ = ("_client_id", "_dispatch", "_front_ends", "_origin", "_trusted")

    def __init__(self, dispatch: Dispatch, front_ends: FrontEnds, transport: asyncio.BaseTransport) -> None:
        self._dispatch = dispatch
        self._front_ends = front_ends
        self._client_id = dispatch.connection_id()
        peer, self._origin = peer_and_origin(transport)
        self._trusted = peer is not None and front_ends.trusts(peer)
        """To say who its client is. Nobody else is asked, for each request would pay for it."""

    def unread(self, reader: RequestReader) -> Request:
        """As much as is known of one whose head has not come."""
        target_text = reader.target.decode("latin-1") or "-"
        head = Incoming(reader.method, target_text, UNREAD, reader.version, reader.headers, NO_BODY, False)
        return self.whole(head, None, b"")

    def begun(self, head: Incoming) -> Request:
        """Its body is still to come."""
        return self.whole(head, head.body.length, b"")

    def whole(self, head: Incoming, length: int | None, body: bytes, key: str = "") -> Request:
        """`length` of the body, which may be in a file; `key`: by which it has been spoken of before."""
        key = request_id = key or self._dispatch.request_key()
        origin, headers, target = self._origin, head.headers, head.target
        if self._trusted and (told := self._front_ends.told(headers)) is not None:
            origin, headers = as_told(origin, headers, told)
            request_id = told.request_id or key
            for doubt in told.doubts:
                told_of = "request %s: what a front end says is not believed: %s"
                log.debug(told_of, request_id, doubt, extra=about(request_id))
        # By position: msgspec takes six times as long when so many fields are named.
        return Request(
            key,
            request_id,
            head.method,
            head.target_text,
            target.script_name,
            target.path,
            target.query,
            head.version,
            headers,
            origin.scheme,
            origin.server_name,
            origin.server_port,
            origin.remote_addr,
            origin.remote_port,
            SERVER_ID,
            self._client_id,
            length,
            body,
            not body and bool(length),
        )

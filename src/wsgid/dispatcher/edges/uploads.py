"""The uploads that a Mongrel2 is writing to files, and what is to become of each (docs/mongrel2.md).

An upload outlives what else is known of its connection: a refused one, whose connection we have closed, may be done at
that very moment, and then its file is ours to remove.
"""

from collections import OrderedDict

from wsgid.protocol.values import Request

REMEMBERED = 10_000
"""Uploads. Mongrel2 has one for a connection at most, and fewer connections; a refused one that it dropped itself, for
which no word comes, is forgotten when so many have come after it."""


class Uploads:
    """Of one generation of one Mongrel2. A connection is named by its server and client id."""

    __slots__ = ("_uploads",)

    def __init__(self) -> None:
        self._uploads: OrderedDict[tuple[str, str], tuple[bytes, Request | None]] = OrderedDict()
        """Path as Mongrel2 names it, and the request if we want the upload."""

    def start(self, request: Request, path: bytes, wanted: bool) -> None:
        self._uploads[(request.server_id, request.client_id)] = (path, request if wanted else None)
        if len(self._uploads) > REMEMBERED:
            self._uploads.popitem(last=False)

    def done(self, request: Request, path: bytes) -> bool | None:
        """Whether it was wanted; None when it never started: then the file is none of our business."""
        key = (request.server_id, request.client_id)
        started, wanted = self._uploads.get(key, (b"", None))
        if started != path or key not in self._uploads:
            return None
        del self._uploads[key]
        return wanted is not None

    def left(self, server_id: str, client_id: str) -> None:
        """The client has gone in the midst of it; Mongrel2 removes the file."""
        self._uploads.pop((server_id, client_id), None)

    def refuse_all(self) -> list[Request]:
        """The requests whose uploads are wanted; from now on they are not."""
        wanted = [request for _, request in self._uploads.values() if request is not None]
        for key, (path, _) in self._uploads.items():
            self._uploads[key] = (path, None)
        return wanted

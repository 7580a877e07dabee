"""The uploads that a Mongrel2 is writing to files, and what is to become of each (docs/mongrel2.md).

An upload outlives what else is known of its connection: a refused one, whose connection we have closed, may be done at
that very moment, and its request must not be answered a second time then.
"""

from collections import OrderedDict
from typing import NamedTuple

from wsgid.dispatcher.edges.upload_file import UploadFile
from wsgid.protocol.values import Request

REMEMBERED = 10_000
"""Uploads of each kind. Mongrel2 has one for a connection at most, and as it comes 10,240 connections. But it says
nothing of one that its reaper ends, nor of a refused one that it drops: the oldest are forgotten for new ones."""

ASK_AFTER = 600.0
"""Seconds after which it is worth asking whether Mongrel2 still knows of an upload. Asking keeps the connection alive:
it must be rare beside the time after which the reaper may end one (``limits.min_ping``, 120 s)."""

Key = tuple[str, str]
"""A connection: its server and client id."""


class Wanted(NamedTuple):
    request: Request
    file: UploadFile
    since: float
    """When it began, or was last asked after."""


class Uploads:
    """Of one generation of one Mongrel2."""

    __slots__ = ("_refused", "_wanted")

    def __init__(self) -> None:
        self._wanted: OrderedDict[Key, Wanted] = OrderedDict()
        """The one that was heard of the longest ago first."""
        # Apart, so that no number of refusals makes us forget an upload that takes its time.
        self._refused: OrderedDict[Key, bytes] = OrderedDict()
        """Path of each."""

    def start(self, request: Request, file: UploadFile, now: float) -> Request | None:
        """Returns the request of an upload that is forgotten for it: Mongrel2 has dropped it without a word."""
        key = _key(request)
        dropped = self._wanted.pop(key, None)
        if len(self._wanted) == REMEMBERED:
            _, dropped = self._wanted.popitem(last=False)
        self._wanted[key] = Wanted(request, file, now)
        return _forgotten(dropped)

    def doubtful(self, now: float) -> Key | None:
        """One that nothing has been heard of for long, to be asked after: of one that Mongrel2 has dropped it says then
        that its client has left. Asked with each start, this keeps up with what there is to ask after."""
        key, oldest = next(iter(self._wanted.items()), (None, None))
        if key is None or oldest is None or now - oldest.since < ASK_AFTER:
            return None
        self._wanted[key] = oldest._replace(since=now)
        self._wanted.move_to_end(key)
        return key

    def refuse(self, request: Request, file: UploadFile) -> None:
        """Its file is removed, whatever Mongrel2 still does with it."""
        file.close()
        self._refused[_key(request)] = file.path
        if len(self._refused) > REMEMBERED:
            self._refused.popitem(last=False)

    def done(self, request: Request, path: bytes) -> UploadFile | None:
        """The file of an upload that is wanted. `path` as it is seen from here."""
        key = _key(request)
        wanted = self._wanted.get(key)
        if wanted is None or wanted.file.path != path:
            return None
        del self._wanted[key]
        return wanted.file

    def was_refused(self, request: Request, path: bytes) -> bool:
        """Has the request been answered? Asked once, when the upload is done."""
        key = _key(request)
        if self._refused.get(key) != path:
            return False
        del self._refused[key]
        return True

    def left(self, server_id: str, client_id: str) -> Request | None:
        """The client has gone: the request of the upload that it was in the midst of. Mongrel2 removes the file."""
        self._refused.pop((server_id, client_id), None)
        return _forgotten(self._wanted.pop((server_id, client_id), None))

    def closed(self, server_id: str, client_id: str) -> Request | None:
        """We have closed the connection: the request of the upload that was in progress on it. Mongrel2 gives it up
        without a word, unless it is done already."""
        wanted = self._wanted.pop((server_id, client_id), None)
        if wanted is None:
            return None
        self.refuse(wanted.request, wanted.file)
        return wanted.request

    def refuse_all(self) -> list[Request]:
        """The requests whose uploads were wanted; from now on they are not."""
        wanted = list(self._wanted.values())
        self._wanted.clear()
        for each in wanted:
            self.refuse(each.request, each.file)
        return [each.request for each in wanted]


def _key(request: Request) -> Key:
    return request.server_id, request.client_id


def _forgotten(wanted: Wanted | None) -> Request | None:
    if wanted is None:
        return None
    wanted.file.forget()
    return wanted.request

"""Bodies that Mongrel2 writes to files (``upload.temp_store``): what becomes of each, however it ends (docs/bodies.md).

Mongrel2 tells of an upload twice, when it starts and when it is done. Until then the file is Mongrel2's, which removes
it when the client leaves or we close the connection; from then on it is ours.
"""

import logging
import os
from functools import partial
from typing import Protocol

import msgspec

from wsgid.dispatcher.disk import Disk
from wsgid.dispatcher.edges.client import PendingBody
from wsgid.dispatcher.edges.upload_file import UploadFile
from wsgid.dispatcher.edges.uploads import Uploads
from wsgid.dispatcher.question import Judged, Question, in_its_turn
from wsgid.logs import about
from wsgid.protocol import mongrel2_uploads
from wsgid.protocol.http_request import Refused
from wsgid.protocol.mongrel2_messages import UploadDone, UploadStarted
from wsgid.protocol.values import Request
from wsgid.upload_journal import UploadJournal

log = logging.getLogger("wsgid.dispatcher")

BEGUN_ELSEWHERE = "the server was restarted while the body was on its way: send the request again"
BEGINNING_MISSED = (
    "request %s: an upload is done whose beginning was not seen here: %s. It went to a dispatcher that has died, or to "
    "another daemon: if there are several on this handler, say so with --shared-handler"
)


class FileOwner(Protocol):
    """The edge."""

    def check_size(self, request: Request) -> None:
        """Raises Refused when the body is longer than we take."""

    def ask(self, request: Request, judged: Judged) -> Question | None:
        """See `Dispatch.ask`. None when there are no upload filters."""

    def file_done(self, request: Request, file: PendingBody) -> None:
        """The body is whole; a question about it may still be open."""

    def file_refused(self, request: Request, refused: Refused) -> None:
        """The client is to be told, and its connection closed."""

    def file_left(self, request: Request) -> None:
        """The body will never be whole, and there is nobody to tell."""

    def ask_after(self, server_id: str, client_id: str) -> None:
        """Mongrel2 shall say so if it does not know this client any more."""


class FileUploads:
    """Of one Mongrel2, over all its generations."""

    def __init__(
        self,
        owner: FileOwner,
        chroot: str,
        journal: UploadJournal,
        disk: Disk,
        *,
        shared: bool,
    ) -> None:
        """`shared`: the start of an upload may come to us, and its end to another daemon (``--shared-handler``)."""
        self._owner = owner
        self._chroot = os.fsencode(chroot)
        self._journal = journal
        self._disk = disk
        self._shared = shared
        self._stopping: Refused | None = None
        self._uploads = Uploads()

    def started(self, started: UploadStarted) -> None:
        request, path = started.request, self._outside(started.path)
        if refused := self._why_not(request):
            # With the close message that follows Mongrel2 gives the upload up, unless it is done already.
            self._uploads.refuse(request, self._file(path))
            self._owner.file_refused(request, refused)
        elif not self._shared:
            # Else it is not even noted: who sees its end knows of it, and may be at it when we, or who follows us,
            # would remove it.
            file = self._file(path)
            self._remember(request, file)
            file.question = self._owner.ask(request, partial(self._judged, request))

    def _judged(self, request: Request, refused: Refused | None) -> None:
        """The verdict on one that is not done yet."""
        if refused is not None:
            self._uploads.closed(request.server_id, request.client_id)
            self._owner.file_refused(request, refused)

    def _why_not(self, request: Request) -> Refused | None:
        if self._stopping is None:
            try:
                self._owner.check_size(request)
            except Refused as refused:
                return refused
        return self._stopping

    def _remember(self, request: Request, file: UploadFile) -> None:
        now = self._disk.time()
        self._left(self._uploads.start(request, file, now))
        if doubtful := self._uploads.doubtful(now):
            self._owner.ask_after(*doubtful)

    def done(self, done: UploadDone) -> None:
        request, path = done.request, self._outside(done.path)
        file = self._uploads.done(request, path)
        if file is not None:
            self._owner.file_done(_named_as_asked(request, file.question), file)
        elif self._uploads.was_refused(request, path):
            self._file(path).close()
        elif self._shared:
            file = self._file(path)
            file.question = self._owner.ask(request, in_its_turn)
            self._owner.file_done(request, file)
        else:
            # No less genuine than those whose start we have seen: so its file is ours to remove.
            self._file(path).close()
            log.warning(BEGINNING_MISSED, request.id, os.fsdecode(path), extra=about(request.id))
            self._owner.file_refused(request, Refused(503, BEGUN_ELSEWHERE))

    def refused(self, request: Request, path: bytes, *, done: bool) -> bool:
        """Mongrel2 has made a file for a request that is refused for what it says of itself. False when it has been
        answered already, at its start."""
        outside = self._outside(path)
        file = self._file(outside)
        if not done:
            self._uploads.refuse(request, file)
            return True
        file.close()
        return not self._uploads.was_refused(request, outside)

    def left(self, server_id: str, client_id: str) -> None:
        """The client has gone."""
        self._left(self._uploads.left(server_id, client_id))

    def closed(self, server_id: str, client_id: str) -> None:
        """We have closed the connection. What was being uploaded behind the request that closed it is given up."""
        self._left(self._uploads.closed(server_id, client_id))

    def _left(self, request: Request | None) -> None:
        if request is not None:
            self._owner.file_left(request)

    def lost(self) -> None:
        """The end of a generation: there is nobody left who would finish or remove these files."""
        uploads, self._uploads = self._uploads, Uploads()
        for request in uploads.refuse_all():
            self._owner.file_left(request)

    def refuse_all(self, refused: Refused) -> None:
        """And those that are still to come."""
        self._stopping = refused
        for request in self._uploads.refuse_all():
            self._owner.file_refused(request, refused)

    def _outside(self, path: bytes) -> bytes:
        """As it is seen from here. In the messages it is as Mongrel2 sees it."""
        return mongrel2_uploads.outside_chroot(self._chroot, path)

    def _file(self, path: bytes) -> UploadFile:
        return UploadFile(path, self._journal, self._disk)


def _named_as_asked(request: Request, question: Question | None) -> Request:
    """Mongrel2 tells of it twice: to people it is one request, by one name."""
    if question is None:
        return request
    return msgspec.structs.replace(request, key=question.request.key, id=question.request.id)

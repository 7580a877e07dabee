"""The answer on its way out: ``start_response``, ``write()``, body parts; what goes to the dispatcher, and when.

An answer whose whole body is at hand goes as one, one whose body is a large file as the file's descriptor. Any other
begins with its first part: that part is all of the answer when it reaches the Content-Length, else it goes at once with
the head, and each further part as it comes. Nothing is held back to be joined: PEP 3333 has each part sent before the
next is asked for.
"""

import enum
import logging
from collections.abc import Callable, Iterable, Sequence

import msgspec

from wsgid.channel.frames import PART_SIZE
from wsgid.logs import about, enable_again
from wsgid.protocol.http_answer import BODILESS
from wsgid.protocol.values import Head, Header, Request
from wsgid.worker.checks import ExcInfo, check_exc_info, check_status, checked_headers, shown
from wsgid.worker.errors import ApplicationError, ClientGone, RequestTimeout, UnusableAnswer
from wsgid.worker.file_wrapper import FileWrapper
from wsgid.worker.in_hand import Held
from wsgid.worker.outlet import SERVER_ERROR, Outlet

log = logging.getLogger(__name__)


class Phase(enum.Enum):
    SILENT = enum.auto()
    """``start_response`` has not been called."""
    STARTED = enum.auto()
    """It has; nothing has been sent."""
    STREAMING = enum.auto()
    """The head has been sent, and perhaps a part of the body."""
    OVER = enum.auto()
    """The answer has been sent to its end, or cut."""


SILENT, STARTED, STREAMING, OVER = Phase


def named(request: Request) -> str:
    """A request in the words of the log."""
    return f"{request.method} {request.target} (request {request.id})"


class Response(msgspec.Struct, eq=False):
    """One request's answer. Used by the thread that serves the request.

    Every method that sends raises DispatcherGone, those that take a part ApplicationError when the application breaks
    PEP 3333. The application calls `start_response` and `write`: while they run it cannot be interrupted, and they
    raise RequestTimeout when it has been. `write` and `stream` raise ClientGone.
    """

    _request: Request
    _outlet: Outlet
    _held: Held
    _phase: Phase = SILENT
    _head: Head = SERVER_ERROR
    _bodiless: bool = False
    """The client gets no body, whatever the application gives: the method is HEAD, or the code has none."""
    _left: int | None = None
    """Bytes that the body may still have; None when the application has not said."""
    _told: bool = False
    """The log has been told that the body is too long."""
    done: bool = False
    """What was sent says that the request is done with: no DONE may follow."""

    def __repr__(self) -> str:
        """Without the request: debuggers and error reports show it, as that of `start_response`."""
        return object.__repr__(self)

    def start_response(
        self, status: str, headers: list[Header], exc_info: ExcInfo | None = None
    ) -> Callable[[bytes], None]:
        """PEP 3333, "The start_response() Callable"."""
        held = self._held
        with held.held_off:
            if held.timed_out:
                raise RequestTimeout
            if exc_info:
                check_exc_info(exc_info)
            if exc_info and exc_info[1] is not None:
                try:
                    if self._phase in (STREAMING, OVER):
                        raise exc_info[1].with_traceback(exc_info[2])
                finally:
                    exc_info = None  # as the PEP asks: the traceback holds this frame, which would hold the traceback
            elif self._phase is not SILENT:
                raise self._called_again(status)
            self._start(status, headers)
        return self.write

    def _called_again(self, status: str) -> ApplicationError:
        if self._phase is OVER:
            return ApplicationError(
                f"PEP 3333: start_response must be called before the answer has ended; the application gave {status!r} "
                "after that; call it before you return or yield the first part"
            )
        return ApplicationError(
            "PEP 3333: start_response may be called again only with exc_info; the application gave the status "
            f"{self._head.status!r} first and now {status!r}; call it once, or pass sys.exc_info() from an "
            "'except' block to replace the answer"
        )

    def write(self, data: bytes) -> None:
        """The ``write()`` callable of PEP 3333."""
        self._held.leave()
        try:
            if not isinstance(data, bytes):
                raise ApplicationError(_not_bytes(data))
            if data and self._phase is OVER and self._left != 0:  # else it is more than Content-Length says
                raise ApplicationError(
                    "PEP 3333: write() must be called before the answer has ended; the application wrote "
                    f"{shown(data)} after that, which is not sent; write it sooner, or return or yield it"
                )
            if data:
                self._take(data)
        finally:
            self._held.enter()

    def _start(self, status: str, headers: list[Header]) -> None:
        code = check_status(status)
        good, length = checked_headers(headers)
        self._head = Head(status, good, length)
        self._bodiless = self._request.method == "HEAD" or code in BODILESS
        self._left = 0 if self._bodiless else length
        self._phase = STARTED

    def whole(self, parts: Sequence[bytes]) -> None:
        """The whole body, from an application that has nothing left to do."""
        for part in parts:
            if not isinstance(part, bytes):
                raise UnusableAnswer(_not_bytes(part))
        if self._phase is not STARTED:  # `write` was used, or there is no head
            self.stream(parts, done=True)
            return
        body = b"".join(parts)
        size = len(body)
        if self._left is not None and self._left != size:
            body = self._fitted(body, self._left)
        if len(body) > PART_SIZE:
            self._tell_length(size)
        self._answer(body, done=True)

    def from_file(self, wrapper: FileWrapper) -> bool:
        """The whole body, when the dispatcher can read it from the file: small ones cost less in a frame.

        False: nothing has been done, the body is to go as `stream`. As PEP 3333 says, it ends with the file or with its
        Content-Length, whichever comes first, and the Content-Length need not be given.
        """
        self._told = True  # a file that is longer than its Content-Length is no mistake
        opened = wrapper.opened()
        if opened is None or self._phase is not STARTED:
            return False
        if self._bodiless and opened.rest:  # files in /proc have no size
            self._tell_length(opened.rest)
        length = self._left if self._left is not None else opened.rest
        if not self._outlet.largest_whole < length <= opened.rest:
            return False
        self._tell_length(length)
        self._outlet.file(self._head, opened)
        self._phase = OVER
        return True

    def stream(self, parts: Iterable[object], *, done: bool) -> None:
        """The body as the application yields it, to its end; ``done`` when nothing is left to do then.

        What comes behind the answer's end can reach nobody. The iterable is still asked once more, as honest ones have
        work behind their last ``yield``; one that has more to give is left there, for it may have no end.
        """
        for part in parts:
            if not isinstance(part, bytes):
                raise UnusableAnswer(_not_bytes(part))
            if part and not self._take(part):
                return
        self._finish(done)

    def fail(self, error: BaseException) -> None:
        """The request has failed: 500 when nothing has been sent, else a cut, so that the client can tell."""
        phase, self._phase = self._phase, OVER
        if phase is not OVER:
            self._outlet.fail(error, begun=phase is STREAMING, bodiless=self._request.method == "HEAD")

    def _take(self, part: bytes) -> bool:
        """Sends a part that is not empty; whether another one is of any use."""
        if self._phase is OVER:
            self._note_surplus(len(part))
            return False
        if type(part) is not bytes:
            part = b"".join((part,))  # a class of its own goes on no channel
        # Not the first part, which may be the whole answer (Django's and Flask's are no lists): it is made already.
        if self._phase is STREAMING and self._held.client_left:
            raise ClientGone(f"the client of {named(self._request)} has left")
        part = self._cut_to_fit(part)
        if self._left is not None:
            self._left -= len(part)
        if self._phase is STREAMING:
            self._send_part(part)
        elif self._left == 0 and len(part) <= PART_SIZE:
            self._answer(part, done=False)
        else:
            self._require_start()
            self._send_part(part)
        return True

    def _send_part(self, part: bytes) -> None:
        head = None if self._phase is STREAMING else self._head
        self._phase = STREAMING
        self._outlet.part(head, part, last=self._left == 0)
        if self._left == 0:
            self._phase = OVER

    def _answer(self, body: bytes, *, done: bool) -> None:
        self.done = self._outlet.answer(self._head, body, done=done)
        self._phase = OVER

    def _finish(self, done: bool) -> None:
        """The iterable has ended."""
        if self._phase is OVER:
            return
        self._require_start()
        if self._left:
            raise self._too_short(self._left)
        if self._phase is STREAMING:
            self.done = self._outlet.end(done=done)
            self._phase = OVER
        else:
            self._answer(b"", done=done)

    def _require_start(self) -> None:
        if self._phase is SILENT:
            raise UnusableAnswer(
                "PEP 3333: start_response must be called before the first part of the body; the application never "
                "called it, or hid what it raised; call start_response('200 OK', headers) before you return or yield"
            )

    def _too_short(self, missing: int) -> UnusableAnswer:
        return UnusableAnswer(
            "PEP 3333: the body must have as many bytes as Content-Length says; the application announced "
            f"{self._head.content_length} and {missing} of them never came; correct the header or leave it out"
        )

    def _fitted(self, body: bytes, left: int) -> bytes:
        """A whole body that has not the length it should have."""
        if self._bodiless:
            self._tell_length(len(body))
        if len(body) < left:
            raise self._too_short(left - len(body))
        return self._cut_to_fit(body)

    def _cut_to_fit(self, part: bytes) -> bytes:
        """The bytes that Content-Length leaves room for."""
        if self._left is None or len(part) <= self._left:
            return part
        self._note_surplus(len(part) - self._left)
        return part[: self._left]

    def _note_surplus(self, size: int) -> None:
        if not self._told and not self._bodiless:
            self._told = True
            enable_again()
            log.error(
                "%s: PEP 3333: the body must have as many bytes as Content-Length says; the application announced %d "
                "and gave at least %d more, which are cut off; correct the header or leave it out",
                named(self._request),
                self._head.content_length,
                size,
                extra=about(self._request.id),
            )

    def _tell_length(self, size: int) -> None:
        """Adds the Content-Length that PEP 3333 lets a server add when it has the whole body: a long one goes in parts,
        and that of a HEAD goes not at all, so that the edge could not know it."""
        if self._head.content_length is None and self._head.code not in BODILESS:
            headers = [*self._head.headers, ("Content-Length", str(size))]
            self._head = Head(self._head.status, headers, size)


def _not_bytes(part: object) -> str:
    remedy = "encode it: text.encode('utf-8')" if isinstance(part, str) else "make it bytes: bytes(part)"
    return f"PEP 3333: each part of the body must be bytes; the application gave {shown(part)}; {remedy}"

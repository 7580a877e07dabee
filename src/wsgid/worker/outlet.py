"""Where an answer goes: onto the channel as frames, or first to whoever stands between.

`Response` knows what may be said and when; an outlet only says it.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from wsgid.channel import frames
from wsgid.channel.frames import DONE, END, PART_SIZE, Answer, File, Kind
from wsgid.protocol.http_answer import written
from wsgid.protocol.values import Head
from wsgid.worker.file_wrapper import Opened

JOIN_LIMIT: Final = 16 * 1024
"""Bytes of a body that are copied into its frame: less work than to send frame and body from two places."""

SERVER_ERROR_BODY: Final = b"Internal Server Error\n"
SERVER_ERROR: Final = Head(
    "500 Internal Server Error",
    [("Content-Type", "text/plain"), ("Content-Length", str(len(SERVER_ERROR_BODY)))],
    len(SERVER_ERROR_BODY),
)
"""What the client is told of a failed request. The reason is in the log only: it may be nobody else's business."""

_WRITTEN_ERROR: Final = written(SERVER_ERROR)


class Outlet(Protocol):
    """Takes one answer: `answer`, or `file`, or `part` and more of them and `end`; `fail` in the place of what is still
    to come; `done` behind it, unless that has been said.

    Everything may raise DispatcherGone.
    """

    @property
    def largest_whole(self) -> int:
        """Bytes: a file that has more is to be given to `file`."""

    def answer(self, head: Head, body: bytes, *, done: bool) -> bool:
        """All of it. ``done``: the application has nothing left to do; true when that has been said as well."""

    def file(self, head: Head, opened: Opened) -> None:
        """All of it: as many bytes of the file as ``head.content_length`` says."""

    def part(self, head: Head | None, part: bytes, *, last: bool) -> None:
        """A part that is not empty. The first one comes with the head."""

    def end(self, *, done: bool) -> bool:
        """There is no more part. ``done`` as above."""

    def done(self) -> None:
        """The application has nothing left to do, which has not been said yet."""

    def fail(self, error: BaseException, *, begun: bool, bodiless: bool) -> None:
        """The request has failed: 500 when nothing has been sent, else a cut, so that the client can tell."""


class Frames:
    """The outlet of a channel, for one answer after the other."""

    __slots__ = ("_send", "_send_file", "_send_pieces")

    largest_whole: Final = PART_SIZE

    def __init__(
        self,
        send: Callable[[bytes], None],
        send_pieces: Callable[[Sequence[bytes | memoryview]], None],
        send_file: Callable[[bytes, int], None],
    ) -> None:
        """``send_pieces`` sends bytes that lie in several places, ``send_file`` a FILE frame and the descriptor that
        goes with it."""
        self._send = send
        self._send_pieces = send_pieces
        self._send_file = send_file

    def answer(self, head: Head, body: bytes, *, done: bool) -> bool:
        size = len(body)
        if size <= JOIN_LIMIT:
            self._send(frames.answer(Answer(written(head), body, done)))
        elif size <= PART_SIZE:
            before, behind = frames.answer_around(written(head), size, done)
            self._send_pieces((before, body, behind))
        else:
            self._send_parts(frames.head(written(head)), body, END + DONE if done else END)
        return done

    def file(self, head: Head, opened: Opened) -> None:
        self._send_file(frames.file(File(written(head), opened.position)), opened.descriptor)

    def part(self, head: Head | None, part: bytes, *, last: bool) -> None:
        self._send_parts(b"" if head is None else frames.head(written(head)), part, END if last else b"")

    def end(self, *, done: bool) -> bool:
        self._send(END + DONE if done else END)
        return done

    def done(self) -> None:
        self._send(DONE)

    def fail(self, error: BaseException, *, begun: bool, bodiless: bool) -> None:
        if begun:
            self._send(frames.CUT)
        else:
            self._send(frames.answer(Answer(_WRITTEN_ERROR, b"" if bodiless else SERVER_ERROR_BODY, False)))

    def _send_parts(self, before: bytes, part: bytes, behind: bytes) -> None:
        """In pieces of at most PART_SIZE. The head goes in one write with the first of them, the end with the last.

        The body is sent from where it lies. A copy of PART_SIZE takes longer than sending it: that much memory is the
        kernel's each time, page by page. (1 MiB took the worker twelve times as long with copies.)
        """
        whole = memoryview(part)
        for start in range(0, len(part), PART_SIZE):
            piece = whole[start : start + PART_SIZE]
            end = behind if start + PART_SIZE >= len(part) else b""
            self._send_pieces((before + frames.header(Kind.PART, len(piece)), piece, end))
            before = b""

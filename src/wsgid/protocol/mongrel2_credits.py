"""Credits: how many bytes Mongrel2 may send us of an upload, and how many we may send it for a client.

Two settings of Mongrel2 know credits, and neither needs the other. With ``upload.stream`` it sends of a big body only
what the handler has allowed. With ``download.flow_control`` a handler may have so many bytes of answers waiting in
Mongrel2 and no more: one more ends the connection, without a word. The rules are those of its ``upload.c`` and
``connection.c`` (1.12.2 and 1.13.0), and were measured.
"""

from collections import deque
from typing import Final

UPLOAD_WINDOW: Final = 64 * 1024
"""Bytes that Mongrel2 may send of an upload before it is allowed more: some three of its messages, which are at most as
long as its ``limits.content_length`` (20480). So much may be under way when the disk is slow."""

ENOUGH: Final = 2**20
"""Credits for an upload whose connection is being closed, once: for what comes after that it gets back what it costs.
Mongrel2's task sleeps until it has a credit, and only then sees that the connection has ended; a chunk may have put it
102,400 below 0, and until the last answer is written, which may take long, it spends what it gets. It adds up in a C
``int``, which the same again for each part would overflow, and then it sleeps for good."""


class UploadCredits:
    """Of one streamed upload. ``grant()`` after each part says what to allow now."""

    __slots__ = ("_allowed", "_missing")

    def __init__(self, length: int | None, received: int) -> None:
        """``length``: bytes of the body, None when it is chunked. ``received``: bytes that came with the request, which
        cost no credits."""
        self._missing = None if length is None else length - received
        self._allowed = 0

    def grant(self) -> int:
        """Credits to give now; 0 when Mongrel2 still has enough.

        With half of them gone it gets new ones, so that it need not wait. A chunked body's end has no bytes, and yet
        Mongrel2 does not tell it without a credit: there is always one left over.
        """
        most = UPLOAD_WINDOW if self._missing is None else min(UPLOAD_WINDOW, self._missing)
        if self._allowed > UPLOAD_WINDOW // 2 or self._allowed >= most:
            return 0
        count = most - self._allowed
        self._allowed = most
        return count

    def took(self, size: int) -> None:
        """A part has come. A chunk is sent whole, and may cost more than there was."""
        self._allowed -= size
        if self._missing is not None:
            self._missing -= size


class DownloadCredits:
    """The balance of one connection: bytes that may be sent to it now.

    Mongrel2 ends a connection when the bytes that wait, without the message that it is writing, and a new message are
    together more than ``size``, which it says with the connection's first request. It gives back a message's bytes
    when it has written them, in the order in which they came. Here the message that it is writing counts as well: so
    the balance is never too high.
    """

    __slots__ = ("_messages", "counted", "left", "size")

    def __init__(self, size: int, counted: bool) -> None:
        self.size = size
        self.left = size
        self.counted = counted
        """From the connection's first byte on. If not (another process has spoken to it before us, and may have left
        something in the queue), `left` is a guess."""
        self._messages: deque[int] = deque()
        """The sizes of those that have not been written, as far as is known."""

    @property
    def oldest(self) -> int:
        """Bytes of the message that is being written, or comes next; 0 when there is none."""
        return self._messages[0] if self._messages else 0

    def spend(self, count: int) -> None:
        """Raises ValueError when there are not so many: Mongrel2 would end the connection."""
        if count > self.left:
            raise ValueError(f"{count} bytes to a connection that takes {self.left}")
        self.left -= count
        self._messages.append(count)

    def returned(self, count: int) -> None:
        """A message of so many bytes has been written. What another process has sent does not make room for us: it is
        told apart by its size, which may deceive us only while the other's are as long as ours."""
        if self._messages and (self.counted or self._messages[0] == count):
            self._messages.popleft()
            self.left = min(self.left + count, self.size)

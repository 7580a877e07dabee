"""Joins the parts of a streamed answer into few messages.

Mongrel2 without flow control keeps 16 messages for a connection besides the one it is writing, never tells when one was
written, and ends the connection at the next (docs/mongrel2.md). So an answer has at most 16 there: each message waits
until it is larger, or older, than the one before it had to be. Only of what is small and far apart is it known that
Mongrel2 has got rid of it: the kernel takes it, though the client may not read for a while.
"""

from typing import Final

EARLY_MESSAGES: Final = 14
"""Of the 16, one is for what remains at the end, and one for the close message: as the 17th it would be lost."""

FIRST_SIZE: Final = 4 * 1024
"""Bytes; four times as many with each message, up to LARGEST."""

LARGEST: Final = 8 * 1024 * 1024
"""Bytes of a message: six that grow and eight of these make more than 64 MiB, with no more than this in memory."""

LATE_SIZE: Final = 32 * 1024 * 1024
"""Bytes of each message behind the early ones. An answer that is so large takes its chance: a client that reads these
before the seventeenth is there gets it whole. (With 8 MiB even a fast one was cut, after 118 MiB.)"""

FIRST_DELAY: Final = 0.02
"""Seconds that a part may wait for more; doubled with each message."""

LONGEST_DELAY: Final = 5.0
"""Seconds. With it an answer goes on behind its sixteenth message, which comes after some 40 s, however many parts it
has. Such messages are written before the queue fills, unless the client has stopped reading."""

SOCKET_TAKES: Final = 8 * 1024
"""Bytes that the kernel takes for a client that does not read: half of what a socket's buffer has at first (tcp(7),
``tcp_wmem``), and the client's own comes on top."""

SLOWEST: Final = 300
"""Bytes that a client reads in a second, at least, on the whole: Mongrel2's ``limits.min_write_rate``, as it comes."""

WRITING_TIME: Final = 1.0
"""Seconds in which Mongrel2 passes one message on to the kernel, when that takes it. It needs 0.2 ms (measured); with
so many it may stand still for ten seconds on a machine that is overloaded."""


class PartJoiner:
    """Of one answer. When `add` says so, or `delay` seconds after it did not, `take` gives the message to send.

    All times are in seconds, of one monotonic clock.
    """

    __slots__ = ("_held", "_since", "_unread", "sent", "size")

    def __init__(self, now: float) -> None:
        self.sent = 0
        """Messages given out that Mongrel2 may still have."""
        self._held: list[bytes] = []
        self.size = 0
        """Bytes held."""
        self._unread = 0.0
        """Bytes given out that a client as slow as may be has not read..."""
        self._since = now
        """... at this time."""

    @property
    def holds(self) -> bool:
        return bool(self._held)

    @property
    def delay(self) -> float:
        """How long what is held may wait."""
        return min(FIRST_DELAY * 2.0**self.sent, LONGEST_DELAY) if self.sent else 0.0

    @property
    def overdrawn(self) -> bool:
        """More messages have been given out than Mongrel2 promises to keep."""
        return self.sent > EARLY_MESSAGES

    def add(self, data: bytes, now: float) -> bool:
        """Whether it is time for a message."""
        if not self._held:
            self._forget_written(now)
        self._held.append(data)
        self.size += len(data)
        return self.size >= (min(FIRST_SIZE << 2 * self.sent, LARGEST) if self.sent < EARLY_MESSAGES else LATE_SIZE)

    def take(self, before: bytes = b"") -> bytes:
        """All that is held, behind these bytes, as the next message; ``b""`` when nothing is."""
        if not self.size:
            return b""
        message = b"".join((before, *self._held))
        self._held.clear()
        self._unread += self.size
        self.size = 0
        self.sent += 1
        return message

    def _forget_written(self, now: float) -> None:
        """Of those that the kernel has taken Mongrel2 keeps nothing."""
        passed, too_many = now - self._since, self._unread - SOCKET_TAKES
        writing = passed - max(too_many / SLOWEST, 0.0)
        if not self.sent or writing >= WRITING_TIME:
            self.sent -= min(self.sent, max(0, int(writing / WRITING_TIME)))
            self._unread = max(0.0, self._unread - passed * SLOWEST)
            self._since = now

"""Joins the parts of a streamed answer into few messages.

Mongrel2 without flow control keeps 16 messages for a connection besides the one it is writing, never tells when one was
written, and ends the connection at the next (docs/mongrel2.md). So an answer takes at most 16: each message waits
until it is larger, or older, than the one before it had to be.
"""

from typing import Final

EARLY_MESSAGES: Final = 14
"""Of the 16, one is for what remains at the end, and one for the close message: as the 17th it would be lost."""

FIRST_SIZE: Final = 4 * 1024
"""Bytes; doubled with each message. 14 doublings and a last message of HELD_LIMIT make more than 64 MiB."""

FIRST_DELAY: Final = 0.02
"""Seconds that a part may wait for more; doubled as well."""

LONGEST_DELAY: Final = 5.0
"""Seconds. With it an answer that never ends (server-sent events) goes on behind its sixteenth message, which comes
after some 40 s. Small and far apart, such messages are written before the queue fills, unless the client has stopped
reading."""

HELD_LIMIT: Final = 32 * 1024 * 1024
"""Bytes that are held for the last message. An answer that is larger goes on in messages of this size, and takes its
chance: a client that reads them before the seventeenth is there gets it whole."""


class PartJoiner:
    """Of one answer. `add` gives what to send at once; if it gives nothing, send `take()` after `delay` seconds."""

    __slots__ = ("_held", "sent", "size")

    def __init__(self) -> None:
        self.sent = 0
        """Messages given out."""
        self._held: list[bytes] = []
        self.size = 0
        """Bytes held."""

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

    def add(self, data: bytes) -> bytes:
        """The message to send now, or ``b""``."""
        self._held.append(data)
        self.size += len(data)
        limit = FIRST_SIZE << self.sent if self.sent < EARLY_MESSAGES else HELD_LIMIT
        return self.take() if self.size >= limit else b""

    def take(self) -> bytes:
        """All that is held, as the next message; ``b""`` when nothing is."""
        if not self._held:
            return b""
        message = b"".join(self._held)
        self._held.clear()
        self.size = 0
        self.sent += 1
        return message

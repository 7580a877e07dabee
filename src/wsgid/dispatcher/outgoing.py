"""What a client has yet to take of an answer.

The dispatcher keeps it, so that no worker waits for a client. An edge takes as much of it as the client has room for.
"""

from typing import Protocol


class OutgoingOwner(Protocol):
    def outgoing_ready(self) -> None:
        """There may be more to take, and room for more."""

    def outgoing_failed(self, why: str) -> None:
        """The rest is lost, for a reason in the words of the log. Said once."""


class Outgoing(Protocol):
    """Bytes leave in the order in which they came."""

    size: int
    """Bytes that have not been taken."""

    @property
    def full(self) -> bool:
        """Whoever adds is to be slowed down."""

    def add(self, data: bytes) -> None: ...

    def take(self, most: int) -> bytes:
        """The next bytes, at most so many; none while they come from the disk, or when there are no more."""

    def close(self) -> None:
        """Forgets it all; nothing is called back any more."""

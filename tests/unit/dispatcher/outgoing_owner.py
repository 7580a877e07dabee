"""Who takes what is outgoing, as fast or slowly as a test wants."""

from dataclasses import dataclass, field

from wsgid.dispatcher.outgoing import Outgoing


@dataclass
class Owner:
    """An `OutgoingOwner`."""

    ready: int = 0
    failures: list[str] = field(default_factory=list)

    def outgoing_ready(self) -> None:
        self.ready += 1

    def outgoing_failed(self, why: str) -> None:
        self.failures.append(why)


def take_all(outgoing: Outgoing, most: int = 1 << 30) -> bytes:
    """What is at hand."""
    return b"".join(iter(lambda: outgoing.take(most), b""))

"""Who takes what is outgoing, as fast or slowly as a test wants."""

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path

from wsgid.dispatcher.disk import Disk
from wsgid.dispatcher.outgoing import Outgoing
from wsgid.dispatcher.storage import Storage

PLENTY = 1 << 30


@dataclass
class Owner:
    """An `OutgoingOwner`."""

    ready: int = 0
    failures: list[str] = field(default_factory=list)

    def outgoing_ready(self) -> None:
        self.ready += 1

    def outgoing_failed(self, why: str) -> None:
        self.failures.append(why)


def a_storage(
    directory: Path, executor: Executor, memory: int = PLENTY, spool: int = PLENTY, files: int = PLENTY
) -> Storage:
    return Storage(Disk(str(directory), executor, asyncio.get_running_loop()), memory, spool, files)


def take_all(outgoing: Outgoing, most: int = 1 << 30) -> bytes:
    """What is at hand."""
    return b"".join(iter(lambda: outgoing.take(most), b""))

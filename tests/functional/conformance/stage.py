"""One daemon on both edges, on which one rule after the other is tried, and what it writes meanwhile."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.functional.clients import Connection
from tests.functional.conformance.rule import HTTP
from tests.functional.daemon import Daemon
from tests.functional.gate import Gates
from tests.functional.mongrel2 import Mongrel2

RECORD = re.compile(r"^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} )", re.MULTILINE)
"""Where a record of the main log begins."""


class Tail:
    """What is added to a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = 0

    def skip(self) -> None:
        """What is there by now is not looked at."""
        self._seen = self._path.stat().st_size if self._path.exists() else 0

    def text(self) -> str:
        """Whole lines, since skip()."""
        if not self._path.exists():
            return ""
        with open(self._path, "rb") as file:
            file.seek(self._seen)
            added, newline, _ = file.read().rpartition(b"\n")
        return (added + newline).decode(errors="replace")


@dataclass(frozen=True)
class Stage:
    daemon: Daemon
    mongrel2: Mongrel2
    gates: Gates
    access: Tail
    log: Tail
    notes: Tail

    def address(self, edge: str) -> tuple[str, int]:
        return self.daemon.address if edge == HTTP else self.mongrel2.address

    def connect(self, edge: str) -> Connection:
        return Connection(self.address(edge))

    def skip(self) -> None:
        for tail in (self.access, self.log, self.notes):
            tail.skip()

    @contextmanager
    def made_gates(self, names: Iterable[str]) -> Iterator[None]:
        """Gates that are there while one rule is tried."""
        made = [self.gates.folder / self.gates.make(name) for name in names]
        yield
        for each in made:
            each.unlink()

    @property
    def records(self) -> list[str]:
        """Of the main log, since skip()."""
        return [record for record in RECORD.split(self.log.text()) if record]

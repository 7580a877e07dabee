"""What tests/apps/ledger noted of the requests that it ran, read while it goes on writing."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "LEDGER"
"""Environment variable that tells the application where its ledger is."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One run of one request."""

    method: str
    number: str
    pid: int
    attempt: int


class Ledger:
    """Reads what has been added since the last look, so that a long run costs no more than a short one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.begun: list[Entry] = []
        self.ended: set[str] = set()
        """Numbers of the requests that were run to their end."""
        self._gone: list[Entry] = []
        self._open: dict[Entry, None] = {}
        self._read = 0
        """Bytes, up to the end of a line."""

    @property
    def env(self) -> dict[str, str]:
        """For the daemon's environment."""
        return {VARIABLE: str(self.path)}

    def running(self) -> list[Entry]:
        """Those that have begun and not ended, oldest first; also those whose worker has died."""
        self.look()
        return list(self._open)

    def departures(self) -> list[Entry]:
        """Those that have heard that their client left."""
        self.look()
        return self._gone

    def runs(self) -> Counter[str]:
        """How often each request has been begun, by number."""
        self.look()
        return Counter(each.number for each in self.begun)

    def look(self) -> None:
        for line in self._new_lines():
            what, method, number, pid, attempt = line.split()
            entry = Entry(method, number, int(pid), int(attempt))
            if what == "begin":
                self.begun.append(entry)
                self._open[entry] = None
            elif what == "end":
                self.ended.add(number)
                del self._open[entry]
            else:
                self._gone.append(entry)

    def forget(self, pid: int) -> None:
        """This process is dead: nothing of it runs."""
        self.look()  # it may have said of something that it ended
        self._open = {entry: None for entry in self._open if entry.pid != pid}

    def _new_lines(self) -> list[str]:
        if not self.path.exists():
            return []
        with open(self.path, "rb") as file:
            file.seek(self._read)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._read += len(whole)
        return whole.decode().splitlines()

"""What is measured: a server under load, started with an application, and what must be known of it while it runs."""

import signal
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from tests import proc
from tests.functional.load import Address

APPS = Path(__file__).parent / "apps"
"""Applications that only a benchmark serves; those of the tests are in tests/apps."""


class NotMeasured(Exception):
    """A server did not start, or gave other answers than expected: its numbers would mean nothing."""


@dataclass(frozen=True)
class Application:
    folder: Path
    """Has ``app/wsgi.py``, and in that ``application``."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables, for every server the same."""


@dataclass(frozen=True)
class Running:
    address: Address
    started: Mapping[int, str]
    """The processes that were started, and what they are called: ``nginx``, ``gunicorn``. Their children are found."""
    worker_pids: Callable[[], Collection[int]]
    """Of the processes that run the application at this moment."""
    reload: Callable[[], None] | None = None
    """Orders new workers with the code as it is now, in the server's own way; returns at once. None: it has none."""
    target: str = "/"
    """What to ask for; a server of files has another name for it."""

    @property
    def url(self) -> str:
        return f"http://{self.address[0]}:{self.address[1]}{self.target}"

    def processes(self) -> set[int]:
        return {*self.started, *(child.pid for pid in self.started for child in proc.descendants(pid))}

    def roles(self) -> dict[int, str]:
        """What each process is: ``nginx``, ``gunicorn``, ``gunicorn workers``."""
        workers = {*self.worker_pids()} - {*self.started}
        found = dict(self.started)
        for pid, name in self.started.items():
            for child in proc.descendants(pid):
                found[child.pid] = f"{name} workers" if child.pid in workers else name
        return found


Start = Callable[[Path, Application], AbstractContextManager[Running]]
"""Called with an empty folder, to write into, and the application. Answers when it is entered; everything of it has
ended when it is left. Raises NotMeasured."""


@dataclass(frozen=True)
class Contender:
    name: str
    """With its workers and threads: ``gunicorn gthread, 2 workers of 2 threads``. Unique."""
    start: Start
    differs: str = ""
    """What of it is not comparable, a sentence."""


def children(pid: int) -> Callable[[], list[int]]:
    """The ``worker_pids`` of a server whose workers are the children of the process that was started."""
    return lambda: [each.pid for each in proc.descendants(pid) if each.parent == pid and not each.zombie]


def by_signal(pid: int, number: signal.Signals) -> Callable[[], None]:
    """The ``reload`` of a server that heeds a signal."""

    def reload() -> None:
        found = proc.process(pid)
        assert found, "the server has ended by itself"
        proc.kill(found, number)

    return reload


def size(workers: int, threads: int = 1) -> str:
    """For a contender's name: ``2 workers``, ``2 workers of 4 threads``."""
    return f"{workers} workers" + (f" of {threads} threads" if threads > 1 else "")

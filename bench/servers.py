"""Servers to be measured beside each other, with one application of tests/apps: ours over both edges, and others."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import proc
from tests.deadlines import wait_for
from tests.functional.clients import Connection, Cut
from tests.functional.daemon import Daemon
from tests.functional.load import Address
from tests.functional.mongrel2 import Endpoints, Mongrel2, free_port


@dataclass(frozen=True)
class Running:
    address: Address
    pids: tuple[int, ...]
    """Of the processes that were started; they have children."""
    target: str = "/"
    """What to ask for."""

    @property
    def url(self) -> str:
        return f"http://{self.address[0]}:{self.address[1]}{self.target}"

    def processes(self) -> set[int]:
        return {*self.pids, *(child.pid for pid in self.pids for child in proc.descendants(pid))}


@dataclass(frozen=True)
class Server:
    name: str
    serve: Callable[[Path], AbstractContextManager[Running]]
    """Called with an empty folder."""


class NotMeasured(Exception):
    """A server did not start, or gave other answers than expected: its numbers would mean nothing."""


@contextmanager
def wsgid_http(application: Path, workers: int, folder: Path) -> Iterator[Running]:
    with _daemon(application, workers, folder, "--bind", "127.0.0.1:0") as daemon:
        yield Running(daemon.address, (daemon.pid,))


@contextmanager
def wsgid_mongrel2(
    application: Path, workers: int, folder: Path, settings: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """``settings`` are Mongrel2's."""
    endpoints = Endpoints()
    # Headers in JSON, Mongrel2's default: a compiled parser reads it, which no tnetstring has.
    server = Mongrel2("bench", {"/": endpoints.ipc("bench")}, folder / "mongrel2", settings or {})
    server.start()
    try:
        with _daemon(application, workers, folder, *server.options) as daemon:
            yield Running(server.address, (daemon.pid, server.pid))
    finally:
        server.stop()
        endpoints.remove()


@contextmanager
def _daemon(application: Path, workers: int, folder: Path, *options: str) -> Iterator[Daemon]:
    """It is ended as it is, with no look at what is left."""
    site = folder / "site"
    site.mkdir()
    (site / "app").symlink_to(application / "app")
    running = Daemon(site, *options, "--workers", str(workers))
    try:
        running.start()
        yield running
        running.stop()
    finally:
        running.kill()


def gunicorn(application: Path, workers: int, folder: Path) -> AbstractContextManager[Running]:
    options = ("--workers", str(workers), "--access-logfile", str(folder / "access.log"), "wsgi:application")
    return other(application, folder, lambda port: ["gunicorn", "--bind", f"127.0.0.1:{port}", *options])


@contextmanager
def other(application: Path, folder: Path, arguments: Callable[[int], Sequence[str]]) -> Iterator[Running]:
    """A server that is a Python module: its name and what it is told to listen on the port that is given to
    ``arguments``. Raises NotMeasured."""
    address = ("127.0.0.1", free_port())
    command = [sys.executable, "-m", *arguments(address[1])]
    with open(folder / "output", "wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=application / "app")
    try:
        wait_for(lambda: process.poll() is not None or _answers(address), f"{command[2]} to answer")
        if process.poll() is not None:
            raise NotMeasured(f"{command[2]} did not start:\n{(folder / 'output').read_text()}")
        yield Running(address, (process.pid,))
    finally:
        process.terminate()
        process.wait()


def _answers(address: Address) -> bool:
    """Whatever it says: one that listens may have no worker yet."""
    try:
        with Connection(address) as connection:
            connection.ask()
            connection.answer()
    except (ConnectionError, Cut):
        return False
    return True

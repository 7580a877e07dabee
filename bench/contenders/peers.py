"""What a user would pick instead: gunicorn, waitress, granian, each with an access log if it has one."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from signal import SIGHUP

from bench.contender import Application, Contender, Running, Start, by_signal, children, size
from bench.contenders.process import listening

APPLICATION = "wsgi:application"


def gunicorn_sync(workers: int) -> Contender:
    differs = "It closes every connection after one answer, also where others keep theirs."
    return Contender(f"gunicorn sync, {size(workers)}", _gunicorn("--workers", str(workers)), differs)


def gunicorn_gthread(workers: int, threads: int) -> Contender:
    crew = ("--worker-class", "gthread", "--workers", str(workers), "--threads", str(threads))
    return Contender(f"gunicorn gthread, {size(workers, threads)}", _gunicorn(*crew))


def _gunicorn(*options: str) -> Start:
    @contextmanager
    def start(folder: Path, application: Application) -> Iterator[Running]:
        log = ("--access-logfile", str(folder / "access.log"))
        command = _module("gunicorn", lambda port: ("--bind", f"127.0.0.1:{port}", *log, *options, APPLICATION))
        with listening(command, folder, application) as (address, pid):
            yield Running(address, {pid: "gunicorn"}, children(pid), by_signal(pid, SIGHUP))

    return start


def waitress(threads: int) -> Contender:
    @contextmanager
    def start(folder: Path, application: Application) -> Iterator[Running]:
        crew = ("--threads", str(threads), APPLICATION)
        command = _module("waitress", lambda port: ("--listen", f"127.0.0.1:{port}", *crew))
        with listening(command, folder, application) as (address, pid):
            yield Running(address, {pid: "waitress"}, lambda: [pid])

    differs = "One process, so one core at most, and no access log; it cannot reload."
    return Contender(f"waitress, {threads} threads", start, differs)


def granian(workers: int, threads: int = 1) -> Contender:
    """``threads``: those that run the application; the server's own run beside them."""

    @contextmanager
    def start(folder: Path, application: Application) -> Iterator[Running]:
        # Without the last a worker that dies takes the server with it.
        options = ("--interface", "wsgi", "--access-log", "--respawn-failed-workers")
        crew = ("--workers", str(workers), "--blocking-threads", str(threads))
        command = _module(
            "granian", lambda port: ("--host", "127.0.0.1", "--port", str(port), *options, *crew, APPLICATION)
        )
        with listening(command, folder, application) as (address, pid):
            yield Running(address, {pid: "granian"}, children(pid), by_signal(pid, SIGHUP))

    return Contender(f"granian, {size(workers, threads)}", start, "Its HTTP is compiled code (Rust).")


def _module(name: str, options: Callable[[int], Sequence[str]]) -> Callable[[int], Sequence[str]]:
    return lambda port: (sys.executable, "-m", name, *options(port))

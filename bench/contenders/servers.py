"""What a user would pick instead, each with an access log if it has one: command lines, wherever a server listens."""

import sys
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.contender import size

APPLICATION = "wsgi:application"

UNIX = "unix:"

UWSGI_BACKLOG = 1024
"""Of connections. Its own 100 are fewer than the clients, and nginx answers 502 for each that finds no room."""

WAITRESS_CONNECTIONS = 500
"""Its own 100 are fewer than the clients, too: others would wait for the slow ones. Its
select(2) takes 1024 descriptors."""


@dataclass(frozen=True)
class Server:
    name: str
    """With its workers and threads."""
    program: str
    command: Callable[[str, Path], Sequence[str]]
    """Called with where to listen, ``127.0.0.1:8000`` or ``unix:/path``, and with a folder for its log."""
    differs: str = ""
    """What of it is not comparable, a sentence."""
    forks: bool = True
    """Has it workers, and new ones after SIGHUP? Or is it one process?"""


def gunicorn_sync(workers: int) -> Server:
    differs = "It closes every connection after one answer, also where others keep theirs."
    return Server(f"gunicorn sync, {size(workers)}", "gunicorn", _gunicorn("--workers", str(workers)), differs)


def gunicorn_gthread(workers: int, threads: int) -> Server:
    crew = ("--worker-class", "gthread", "--workers", str(workers), "--threads", str(threads))
    return Server(f"gunicorn gthread, {size(workers, threads)}", "gunicorn", _gunicorn(*crew))


def _gunicorn(*options: str) -> Callable[[str, Path], Sequence[str]]:
    def command(place: str, folder: Path) -> Sequence[str]:
        log = ("--access-logfile", str(folder / "access.log"))
        return (*_module("gunicorn"), "--bind", place, *log, *options, APPLICATION)

    return command


def waitress(threads: int) -> Server:
    def command(place: str, folder: Path) -> Sequence[str]:
        room = ("--connection-limit", str(WAITRESS_CONNECTIONS))
        return (*_module("waitress"), "--listen", place, "--threads", str(threads), *room, APPLICATION)

    differs = "One process, so one core at most, and no access log; it cannot reload."
    return Server(f"waitress, {threads} threads", "waitress", command, differs, forks=False)


def granian(workers: int, threads: int = 1, *, access_log: bool = True) -> Server:
    """``threads``: those that run the application; the server's own run beside them."""

    def command(place: str, folder: Path) -> Sequence[str]:
        host, _, port = place.rpartition(":")
        where = ("--uds", port) if place.startswith(UNIX) else ("--host", host, "--port", port)
        crew = ("--workers", str(workers), "--blocking-threads", str(threads))
        log = ("--access-log",) if access_log else ()
        # Without the last a worker that dies takes the server with it.
        options = ("--interface", "wsgi", *log, "--respawn-failed-workers")
        return (*_module("granian"), *where, *options, *crew, APPLICATION)

    name, differs = f"granian, {size(workers, threads)}", "Its HTTP is compiled code (Rust)."
    if access_log:
        return Server(name, "granian", command, differs)
    return Server(f"{name}, no access log", "granian", command, f"{differs} It writes no access log, as it comes.")


def uwsgi(workers: int, threads: int = 1) -> Server:
    """Speaks its own protocol, not HTTP: only for a web server in front of it."""

    def command(place: str, folder: Path) -> Sequence[str]:
        crew = ("--processes", str(workers), *(("--threads", str(threads)) if threads > 1 else ()))
        # Without die-on-term SIGTERM means a reload; without need-app it serves 500 when there is no application.
        manners = ("--master", "--die-on-term", "--need-app", "--listen", str(UWSGI_BACKLOG))
        log = ("--logto", str(folder / "access.log"))
        # It brings the Python of Debian: only what is installed for ours has to be found.
        code = ("--pythonpath", sysconfig.get_path("purelib"), "--module", APPLICATION)
        place = place.removeprefix(UNIX)
        return ("uwsgi_python3", "--socket", place, *crew, *manners, *log, *code)

    differs = "It is compiled code (C), speaks its own protocol to nginx, and runs the application in Debian's Python."
    return Server(f"uWSGI, {size(workers, threads)}", "uWSGI", command, differs)


def _module(name: str) -> tuple[str, ...]:
    return (sys.executable, "-m", name)

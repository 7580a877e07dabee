"""What a user would pick instead, with nothing in front of it: gunicorn, waitress, granian."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGHUP

from bench.contender import Application, Contender, Running, by_signal, children
from bench.contenders import servers
from bench.contenders.process import listening
from bench.contenders.servers import Server


def gunicorn_sync(workers: int) -> Contender:
    return _direct(servers.gunicorn_sync(workers))


def gunicorn_gthread(workers: int, threads: int) -> Contender:
    return _direct(servers.gunicorn_gthread(workers, threads))


def waitress(threads: int) -> Contender:
    return _direct(servers.waitress(threads))


def granian(workers: int, threads: int = 1) -> Contender:
    """``threads``: those that run the application; the server's own run beside them."""
    return _direct(servers.granian(workers, threads))


def _direct(server: Server) -> Contender:
    @contextmanager
    def start(folder: Path, application: Application) -> Iterator[Running]:
        with listening(lambda port: server.command(f"127.0.0.1:{port}", folder), folder, application) as (address, pid):
            workers = children(pid) if server.forks else lambda: [pid]
            yield Running(address, {pid: server.program}, workers, by_signal(pid, SIGHUP) if server.forks else None)

    return Contender(server.name, start, server.differs)

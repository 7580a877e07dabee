"""wsgid, over its own HTTP, behind Mongrel2 and behind nginx: with its access log, as it comes, and with metrics."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from signal import SIGHUP

from tests.deadlines import wait_for
from tests.functional.daemon import Daemon
from tests.functional.load import Address
from tests.functional.mongrel2 import Endpoints, Mongrel2

from bench.contender import Application, Contender, Running, by_signal, size
from bench.contenders.nginx import nginx, proxied
from bench.contenders.process import answers

METRICS = "metrics.sock"
"""In the site's folder: nobody asks there, but all is counted that the metrics show."""


def wsgid(workers: int, threads: int = 1, *options: str) -> Contender:
    """``options`` are wsgid's own, beyond workers and threads."""

    @contextmanager
    def start(folder: Path, application: Application) -> Iterator[Running]:
        with _daemon(folder, application, (*_crew(workers, threads), "--bind", "127.0.0.1:0", *options)) as daemon:
            yield _running(daemon, daemon.address, {daemon.pid: "wsgid"})

    return Contender(f"wsgid, {size(workers, threads)}", start)


def mongrel2_wsgid(
    workers: int, threads: int = 1, *options: str, settings: Mapping[str, str] | None = None, note: str = ""
) -> Contender:
    """``settings`` are Mongrel2's; ``note`` says in the name what they do."""

    @contextmanager
    def start(folder: Path, application: Application) -> Iterator[Running]:
        with (
            _mongrel2(folder, settings or {}) as server,
            _daemon(folder, application, (*_crew(workers, threads), *server.options, *options)) as daemon,
        ):
            yield _running(daemon, server.address, {server.pid: "Mongrel2", daemon.pid: "wsgid"})

    return Contender(", ".join(filter(None, [f"Mongrel2 + wsgid, {size(workers, threads)}", note])), start)


def nginx_wsgid(workers: int, threads: int = 1, *options: str) -> Contender:
    @contextmanager
    def start(folder: Path, application: Application) -> Iterator[Running]:
        socket = folder / "application.sock"
        place = (*_crew(workers, threads), "--bind", f"unix:{socket}", *options)
        with (
            _daemon(folder, application, place) as daemon,
            nginx(folder / "nginx", proxied(socket)) as (address, front),
        ):
            yield _running(daemon, address, {front.pid: "nginx", daemon.pid: "wsgid"})

    return Contender(f"nginx + wsgid, {size(workers, threads)}", start)


def _crew(workers: int, threads: int) -> tuple[str, ...]:
    return ("--workers", str(workers), "--threads", str(threads))


@contextmanager
def _daemon(folder: Path, application: Application, options: Sequence[str]) -> Iterator[Daemon]:
    """It is ended as it is, with no look at what is left."""
    site = folder / "site"
    (site / "logs").mkdir(parents=True)
    (site / "app").symlink_to(application.folder / "app")
    daemon = Daemon(site, "--no-stdout", "--metrics", f"unix:{site / METRICS}", *options, env=application.env)
    try:
        daemon.start()
        yield daemon
        daemon.stop()
    finally:
        daemon.kill()


@contextmanager
def _mongrel2(folder: Path, settings: Mapping[str, str]) -> Iterator[Mongrel2]:
    endpoints = Endpoints()
    # Headers in JSON, Mongrel2's default: a compiled parser reads it, which no tnetstring has.
    server = Mongrel2("bench", {"/": endpoints.ipc("bench")}, folder / "mongrel2", settings)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        endpoints.remove()


def _running(daemon: Daemon, address: Address, started: Mapping[int, str]) -> Running:
    """Once it answers, as every contender."""
    wait_for(lambda: answers(address), "the first answer")
    return Running(address, started, lambda: _workers(daemon), by_signal(daemon.pid, SIGHUP))


def _workers(daemon: Daemon) -> list[int]:
    """By the pid files alone: they are asked for again and again while something is measured."""
    return [int(file.stem) for file in (daemon.folder / "pid/worker").glob("*.pid")]

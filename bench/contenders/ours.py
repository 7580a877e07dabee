"""wsgid, over its own HTTP and behind Mongrel2: with its access log, as it comes, and with metrics."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from signal import SIGHUP

from tests.functional.daemon import Daemon
from tests.functional.mongrel2 import Endpoints, Mongrel2

from bench.contender import Application, Contender, Running, by_signal, size

METRICS = "metrics.sock"
"""In the site's folder: nobody asks there, but all is counted that the metrics show."""


def wsgid(workers: int, threads: int = 1, *options: str) -> Contender:
    """``options`` are wsgid's own, beyond workers and threads."""

    @contextmanager
    def start(folder: Path, application: Application) -> Iterator[Running]:
        place = ("--bind", "127.0.0.1:0", *_crew(workers, threads), *options)
        with _daemon(folder, application, place) as daemon:
            yield Running(
                daemon.address, {daemon.pid: "wsgid"}, lambda: daemon.worker_pids, by_signal(daemon.pid, SIGHUP)
            )

    return Contender(f"wsgid, {size(workers, threads)}", start)


def mongrel2_wsgid(
    workers: int, threads: int = 1, *options: str, settings: Mapping[str, str] | None = None
) -> Contender:
    """``settings`` are Mongrel2's."""

    @contextmanager
    def start(folder: Path, application: Application) -> Iterator[Running]:
        endpoints = Endpoints()
        # Headers in JSON, Mongrel2's default: a compiled parser reads it, which no tnetstring has.
        server = Mongrel2("bench", {"/": endpoints.ipc("bench")}, folder / "mongrel2", settings or {})
        server.start()
        try:
            place = (*server.options, *_crew(workers, threads), *options)
            with _daemon(folder, application, place) as daemon:
                names = {server.pid: "Mongrel2", daemon.pid: "wsgid"}
                yield Running(server.address, names, lambda: daemon.worker_pids, by_signal(daemon.pid, SIGHUP))
        finally:
            server.stop()
            endpoints.remove()

    return Contender(f"Mongrel2 + wsgid, {size(workers, threads)}", start)


def _crew(workers: int, threads: int) -> tuple[str, ...]:
    return ("--workers", str(workers), "--threads", str(threads))


@contextmanager
def _daemon(folder: Path, application: Application, options: tuple[str, ...]) -> Iterator[Daemon]:
    """It is ended as it is, with no look at what is left."""
    site = folder / "site"
    (site / "logs").mkdir(parents=True)
    (site / "app").symlink_to(application.folder / "app")
    logs = ("--no-stdout", "--metrics", f"unix:{site / METRICS}")
    running = Daemon(site, *logs, *options, env=application.env)
    try:
        running.start()
        yield running
        running.stop()
    finally:
        running.kill()

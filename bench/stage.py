"""An application of tests/apps served over one of the edges, for a long run."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.functional.daemon import APPLICATIONS, Daemon
from tests.functional.ledger import Ledger
from tests.functional.load import Address
from tests.functional.mongrel2 import Endpoints, Mongrel2

HTTP = "HTTP"
MONGREL2 = "Mongrel2"


@dataclass(frozen=True)
class Stage:
    edge: str
    daemon: Daemon
    address: Address
    """Where clients connect to."""
    ledger: Ledger
    """Empty unless it is tests/apps/ledger that is served."""


@contextmanager
def serving(
    edge: str, *options: str, app: str = "ledger", settings: Mapping[str, str] | None = None
) -> Iterator[Stage]:
    """``settings`` are Mongrel2's. At the end nothing of the daemon may be left. Raises AssertionError."""
    with tempfile.TemporaryDirectory(prefix="soak-") as name, _mongrel2(edge, Path(name), settings or {}) as server:
        folder = Path(name) / app
        shutil.copytree(APPLICATIONS / app, folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "logs").mkdir()
        ledger = Ledger(Path(name) / "ledger.log")
        place = server.options if server else ("--bind", "127.0.0.1:0")
        # Into files: what a test reads all over again would be read for minutes.
        daemon = Daemon(folder, "--no-stdout", *place, *options, env=ledger.env)
        try:
            daemon.start()
            yield Stage(edge, daemon, server.address if server else daemon.address, ledger)
            daemon.stop()
        finally:
            daemon.kill()


@contextmanager
def _mongrel2(edge: str, folder: Path, settings: Mapping[str, str]) -> Iterator[Mongrel2 | None]:
    if edge == HTTP:
        yield None
        return
    endpoints = Endpoints()
    server = Mongrel2("soak", {"/": endpoints.ipc("soak", "tnetstring")}, folder / "mongrel2", settings)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        endpoints.remove()

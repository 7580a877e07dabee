"""The stage that a rule is tried on: a daemon and a Mongrel2, which stay for all rules with the same setup."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.conftest import watch_processes
from tests.functional.conformance.rule import ROUTES, Setup
from tests.functional.conformance.stage import Stage, Tail
from tests.functional.daemon import APPLICATIONS, Daemon
from tests.functional.gate import Gates
from tests.functional.mongrel2 import Endpoints, Mongrel2

PROCESSES = ("--workers", "1", "--threads", "1")
"""One request at a time: what a worker says of one it has said before the next is answered."""


@pytest.fixture(autouse=True, scope="module")
def no_process_left() -> Iterator[None]:
    """Once for all rules: looking for processes takes as long as trying a rule."""
    yield from watch_processes()


@pytest.fixture(scope="module")
def stage_for(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Setup], Stage]]:
    """The stage of one setup stands until that of another is asked for."""
    standing: dict[Setup, Stage] = {}
    with ExitStack() as stack:

        def get(setup: Setup) -> Stage:
            if setup not in standing:
                standing.clear()
                stack.close()
                standing[setup] = stack.enter_context(set_up(setup, tmp_path_factory.mktemp("stage")))
            return standing[setup]

        yield get


@contextmanager
def set_up(setup: Setup, folder: Path) -> Iterator[Stage]:
    endpoints, gates, notes = Endpoints(), Gates(folder / "gates"), folder / "notes"
    handler = endpoints.ipc("conformance", setup.protocol)
    server = Mongrel2("conformance", dict.fromkeys(ROUTES, handler), folder / "mongrel2")
    app, logs = folder / "app-folder", folder / "app-folder/logs"
    shutil.copytree(APPLICATIONS / "conformance", app, ignore=shutil.ignore_patterns("__pycache__"))
    options = ("--no-stdout", "--debug", "--bind", "127.0.0.1:0", *server.options, *PROCESSES, *setup.options)
    daemon = Daemon(app, *options, env={**gates.env, "NOTES": str(notes)})
    try:
        server.start()
        daemon.start()
        yield Stage(daemon, server, gates, Tail(logs / "access.log"), Tail(logs / "wsgid.log"), Tail(notes))
        gates.close()
        daemon.stop()
    finally:
        print(daemon.report(), f"--- {server.uuid}\n{server.log}", file=sys.stderr)
        daemon.kill()
        if server.running:
            server.stop()
        endpoints.remove()

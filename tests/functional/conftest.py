"""Fixtures: daemons, Mongrel2 servers, gates, and a site that is served over either edge."""

import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import pytest

from tests.apps.django_project import make_django_project
from tests.functional import clients
from tests.functional.daemon import APPLICATIONS, Daemon
from tests.functional.gate import Gates
from tests.functional.ledger import Ledger
from tests.functional.mongrel2 import Endpoints, Mongrel2, Target


class MakeFolder(Protocol):
    def __call__(self, app: str, files: Mapping[str, str] | None = None) -> Path: ...


class MakeDaemon(Protocol):
    def __call__(
        self, app: str | Path, *options: str, env: Mapping[str, str] | None = None, start: bool = True
    ) -> Daemon: ...


class MakeMongrel2(Protocol):
    def __call__(
        self,
        routes: Mapping[str, Target] | None = None,
        *,
        protocol: str = "json",
        settings: Mapping[str, str] | None = None,
        bind: str = "127.0.0.1",
        start: bool = True,
    ) -> Mongrel2: ...


@dataclass(frozen=True)
class Site:
    """An application being served."""

    edge: str
    """``http`` or ``mongrel2``."""
    url: str
    """Without a slash at the end."""
    daemon: Daemon
    mongrel2: Mongrel2 | None

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        assert parts.port is not None
        return (parts.hostname, parts.port)

    def connect(self) -> clients.Connection:
        return clients.Connection(self.address)

    def request(
        self,
        target: str = "/",
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> clients.Answer:
        return clients.request(self.url + target, method, body, headers)


class MakeSite(Protocol):
    def __call__(
        self,
        app: str | Path,
        *options: str,
        workers: int = 2,
        threads: int = 1,
        env: Mapping[str, str] | None = None,
        protocol: str = "json",
        settings: Mapping[str, str] | None = None,
    ) -> Site: ...


@pytest.fixture
def app_folder(tmp_path: Path) -> MakeFolder:
    """Copies an app folder of tests/apps, or makes a new one; ``files`` are put over it: path in the folder to text."""

    def make(app: str, files: Mapping[str, str] | None = None) -> Path:
        folder = tmp_path / app
        if (APPLICATIONS / app).is_dir():
            shutil.copytree(APPLICATIONS / app, folder, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            assert files, f"there is no tests/apps/{app}, and no files are given to make it"
        for name, text in (files or {}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        return folder

    return make


@pytest.fixture(scope="session")
def new_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Django project with its database: made once, as that takes seconds, and copied for each test."""
    folder = tmp_path_factory.mktemp("made") / "django"
    make_django_project(folder, sys.executable)
    return folder


@pytest.fixture
def django(new_project: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(new_project, tmp_path / "django"))


@pytest.fixture
def application(framework: str, app_folder: MakeFolder, request: pytest.FixtureRequest) -> Path:
    """The app folder of the framework under test, which is the test's parameter ``framework``."""
    if framework == "django":
        return Path(request.getfixturevalue("django"))
    return app_folder(framework)


@pytest.fixture
def serve(app_folder: MakeFolder) -> Iterator[MakeDaemon]:
    """Starts daemons: the name of an application in tests/apps or an app folder, then options of the command."""
    started: list[Daemon] = []

    def make(app: str | Path, *options: str, env: Mapping[str, str] | None = None, start: bool = True) -> Daemon:
        daemon = Daemon(app if isinstance(app, Path) else app_folder(app), *options, env=env)
        started.append(daemon)
        if start:
            daemon.start()
        return daemon

    yield make
    for daemon in started:
        print(daemon.report())
    try:
        for daemon in started:
            if daemon.running:
                daemon.stop()
            else:
                daemon.assert_no_mistakes()
    finally:
        for daemon in started:
            daemon.kill()


@pytest.fixture
def endpoints() -> Iterator[Endpoints]:
    made = Endpoints()
    yield made
    made.remove()


@pytest.fixture
def mongrel2(tmp_path: Path, endpoints: Endpoints) -> Iterator[MakeMongrel2]:
    """Starts Mongrel2 servers; without ``routes`` one handler gets everything."""
    made: list[Mongrel2] = []

    def make(
        routes: Mapping[str, Target] | None = None,
        *,
        protocol: str = "json",
        settings: Mapping[str, str] | None = None,
        bind: str = "127.0.0.1",
        start: bool = True,
    ) -> Mongrel2:
        name = f"m2-{len(made) + 1}"
        routed = routes or {"/": endpoints.ipc(name, protocol)}
        server = Mongrel2(name, routed, tmp_path / name, settings or {}, bind)
        made.append(server)
        if start:
            server.start()
        return server

    yield make
    for server in made:
        print(f"--- {server.uuid}\n{server.log}")
    for server in made:
        if server.running:
            server.stop()


@pytest.fixture
def gates(tmp_path: Path) -> Iterator[Gates]:
    made = Gates(tmp_path / "gates")
    yield made
    made.close()


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Of tests/apps/ledger, once a daemon has been started with its ``env``."""
    return Ledger(tmp_path / "ledger.log")


@pytest.fixture(params=["http", "mongrel2"])
def edge(request: pytest.FixtureRequest) -> str:
    """A test with this, or with ``site``, runs once over each edge."""
    return str(request.param)


@pytest.fixture
def site(edge: str, mongrel2: MakeMongrel2, serve: MakeDaemon) -> MakeSite:
    """Serves an application over the edge under test; ``protocol`` and ``settings`` are Mongrel2's."""

    def make(
        app: str | Path,
        *options: str,
        workers: int = 2,
        threads: int = 1,
        env: Mapping[str, str] | None = None,
        protocol: str = "json",
        settings: Mapping[str, str] | None = None,
    ) -> Site:
        sized = (*options, "--workers", str(workers), "--threads", str(threads))
        if edge == "http":
            daemon = serve(app, "--bind", "127.0.0.1:0", *sized, env=env)
            return Site(edge, daemon.url, daemon, None)
        server = mongrel2(protocol=protocol, settings=settings)
        return Site(edge, server.url, serve(app, *server.options, *sized, env=env), server)

    return make

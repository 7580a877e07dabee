"""Mongrel2 sees other paths than the daemon does: the how-tos of docs/bodies.md, as they stand there."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deadlines import wait_for
from tests.functional import clients, mounts
from tests.functional.clients import Connection
from tests.functional.conftest import MakeDaemon, MakeFolder, MakeMongrel2
from tests.functional.daemon import Daemon
from tests.functional.mongrel2 import Endpoints, Mongrel2

LARGE = bytes(range(256)) * 4096
"""1 MiB: far above limits.content_length, so that Mongrel2 stores it in a file."""


@pytest.fixture
def chrooted(mongrel2: MakeMongrel2, endpoints: Endpoints) -> Mongrel2:
    """In a chroot: its store is ``/uploads`` to it."""
    server = mongrel2({"/": endpoints.tcp("jailed")}, start=False)
    server.chrooted = True
    if os.geteuid() != 0:
        server.launcher = ("unshare", "--map-root-user")
    server.start()
    assert os.path.samestat(os.stat(f"/proc/{server.pid}/root"), server.folder.stat())
    return server


def assert_takes_uploads(server: Mongrel2, store: Path) -> None:
    assert clients.request(server.url + "/echo", "POST", LARGE).body == LARGE
    assert list(store.iterdir()) == []


def assert_told(daemon: Daemon, server: Mongrel2, tried: str) -> None:
    """The client gets 500; the log names the path that was tried, the option, and the two ways."""
    assert clients.request(server.url + "/echo", "POST", LARGE).status == 500
    line = daemon.wait_for_log("upload cannot be opened")
    assert f" {tried}/upload." in line
    assert "No such file or directory" in line
    assert "name that directory with --mongrel2-chroot" in line
    assert "mount its upload.temp_store at the same path here" in line
    assert clients.request(server.url + "/").status == 200


def test_mongrel2_in_a_chroot(chrooted: Mongrel2, serve: MakeDaemon) -> None:
    daemon = serve("plain", *chrooted.options, "--mongrel2-chroot", str(chrooted.folder))
    assert_takes_uploads(chrooted, chrooted.uploads)
    with Connection(chrooted.address) as client:
        client.send(clients.request_bytes("/echo", "POST", {"Content-Length": str(len(LARGE))}) + LARGE[:1000])
        [file] = wait_for(lambda: list(chrooted.uploads.iterdir()), "the upload's file")
        wait_for(lambda: daemon.noted_uploads == [file], "it to be noted as seen from here")


def test_mongrel2_in_a_chroot_that_is_not_named(chrooted: Mongrel2, serve: MakeDaemon) -> None:
    assert_told(serve("plain", *chrooted.options), chrooted, "/uploads")


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    if not mounts.possible():
        pytest.skip("no mount is permitted here")
    (tmp_path / "volume").mkdir()
    return tmp_path / "volume"


@pytest.fixture
def elsewhere(mongrel2: MakeMongrel2, volume: Path) -> Mongrel2:
    """In a container, as far as its mounts are concerned: its store is a volume."""
    server = mongrel2(start=False)
    server.uploads.mkdir(parents=True)
    server.launcher = mounts.bind(volume, server.uploads)
    server.start()
    return server


@pytest.fixture
def contained(elsewhere: Mongrel2, volume: Path, app_folder: MakeFolder) -> Iterator[Daemon]:
    """In another container, with the same volume at the same path."""
    daemon = Daemon(app_folder("plain"), *elsewhere.options, launcher=mounts.bind(volume, elsewhere.uploads))
    daemon.start()
    yield daemon
    print(daemon.report())
    daemon.stop()


def test_the_same_path_mounted_on_both_sides(elsewhere: Mongrel2, contained: Daemon, volume: Path) -> None:
    assert_takes_uploads(elsewhere, volume)
    assert " 200 " in contained.wait_for_access(1)[0]


def test_a_store_that_is_not_mounted_here(elsewhere: Mongrel2, serve: MakeDaemon) -> None:
    assert_told(serve("plain", *elsewhere.options), elsewhere, str(elsewhere.uploads))


def test_a_store_that_depends_on_where_mongrel2_runs(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    server = mongrel2(settings={"upload.temp_store": "uploads/upload.XXXXXX"})
    daemon = serve("plain", *server.options)
    assert clients.request(server.url + "/echo", "POST", LARGE).status == 500
    line = daemon.wait_for_log("upload cannot be opened")
    assert "not a full path" in line
    assert "Give Mongrel2 a full path as upload.temp_store" in line


def test_a_store_in_the_folder_that_mongrel2_runs_in(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    server = mongrel2(settings={"upload.temp_store": "uploads/upload.XXXXXX"})
    serve("plain", *server.options, "--mongrel2-chroot", str(server.folder))
    assert_takes_uploads(server, server.uploads)


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: no jail can be made")
def test_a_daemon_in_a_jail(
    mongrel2: MakeMongrel2, serve: MakeDaemon, endpoints: Endpoints, app_folder: MakeFolder, volume: Path
) -> None:
    """It sees its app folder where it is outside, and the store must be in there. So does the next, which clears up."""
    folder = app_folder("plain")
    store = folder / "uploads"
    store.mkdir()
    settings = {"upload.temp_store": f"{store}/upload.XXXXXX"}
    server = mongrel2({"/": endpoints.tcp("open")}, settings=settings)
    options = (*server.options, "--chroot")
    daemon = serve(folder, *options)
    assert_takes_uploads(server, store)
    with Connection(server.address) as client:
        client.send(clients.request_bytes("/echo", "POST", {"Content-Length": str(len(LARGE))}) + LARGE[:1000])
        wait_for(lambda: daemon.noted_uploads, "the upload to be noted")
        daemon.kill()
        assert len(list(store.iterdir())) == 1
        serve(folder, *options)
        assert list(store.iterdir()) == []

"""However an upload behind Mongrel2 ends, its file is removed, there is one line in the access log, and nothing else in
the store is touched."""

import hashlib
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deadlines import wait_for
from tests.functional import clients
from tests.functional.clients import Connection
from tests.functional.conftest import MakeDaemon, MakeFolder, MakeMongrel2
from tests.functional.daemon import Daemon
from tests.functional.gate import Gates
from tests.functional.mongrel2 import Endpoints, Mongrel2

BODY = bytes(range(256)) * 4096
"""1 MiB: far above limits.content_length, so that Mongrel2 stores it in a file."""

HALF = len(BODY) // 2

DIGESTING = """
import hashlib

def application(environ, start_response):
    start_response("200 OK", [])
    return [hashlib.sha256(environ["wsgi.input"].read()).hexdigest().encode()]
"""


@dataclass
class Upload:
    """One that has begun: half of it is sent."""

    client: Connection
    file: Path

    def finish(self) -> clients.Answer:
        self.client.send(BODY[HALF:])
        return self.client.answer("POST")


@dataclass
class Store:
    """One Mongrel2, and a daemon on it whose uploads nobody else may touch."""

    server: Mongrel2
    other: Daemon
    _stack: ExitStack

    @property
    def options(self) -> tuple[str, ...]:
        """For the daemon under test."""
        return self.server.handlers[0].options

    @property
    def files(self) -> list[Path]:
        return sorted(self.server.uploads.iterdir())

    def begin(self, target: str = "/echo") -> Upload:
        known = self.files
        client = self._stack.enter_context(Connection(self.server.address))
        client.send(clients.request_bytes(target, "POST", {"Content-Length": str(len(BODY))}) + BODY[:HALF])
        [file] = wait_for(lambda: [each for each in self.files if each not in known], "the upload's file")
        return Upload(client, file)

    def assert_left_alone(self, theirs: Upload) -> None:
        """The other daemon's upload goes on to its end."""
        assert theirs.finish().text == hashlib.sha256(BODY).hexdigest()
        assert self.files == []
        assert [" 200 " in line for line in self.other.wait_for_access(1)] == [True]


@pytest.fixture
def store(mongrel2: MakeMongrel2, serve: MakeDaemon, endpoints: Endpoints, app_folder: MakeFolder) -> Iterator[Store]:
    server = mongrel2({"/": endpoints.ipc("one"), "/other": endpoints.ipc("two")})
    other = serve(app_folder("other", {"app/wsgi.py": DIGESTING}), *server.handlers[1].options)
    with ExitStack() as stack:
        yield Store(server, other, stack)


def settled(daemon: Daemon, store: Store) -> None:
    wait_for(lambda: store.files == [] and daemon.noted_uploads == [], "the store and the journal to be empty")


def test_one_that_is_served(store: Store, serve: MakeDaemon) -> None:
    daemon = serve("plain", *store.options)
    ours = store.begin()
    wait_for(lambda: daemon.noted_uploads == [ours.file], "it to be noted")
    assert ours.finish().body == BODY
    settled(daemon, store)
    assert [" 200 " in line for line in daemon.wait_for_access(1)] == [True]


def test_one_that_is_abandoned_midway(store: Store, serve: MakeDaemon) -> None:
    daemon = serve("plain", *store.options)
    ours = store.begin()
    wait_for(lambda: daemon.noted_uploads == [ours.file], "it to be noted")
    ours.client.close()
    settled(daemon, store)
    [line] = daemon.wait_for_access(1)
    assert '"POST /echo HTTP/1.1" 499 ' in line
    assert "end=left" in line


def test_one_that_is_refused_at_its_start(store: Store, serve: MakeDaemon) -> None:
    daemon = serve("plain", *store.options, "--max-body", "100k")
    with Connection(store.server.address) as client:
        client.send(clients.request_bytes("/echo", "POST", {"Content-Length": str(len(BODY))}))
        assert client.answer("POST").status == 413
        client.expect_end()
    settled(daemon, store)
    assert clients.request(store.server.url + "/").status == 200
    assert [" 413 " in line for line in daemon.wait_for_access(2)] == [True, False]


@pytest.mark.parametrize("framing", ["Content-Length: +30000", "Content-Length: 30000\r\nTransfer-Encoding: gzip"])
def test_one_that_is_refused_although_it_is_done(store: Store, serve: MakeDaemon, framing: str) -> None:
    """It is small: start and end come together."""
    daemon = serve("plain", *store.options)
    with Connection(store.server.address) as client:
        client.send(f"POST /echo HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n".encode() + BODY[:30_000])
        assert client.answer("POST").status == 400
        client.expect_end()
    settled(daemon, store)
    assert clients.request(store.server.url + "/").status == 200
    assert [" 400 " in line for line in daemon.wait_for_access(2)] == [True, False]


def test_one_whose_worker_is_killed(store: Store, serve: MakeDaemon, gates: Gates) -> None:
    daemon = serve("plain", *store.options, env=gates.env)
    [worker] = daemon.worker_pids
    ours = store.begin(f"/hold?fifo={gates.make('serving')}")
    ours.client.send(BODY[HALF:])
    gates.wait_until_held("serving")
    settled(daemon, store)
    os.kill(worker, signal.SIGKILL)
    assert ours.client.answer("POST").status == 502
    [line] = daemon.wait_for_access(1)
    assert " 502 " in line


def test_one_whose_dispatcher_is_killed_midway(store: Store, serve: MakeDaemon) -> None:
    daemon = serve("plain", *store.options)
    dispatcher = daemon.dispatcher_pid
    ours, theirs = store.begin(), store.begin("/other")
    wait_for(lambda: daemon.noted_uploads == [ours.file], "it to be noted")
    os.kill(dispatcher, signal.SIGKILL)
    wait_for(lambda: store.files == [theirs.file], "the next dispatcher to remove it")
    assert str(ours.file) in daemon.wait_for_log("which an upload had left")
    wait_for(lambda: daemon.log.count("requests come from") == 2, "Mongrel2 to know the next one")
    assert ours.finish().status == 503
    store.assert_left_alone(theirs)
    settled(daemon, store)
    [line] = daemon.wait_for_access(1)
    assert " 503 " in line


def test_one_whose_dispatcher_is_killed_before_its_turn(store: Store, serve: MakeDaemon, gates: Gates) -> None:
    """It is done, and its file ours, but the request before it on the connection is still being served."""
    daemon = serve("plain", *store.options, env=gates.env)
    dispatcher = daemon.dispatcher_pid
    with Connection(store.server.address) as client:
        client.ask(f"/hold?fifo={gates.make('before')}")
        gates.wait_until_held("before")
        client.ask("/echo", "POST", body=BODY)
        [file] = wait_for(lambda: store.files, "the upload's file")
        wait_for(lambda: file.stat().st_size == len(BODY), "the whole body")
        wait_for(lambda: daemon.noted_uploads == [file], "it to be noted")
        theirs = store.begin("/other")
        os.kill(dispatcher, signal.SIGKILL)
        wait_for(lambda: store.files == [theirs.file], "the next dispatcher to remove it")
    gates.release("before")
    store.assert_left_alone(theirs)


def test_one_whose_daemon_is_killed_and_started_again(store: Store, serve: MakeDaemon) -> None:
    daemon = serve("plain", *store.options)
    ours, theirs = store.begin(), store.begin("/other")
    wait_for(lambda: daemon.noted_uploads == [ours.file], "it to be noted")
    daemon.kill()
    assert store.files == sorted([ours.file, theirs.file])
    again = serve(daemon.folder, *store.options)
    assert store.files == [theirs.file]
    assert not (daemon.folder / "run" / str(daemon.pid)).exists()
    assert ours.finish().status == 503
    store.assert_left_alone(theirs)
    settled(again, store)
    [line] = again.wait_for_access(1)
    assert " 503 " in line
    assert daemon.access_log == []


def test_one_whose_master_is_killed(store: Store, serve: MakeDaemon) -> None:
    """The dispatcher notices and refuses it; a start then finds nothing to do."""
    daemon = serve("plain", *store.options)
    ours, theirs = store.begin(), store.begin("/other")
    wait_for(lambda: daemon.noted_uploads == [ours.file], "it to be noted")
    daemon.send(signal.SIGKILL)
    assert ours.client.answer("POST").status == 503
    wait_for(lambda: not daemon.processes(), "the rest of it to leave")
    daemon.kill()
    [line] = daemon.access_log
    assert " 503 " in line
    again = serve(daemon.folder, *store.options)
    assert store.files == [theirs.file]
    assert clients.request(store.server.url + "/").status == 200
    store.assert_left_alone(theirs)
    assert "which an upload had left" not in again.log


def test_one_whose_mongrel2_is_killed(store: Store, serve: MakeDaemon) -> None:
    """It leaves its files behind. Those that the daemon knows of are removed."""
    daemon = serve("plain", *store.options)
    ours = store.begin()
    wait_for(lambda: daemon.noted_uploads == [ours.file], "it to be noted")
    stray = store.server.uploads / "upload.abcdef"
    stray.touch()
    store.server.stop(signal.SIGKILL)
    wait_for(lambda: daemon.noted_uploads == [] and store.files == [stray], "its file to be removed")
    [line] = daemon.wait_for_access(1)
    assert " 499 " in line

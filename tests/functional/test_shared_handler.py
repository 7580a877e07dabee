"""Two daemons on one handler of a real Mongrel2, which deals its messages out to them in turn (--shared-handler)."""

import shutil
from pathlib import Path

import pytest

from tests.deadlines import wait_for
from tests.functional import clients
from tests.functional.clients import Connection
from tests.functional.conftest import MakeDaemon, MakeMongrel2
from tests.functional.daemon import APPLICATIONS, Daemon
from tests.functional.gate import Gates
from tests.functional.mongrel2 import Mongrel2

HELLO = b"Hello, World!\n"
LARGE = bytes(range(256)) * 4096
"""1 MiB."""


@pytest.fixture
def pair(serve: MakeDaemon, tmp_path: Path, gates: Gates) -> "MakePair":
    return MakePair(serve, tmp_path, gates)


class MakePair:
    def __init__(self, serve: MakeDaemon, folder: Path, gates: Gates) -> None:
        self._serve = serve
        self._folder = folder
        self._gates = gates

    def __call__(self, server: Mongrel2, *options: str) -> tuple[Daemon, Daemon]:
        return self._daemon("first", server, *options), self._daemon("second", server, *options)

    def _daemon(self, name: str, server: Mongrel2, *options: str) -> Daemon:
        folder = self._folder / name
        shutil.copytree(APPLICATIONS / "plain", folder, ignore=shutil.ignore_patterns("__pycache__"))
        daemon = self._serve(folder, *server.options, "--shared-handler", *options, env=self._gates.env)
        daemon.wait_for_log("requests come from")
        return daemon


def _served(*daemons: Daemon) -> list[int]:
    return [len(daemon.access_log) for daemon in daemons]


def test_both_get_requests(mongrel2: MakeMongrel2, pair: MakePair) -> None:
    server = mongrel2()
    daemons = pair(server)
    with Connection(server.address) as client:
        for _ in range(20):
            client.ask("/")
            assert client.answer().body == HELLO
    wait_for(lambda: sum(_served(*daemons)) == 20, "all lines")
    assert all(_served(*daemons))


@pytest.mark.parametrize("connections", [1, 4])
def test_uploads(mongrel2: MakeMongrel2, pair: MakePair, connections: int) -> None:
    """Who is told of the start is mostly not who is told that it is done."""
    server = mongrel2()
    pair(server)
    with_body = [Connection(server.address) for _ in range(connections)]
    for _ in range(6):
        for client in with_body:
            client.ask("/echo", "POST", body=LARGE)
        for client in with_body:
            assert client.answer().body == LARGE
    for client in with_body:
        client.close()
    assert list(server.uploads.iterdir()) == []


def test_large_answers(mongrel2: MakeMongrel2, pair: MakePair) -> None:
    server = mongrel2()
    pair(server)
    with Connection(server.address) as client:
        for count, size in ((1, 10_000_000), (1000, 10_000)) * 3:
            client.ask(f"/stream?n={count}&size={size}")
            assert len(client.answer().body) == 10_000_000


def test_a_client_that_leaves(mongrel2: MakeMongrel2, pair: MakePair, gates: Gates) -> None:
    """Mongrel2 may say so to the one that has nothing to do with it. The other asks, and hears of it soon."""
    server = mongrel2()
    daemons = pair(server)
    for number in range(4):
        with Connection(server.address) as client:
            client.ask(f"/hold?fifo={gates.make(str(number))}")
            gates.wait_until_held(str(number))
        wait_for(lambda: sum(_served(*daemons)) == number + 1, "its line in the log")  # noqa: B023
        gates.release(str(number))
    assert all(" 499 " in line for daemon in daemons for line in daemon.access_log)


@pytest.mark.parametrize("leaving", [0, 1])
def test_an_upload_while_one_of_them_stops(mongrel2: MakeMongrel2, pair: MakePair, leaving: int) -> None:
    """Whichever of them was told of its start."""
    server = mongrel2()
    daemons = pair(server)
    with Connection(server.address) as client:
        client.send(clients.request_bytes("/echo", "POST", {"Content-Length": str(len(LARGE))}) + LARGE[:200_000])
        wait_for(lambda: list(server.uploads.iterdir()), "the upload's file")
        daemons[leaving].stop()
        client.send(LARGE[200_000:])
        assert client.answer("POST").body == LARGE
    assert list(server.uploads.iterdir()) == []


def test_an_upload_that_is_too_large(mongrel2: MakeMongrel2, pair: MakePair) -> None:
    server = mongrel2()
    daemons = pair(server, "--max-body", "100k")
    for _ in range(4):
        with Connection(server.address) as client:
            client.send(clients.request_bytes("/echo", "POST", {"Content-Length": str(len(LARGE))}))
            assert client.answer("POST").status == 413
            client.expect_end()
    wait_for(lambda: not list(server.uploads.iterdir()), "the files to be gone")
    chunked = (LARGE[start : start + 50_000] for start in range(0, len(LARGE), 50_000))
    assert clients.request(server.url + "/echo", "POST", chunked).status == 413
    assert list(server.uploads.iterdir()) == []
    wait_for(lambda: sum(_served(*daemons)) >= 5, "all lines")
    assert sum(_served(*daemons)) == 5


def test_a_forged_upload_is_never_opened(mongrel2: MakeMongrel2, pair: MakePair, tmp_path: Path) -> None:
    """That its start was seen is asked of no upload here: what Mongrel2 itself writes has to be enough."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    server = mongrel2()
    pair(server)
    forged = {"x-mongrel2-upload-start": str(secret), "x-mongrel2-upload-done": str(secret)}
    for body in (b"", b"small", LARGE):
        for headers in (forged, {"x-mongrel2-upload-done": str(secret)}):
            assert clients.request(server.url + "/echo", "POST", body, headers).body == body
    assert secret.read_text() == "secret"


@pytest.mark.parametrize(
    ("setting", "body"), [("upload.stream", LARGE), ("download.flow_control", b""), ("download.flow_control", LARGE)]
)
def test_what_takes_a_handler_of_ones_own_is_refused_with_the_remedy(
    mongrel2: MakeMongrel2, pair: MakePair, setting: str, body: bytes
) -> None:
    server = mongrel2(settings={setting: "1"})
    daemons = pair(server)
    for _ in range(4):
        with Connection(server.address) as client:
            client.send(clients.request_bytes("/echo", "POST", {"Content-Length": str(len(body))}))
            assert client.answer("POST").status == 501
            client.expect_end()
    remedy = f"{setting}=1, which --shared-handler excludes"
    counts = [each.log.count(remedy) for each in daemons]
    assert max(counts) == 1, "each says so once, if it meets such a request"
    wait_for(lambda: not list(server.uploads.iterdir()), "the files to be gone")

"""The tools of these tests do what they say: tests that cannot fail prove nothing."""

import socket
import subprocess
import threading
from pathlib import Path

import h11
import pytest

from tests import proc
from tests.deadlines import wait_for
from tests.functional import clients
from tests.functional.conftest import MakeMongrel2
from tests.functional.gate import Gates
from tests.functional.mongrel2 import Directory


def test_a_process_that_forks_away_into_its_own_session_is_still_found() -> None:
    subprocess.run(["sh", "-c", "setsid sleep 1000 &"], check=True)
    # Until setsid has become sleep.
    (left,) = wait_for(lambda: [each for each in proc.own_descendants() if each.command == "sleep 1000"], "the orphan")
    proc.kill(left)
    wait_for(lambda: not proc.alive(left.pid), "the orphan to end")
    proc.reap()
    assert proc.own_descendants() == []


def test_a_gate_holds_until_it_is_released(gates: Gates) -> None:
    name, passed = gates.make("first"), threading.Event()

    def enter() -> None:
        (gates.folder / name).read_bytes()
        passed.set()

    visitor = threading.Thread(target=enter)
    visitor.start()
    gates.wait_until_held(name)
    assert not passed.is_set()
    gates.release(name)
    visitor.join()
    assert passed.is_set()


def test_mongrel2_keeps_its_port_over_restarts_and_cuts_what_is_open(mongrel2: MakeMongrel2, tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static/page.txt").write_text("a page")
    server = mongrel2({"/static/": Directory(f"{tmp_path}/static/")})
    url = f"{server.url}/static/page.txt"
    assert clients.request(url).text == "a page"
    with clients.Connection(server.address) as connection:
        connection.ask("/static/page.txt")
        connection.ask("/static/page.txt", "HEAD")
        connection.ask("/static/page.txt")
        assert [connection.answer().text for _ in range(3)] == ["a page", "", "a page"]
        server.restart()
        connection.expect_end()
    assert clients.request(url).text == "a page"


def test_an_answer_that_ends_too_early_is_told_from_a_malformed_one(mongrel2: MakeMongrel2) -> None:
    with pytest.raises(clients.Cut):
        _answer_to_a_request(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
    with pytest.raises(h11.RemoteProtocolError):
        _answer_to_a_request(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nab")


def _answer_to_a_request(sent: bytes) -> clients.Answer:
    with socket.create_server(("127.0.0.1", 0)) as server, clients.Connection(server.getsockname()) as connection:
        connection.ask()
        accepted, _ = server.accept()
        with accepted:
            accepted.recv(1024)
            accepted.sendall(sent)
            accepted.shutdown(socket.SHUT_WR)
            return connection.answer()

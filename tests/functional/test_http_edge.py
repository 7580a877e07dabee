"""The HTTP edge by itself: connections, limits, and clients that do as they please."""

import socket
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from tests.deadlines import seconds, wait_for
from tests.functional.clients import Connection, request_bytes
from tests.functional.conftest import MakeDaemon
from tests.functional.daemon import Daemon
from tests.functional.full_queue import refused_one
from tests.functional.gate import Gates
from tests.proc import descriptors

HELLO = b"Hello, World!\n"

LARGE = 25 * 1024 * 1024
"""Bytes. More than the buffers on the way hold: the kernel's for a TCP socket grow to 4 MiB or 6 by themselves."""

SMALL = 4096
"""Bytes taken at a time."""

RECEIVE_BUFFER = 128 * 1024
"""Of a set size it does not grow. Two segments of the loopback interface fit into it: a smaller one makes the kernel
send by its timers, which can take minutes."""


def connect(daemon: Daemon) -> Connection:
    host, port = daemon.url.removeprefix("http://").rsplit(":", 1)
    return Connection((host.strip("[]"), int(port)))


@pytest.fixture
def daemon(serve: MakeDaemon) -> Daemon:
    return serve("plain", "--bind", "127.0.0.1:0", "--workers", "2")


@pytest.mark.parametrize("size", [10, 1_000_000])
def test_a_client_that_half_closes_gets_its_answer(daemon: Daemon, size: int) -> None:
    with connect(daemon) as client:
        client.ask("/echo", "POST", body=b"b" * size)
        client.finish_sending()
        assert client.answer().body == b"b" * size
        client.expect_end()


def test_behind_a_request_in_progress_a_half_closed_client_gets_nothing(serve: MakeDaemon, gates: Gates) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", "--workers", "2", env=gates.env)
    with connect(daemon) as client:
        client.ask(f"/hold?fifo={gates.make('held')}")
        client.ask("/")
        client.send(b"GET / HTTP/1.1\r\nHost: not whole")
        gates.wait_until_held("held")
        client.finish_sending()
        assert [" 499 0 " in line for line in daemon.wait_for_access(2)] == [True, True]
        gates.release("held", b"last words")
        assert client.answer().body == b"last words"
        client.expect_end()
    assert " 200 10 " in daemon.wait_for_access(3)[2]


def test_a_client_that_half_closes_while_it_waits_for_a_worker_is_dropped(serve: MakeDaemon, gates: Gates) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", "--workers", "1", env=gates.env)
    with connect(daemon) as held:
        held.ask(f"/hold?fifo={gates.make('held')}")
        gates.wait_until_held("held")
        for size in (0, 1_000_000):
            with connect(daemon) as waiting:
                waiting.ask("/echo", "POST", body=b"b" * size)
                waiting.finish_sending()
                waiting.expect_end()
        gates.release("held", b"served")
        assert held.answer().body == b"served"
    lines = daemon.wait_for_access(3)
    assert [" 499 0 " in line and "worker=- " in line for line in lines] == [True, True, False]


def test_half_a_request_and_the_end_gets_nothing(daemon: Daemon) -> None:
    with connect(daemon) as client:
        client.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf")
        client.finish_sending()
        client.expect_end()
    with connect(daemon) as client:
        client.ask("/")
        assert client.answer().body == HELLO


def test_a_head_that_does_not_come_is_not_waited_for(serve: MakeDaemon) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", "--header-timeout", "0.2")
    with connect(daemon) as silent, connect(daemon) as slow:
        slow.send(b"GET / HTTP/1.1\r\nHost:")
        assert slow.answer("GET").status == 408
        silent.expect_end()
    [line] = daemon.wait_for_access(1)
    assert line.startswith("127.0.0.1 - - [")
    assert '"GET / HTTP/1.1" 408 ' in line
    assert line.endswith(" end=refused")


def test_an_idle_connection_is_closed(serve: MakeDaemon) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", "--keepalive-timeout", "0.2")
    with connect(daemon) as client:
        client.ask("/")
        assert client.answer().body == HELLO
        client.expect_end()


def test_a_thousand_pipelined_requests(daemon: Daemon) -> None:
    with connect(daemon) as client:
        client.send(b"".join(b"GET /?%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(1000)))
        for _ in range(1000):
            assert client.answer("GET").body == HELLO


def test_several_binds_and_a_unix_socket(serve: MakeDaemon, tmp_path: Path) -> None:
    socket_path = tmp_path / "s"
    daemon = serve(
        "plain", "--bind", "127.0.0.1:0", "--bind", "[::1]:0", "--bind", f"unix:{socket_path}", "--bind", "127.0.0.1:0"
    )
    assert len(daemon.addresses) == 4
    for address in daemon.addresses:
        if address.startswith("unix:"):
            host, client = "localhost", Connection(address.removeprefix("unix:"))
        else:
            host, port = address.removeprefix("http://").rsplit(":", 1)
            client = Connection((host.strip("[]"), int(port)))
        with client:
            client.ask("/environ")
            assert client.answer().json()["SERVER_NAME"] == host
    daemon.stop()
    assert not socket_path.exists()


def test_an_address_in_use_is_said(serve: MakeDaemon, daemon: Daemon) -> None:
    address = daemon.url.removeprefix("http://")
    second = serve(daemon.folder, "--bind", address, start=False)
    outcome = second.start_and_end()
    assert outcome.code == 1
    assert address in outcome.output
    assert "in use" in outcome.output


def test_a_large_body_leaves_no_file_behind(daemon: Daemon) -> None:
    body = bytes(range(256)) * 16_384  # 4 MiB
    with connect(daemon) as client:
        for _ in range(3):
            client.ask("/echo", "POST", body=body)
            assert client.answer().body == body
    files = {file.name for file in (daemon.folder / f"run/{daemon.pid}").iterdir()}
    assert not [name for name in files if name.startswith("tmp")], files


def test_a_slow_reader_gets_it_all(daemon: Daemon, tmp_path: Path) -> None:
    large = tmp_path / "large"
    content = Random(0).randbytes(LARGE)
    large.write_bytes(content)
    host, port = daemon.url.removeprefix("http://").split(":")
    with socket.socket() as slow:
        slow.settimeout(seconds())
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        slow.connect((host, int(port)))
        slow.sendall(request_bytes(f"/file?path={large}", headers={"Connection": "close"}))
        wait_for(lambda: _only_the_dispatcher_has(daemon, large), "the worker to be free of it")
        with connect(daemon) as quick:
            for _ in range(50):
                quick.ask("/")
                assert quick.answer().body == HELLO
        answer = b"".join(iter(lambda: slow.recv(SMALL), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert len(body) == LARGE
    assert sha256(body).digest() == sha256(content).digest()


def _only_the_dispatcher_has(daemon: Daemon, path: Path) -> bool:
    """Has the worker passed the file on?"""
    assert not any("/file" in line for line in daemon.access_log), "somebody has taken all of it"
    holders = [pid for pid in (daemon.dispatcher_pid, *daemon.worker_pids) if str(path) in descriptors(pid).values()]
    return holders == [daemon.dispatcher_pid]


def test_a_full_queue_refuses_large_bodies_too(serve: MakeDaemon, gates: Gates) -> None:
    """Whether there is room is asked when the request is whole. Its connection remains, its body does not."""
    daemon = serve("plain", "--bind", "127.0.0.1:0", "--queue-size", "1", env=gates.env)
    held, first, second = (connect(daemon) for _ in range(3))
    held.ask(f"/hold?fifo={gates.make('held')}")
    gates.wait_until_held("held")
    for each in (first, second):
        each.ask("/")
    refused, _ = refused_one((first, second))
    for size in (1_000_000, 0):
        refused.ask("/echo", "POST", body=b"b" * size)
        answer = refused.answer()
        assert (answer.status, answer.header("retry-after")) == (503, "5")
    assert not [file for file in _open_files(daemon) if file.startswith(str(daemon.folder)) and "(deleted)" in file]
    gates.release("held")
    for each in (held, second if refused is first else first):
        assert each.answer().status == 200
    for each in (held, first, second):
        each.close()
    assert [" 503 " in line and "end=refused" in line for line in daemon.wait_for_access(5)] == [True] * 3 + [False] * 2


def _open_files(daemon: Daemon) -> list[str]:
    """Of the dispatcher."""
    return [str(link.readlink()) for link in Path(f"/proc/{daemon.dispatcher_pid}/fd").iterdir() if link.is_symlink()]

"""Real sockets of real processes, looked for in /proc."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.unit.master.privileges import as_nobody
from wsgid.master.holders import MAX_COMMAND, UNKNOWN, tcp_holder, unix_holder

LISTEN = """
import os, socket, sys
sock = socket.socket(getattr(socket, sys.argv[1]))
sock.bind(sys.argv[2] if sys.argv[1] == "AF_UNIX" else (sys.argv[2], 0))
sock.listen()
if os.fork() == 0:  # a worker that shares the socket
    sys.stdin.read()
    os._exit(0)
print(sock.getsockname()[1], flush=True)
sys.stdin.read()
os.wait()
"""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@contextmanager
def server(family: str, address: str, *more: str) -> Iterator[tuple[int, str]]:
    """Gives pid and port."""
    with subprocess.Popen(
        [sys.executable, "-c", LISTEN, family, address, *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        yield process.pid, process.stdout.readline().strip()
        process.communicate()


@pytest.mark.parametrize(
    ("family", "address", "wanted"),
    [
        ("AF_INET", "127.0.0.1", "127.0.0.1"),
        ("AF_INET", "127.0.0.1", "0.0.0.0"),
        ("AF_INET", "0.0.0.0", "127.0.0.1"),
        ("AF_INET6", "::1", "::1"),
        ("AF_INET6", "::", "127.0.0.1"),
    ],
)
def test_who_listens_on_a_port(family: str, address: str, wanted: str) -> None:
    """And not a worker of it that has the socket too."""
    with server(family, address) as (pid, port):
        assert tcp_holder(wanted, int(port)).startswith(f"process {pid} ({sys.executable} -c ?import os, socket")


def test_one_at_another_address_has_nothing_to_do_with_it() -> None:
    with server("AF_INET", "127.0.0.1") as (_, port):
        assert tcp_holder("127.0.0.2", int(port)) == UNKNOWN


def test_a_client_does_not_listen(stack: ExitStack) -> None:
    with server("AF_INET", "127.0.0.1") as (_, port):
        client = stack.enter_context(socket.create_connection(("127.0.0.1", int(port))))
        assert tcp_holder(*client.getsockname()) == UNKNOWN


def test_who_listens_at_a_path(tmp_path: Path) -> None:
    path = str(tmp_path / "http.sock")
    with server("AF_UNIX", path) as (pid, _):
        assert unix_holder(path).startswith(f"process {pid} (")
        assert unix_holder(path + "x") == UNKNOWN


def test_a_long_command_is_cut() -> None:
    with server("AF_INET", "127.0.0.1", "x" * 1000) as (pid, port):
        holder = tcp_holder("127.0.0.1", int(port))
    assert holder.endswith("...)")
    assert len(holder) == len(f"process {pid} (...)") + MAX_COMMAND


def test_somebody_elses_is_not_seen() -> None:
    with server("AF_INET", "127.0.0.1") as (_, port), as_nobody():
        if os.geteuid() == os.getuid():
            pytest.skip("only root can act as a user who sees less than the test")
        assert tcp_holder("127.0.0.1", int(port)) == UNKNOWN

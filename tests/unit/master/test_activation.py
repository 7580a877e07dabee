"""In a process of its own, as there is only one descriptor 3."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.activated import activated
from wsgid.master.activation import take_activated

TAKE = """
import json, os
from wsgid.master.activation import take_activated
from wsgid.master.errors import CannotStart

os.environ.update(json.loads(os.environ.pop("MORE")))
told = {"sockets": []}
try:
    for sock in take_activated(os.environ):
        told["sockets"].append([sock.fileno(), str(sock.getsockname()), os.get_inheritable(sock.fileno())])
except CannotStart as error:
    told["refused"] = str(error)
told["left"] = [name for name in os.environ if name.startswith("LISTEN_")]
print(json.dumps(told))
"""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def listener(stack: ExitStack, family: socket.AddressFamily = socket.AF_INET, address: Any = None) -> socket.socket:
    sock = stack.enter_context(socket.socket(family))
    sock.bind(address or ("127.0.0.1", 0))
    sock.listen()
    return sock


def take(*sockets: socket.socket | int, names: tuple[str, ...] = (), **more: str) -> Mapping[str, Any]:
    """What a process that was given these makes of them."""
    with activated(*sockets, names=names) as passed:
        done = subprocess.run(
            passed.command(sys.executable, "-c", TAKE),
            env={**os.environ, **passed.env, "MORE": json.dumps(more)},
            pass_fds=passed.descriptors,
            capture_output=True,
            text=True,
            check=True,
        )
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["left"] == []
    return told


def test_listening_sockets_of_every_family(stack: ExitStack, tmp_path: Path) -> None:
    made = [
        listener(stack),
        listener(stack, socket.AF_INET6, ("::1", 0)),
        listener(stack, socket.AF_UNIX, str(tmp_path / "http.sock")),
    ]
    told = take(*made, names=("web", "web6", "local"))
    assert told["sockets"] == [[3 + place, str(sock.getsockname()), False] for place, sock in enumerate(made)]


@pytest.mark.parametrize("environ", [{}, {"LISTEN_PID": "1", "LISTEN_FDS": "2"}, {"LISTEN_FDS": "2"}])
def test_none_are_meant_for_us(environ: dict[str, str]) -> None:
    assert take_activated(environ) == ()
    assert environ == {}


def test_none_at_all() -> None:
    assert take()["sockets"] == []


@pytest.mark.parametrize("count", ["", "two", "-1", "²", "1025"])
def test_a_number_that_is_none(count: str) -> None:
    assert take(LISTEN_FDS=count) == {
        "sockets": [],
        "refused": f"LISTEN_FDS is {count!r}, which is no number of sockets: it is for systemd to set",
        "left": [],
    }


def test_one_that_is_not_open(stack: ExitStack) -> None:
    refused = take(listener(stack), LISTEN_FDS="2")["refused"]
    assert refused.startswith("socket 4 (unnamed), passed by systemd, is not open: ")


def test_one_that_is_no_socket(stack: ExitStack) -> None:
    reader, writer = os.pipe()
    stack.callback(os.close, reader)
    stack.callback(os.close, writer)
    refused = take(listener(stack), reader, names=("web", "log"))["refused"]
    assert refused.startswith("socket 4 (log), passed by systemd, is no socket: ")


def test_one_for_datagrams(stack: ExitStack) -> None:
    sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sock.bind(("127.0.0.1", 0))
    assert take(sock, names=("web",))["refused"] == (
        "socket 3 (web), passed by systemd, carries no HTTP: write ListenStream= with a TCP port or a path"
    )


def test_a_connection_to_a_client(stack: ExitStack) -> None:
    server = listener(stack)
    stack.enter_context(socket.create_connection(server.getsockname()))
    accepted = stack.enter_context(server.accept()[0])
    assert take(accepted)["refused"] == (
        "socket 3 (unnamed), passed by systemd, does not listen: write Accept=no, so that it is the listening one and "
        "not a client's"
    )

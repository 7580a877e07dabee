"""Who is at the other end."""

import asyncio
import socket
from dataclasses import dataclass

import pytest

from wsgid.dispatcher.edges.peer import peer_and_origin
from wsgid.protocol.forwarded import Origin


@dataclass
class Sock:
    family: socket.AddressFamily


def transport(family: socket.AddressFamily, **names: object) -> asyncio.BaseTransport:
    return asyncio.BaseTransport({"socket": Sock(family), **names})


@pytest.mark.parametrize(
    ("peername", "sockname", "peer", "origin"),
    [
        (
            ("192.0.2.1", 4711),
            ("127.0.0.1", 80),
            "192.0.2.1",
            Origin("192.0.2.1", "4711", "http", "127.0.0.1", "80"),
        ),
        (
            ("2001:db8::1", 4711, 0, 0),
            ("::1", 80, 0, 0),
            "2001:db8::1",
            Origin("2001:db8::1", "4711", "http", "[::1]", "80"),
        ),
        (None, ("127.0.0.1", 80), None, Origin("", "", "http", "127.0.0.1", "80")),
    ],
)
def test_over_tcp(peername: object, sockname: object, peer: str | None, origin: Origin) -> None:
    """One that has gone has no name any more, and is not taken for one on a UNIX socket, whom many trust."""
    made = transport(socket.AF_INET, peername=peername, sockname=sockname)
    assert peer_and_origin(made) == (peer, origin)


def test_over_a_unix_socket() -> None:
    made = transport(socket.AF_UNIX, peername="", sockname="/run/s")
    assert peer_and_origin(made) == ("", Origin("", "", "http", "localhost", "80"))

"""What a handler may say to Mongrel2: bytes for its clients, and orders about them.

    UUID SP length:ID ID ID, SP BYTES             BYTES go to each client verbatim; none at all close the connection
    UUID SP length:X ID ID ID, SP TNETSTRING      an order about each of them

Mongrel2 skips an answer that it cannot read *and lets all others of this handler wait for 100 ms*, so what it could
not read is refused here. It never compares the UUID with anything but its subscription (``recv_ident``); by custom it
is the name the request came with.
"""

import functools
import re
from collections.abc import Sequence
from typing import Final

from wsgid.protocol.tnetstrings import Value, encode

MAX_CLIENTS: Final = 128
"""Connections in one answer: Mongrel2's ``limits.handler_targets``, unless configured otherwise."""

_SERVER: Final = re.compile(r"[A-Za-z0-9-]+").fullmatch
_CLIENT: Final = re.compile(r"0|[1-9][0-9]{0,8}").fullmatch
_LONG_CLIENT: Final = re.compile(r"-?[1-9][0-9]{0,9}").fullmatch


def reply(server_id: str, client_id: str, payload: bytes) -> bytes:
    """Write ``payload`` to the client, verbatim. An empty payload is a close message, see `close`.

    Raises ValueError for a ``server_id`` or ``client_id`` that Mongrel2 could not read.
    """
    return address(server_id, client_id) + payload


def reply_all(server_id: str, client_ids: Sequence[str], payload: bytes) -> bytes:
    """Write ``payload`` to 1 to 128 clients. Raises ValueError as `reply` does, and for fewer or more clients."""
    return _address(server_id, _several(client_ids)) + payload


def close(server_id: str, client_id: str) -> bytes:
    """Close the connection once all that was sent before has been written. Raises ValueError as `reply` does.

    Mongrel2 says nothing in return. With 16 messages waiting for this client it loses the order.
    """
    return address(server_id, client_id)


def keep_alive(server_id: str, client_id: str) -> bytes:
    """Reset the connection's idle time (``limits.min_ping``). Raises ValueError as `reply` does."""
    return _address(server_id, f"X {_readable(client_id)}") + _KEEP_ALIVE


def keep_alive_all(server_id: str, client_ids: Sequence[str]) -> bytes:
    """The same for 1 to 128 connections. Raises ValueError as `reply_all` does."""
    return _address(server_id, f"X {_several(client_ids)}") + _KEEP_ALIVE


def credits(server_id: str, client_id: str, count: int) -> bytes:
    """Let Mongrel2 send ``count`` more bytes of a streamed upload. Raises ValueError as `reply` does, and for a
    ``count`` below 1 or above 2147483647, which Mongrel2 would not refuse but reckon with."""
    if not 1 <= count < 2**31:
        raise ValueError(f"{count} upload credits: from 1 to 2147483647 can be given")
    return _address(server_id, f"X {_readable(client_id)}") + _control({b"credits": count})


def cancel(server_id: str, client_id: str) -> bytes:
    """Close the connection at once and drop what is queued for it. Raises ValueError as `reply` does.

    Mongrel2 says nothing in return, not even when there is no such connection.
    """
    return _address(server_id, f"X {_readable(client_id)}") + _CANCEL


def _control(orders: dict[bytes, Value]) -> bytes:
    return encode([b"ctl", orders])


_KEEP_ALIVE: Final = _control({b"keep-alive": True})
_CANCEL: Final = _control({b"cancel": True})


@functools.lru_cache(maxsize=4096)
def address(server_id: str, client_id: str) -> bytes:
    """What a `reply` begins with, for payloads that should not be copied once more. Raises ValueError as `reply` does.

    Cached: a connection that is kept gets many answers."""
    return _address(server_id, _readable(client_id))


def _address(server_id: str, targets: str) -> bytes:
    if not _SERVER(server_id):
        raise ValueError(f"{server_id!r} names no Mongrel2: only letters, digits and hyphens can be read there")
    return f"{server_id} {len(targets)}:{targets}, ".encode("ascii")


def _several(client_ids: Sequence[str]) -> str:
    if not 1 <= len(client_ids) <= MAX_CLIENTS:
        raise ValueError(f"an answer to {len(client_ids)} clients: Mongrel2 takes 1 to {MAX_CLIENTS}")
    return " ".join(map(_readable, client_ids))


def _readable(client_id: str) -> str:
    """The id as Mongrel2 reads it. It prints those from 2**31 up as negative numbers, which it does not take back."""
    if _CLIENT(client_id):
        return client_id
    number = int(client_id) if _LONG_CLIENT(client_id) else None
    if number is None or not -(2**31) <= number < 2**32:
        raise ValueError(f"{client_id!r} is no connection id of Mongrel2's")
    return str(number % 2**32)

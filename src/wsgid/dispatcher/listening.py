"""Serves a listening socket that the master has opened."""

import asyncio
import socket
from collections.abc import Callable


async def serve(
    loop: asyncio.AbstractEventLoop,
    listener: socket.socket,
    backlog: int,
    make: Callable[[], asyncio.Protocol],
) -> asyncio.Server:
    """`make` is called for each connection. `backlog` is the socket's own: the loop would make it 100."""
    if listener.family != socket.AF_UNIX:
        return await loop.create_server(make, sock=listener, backlog=backlog)
    return await loop.create_unix_server(  # type: ignore[call-arg]  # in Python 3.11; uvloop's has it
        make,
        sock=listener,
        backlog=backlog,
        cleanup_socket=False,  # the path is the master's, and our successor's
    )


def address(listener: socket.socket) -> str:
    """For people: ``http://127.0.0.1:8000``, ``unix:/run/app.sock``."""
    name = listener.getsockname()
    if listener.family == socket.AF_UNIX:
        return f"unix:{_path(name)}"
    host = f"[{name[0]}]" if ":" in name[0] else name[0]
    return f"http://{host}:{name[1]}"


def _path(name: str | bytes) -> str:
    """An abstract socket has no path but a name: bytes that begin with NUL (unix(7)), shown as other programs do."""
    return f"@{name[1:].decode(errors='backslashreplace')}" if isinstance(name, bytes) else name

"""Who is at the other end of an HTTP connection."""

import asyncio
import socket

from wsgid.protocol.forwarded import Origin


def peer_and_origin(transport: asyncio.BaseTransport) -> tuple[str | None, Origin]:
    """The peer, as `wsgid.protocol.trust.Trust` takes it, and what its requests are told to come from. None for a
    client that has gone before it was noticed: it has no address any more, and is not to be taken for a UNIX socket's.
    """
    sock: socket.socket = transport.get_extra_info("socket")
    if sock.family == socket.AF_UNIX:
        # What stands in front of a UNIX socket has an address of its own that we are not told; PEP 3333 wants a name.
        return "", Origin("", "", "http", "localhost", "80")
    peer, own = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
    # RFC 3875 section 4.1.14: an IPv6 address stands in brackets in SERVER_NAME.
    name, port = f"[{own[0]}]" if ":" in own[0] else own[0], str(own[1])
    if peer is None:
        return None, Origin("", "", "http", name, port)
    return peer[0], Origin(peer[0], str(peer[1]), "http", name, port)

"""Which peers are believed when they say who their client is (``--forwarded-allow-ips``)."""

import functools
import ipaddress
from collections.abc import Iterable
from typing import Final

UNIX: Final = "unix"
"""Whoever may connect to the UNIX sockets."""
ANYBODY: Final = "*"
NOBODY: Final = "none"
"""Beside others it says nothing."""

REMEMBERED: Final = 1024
"""Addresses: behind a front end the same few come again and again."""


class Trust:
    """`trusts` takes the IP address of a peer in text, or ``""`` for one on a UNIX socket."""

    def __init__(self, peers: Iterable[str]) -> None:
        """IP addresses, networks, and the words above. Raises ValueError for anything else."""
        words = frozenset(peers)
        self._anybody = ANYBODY in words
        self._unix = UNIX in words
        self._networks = tuple(ipaddress.ip_network(peer) for peer in words - {UNIX, ANYBODY, NOBODY})
        self.trusts = functools.lru_cache(REMEMBERED)(self._trusts)

    def _trusts(self, address: str) -> bool:
        if self._anybody:
            return True
        if not address:
            return self._unix
        try:
            peer = ipaddress.ip_address(address)
        except ValueError:
            return False
        # To a socket for both, an IPv4 peer is ::ffff:192.0.2.1.
        mapped = peer.ipv4_mapped if isinstance(peer, ipaddress.IPv6Address) else None
        return any(peer in network or (mapped is not None and mapped in network) for network in self._networks)

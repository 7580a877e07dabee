"""The connections of Mongrel2 that we have closed, as what it has read from them before may reach us afterwards.

Mongrel2 hands over the next request of a connection without waiting for the answer, and reads lengths in its own way.
What follows a request that we refuse may be that request's body, written so that Mongrel2 takes it for a request:
nobody may serve it (RFC 9112, sections 9.6 and 11.2).
"""

from collections import OrderedDict
from typing import Final

from wsgid.protocol.values import Request

REMEMBERED: Final = 20_480
"""Twice as many connections as Mongrel2 has at most (``superpoll.max_fd``, 10,240 as it comes), for of one that is gone
nothing comes. Numbers are used again only when Mongrel2 has been restarted, or after four thousand million others."""


class ClosedConnections:
    __slots__ = ("_closed",)

    def __init__(self) -> None:
        self._closed: OrderedDict[tuple[str, str], None] = OrderedDict()

    def add(self, server_id: str, client_id: str) -> None:
        self._closed[server_id, client_id] = None
        if len(self._closed) > REMEMBERED:
            self._closed.popitem(last=False)

    def have(self, request: Request) -> bool:
        """It was sent on one of them."""
        return bool(self._closed) and (request.server_id, request.client_id) in self._closed

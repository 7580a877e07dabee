"""Keep-alive messages: Mongrel2's reaper must not end a connection on which we are at work.

By its count a connection is idle since its last request or keep-alive message. One that is idle for longer than
``limits.min_ping`` (120 s), and that has neither sent nor taken much for as long as it is silent, is ended, and nobody
is told. A handler that computes for two minutes looks just like that; so does a stream of few and small events.

The messages have a second use: for a connection that is no more, whatever ended it, Mongrel2 answers with a disconnect.
"""

from collections.abc import Iterable

from wsgid.protocol import mongrel2_replies

Key = tuple[str, str]
"""A connection: its server and client id."""

INTERVAL = 1.0
"""Seconds between two looks. Mongrel2 counts whole seconds, and does not tell us its settings: this suits a min_ping of
2 as well."""

TOGETHER = 64
"""Connections in one message: half of what Mongrel2 takes as it comes (``limits.handler_targets``). It would skip a
message with more, and take no other for 100 ms."""


class KeepAlive:
    """Of one handler. What is in progress for less than a second costs nothing."""

    __slots__ = ("_earlier",)

    def __init__(self) -> None:
        self._earlier: set[Key] = set()

    def due(self, in_progress: set[Key]) -> list[bytes]:
        """At each look, the messages for what was in progress at the one before too."""
        lasting = in_progress & self._earlier
        self._earlier = in_progress
        return list(_messages(lasting))


def _messages(connections: set[Key]) -> Iterable[bytes]:
    servers: dict[str, list[str]] = {}
    for server_id, client_id in connections:
        servers.setdefault(server_id, []).append(client_id)
    for server_id, client_ids in servers.items():
        for start in range(0, len(client_ids), TOGETHER):
            yield mongrel2_replies.keep_alive_all(server_id, client_ids[start : start + TOGETHER])

"""The HTTP edge: listeners, and the watch over time limits. The connections are in `http_connection`."""

import asyncio
import resource
import socket
from concurrent.futures import Executor

from wsgid.dispatcher.dispatch import Dispatch
from wsgid.dispatcher.edges.http_connection import HttpConnection, HttpTimes
from wsgid.protocol.http_reader import HttpLimits

WATCH_INTERVAL = 0.5
"""Seconds between looks at the time limits: one sweep over all connections instead of a timer for each request."""

RESERVED_DESCRIPTORS = 256
"""Kept free of clients: listeners, workers' channels, logs, spooled bodies."""

FEWEST_CONNECTIONS = 64
"""However low the limit on descriptors is."""


class HttpEdge:
    """Serves HTTP/1.0 and 1.1 on listening sockets that were opened before us."""

    def __init__(
        self,
        dispatch: Dispatch,
        limits: HttpLimits,
        times: HttpTimes,
        spool_directory: str,
        executor: Executor,
        loop: asyncio.AbstractEventLoop,
        server: str,
    ) -> None:
        self.dispatch = dispatch
        self.limits = limits
        self.times = times
        self.loop = loop
        self.executor = executor
        self.spool_directory = spool_directory
        self.server = server
        self.connections: set[HttpConnection] = set()
        descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self.max_connections = max(FEWEST_CONNECTIONS, descriptors - RESERVED_DESCRIPTORS)
        self._servers: list[asyncio.Server] = []
        self._watch = loop.call_later(WATCH_INTERVAL, self._look)

    async def listen(self, listener: socket.socket, backlog: int) -> str:
        """Serves this socket; returns its address for people. `backlog` is its own: the loop would make it 100."""
        address = listener.getsockname()
        if listener.family == socket.AF_UNIX:
            server = await self.loop.create_unix_server(  # type: ignore[call-arg]  # in Python 3.11; uvloop's has it
                lambda: HttpConnection(self),
                sock=listener,
                backlog=backlog,
                cleanup_socket=False,  # the path is the master's, and our successor's
            )
            self._servers.append(server)
            return f"unix:{address}"
        server = await self.loop.create_server(lambda: HttpConnection(self), sock=listener, backlog=backlog)
        self._servers.append(server)
        host = f"[{address[0]}]" if ":" in address[0] else address[0]
        return f"http://{host}:{address[1]}"

    def _look(self) -> None:
        now = self.loop.time()
        for connection in list(self.connections):
            connection.look(now)
        self._watch = self.loop.call_later(WATCH_INTERVAL, self._look)

    def drain(self) -> None:
        """No new connections; idle ones end now, the others with their last answer."""
        for server in self._servers:
            server.close()
        for connection in list(self.connections):
            connection.drain()

    @property
    def quiet(self) -> bool:
        """No connection has a request on its way in, or an answer on its way out."""
        return not self.connections

    def close(self) -> None:
        self._watch.cancel()
        for connection in list(self.connections):
            connection.abort()

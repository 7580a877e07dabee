"""The dispatcher's end of its socket pair with the master."""

import asyncio
import logging
import socket
from collections.abc import Callable

from wsgid.channel import orders
from wsgid.channel.orders import FromDispatcher, FromMaster

log = logging.getLogger("wsgid.dispatcher")


class MasterLink:
    """Hands each order to `obey`; calls `gone` once, when the master is no more."""

    def __init__(
        self,
        sock: socket.socket,
        loop: asyncio.AbstractEventLoop,
        *,
        obey: Callable[[FromMaster], None],
        gone: Callable[[], None],
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._loop = loop
        self._obey = obey
        self._gone = gone
        loop.add_reader(sock.fileno(), self._readable)

    def say(self, message: FromDispatcher) -> None:
        try:
            self._sock.send(orders.encode(message))
        except OSError as error:
            # The master reads all the time: its buffer is full, or the socket broken, only when it is gone or stopped.
            log.warning("the master could not be told %r: %s", message, error.strerror)

    def _readable(self) -> None:
        try:
            packet = self._sock.recv(orders.MAX_ORDER)
        except BlockingIOError:
            return
        except ConnectionError:
            packet = b""
        if not packet:
            self._loop.remove_reader(self._sock.fileno())
            self._gone()
            return
        self._obey(orders.decode_from_master(packet))

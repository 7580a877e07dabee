"""The dispatcher's end of its socket pair with the master."""

import asyncio
import fcntl
import logging
import socket
import struct
import termios
from collections.abc import Callable
from typing import Final

from wsgid.channel import orders
from wsgid.channel.orders import Alive, FromDispatcher, FromMaster, OrderError

log = logging.getLogger("wsgid.dispatcher")

MOST_UNHEARD: Final = 16 * 1024
"""Bytes of the socket's buffer, as the kernel counts them (some 20 messages), that a master which does not listen may
leave unread before Alive is left out. The rest, over 100 KiB, is for what must not be lost."""

_COUNT: Final = struct.Struct("i")


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

    def say_alive(self, queued: int, busy: int) -> None:
        """To be called every `orders.HEARTBEAT` seconds. A master that is stopped for a while, by a debugger or with
        the whole group, finds everything else that was said meanwhile."""
        # SIOCOUTQ is TIOCOUTQ: unix(7), ioctls.
        unheard = _COUNT.unpack(fcntl.ioctl(self._sock, termios.TIOCOUTQ, bytes(_COUNT.size)))[0]
        if unheard < MOST_UNHEARD:
            self.say(Alive(queued, busy))

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
        try:
            order = orders.decode_from_master(packet)
        except OrderError as error:
            log.error("the master said what means nothing: %s", error)
        else:
            self._obey(order)

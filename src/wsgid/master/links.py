"""What the master and one child of it talk over: orders to and from the dispatcher, the report of a worker."""

import logging
import os
import socket

from wsgid.channel.orders import MAX_ORDER, FromDispatcher, FromMaster, OrderError, decode_from_dispatcher, encode

MAX_REPORT = 64 * 1024
"""Bytes kept of a report: a traceback of several hundred frames, more than anybody reads. What follows is not kept."""

READ_SIZE = 65536

log = logging.getLogger("wsgid.master")


class OrdersLink:
    """A pair of sockets. The end of its process closes the one side and tells the other, so neither process may keep
    the other's, and nobody else any."""

    def __init__(self) -> None:
        """Raises OSError."""
        self._ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.setblocking(False)
        self.over = False
        """Nothing comes any more."""

    def fileno(self) -> int:
        return self._ours.fileno()

    def tell(self, order: FromMaster) -> bool:
        """Was it sent? Not to a dispatcher that is gone, nor to one that does not listen: its death, and the deadlines
        of the plan, settle what a lost order leaves open, and the master waits for nobody."""
        try:
            self._ours.send(encode(order))
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            return False
        return True

    def hear(self) -> list[FromDispatcher]:
        """All that has been said since. Never waits."""
        said: list[FromDispatcher] = []
        while packet := self._receive():
            try:
                said.append(decode_from_dispatcher(packet))
            except OrderError as error:
                log.error("the dispatcher said what means nothing: %s", error)
        return said

    def _receive(self) -> bytes:
        while not self.over:
            try:
                packet = self._ours.recv(MAX_ORDER)
            except BlockingIOError:
                return b""
            except ConnectionResetError:
                continue  # it ended without our last order; the kernel says so once, and then gives what it had said
            self.over = not packet
            return packet
        return b""

    def close_ours(self) -> None:
        self._ours.close()

    def close_theirs(self) -> None:
        self.theirs.close()

    def close(self) -> None:
        self.close_ours()
        self.close_theirs()


class Report:
    """A pipe from a child, on which it says why it ends: a worker, when the application cannot be loaded."""

    def __init__(self) -> None:
        """Raises OSError."""
        reader, self.writer = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(reader, False)
        self._reader = os.fdopen(reader, "rb", 0)
        self._text = b""
        self.over = False
        """Nothing comes any more."""

    def fileno(self) -> int:
        return self._reader.fileno()

    def read(self) -> None:
        """Takes what is there. Never waits."""
        while part := self._reader.read(READ_SIZE):
            self._text = (self._text + part)[:MAX_REPORT]
        self.over = part is not None

    def text(self) -> str:
        """What has been said so far."""
        self.read()
        return self._text.decode(errors="replace").strip()

    def write(self, text: str) -> None:
        """In the child. What the pipe does not hold at once is lost."""
        os.set_blocking(self.writer, False)
        try:
            os.write(self.writer, text.encode(errors="backslashreplace"))
        except OSError as error:
            log.warning("the master did not hear %r: %s", text, error.strerror)

    def close_reader(self) -> None:
        self._reader.close()

    def close_writer(self) -> None:
        os.close(self.writer)

    def close(self) -> None:
        self.close_reader()
        self.close_writer()

"""Holds requests inside an application until the test lets them go, without a sleep on either side.

A gate is a FIFO. The application opens it for reading, which blocks until somebody opens it for writing, and then reads
to the end. The test's own opening for writing fails as long as no reader is there: so it learns that the request is
inside, and its closing is what ends the request. When the test dies, the kernel closes for it.

In an application::

    with open(os.environ["GATES"] + "/" + name, "rb") as gate:
        gate.read()
"""

import errno
import fcntl
import os
import struct
import termios
from collections.abc import Mapping
from pathlib import Path

from tests.deadlines import wait_for

VARIABLE = "GATES"
"""Environment variable that tells the application in which folder the gates are."""


class Gates:
    """A folder of gates, each opened once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._held: dict[str, int] = {}
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def env(self) -> Mapping[str, str]:
        """For the daemon's environment."""
        return {VARIABLE: str(self.folder)}

    def make(self, name: str) -> str:
        """Must be called before the request is sent; gives the name back."""
        os.mkfifo(self.folder / name)
        return name

    def wait_until_held(self, name: str) -> None:
        """Returns when a request has arrived at the gate; it stays there. Raises AssertionError."""
        self._held[name] = wait_for(lambda: self._open(name), f"a request at the gate {name!r}")

    def wait_until_reading(self, name: str) -> None:
        """Returns when a request that is held is in the call that reads the gate, and not just about to: what it is
        given has been taken. Raises AssertionError."""
        os.write(self._held[name], b"\n")
        wait_for(lambda: not self._unread(name), f"the request at the gate {name!r} to read")

    def _unread(self, name: str) -> int:
        """Bytes in the gate."""
        [waiting] = struct.unpack("i", fcntl.ioctl(self._held[name], termios.FIONREAD, bytes(4)))
        return int(waiting)

    def release(self, name: str, told: bytes = b"") -> None:
        """Lets go of the request that is held at the gate, waiting for it first if need be.

        ``told`` is what the application reads from the gate; ``/hold`` of tests/apps/plain answers with it.
        """
        if name not in self._held:
            self.wait_until_held(name)
        gate = self._held.pop(name)
        os.write(gate, told)
        os.close(gate)

    def close(self) -> None:
        """Lets go of all that are held."""
        for name in list(self._held):
            self.release(name)

    def _open(self, name: str) -> int | None:
        try:
            return os.open(self.folder / name, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return None
            raise

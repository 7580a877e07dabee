"""Tells systemd how the daemon is: sd_notify(3), datagrams to the socket that it names in the environment.

Our own code, because the protocol is a few lines of text: the packages for it are bindings that need C headers to
install, or have not been kept for years.
"""

import logging
import math
import os
import socket
import time
from collections.abc import MutableMapping

SOCKET, WATCHDOG_TIME, WATCHDOG_PROCESS = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"

MAX_STATUS = 1000
"""Bytes. systemd ignores a datagram of more than 4096 (its NOTIFY_BUFFER_MAX), and shows one line."""

log = logging.getLogger("wsgid.master")


class Notify:
    """Nothing is said, and nothing fails, where no systemd wants to hear it.

    A word that cannot be delivered is lost: a daemon must not wait for whoever watches it.
    """

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        """Takes its variables out of ``environ``: they are meant for this process, and the application's children would
        speak for it.

        The socket is connected here, for after a chroot or under another user its path may be out of reach. To be
        called in the process that systemd knows as the main one: the watchdog is for no other (``WATCHDOG_PID``).
        """
        address = environ.pop(SOCKET, "")
        self.watchdog_interval = _interval(environ.pop(WATCHDOG_TIME, ""), environ.pop(WATCHDOG_PROCESS, ""))
        """Seconds between two calls of `watchdog`: half of what systemd waits, as sd_watchdog_enabled(3) advises;
        infinite when it does not watch."""
        self._failed = False
        self._socket = self._connect(address) if address else None

    def ready(self, status: str) -> None:
        """Requests are served; also at the end of a reload."""
        self._say("READY=1", _status(status))

    def reloading(self, status: str) -> None:
        """`ready` must follow, also when the reload failed. ``Type=notify-reload`` asks for the time."""
        self._say("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}", _status(status))

    def stopping(self, status: str) -> None:
        self._say("STOPPING=1", _status(status))

    def status(self, text: str) -> None:
        """For ``systemctl status``; of several lines the first is shown."""
        self._say(_status(text))

    def watchdog(self) -> None:
        """All is well."""
        if self.watchdog_interval != math.inf:
            self._say("WATCHDOG=1")

    def close_in_child(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connect(self, address: str) -> socket.socket | None:
        if not address.startswith(("/", "@")):
            log.warning("%s is %s, which is no address of a UNIX socket: systemd is told nothing", SOCKET, address)
            return None
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        except OSError as error:
            sock.close()
            log.warning("%s: %s cannot be connected to: %s: systemd is told nothing", SOCKET, address, error)
            return None
        return sock

    def _say(self, *assignments: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.send("\n".join(assignments).encode("utf-8", "backslashreplace"))
        except OSError as error:
            if not self._failed:  # it would be said again with every word
                log.warning("systemd could not be told %r: %s; further failures are not told", assignments[0], error)
            self._failed = True


def _interval(microseconds: str, pid: str) -> float:
    if not microseconds or (pid and pid != str(os.getpid())):
        return math.inf
    if not microseconds.isascii() or not microseconds.isdigit() or int(microseconds) == 0:
        log.warning(
            "%s is %r, which is no number of microseconds: the watchdog is not fed", WATCHDOG_TIME, microseconds
        )
        return math.inf
    return int(microseconds) / 1_000_000 / 2


def _status(text: str) -> str:
    line = text.partition("\n")[0]
    return "STATUS=" + line.encode("utf-8", "backslashreplace")[:MAX_STATUS].decode("utf-8", "ignore")

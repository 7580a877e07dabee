"""Listening sockets that whoever started us has opened: systemd's socket activation, sd_listen_fds(3)."""

import errno
import os
import socket
from collections.abc import MutableMapping

from wsgid.master.errors import CannotStart

FIRST = 3
"""SD_LISTEN_FDS_START: they follow the standard streams."""

PROCESS, COUNT, NAMES = "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"

MAX_COUNT = 1024
"""More than any unit has; a number from the environment must not make us loop for long."""

_FAMILIES = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)


def take_activated(environ: MutableMapping[str, str]) -> tuple[socket.socket, ...]:
    """The sockets that were passed to this process; none when they are meant for another, or there are none.

    To be called before anything forks: they are meant for the process that was started and no other (``LISTEN_PID``).
    Takes the variables out of ``environ``: a program that the application starts must not think that they are its own.
    Raises CannotStart when one of the sockets cannot be served.
    """
    pid, count, names = (environ.pop(each, "") for each in (PROCESS, COUNT, NAMES))
    if pid != str(os.getpid()):
        return ()
    if not count.isascii() or not count.isdigit() or int(count) > MAX_COUNT:
        raise CannotStart(f"{COUNT} is {count!r:.40}, which is no number of sockets: it is for systemd to set")
    called = names.split(":") if names else []
    taken: list[socket.socket] = []
    try:
        for number in range(FIRST, FIRST + int(count)):
            name = called[number - FIRST] if len(called) == int(count) else "unnamed"
            taken.append(_take(number, f"socket {number} ({name}), passed by systemd,"))
    except CannotStart:
        for each in taken:
            each.close()
        raise
    return tuple(taken)


def _take(descriptor: int, what: str) -> socket.socket:
    try:
        sock = socket.socket(fileno=descriptor)
    except OSError as error:
        reason = "is not open" if error.errno == errno.EBADF else "is no socket"
        raise CannotStart(f"{what} {reason}: a .socket unit of its own must pass it, see docs/deploy.md") from None
    os.set_inheritable(descriptor, False)
    if fault := _fault(sock):
        sock.close()
        raise CannotStart(f"{what} {fault}")
    return sock


def _fault(sock: socket.socket) -> str:
    """Why it cannot be served; empty when it can."""
    if sock.family not in _FAMILIES or sock.type != socket.SOCK_STREAM:
        return "carries no HTTP: write ListenStream= with a TCP port or a path"
    if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        return "does not listen: write Accept=no, so that it is the listening one and not a client's"
    return ""

"""The sockets that clients connect to.

The master opens them before it forks and keeps them open, so that a dispatcher that is replaced finds its port and the
connections that wait on it.
"""

import errno
import fcntl
import logging
import os
import socket
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from wsgid.addresses import TcpAddress, UnixAddress, parse_bind
from wsgid.config import DEFAULT_BIND
from wsgid.master.errors import CannotStart
from wsgid.master.holders import tcp_holder, unix_holder

_ABSENT = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""The machine has no such address, or no such protocol."""

_TCP_CURES = {
    errno.EADDRINUSE: "{holder} listens there; stop it, or choose another port",
    errno.EACCES: "ports below 1024 need root or the capability CAP_NET_BIND_SERVICE; take another, such as 8000",
    errno.EADDRNOTAVAIL: "no network interface of this machine has it; 0.0.0.0 and [::] stand for all there are",
    errno.EAFNOSUPPORT: "this machine does without that protocol; choose an address of the other one",
}
_UNIX_CURES = {
    errno.ENOENT: "its folder does not exist; make it",
    errno.EACCES: "the user of this process may not write to its folder; let it, or choose another path",
    errno.EADDRINUSE: "another process has just made it; stop that one, or choose another path",
}

METRICS_BACKLOG = 16
"""Connections: a handful of scrapers and probes, answered within milliseconds."""

NOT_LISTENING = -1
"""In place of a backlog: the address is only bound."""

Place = tuple[socket.AddressFamily, tuple[Any, ...]]
"""What getaddrinfo(3) found: a family, and an address as sockets of that family take it."""

log = logging.getLogger("wsgid.master")


@dataclass(frozen=True, slots=True)
class Inode:
    """Names a file for good, whatever its path comes to mean."""

    device: int
    number: int


class AddressTaken(CannotStart):
    """Somebody listens there."""


class _Answered(Exception):
    """There is a living server at this path."""


class Listeners:
    """The sockets of all ``--bind`` and ``--metrics``, and the files that are to be removed with them.

    Or, for those of ``--bind``, the sockets that were passed to us (`take_activated`), if there are any. They take the
    place of every ``--bind``, as in gunicorn: who serves where is then written in one place, the .socket unit. Their
    files are not ours to remove.
    """

    def __init__(
        self,
        binds: Sequence[str],
        backlog: int,
        activated: Sequence[socket.socket] = (),
        files: Callable[[], AbstractContextManager[None]] = nullcontext,
        metrics: Sequence[str] = (),
    ) -> None:
        """Raises CannotStart when one of them cannot be had; none is kept then.

        `files`: within it, root makes and removes files as the user whose they shall be.
        """
        self._as_user = files
        self._sockets: list[socket.socket] = [*activated]
        self._metrics: list[socket.socket] = []
        self._files: dict[str, Inode] = {}
        if activated:
            _tell_unopened(binds)
        try:
            for text in () if activated else binds:
                self._open(f"--bind {text}", text, backlog, self._sockets)
            for text in metrics:
                self._open_for_metrics(text)
        except CannotStart:
            self.close()
            raise

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        return tuple(self._sockets)

    @property
    def metrics(self) -> tuple[socket.socket, ...]:
        return tuple(self._metrics)

    def close(self) -> None:
        """Removes the socket files too, unless another daemon has put its own in their place."""
        for path, inode in self._files.items():
            try:
                with self._as_user():
                    _unlink(path, inode)
            except FileNotFoundError:
                continue  # somebody was quicker
            except OSError as error:
                log.warning("the socket %s stays behind, it cannot be removed: %s", path, error.strerror)
        self._files.clear()
        self.close_in_child()

    def close_in_child(self) -> None:
        for each in (*self._sockets, *self._metrics):
            each.close()
        self._sockets.clear()
        self._metrics.clear()

    def _open_for_metrics(self, text: str) -> None:
        try:
            self._open(f"--metrics {text}", text, METRICS_BACKLOG, self._metrics)
        except AddressTaken as taken:
            raise CannotStart(f"{taken}. Each daemon needs an address of its own for its metrics") from None

    def _open(self, asked: str, text: str, backlog: int, sockets: list[socket.socket]) -> None:
        match parse_bind(text):
            case TcpAddress() as address:
                sockets += _listen_tcp(asked, address, backlog)
            case UnixAddress(path):
                self._open_unix(asked, path, backlog, sockets)

    def _open_unix(self, asked: str, path: str, backlog: int, sockets: list[socket.socket]) -> None:
        try:
            with self._as_user():
                sockets.append(_listen_unix(asked, path, backlog))
                self._files[path] = _inode(path)
        except _Answered:
            # Asked here, for root finds more than the user does.
            raise AddressTaken(f"{asked}: {unix_holder(path)} answers there; stop it, or choose another path") from None


def try_tcp(asked: str, address: TcpAddress) -> None:
    """Binds it, without listening, and gives it back. Raises CannotStart where a start would."""
    for sock in _listen_tcp(asked, address, NOT_LISTENING):
        sock.close()


def look_at_unix(asked: str, path: str) -> None:
    """Whether this process could put its socket there; nothing is changed. Raises CannotStart where a start would."""
    try:
        if os.path.lexists(path) and _lives(asked, path):
            raise CannotStart(f"{asked}: {unix_holder(path)} answers there; stop it, or choose another path")
        folder = os.path.dirname(path) or "."
        os.stat(folder)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise _refused(asked, error, _UNIX_CURES) from None


def _tell_unopened(binds: Sequence[str]) -> None:
    unopened = [f"--bind {each}" for each in binds if each != DEFAULT_BIND]  # which nobody may have asked for
    if unopened:
        log.warning("serving the sockets that systemd passes, and not %s", ", ".join(unopened))


def _listen_tcp(asked: str, address: TcpAddress, backlog: int) -> list[socket.socket]:
    """A name may stand for several addresses, as ``localhost`` usually does: all that this machine has are taken."""
    opened: list[socket.socket] = []
    absent: list[OSError] = []
    with ExitStack() as if_it_fails:
        for place in _resolve(asked, address):
            try:
                opened.append(if_it_fails.enter_context(_tcp_socket(place, backlog)))
            except OSError as error:
                if error.errno not in _ABSENT:
                    raise _refused(asked, error, _TCP_CURES, place) from None
                absent.append(error)
        if not opened:
            raise _refused(asked, absent[0], _TCP_CURES)
        if_it_fails.pop_all()
    return opened


def _resolve(asked: str, address: TcpAddress) -> list[Place]:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:  # the latter for an empty or overlong part between two dots
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise CannotStart(
            f"{asked}: the host name cannot be resolved: {reason}; write an address of this machine instead"
        ) from None
    return list(dict.fromkeys((family, place) for family, _, _, _, place in found))  # /etc/hosts may repeat itself


def _tcp_socket(place: Place, backlog: int) -> socket.socket:
    family, address = place
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Connections of a daemon that has just ended linger in TIME_WAIT and would keep the next one from its port.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # Or [::] would take IPv4 as well, on some machines and not on others (/proc/sys/net/ipv6/bindv6only).
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        if backlog != NOT_LISTENING:
            sock.listen(backlog)
    except OSError:
        sock.close()
        raise
    return sock


def _listen_unix(asked: str, path: str, backlog: int) -> socket.socket:
    """The file's mode is what the umask leaves of 0777; connecting takes write permission (unix(7))."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _alone_in(os.path.dirname(path) or "."):
            _make_way(asked, path)
            sock.bind(path)
            sock.listen(backlog)
    except OSError as error:
        sock.close()
        raise _refused(asked, error, _UNIX_CURES) from None
    except (CannotStart, _Answered):
        sock.close()
        raise
    return sock


def _make_way(asked: str, path: str) -> None:
    """Removes the socket of a daemon that is gone; never anything else."""
    try:
        lives = _lives(asked, path)
    except FileNotFoundError:
        return
    if lives:
        raise _Answered
    os.unlink(path)


def _lives(asked: str, path: str) -> bool:
    """Is there a server behind the socket? Raises CannotStart when it is none, OSError."""
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise CannotStart(f"{asked}: there is a file of that name that is no socket; move it, or choose another path")
    return _answers(path)


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return False
        except BlockingIOError:
            return True  # its backlog is full
        return True


def _unlink(path: str, inode: Inode) -> None:
    if _inode(path) == inode:
        os.unlink(path)


def _inode(path: str) -> Inode:
    found = os.lstat(path)
    return Inode(found.st_dev, found.st_ino)


@contextmanager
def _alone_in(folder: str) -> Iterator[None]:
    """One wsgid at a time: two that start together would else both find the same dead socket, and the second would
    remove the first one's new one."""
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def _refused(asked: str, error: OSError, cures: dict[int, str], place: Place | None = None) -> CannotStart:
    reason = (error.strerror or str(error)).lower()
    cure = cures.get(error.errno or 0, "")
    if place and error.errno == errno.EADDRINUSE:
        cure = cure.format(holder=tcp_holder(*place[1][:2]))
    kind = AddressTaken if error.errno == errno.EADDRINUSE else CannotStart
    return kind(f"{asked}: {reason}" + (f": {cure}" if cure else ""))

"""Who has the address that we were refused."""

from collections.abc import Callable
from typing import Any

MAX_COMMAND = 120
"""Characters of a command line that are shown: enough to know it by."""

UNKNOWN = "another process"
"""It may be another user's, whom only root sees, or in another container."""

_EVERY_INTERFACE = ("0.0.0.0", "::")


def tcp_holder(host: str, port: int) -> str:
    """Who listens there: ``process 1234 (python -m http.server)``, or `UNKNOWN`. ``host`` is an address in digits."""

    def is_it(address: Any) -> bool:
        return address.port == port and (address.ip == host or not {address.ip, host}.isdisjoint(_EVERY_INTERFACE))

    return _holder("tcp", "LISTEN", is_it)


def unix_holder(path: str) -> str:
    """Who listens at this path, which is spelled as it was for bind(2)."""
    return _holder("unix", "NONE", lambda address: address == path)


def _holder(kind: str, status: str, is_it: Callable[[Any], bool]) -> str:
    """``kind`` and ``status`` are psutil's."""
    import psutil  # here, because it takes 30 ms that a start which goes well does not need

    def has_it(connection: Any) -> bool:
        return connection.status == status and bool(connection.laddr) and is_it(connection.laddr)

    def sharing_parent(process: psutil.Process) -> psutil.Process | None:
        parent = process.parent()
        try:
            return parent if parent and any(map(has_it, parent.net_connections(kind))) else None
        except psutil.AccessDenied:  # another user's, such as the sudo that started it
            return None

    try:
        pids = [each.pid for each in psutil.net_connections(kind) if each.pid and has_it(each)]
        if not pids:
            return UNKNOWN
        holder = psutil.Process(pids[0])
        # A server shares the socket with its workers, and psutil names any of them: the one to stop is their parent.
        while parent := sharing_parent(holder):
            holder = parent
        return f"process {holder.pid} ({_shown(holder.cmdline(), holder.name())})"
    except (psutil.Error, OSError):  # it ends at this moment, or there is no /proc
        return UNKNOWN


def _shown(command: list[str], name: str) -> str:
    text = " ".join(command) or name  # a process may have wiped its arguments out
    printable = "".join(each if each.isprintable() else "?" for each in text)
    return printable if len(printable) <= MAX_COMMAND else printable[:MAX_COMMAND] + "..."

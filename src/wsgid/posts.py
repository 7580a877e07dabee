"""What a child process is born with. The master makes a post, the child's entry point takes it."""

import socket
from dataclasses import dataclass

from wsgid.config import Config

CHANNEL_SOCKET = "channel.sock"
"""Name of the dispatcher's UNIX socket inside the run directory. It is bound and connected to as
``/proc/self/fd/<run_dir>/channel.sock``: a path of its own may be longer than the 107 bytes a UNIX address holds."""

EXIT_LOAD_FAILED = 3
"""Exit code of a worker that could not load the application; the reason is on its report pipe. gunicorn's is the
same."""


@dataclass(frozen=True, slots=True)
class DispatcherPost:
    config: Config
    run_dir: int
    """Descriptor of ``run/<master pid>/``."""
    listeners: tuple[socket.socket, ...]
    """Bound and listening, opened by the master, which keeps its own copies."""
    orders: socket.socket
    """SOCK_SEQPACKET to the master; its end of file means that the master is gone."""


@dataclass(frozen=True, slots=True)
class WorkerPost:
    config: Config
    run_dir: int
    lifeline: int
    """Read end of a pipe that only the master can write to, and never does: its end of file means that the master is
    gone."""
    report: int
    """Write end of a pipe to the master, for the reason why the application could not be loaded (UTF-8 text)."""

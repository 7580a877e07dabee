"""What a child process is born with. The master makes a post, the child's entry point takes it."""

import signal
import socket
from dataclasses import dataclass

from wsgid.channel.policy import Policy
from wsgid.config import Config

CHANNEL_SOCKET = "channel.sock"
"""Name of the dispatcher's UNIX socket inside the run directory, which workers call."""

CONTROL_SOCKET = "control.sock"
"""Name of the dispatcher's UNIX socket for the commands ``status`` and ``restart``, inside the run directory."""

SOCKET_MODE = 0o600
"""Of both. Belt and braces: only its own user, and root, can enter the run directory."""

EXIT_LOAD_FAILED = 3
"""Exit code of a worker that could not load the application; the reason is on its report pipe. gunicorn's is the
same."""


DUMP_SIGNAL = signal.SIGRTMAX - 3
"""On it a worker writes down the stacks of all its threads (faulthandler, so even when one of them holds the
interpreter lock), and the master logs them. A real-time signal: SIGUSR1 and SIGUSR2 belong to applications and to the
reopening of logs."""


@dataclass(frozen=True, slots=True)
class DispatcherPost:
    config: Config
    run_dir: int
    """Descriptor of ``run/<master pid>/``."""
    run_path: str
    """The same directory as a path for UNIX addresses, which hold 107 bytes: ``/proc/self/fd/<run_dir>``, or, where
    ``--chroot`` leaves no ``/proc``, its path, which is short there."""
    listeners: tuple[socket.socket, ...]
    """Bound and listening, opened by the master, which keeps its own copies."""
    orders: socket.socket
    """SOCK_SEQPACKET to the master; its end of file means that the master is gone."""
    stacks: int
    """A file in memory for faulthandler, which the master reads."""
    metrics: tuple[socket.socket, ...] = ()
    """As `listeners`, for scrapers and probes."""
    daemon_since: float = 0.0
    """Seconds since the epoch: when the master began."""
    deaths: int = 0
    """Of dispatchers before this one."""


@dataclass(frozen=True, slots=True)
class WorkerPost:
    config: Config
    run_dir: int
    run_path: str
    """As in DispatcherPost."""
    lifeline: int
    """Read end of a pipe that only the master can write to, and never does: its end of file means that the master is
    gone."""
    report: int
    """Write end of a pipe to the master, for the reason why the application could not be loaded (UTF-8 text)."""
    stacks: int
    """As in DispatcherPost."""


def policy(config: Config) -> Policy:
    """What the dispatcher is to go by, at its birth and after a restart (`orders.Adopt`)."""
    jitter = config.max_requests_jitter
    return Policy(
        timeout=config.timeout,
        queue_timeout=config.queue_timeout,
        queue_size=config.queue_size,
        redeliver=config.redeliver,
        graceful_timeout=config.graceful_timeout,
        quarantine=config.quarantine,
        max_requests=config.max_requests,
        max_requests_jitter=config.max_requests // 10 if jitter is None else jitter,
        answer_memory=config.answer_memory,
        answer_spool=config.answer_spool,
        answer_memory_total=config.answer_memory_total,
        answer_spool_total=config.answer_spool_total,
    )

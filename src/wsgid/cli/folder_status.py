"""What runs on an app folder: from the control sockets of its daemons, from their pid files when they do not answer."""

import time

import msgspec

from wsgid.app import WsgidApp
from wsgid.channel.commands import Report, Served, WorkerReport, WorkerState
from wsgid.channel.counts import Counts
from wsgid.cli.control import ask_status
from wsgid.cli.daemons import Daemon, Found, running

RUNNING, STOPPED = "Running", "Stopped"

CONTROL_SOCKET, PID_FILES = "control socket", "pid files"

UNKNOWN, DEAD = "unknown", "dead"
"""States of workers that only pid files tell of."""


class WorkerStatus(msgspec.Struct, frozen=True):
    """What is not known is None."""

    pid: int
    state: str
    """A `WorkerState`, UNKNOWN or DEAD."""
    threads: int | None = None
    busy: int | None = None
    served: int | None = None
    serving: list[Served] = []


class DaemonStatus(msgspec.Struct, frozen=True):
    """What is not known is None; `wsgid.channel.commands.Report` explains the rest."""

    pid: int
    source: str
    """CONTROL_SOCKET or PID_FILES."""
    uptime: float
    """Seconds since it started."""
    workers: list[WorkerStatus]
    dispatcher: int | None = None
    addresses: list[str] | None = None
    draining: bool | None = None
    unfinished: int | None = None
    queued: int | None = None
    busy: int | None = None
    unnamed: int | None = None
    longest_wait: float | None = None
    counts: Counts | None = None
    metrics: list[str] | None = None


class FolderStatus(msgspec.Struct, frozen=True):
    status: str
    """RUNNING or STOPPED. It runs when it has a master and a worker."""
    app_path: str
    daemons: list[DaemonStatus]
    dead_masters: list[int]
    """Which have left pid files."""
    dead_workers: list[int]
    """Which have left pid files."""
    orphans: list[int]
    """Workers of dead masters, which finish and leave."""


def describe(found: Found, app: WsgidApp) -> FolderStatus:
    described = [_daemon(each, ask_status(app.rundir / str(each.pid))) for each in found.daemons]
    runs = any(worker.state != DEAD for daemon in described for worker in daemon.workers)
    return FolderStatus(
        status=RUNNING if runs else STOPPED,
        app_path=_text(str(app.path)),
        daemons=described,
        dead_masters=list(found.dead_masters),
        dead_workers=[pid for pid in found.stray_workers if not running(pid)],
        orphans=[pid for pid in found.stray_workers if running(pid)],
    )


def _daemon(daemon: Daemon, report: Report | None) -> DaemonStatus:
    uptime = round(max(0.0, time.time() - daemon.since), 3)  # the clock may have been set back
    if report is None:
        return DaemonStatus(daemon.pid, PID_FILES, uptime, [_unheard(pid, UNKNOWN, daemon) for pid in daemon.workers])
    heard = {each.pid: _heard(each) for each in report.workers}
    # One that has not called loads the application. When the daemon stops, it is on its way out and will not call.
    otherwise = WorkerState.LEAVING if report.draining else WorkerState.STARTING
    heard |= {pid: _unheard(pid, otherwise, daemon) for pid in daemon.workers if pid not in heard}
    return DaemonStatus(
        pid=daemon.pid,
        source=CONTROL_SOCKET,
        uptime=uptime,
        workers=[heard[pid] for pid in sorted(heard)],
        dispatcher=report.dispatcher,
        addresses=report.addresses,
        metrics=report.metrics,
        draining=report.draining,
        unfinished=report.unfinished,
        queued=report.queued,
        busy=report.busy,
        unnamed=report.unnamed,
        longest_wait=report.longest_wait,
        counts=report.counts,
    )


def _heard(worker: WorkerReport) -> WorkerStatus:
    return WorkerStatus(worker.pid, worker.state, worker.threads, worker.busy, worker.served, worker.serving)


def _unheard(pid: int, state: str, of: Daemon) -> WorkerStatus:
    # A master that cannot be seen is in another container, and its workers with it: the pid file counts.
    return WorkerStatus(pid, state if running(pid) or not running(of.pid) else DEAD)


def _text(path: str) -> str:
    """File names may be any bytes, JSON is UTF-8."""
    return path.encode(errors="backslashreplace").decode()

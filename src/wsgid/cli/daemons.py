"""Which daemons there are on an app folder, and what the dead have left."""

import fcntl
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from wsgid.app import WsgidApp
from wsgid.cli.complaints import EXIT_REFUSED, CannotDo, complain
from wsgid.config_sources import ConfigError, locate
from wsgid.instances import DIRECTORY, LOCK, instances, is_dead, locked, workers_of
from wsgid.options import MAX_SHOWN, shown

EXIT_STOPPED = 3
"""Nothing runs: what the Linux Standard Base has for ``status`` of a service that is stopped."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """One whose master lives."""

    pid: int
    """The master's."""
    since: float
    """When it started, as Unix time."""
    workers: tuple[int, ...]
    """Its workers by their pid files, dead or not."""


@dataclass(frozen=True, slots=True)
class Found:
    daemons: tuple[Daemon, ...]
    dead_masters: tuple[int, ...]
    """Their pid files or directories are still there."""
    stray_workers: tuple[int, ...]
    """Those with a pid file and a dead master. They leave by themselves when they have finished."""


def folder(options: Mapping[str, object]) -> WsgidApp:
    """The app folder that the options name (only ``app_path`` and ``run_dir`` count). Raises CannotDo."""
    try:
        place = locate(options, os.environ)
    except ConfigError as error:
        raise CannotDo(*error.errors, exit_code=EXIT_REFUSED) from None
    complain(f"{each}; so a run_dir in it is not known here" for each in place.warnings)
    app = WsgidApp(place.app_path, place.run_dir)
    if not (app.is_valid() or app.rundir.is_dir()):
        raise CannotDo(
            f"{app.path} is no app folder: there is neither {app.appdir} nor {app.rundir}; name one with --app-path",
            exit_code=EXIT_REFUSED,
        )
    return app


def look(app: WsgidApp) -> Found:
    """Raises CannotDo."""
    try:
        try:
            return _by_locks(app)
        except PermissionError:
            return _by_pid_files(app)
    except OSError as error:
        raise CannotDo(f"{error.filename or app.rundir} cannot be read: {error.strerror}") from None


def look_for(pid: object, app: WsgidApp) -> Found:
    """As `look`; only the daemon of this pid (text, as it was given with --pid), unless it is None. Raises CannotDo."""
    found = look(app)
    if pid is None:
        return found
    text = str(pid)
    named = tuple(each for each in found.daemons if str(each.pid) == text)
    if named:
        return Found(named, (), ())
    if not (text.isascii() and text.isdigit()):
        raise CannotDo(f"--pid: {shown(text)} is not a process id", exit_code=EXIT_REFUSED)
    if text in map(str, found.dead_masters):
        raise CannotDo(f"--pid: the daemon {text} on {app.path} is dead", exit_code=EXIT_STOPPED)
    masters = ", ".join(str(each.pid) for each in found.daemons)
    there = f"those that run there are {masters}" if masters else "nothing runs there"
    raise CannotDo(f"--pid: {text[:MAX_SHOWN]} is no master on {app.path}: {there}", exit_code=EXIT_STOPPED)


def running(pid: int) -> bool:
    """Is there such a process, and is it more than a zombie?"""
    return bool(fields := _stat(pid)) and fields[0] != "Z"


def parent(pid: int) -> int:
    """0 when there is no such process."""
    return int(fields[1]) if (fields := _stat(pid)) else 0


def _by_locks(app: WsgidApp) -> Found:
    """Raises OSError."""
    try:
        run = os.open(app.rundir, DIRECTORY)
    except FileNotFoundError:
        return _sorted_out(app, (), ())
    try:
        with locked(run, fcntl.LOCK_SH):
            dead = [name for name in instances(run) if is_dead(name, run)]
            living = [_daemon(name, run) for name in instances(run) if name not in dead]
    finally:
        os.close(run)
    return _sorted_out(app, living, map(int, dead))


def _daemon(name: str, run: int) -> Daemon:
    return Daemon(int(name), os.stat(f"{name}/{LOCK}", dir_fd=run).st_mtime, tuple(sorted(workers_of(name, run))))


def _by_pid_files(app: WsgidApp) -> Found:
    """For those who may not look into ``run/``: who lives is told by whether there is such a process. Good enough to be
    shown; nobody who sees no more than this may send signals. Raises OSError."""
    workers: dict[int, list[int]] = {}
    for pid in app.worker_pids():
        workers.setdefault(parent(pid), []).append(pid)
    living: list[Daemon] = []
    for pid in filter(running, app.master_pids()):
        try:
            since = os.stat(app.master_piddir / f"{pid}.pid").st_mtime
        except FileNotFoundError:
            continue  # it ends at this moment
        living.append(Daemon(pid, since, tuple(workers.get(pid, ()))))
    return _sorted_out(app, living, ())


def _sorted_out(app: WsgidApp, living: Iterable[Daemon], dead: Iterable[int]) -> Found:
    daemons = tuple(sorted(living, key=lambda each: each.pid))
    known = {pid for each in daemons for pid in each.workers}
    return Found(
        daemons,
        tuple(sorted({*app.master_pids(), *dead} - {each.pid for each in daemons})),
        tuple(pid for pid in app.worker_pids() if pid not in known),
    )


def _stat(pid: int) -> list[str]:
    """The fields of proc_pid_stat(5) from the third on, the state: the second, in parentheses, may hold anything."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []

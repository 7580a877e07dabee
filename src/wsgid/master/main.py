"""The master, from the first line to the last."""

import errno
import logging
import os
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from functools import partial

from wsgid.app import WsgidApp, make_folder
from wsgid.config import Config
from wsgid.config_sources import Loaded
from wsgid.logs import configure, has_file, line, log_file, open_stdout, redirect_stdio, syslog
from wsgid.master import jail, jail_paths, reach, rights
from wsgid.master.actions import Finish
from wsgid.master.activation import take_activated
from wsgid.master.confined import Confined, confine
from wsgid.master.daemon import Herald, LauncherPipe, Terminal, detach, fill_standard_descriptors
from wsgid.master.errors import CannotStart
from wsgid.master.listeners import Listeners
from wsgid.master.notify import Notify
from wsgid.master.proc_files import ProcFiles
from wsgid.master.processes import Entries
from wsgid.master.rights import Identity
from wsgid.master.run_dir import RunDir
from wsgid.master.signals import SignalInbox
from wsgid.master.state import EXIT_FAILED, Settings
from wsgid.master.supervisor import SIGNALS, Supervisor
from wsgid.posts import DispatcherPost, WorkerPost

log = logging.getLogger("wsgid.master")

Reread = Callable[[], Loaded]
"""Reads the options again, from the sources of the start. Raises ConfigError."""


@dataclass(frozen=True, slots=True)
class Start:
    """What this process was started with."""

    config: Config
    warnings: Sequence[str]
    entries: Entries
    reread: Reread | None
    sockets: tuple[socket.socket, ...]
    """Passed on to us, listening."""
    directory: str
    """The current one, then."""


def run_master(
    config: Config,
    warnings: Sequence[str],
    *,
    dispatcher: Callable[[DispatcherPost], int],
    worker: Callable[[WorkerPost], int],
    reread: Reread | None = None,
) -> int:
    """Runs a daemon; gives the exit code of this process.

    In the foreground it returns when all is over. Otherwise it returns twice: in the launcher as soon as the daemon is
    ready, or has failed, and in the daemon when all is over. `warnings` go to the log. `dispatcher` and `worker` are
    where the forked children begin. Without `reread` a restart goes by the options of the start.
    """
    fill_standard_descriptors()
    terminal = _terminal(config)
    try:
        sockets = take_activated(os.environ)
        place: Terminal | LauncherPipe | int = terminal if config.no_daemon else detach(_where_to_look(config))
    except CannotStart as error:
        terminal.failed(str(error))
        return EXIT_FAILED
    if isinstance(place, int):
        return place
    return _be_master(Start(config, warnings, Entries(dispatcher, worker), reread, sockets, os.getcwd()), place)


def _terminal(config: Config) -> Terminal:
    is_log = config.no_daemon and config.stdout and config.log_format == "json"
    return Terminal(partial(line, config, "master") if is_log else None)


def _be_master(start: Start, herald: Herald) -> int:
    with SignalInbox(SIGNALS) as inbox:
        try:
            identity = _settle(start.config)
        except CannotStart as error:  # so there is no log to say it in
            end = Finish(EXIT_FAILED, str(error))
        else:
            _tell(start, identity)
            end = _live(start, identity, inbox, herald)
        # Last of all: whoever hears it finds nothing of us.
        if end.failure:
            herald.failed(end.failure)
    return end.exit_code


def _settle(config: Config) -> Identity | None:
    """Makes folders and log, as whom the daemon will be. Raises CannotStart."""
    if config.umask is not None:
        os.umask(config.umask)
    if config.stdout:
        open_stdout()  # as whoever started us: what others write to is seldom the daemon's user's
    if config.chroot:
        jail_paths.check(config)
        jail.close_directories()
    identity = rights.find_identity(config.user, config.group, config.app_path)
    if identity is not None:
        rights.join_groups(identity)
    try:
        with _files_of(identity):
            _open_up(config, identity)
    except socket.gaierror as error:
        raise CannotStart(f"--syslog: {config.syslog}: {error.strerror}") from None
    except OSError as error:
        raise CannotStart(f"{error.filename}: {error.strerror}; {_remedy(error, identity)}") from None
    return identity


def _open_up(config: Config, identity: Identity | None) -> None:
    """Raises OSError."""
    app = WsgidApp(config.app_path, config.run_dir)
    app.create_folders(logs=has_file(config), make=_folder_maker(identity))
    os.chdir(app.path)  # in the foreground too: relative paths of the application mean the same in both
    configure(config, "master")
    if not config.no_daemon:
        redirect_stdio(config)


def _files_of(identity: Identity | None) -> AbstractContextManager[None]:
    return nullcontext() if identity is None else rights.files_of(identity)


def _folder_maker(identity: Identity | None) -> Callable[..., None]:
    return make_folder if identity is None else partial(rights.make_folder, identity=identity)


def _remedy(error: OSError, identity: Identity | None) -> str:
    if error.errno == errno.EROFS:
        return "keep sockets and pid files elsewhere with --run-dir, and the log with --stdout"
    with _files_of(identity):
        shut = reach.barrier(str(error.filename))
    if shut is not None:
        who = identity or "the user of this process"
        return f"{shut} may not be searched by {who}: let them through (chmod o+x), or move the app folder"
    if identity is None:
        return "run wsgid as the owner of the app folder, or let the user of this process write to its subfolders"
    return f"the daemon becomes {identity}: let them write there (chown -R), or name another with --user"


def _tell(start: Start, identity: Identity | None) -> None:
    if (way := syslog()) is not None and (problem := way.problem()):
        # Where what is printed goes: a log that nobody hears would be the wrong place.
        print(f"wsgid: --syslog: {problem}; what is logged until syslogd is there is lost", file=sys.stderr, flush=True)
    for warning in start.warnings:
        log.warning("%s", warning)
    if os.geteuid() == rights.ROOT and not start.config.user and (identity is None or identity.uid == rights.ROOT):
        log.warning("root owns the app folder, so everything runs as root, the application too: name a user by --user")


def _live(start: Start, identity: Identity | None, inbox: SignalInbox, herald: Herald) -> Finish:
    try:
        return _supervise(start, identity, inbox, herald)
    except CannotStart as error:
        log.error("the start failed: %s", error)
        return Finish(EXIT_FAILED, str(error))
    except Exception as error:  # a mistake of ours: the terminal must not wait for a word that never comes
        log.exception("the master ends over a mistake of its own")
        return Finish(
            EXIT_FAILED,
            f"a bug in wsgid: {type(error).__name__}: {error}; its traceback is in {_where_to_look(start.config)}",
        )


def _supervise(start: Start, identity: Identity | None, inbox: SignalInbox, herald: Herald) -> Finish:
    pid = os.getpid()
    log.info("wsgid %d starts on %s", pid, start.config.app_path.absolute())
    with ExitStack() as stack:
        # What is out of reach later is opened now.
        notify, proc = Notify(os.environ), ProcFiles()
        stack.callback(proc.close)
        config, files = start.config, partial(_files_of, identity)
        listeners = Listeners(config.bind, config.backlog, start.sockets, files, config.metrics)
        stack.callback(listeners.close)
        own = confine(config, identity, start.directory)
        run_dir = RunDir(WsgidApp(own.config.app_path, own.config.run_dir), pid, jailed=own.config.chroot)
        stack.callback(_remove, run_dir)
        supervisor = stack.enter_context(
            Supervisor(
                own.config,
                _settings(pid, config, notify),
                start.entries,
                inbox=inbox,
                herald=herald,
                run_dir=run_dir,
                listeners=listeners,
                reread=_inside(own, start.reread),
                notify=notify,
                proc=proc,
            )
        )
        end = supervisor.run()
    log.info("wsgid %d has ended", pid)
    return end


def _inside(own: Confined, reread: Reread | None) -> Reread | None:
    return None if reread is None else lambda: own.again(reread())


def _settings(pid: int, config: Config, notify: Notify) -> Settings:
    return Settings(
        pid=pid,
        workers=config.workers,
        keep_alive=config.keep_alive,
        graceful_timeout=config.graceful_timeout,
        log_file=_where_to_look(config),
        start_timeout=config.start_timeout,
        timeout=config.timeout,
        max_rss=config.max_rss,
        reload=config.reload,
        watchdog=notify.watchdog_interval,
    )


def _remove(run_dir: RunDir) -> None:
    try:
        run_dir.remove()
    except OSError as error:
        log.error("something of this daemon stays behind in run/ or pid/: %s: %s", error.filename, error.strerror)


def _where_to_look(config: Config) -> str:
    if config.syslog is not None:
        return "syslog"
    return "the output of this command" if config.stdout else str(log_file(config))

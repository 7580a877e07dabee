"""The master, from the first line to the last."""

import logging
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from wsgid.app import WsgidApp
from wsgid.config import Config
from wsgid.logs import configure, log_file, redirect_stdio
from wsgid.master.actions import Finish
from wsgid.master.daemon import Herald, LauncherPipe, Terminal, detach, fill_standard_descriptors
from wsgid.master.errors import CannotStart
from wsgid.master.listeners import Listeners
from wsgid.master.run_dir import RunDir
from wsgid.master.signals import SignalInbox
from wsgid.master.state import EXIT_FAILED, Settings
from wsgid.master.supervisor import SIGNALS, Entries, Supervisor
from wsgid.posts import DispatcherPost, WorkerPost

_TO_BE_WRITTEN = "run wsgid as the owner of the app folder, or let the user of this process write to its subfolders"

log = logging.getLogger("wsgid.master")


def run_master(
    config: Config,
    warnings: Sequence[str],
    *,
    dispatcher: Callable[[DispatcherPost], int],
    worker: Callable[[WorkerPost], int],
) -> int:
    """Runs a daemon; gives the exit code of this process.

    In the foreground it returns when all is over. Otherwise it returns twice: in the launcher as soon as the daemon is
    ready, or has failed, and in the daemon when all is over. `warnings` go to the log. `dispatcher` and `worker` are
    where the forked children begin.
    """
    fill_standard_descriptors()
    app = WsgidApp(config.app_path)
    entries = Entries(dispatcher, worker)
    if config.no_daemon:
        return _be_master(config, warnings, app, entries, Terminal())
    try:
        place = detach(_where_to_look(config))
    except CannotStart as error:
        Terminal().failed(str(error))
        return EXIT_FAILED
    if isinstance(place, LauncherPipe):
        return _be_master(config, warnings, app, entries, place)
    return place


def _be_master(config: Config, warnings: Sequence[str], app: WsgidApp, entries: Entries, herald: Herald) -> int:
    with SignalInbox(SIGNALS) as inbox:
        try:
            _settle(config, app)
        except OSError as error:  # so there is no log to say it in
            end = Finish(EXIT_FAILED, f"{error.filename}: {error.strerror}; {_TO_BE_WRITTEN}")
        else:
            for warning in warnings:
                log.warning("%s", warning)
            end = _live(config, app, entries, inbox, herald)
        # Last of all: whoever hears it finds nothing of us.
        if end.failure:
            herald.failed(end.failure)
    return end.exit_code


def _settle(config: Config, app: WsgidApp) -> None:
    """Raises OSError."""
    app.create_folders()
    os.chdir(app.path)  # in the foreground too: relative paths of the application mean the same in both
    configure(config, "master")
    if not config.no_daemon:
        redirect_stdio(config)


def _live(config: Config, app: WsgidApp, entries: Entries, inbox: SignalInbox, herald: Herald) -> Finish:
    try:
        return _supervise(config, app, entries, inbox, herald)
    except CannotStart as error:
        log.error("the start failed: %s", error)
        return Finish(EXIT_FAILED, str(error))
    except Exception as error:  # a mistake of ours: the terminal must not wait for a word that never comes
        log.exception("the master ends over a mistake of its own")
        return Finish(
            EXIT_FAILED,
            f"a bug in wsgid: {type(error).__name__}: {error}; its traceback is in {_where_to_look(config)}",
        )


def _supervise(config: Config, app: WsgidApp, entries: Entries, inbox: SignalInbox, herald: Herald) -> Finish:
    settings = Settings(
        pid=os.getpid(),
        workers=config.workers,
        keep_alive=config.keep_alive,
        graceful_timeout=config.graceful_timeout,
        log_file=_where_to_look(config),
    )
    log.info("wsgid %d starts on %s", settings.pid, app.path)
    with ExitStack() as stack:
        run_dir = RunDir(app, settings.pid)
        stack.callback(_remove, run_dir)
        listeners = Listeners(config.bind, config.backlog)
        stack.callback(listeners.close)
        supervisor = stack.enter_context(
            Supervisor(config, settings, entries, inbox=inbox, herald=herald, run_dir=run_dir, listeners=listeners)
        )
        end = supervisor.run()
    log.info("wsgid %d has ended", settings.pid)
    return end


def _remove(run_dir: RunDir) -> None:
    try:
        run_dir.remove()
    except OSError as error:
        log.error("something of this daemon stays behind in run/ or pid/: %s: %s", error.filename, error.strerror)


def _where_to_look(config: Config) -> str:
    return "the output of this command" if config.stdout else str(log_file(config))

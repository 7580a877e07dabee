"""``wsgid`` without a command: check the options and the app folder, then be the master.

This is the composition root, the one place that knows the master, the dispatcher and the worker. The master is handed
the other two as functions. The dispatcher's code is imported by the process that it is called in, that of the workers
before they are forked.
"""

import gc
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from wsgid.app import WsgidApp
from wsgid.cli.complaints import EXIT_REFUSED, complain
from wsgid.config_sources import ConfigError, load
from wsgid.posts import DispatcherPost, WorkerPost


def start(command_line: Mapping[str, object]) -> int:
    """Starts the daemon with the options given on the command line; returns the exit code of this process."""
    try:
        loaded = load(command_line, os.environ)
    except ConfigError as error:
        complain(error.errors)
        return EXIT_REFUSED
    app = WsgidApp(loaded.config.app_path)
    if not app.is_valid():
        complain([f"{app.path} is no app folder: the application's code must be in {app.appdir}", _cure(app)])
        return EXIT_REFUSED

    from wsgid.master.main import run_master
    from wsgid.master.watcher import check_watchfiles

    if loaded.config.reload and (missing := check_watchfiles()):
        complain([missing])
        return EXIT_REFUSED
    _prepare_workers()
    reread = partial(load, command_line, os.environ, Path.cwd())
    return run_master(loaded.config, loaded.warnings, dispatcher=_dispatcher, worker=_worker, reread=reread)


def _prepare_workers() -> None:
    """What every worker needs is imported once: each starts in a third of the processor's time, and they share the
    memory. The garbage collector would write to all of that, which makes copies; what is frozen it leaves alone.

    What the dispatcher needs is not: the master loads neither ZeroMQ nor an event loop.
    """
    import importlib.metadata  # noqa: F401 - plug-ins are looked for among the installed packages

    import wsgid.worker.main  # noqa: F401

    gc.freeze()


def _cure(app: WsgidApp) -> str:
    return f"make one with `mkdir -p {app.appdir}` and put the code there, or name another with --app-path"


def _dispatcher(post: DispatcherPost) -> int:
    from wsgid.dispatcher.main import run

    return run(post)


def _worker(post: WorkerPost) -> int:
    from wsgid.worker.main import run

    return run(post)

"""``wsgid restart``: new workers with the code and the options that are on disk now, without losing a request."""

import sys
from collections.abc import Mapping
from signal import Signals

from wsgid.app import WsgidApp
from wsgid.channel.commands import News, Noted, Restart
from wsgid.cli.complaints import EXIT_FAILED, EXIT_INTERRUPTED, CannotDo, complain
from wsgid.cli.control import Call, NoAnswer
from wsgid.cli.daemons import EXIT_STOPPED, Daemon, folder, look_for
from wsgid.cli.processes import Gone, master, signal_named, worker

NOTED_TIME = 5.0
"""Seconds in which the dispatcher has to say that the restart is on its way. One that is silent for so long is replaced
by its master; how long the restart itself takes is the application's business."""


def restart(options: Mapping[str, object]) -> int:
    """Returns the exit code. Raises CannotDo."""
    app = folder(options)
    named = options.get("send_signal")
    number = None if named is None else signal_named(str(named))
    daemons = look_for(options.get("pid"), app).daemons
    if not daemons:
        raise CannotDo(f"nothing runs on {app.path}: start it with `wsgid`", exit_code=EXIT_STOPPED)
    succeeded = True
    for daemon in daemons:  # one after another, so that at each moment all but one have all their workers
        try:
            if number is None:
                succeeded &= _restart(daemon, app)
            else:
                _signal_workers(daemon, number, app)
        except CannotDo as error:
            complain(error.lines)
            succeeded = False
        except KeyboardInterrupt:
            complain([f"not waiting any longer: the restart of {daemon.pid} goes on, the log tells how it ends"])
            return EXIT_INTERRUPTED
    return 0 if succeeded else EXIT_FAILED


def _restart(daemon: Daemon, app: WsgidApp) -> bool:
    """Whether it succeeded. Raises CannotDo when that cannot be told."""
    try:
        with Call(app.rundir / str(daemon.pid), Restart(), NOTED_TIME) as call:
            if not isinstance(call.hear(NOTED_TIME), Noted):
                raise NoAnswer("it does not speak as this version of wsgid does")
            last = _follow(call, daemon)
    except NoAnswer as error:
        raise CannotDo(
            f"the daemon {daemon.pid} cannot be asked to restart: {error}; `kill -HUP {daemon.pid}` asks its master "
            "directly, and the log tells how it goes"
        ) from None
    print(f"wsgid {daemon.pid}: {last.text}", file=sys.stdout if last.ok else sys.stderr)
    return last.ok


def _follow(call: Call, daemon: Daemon) -> News:
    """Prints the news as they come; gives the last of them. Raises NoAnswer, CannotDo."""
    while True:
        try:
            news = call.hear(None)
        except NoAnswer as error:
            raise CannotDo(
                f"the dispatcher of {daemon.pid} died, or left, before the restart was over ({error}); the log tells "
                "how it ends"
            ) from None
        if not isinstance(news, News):
            raise NoAnswer("it does not speak as this version of wsgid does")
        if news.over:
            return news
        print(f"wsgid {daemon.pid}: {news.text}", flush=True)


def _signal_workers(daemon: Daemon, number: Signals, app: WsgidApp) -> None:
    """The way of old: each worker finishes what it has and leaves, and a new one comes. Raises CannotDo."""
    try:
        with master(daemon.pid, app):
            signalled = [pid for pid in daemon.workers if _signal(pid, daemon.pid, number)]
    except Gone:
        raise CannotDo(f"the daemon {daemon.pid} has ended meanwhile") from None
    workers = ", ".join(map(str, signalled))
    told = f"{number.name} was sent to {workers}" if workers else f"no worker is there to get {number.name}"
    print(f"wsgid {daemon.pid}: {told}")


def _signal(pid: int, of: int, number: Signals) -> bool:
    try:
        with worker(pid, of) as process:
            process.send(number)
    except Gone:
        return False
    return True

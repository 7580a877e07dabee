"""``wsgid stop``: ends the daemons of an app folder, and waits until they have ended."""

import select
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from signal import Signals

from wsgid.app import WsgidApp
from wsgid.cli.complaints import EXIT_FAILED, EXIT_INTERRUPTED, CannotDo, complain
from wsgid.cli.control import ask_status
from wsgid.cli.daemons import Daemon, folder, look_for
from wsgid.cli.processes import Gone, Process, master, signal_named

ENDING = (Signals.SIGTERM, Signals.SIGINT, Signals.SIGQUIT, Signals.SIGKILL)
"""What ends a master; after any other there is nothing to wait for."""

LOOK = 0.5
"""Seconds between two looks at what the daemons still have to finish, where somebody watches."""

ERASE_LINE = "\r\x1b[K"
"""ECMA-48, "EL": what every terminal of the last forty years understands."""


def stop(options: Mapping[str, object]) -> int:
    """Returns the exit code. Raises CannotDo."""
    app = folder(options)
    number = signal_named(str(options.get("send_signal", "TERM")))
    daemons = look_for(options.get("pid"), app).daemons
    if not daemons:
        print(f"nothing runs on {app.path}")
        return 0
    try:
        with ExitStack() as held:
            signalled, failed = _signal(daemons, number, app, held)
            if number in ENDING and not options.get("no_wait"):
                _wait(signalled, app)
    except KeyboardInterrupt:
        complain(["not waiting any longer: the daemons go on stopping; a second `wsgid stop` ends them at once"])
        return EXIT_INTERRUPTED
    return EXIT_FAILED if failed else 0


def _signal(daemons: Sequence[Daemon], number: Signals, app: WsgidApp, held: ExitStack) -> tuple[list[Process], bool]:
    """The processes that got the signal, held open by `held`, and whether there is one that could not be sent it."""
    signalled: list[Process] = []
    failed = False
    for daemon in daemons:
        try:
            process = held.enter_context(master(daemon.pid, app))
            process.send(number)
            signalled.append(process)
        except Gone:
            print(f"wsgid {daemon.pid} has ended")
        except CannotDo as error:
            complain(error.lines)
            failed = True
    return signalled, failed


def _wait(processes: Sequence[Process], app: WsgidApp) -> None:
    """Says of each when it has ended."""
    watched = sys.stderr.isatty()
    poll = select.poll()
    left = {each.fileno(): each for each in processes}
    for descriptor in left:
        poll.register(descriptor, select.POLLIN)
    while left:
        if watched:
            _show("; ".join(_to_be_done(each.pid, app) for each in left.values()))
        ended = poll.poll(LOOK * 1000 if watched else None)
        if watched:
            _show("")
        for descriptor, _ in ended:
            poll.unregister(descriptor)
            print(f"wsgid {left.pop(descriptor).pid} has ended")


def _to_be_done(pid: int, app: WsgidApp) -> str:
    report = ask_status(app.rundir / str(pid))
    doing = "" if report is None else f", which has {report.unfinished} requests in progress"
    return f"waiting for the daemon {pid}{doing}"


def _show(text: str) -> None:
    """On one line, in place of what was there."""
    print(f"{ERASE_LINE}{text}", end="", file=sys.stderr, flush=True)

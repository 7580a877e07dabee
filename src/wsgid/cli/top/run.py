"""The life of ``wsgid top``: look, reckon, show, wait; or the same once, or as lines of JSON."""

import os
import shutil
import sys
import time
from collections.abc import Mapping
from typing import Final

import msgspec

from wsgid.app import WsgidApp
from wsgid.cli.complaints import EXIT_REFUSED, CannotDo
from wsgid.cli.daemons import EXIT_STOPPED, folder
from wsgid.cli.top.figures import Figures
from wsgid.cli.top.reading import History, read
from wsgid.cli.top.reckoning import figures

INTERVAL: Final = 2.0
"""Seconds between two looks, unless told otherwise."""

SHORTEST, LONGEST = 0.1, 3600.0
"""Seconds that may be told. Each look costs the dispatcher a millisecond."""

FIRST_INTERVAL: Final = 0.5
"""Seconds until the second look, before which nothing can be said of what happens: nobody wants to wait long for it."""

QUIT: Final = b"qQ"

HINT: Final = "q: quit"

ALL: Final = 10_000
"""Lines, more than there can be: what is written once may be longer than a screen."""


def top(options: Mapping[str, object]) -> int:
    """Returns the exit code. Raises CannotDo."""
    interval = _interval(options.get("interval"))
    app = folder(options)
    pid = options.get("pid")
    history = History()
    history.add(read(app, pid))
    if not history.latest.status.daemons:
        raise CannotDo(f"nothing runs on {app.path}", exit_code=EXIT_STOPPED)
    try:
        if options.get("json"):
            return _lines(history, app, pid, interval, once=bool(options.get("once")))
        if options.get("once") or not _on_a_screen():
            return _once(_after(interval, history, app, pid))
        return _live(history, app, pid, interval)
    except KeyboardInterrupt:
        return 0  # that is how it is ended
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would complain at its end
        return 0  # whoever reads has had enough


def _on_a_screen() -> bool:
    """A dumb terminal has no cursor that could be moved (terminfo(5))."""
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _interval(given: object) -> float:
    """Raises CannotDo."""
    interval = INTERVAL if given is None else float(str(given))
    if not SHORTEST <= interval <= LONGEST:
        raise CannotDo(
            f"--interval: {interval:g} is not between {SHORTEST:g} and {LONGEST:g} seconds", exit_code=EXIT_REFUSED
        )
    return interval


def _after(seconds: float, history: History, app: WsgidApp, pid: object) -> Figures:
    """What there is to be said after so long. Raises CannotDo."""
    time.sleep(seconds)
    history.add(read(app, pid))
    return figures(history)


def _lines(history: History, app: WsgidApp, pid: object, interval: float, *, once: bool) -> int:
    while True:
        print(msgspec.json.encode(_after(interval, history, app, pid)).decode(), flush=True)
        if once:
            return 0


def _once(told: Figures) -> int:
    # Here and below: rich takes a tenth of a second to import, which JSON need not wait for.
    from rich.console import Console

    from wsgid.cli.top.screen import draw

    width = shutil.get_terminal_size().columns
    console = Console(width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)
    console.print(draw(told, width, ALL))
    return 0


def _live(history: History, app: WsgidApp, pid: object, interval: float) -> int:
    from wsgid.cli.top.screen import draw
    from wsgid.cli.top.terminal import Ended, Terminal

    try:
        with Terminal() as terminal:
            due = time.monotonic() + min(interval, FIRST_INTERVAL)
            while True:
                terminal.show(draw(figures(history), *terminal.size, hint=HINT))
                if any(key in QUIT for key in terminal.wait(due - time.monotonic())):
                    return 0
                if time.monotonic() >= due:
                    history.add(read(app, pid))
                    due = time.monotonic() + interval
    except Ended as error:
        return error.exit_code

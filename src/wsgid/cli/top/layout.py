"""What fits on a screen of this size, and what is left out first when it does not.

A line is never broken and never wider than the screen. Of the height the workers get what the rest does not need, but
the rest gives way before less than a few of them can be seen: first the empty lines, then how the requests ended, then
the deaths, then the times, whose lines others may have where there are too few for all of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from wsgid.cli.top.figures import Figures, WorkerFigures

FEWEST_WORKERS: Final = 3
"""Lines of workers before anything else is shown of what gives way."""

TIMES_HEIGHT: Final = 4
"""Two lines of headings, waiting, service."""

FEWEST_DEATHS: Final = 3
"""Lines of deaths that are kept free before all workers are shown, if there were so many."""

LONG: Final = 1.0
"""Seconds that a request takes for its worker to stand before others. Below that the order would change at each look,
and nobody could read it."""

PADDING: Final = 2
"""Columns between two columns."""

REQUEST_WIDTH: Final = 28
"""Characters that a request is given before columns are shown that are less important."""


@dataclass(frozen=True, slots=True)
class Height:
    """Lines."""

    gaps: bool
    """An empty line between two parts."""
    ends: bool
    times: bool
    workers: int
    """Of the table, without its heading; the last of them says how many more there are, if not all fit."""
    causes: bool
    """How many have died of what."""
    deaths: int
    """The latest ones."""


def divide(height: int, workers: int, deaths: int) -> Height:
    """``workers`` and ``deaths`` are how many there are to be shown."""
    left = height - 2 - 1  # the title and the sums, and the heading of the table
    fewest = min(workers, FEWEST_WORKERS)
    left -= fewest

    def take(lines: int, wanted: bool = True) -> bool:
        nonlocal left
        taken = wanted and left >= lines
        left -= lines if taken else 0
        return taken

    times = take(TIMES_HEIGHT)
    causes = take(1, deaths > 0)
    ends = take(1)
    gaps = take(1 + times + causes)
    kept = min(left, deaths, FEWEST_DEATHS) if causes else 0
    more_workers = min(max(0, left - kept), workers - fewest)
    left -= more_workers
    return Height(
        gaps=gaps,
        ends=ends,
        times=times,
        workers=max(0, fewest + more_workers + min(0, left)),
        causes=causes,
        deaths=max(0, min(left, deaths)) if causes else 0,
    )


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    width: int
    right: bool = False


NEEDED: Final = ("WORKER", "STATE", "AGE", "REQUEST")

EXTRA: Final = ("RSS", "REQ/S", "BUSY", "SERVED", "CLIENT", "ID")
"""In the order of their importance: what does not fit is left out from the end on."""

ORDER: Final = ("DAEMON", "WORKER", "STATE", "BUSY", "REQ/S", "SERVED", "RSS", "AGE", "CLIENT", "ID", "REQUEST")

WIDTHS: Final = {
    "DAEMON": 7,
    "WORKER": 7,
    "STATE": 8,
    "BUSY": 5,
    "REQ/S": 6,
    "SERVED": 8,
    "RSS": 6,
    "AGE": 8,
    "CLIENT": 15,
    "ID": 14,
}
"""The largest process id has seven digits (kernel.pid_max, proc_sys_kernel(5))."""

TO_THE_RIGHT: Final = ("BUSY", "REQ/S", "SERVED", "RSS", "AGE")


def columns(width: int, *, daemons: int, threads: bool) -> list[Column]:
    """Of the table of workers. ``threads``: there are workers with several."""
    shown = [each for each in NEEDED if each != "REQUEST"] + ["DAEMON"] * (daemons > 1)
    left = width - REQUEST_WIDTH - sum(WIDTHS[each] + PADDING for each in shown)
    for each in EXTRA:
        if each == "BUSY" and not threads:
            continue
        if left < WIDTHS[each] + PADDING:
            break
        shown.append(each)
        left -= WIDTHS[each] + PADDING
    rest = width - sum(WIDTHS[each] + PADDING for each in shown)
    return [
        Column(each, max(1, rest) if each == "REQUEST" else WIDTHS[each], each in TO_THE_RIGHT)
        for each in ORDER
        if each in shown or each == "REQUEST"
    ]


def in_order(workers: Iterable[WorkerFigures], room: int) -> list[WorkerFigures]:
    """Those that hang and those with a long request come first, and when there is no room for all those that do most;
    then by daemon and process id, so that each stays in its place."""
    found = list(workers)
    busiest = len(found) > room

    def key(worker: WorkerFigures) -> tuple[bool, float, float, int, int]:
        age = worker.request.age if worker.request is not None else 0.0
        most = (worker.per_second or 0.0) if busiest else 0.0
        return (worker.state != "hung", -age if age >= LONG else 0.0, -most, worker.daemon, worker.pid)

    return sorted(found, key=key)


def fitting(pieces: Sequence[str], width: int) -> str:
    """As many of them in a line as fit, the first in any case."""
    line = pieces[0]
    for each in pieces[1:]:
        longer = f"{line}   {each}"
        if len(longer) > width:
            break
        line = longer
    return line[: max(0, width)]


def has_threads(figures: Figures) -> bool:
    return any((each.threads or 0) > 1 for each in figures.workers)

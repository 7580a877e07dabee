"""Figures as what rich draws: no line wider than the screen, none broken."""

import time
from collections.abc import Iterable
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from wsgid.cli.top import words
from wsgid.cli.top.figures import Figures, LastDeath, Quantiles, Span, WorkerFigures
from wsgid.cli.top.layout import PADDING, Column, columns, divide, fitting, has_threads, in_order

HEADING: Final = "bold"
DIM: Final = "dim"
BAD: Final = "bold red"
DOUBTFUL: Final = "yellow"

STATES: Final = {"busy": "green", "hung": BAD, "leaving": DOUBTFUL, "starting": DOUBTFUL, "dead": BAD, "unknown": DIM}

LABEL: Final = 9
"""Columns of ``service``."""

TIME: Final = 8
"""Columns of a time."""

GAP: Final = 5
"""Columns between the times of now and those of the last minutes."""

SUMMARY: Final = 2
"""Lines above the table, whose heading is the third."""

GROUP: Final = 3 * (TIME + 1)

NOTHING_RUNS: Final = "nothing runs"


def draw(figures: Figures, width: int, height: int, *, hint: str = "") -> RenderableType:
    """``hint`` stands beside the clock."""
    room = divide(height, len(figures.workers), len(figures.last_deaths))
    gap = [Text("")] if room.gaps else []
    parts: list[RenderableType] = [_title(figures, width, hint), _sums(figures, width)]
    if room.ends:
        parts.append(_ends(figures, width))
    if room.times:
        parts += [*gap, *_times(figures, width)]
    parts += [*gap, _workers(figures, width, room.workers)]
    if room.causes:
        parts += [*gap, _causes(figures, width)]
        parts += [_death(each, figures, width) for each in figures.last_deaths[: room.deaths]]
    return Group(*parts if height > SUMMARY else parts[:height])


def _title(figures: Figures, width: int, hint: str) -> Text:
    clock = time.strftime("%H:%M:%S", time.localtime(figures.at))
    right = f"{clock}  {hint}" if hint else clock
    left = _whose(figures, width - len(right) - 2)
    text = Text(f"{left:<{max(0, width - len(right))}}{right}", style=HEADING, no_wrap=True)
    text.truncate(width)
    return text


def _whose(figures: Figures, width: int) -> str:
    daemons = figures.daemons
    if not daemons:
        return fitting([f"{NOTHING_RUNS} on {_printable(figures.app_path)}"], width)
    if len(daemons) > 1:
        silent = sum(not each.answers for each in daemons)
        parts = [f"{len(daemons)} daemons on {_printable(figures.app_path)}", f"{silent} of them silent"]
        return fitting(parts if silent else parts[:1], width)
    [daemon] = daemons
    if not daemon.answers:
        return fitting([f"wsgid {daemon.pid} does not answer"], width)
    stops = ["stops"] if daemon.draining else []
    addresses = [_printable(each) for each in daemon.addresses]
    return fitting([f"wsgid {daemon.pid}", *stops, f"up {words.duration(daemon.uptime)}", *addresses], width)


def _printable(text: str) -> str:
    """Paths may have anything in them, and terminals obey what they are sent."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def _sums(figures: Figures, width: int) -> Text:
    pace = figures.last.per_second if figures.last is not None else None
    queue = f"{figures.queued} queued"
    if figures.queued:
        queue += f", the first for {words.seconds(figures.longest_wait)}"
    threads = f"{figures.busy} of {words.count(figures.threads, 'thread', 'threads')} busy"
    memory = words.memory(sum(each.rss for each in figures.daemons))
    line = fitting([f"{words.pace(pace)} requests/s", queue, threads, memory], width)
    text = Text(line, no_wrap=True)
    if figures.queued:
        text.highlight_words([queue], DOUBTFUL)
    return text


def _ends(figures: Figures, width: int) -> Text:
    span = figures.window
    if span is None or not span.requests:
        return Text("no request has ended yet"[:width], style=DIM)
    classes = [f"{name} {words.share(count, span.requests)}" for name, count in span.classes.items() if count]
    ends = [f"{count} {name}" for name, count in span.ends.items() if count and name != "answered"]
    text = Text(fitting([_last(span), *classes, *ends], width), no_wrap=True)
    text.highlight_regex(r"5xx \S+ %", BAD)
    return text


def _last(span: Span) -> str:
    return f"last {words.duration(span.seconds) if span.seconds >= 10 else words.seconds(span.seconds)}"


def _times(figures: Figures, width: int) -> list[Text]:
    """Two headings, waiting, service; the last minutes only where there is room, and more than what is now."""
    spans = [figures.last, figures.window] if _both(figures, width) else [figures.last]
    headings = [_last(each) if each is not None else "" for each in spans]
    above, names = Text(" " * LABEL, no_wrap=True), Text(" " * LABEL, no_wrap=True, style=HEADING)
    wait, service = (Text(f"{name:<{LABEL}}", no_wrap=True) for name in ("wait", "service"))
    for number, (heading, span) in enumerate(zip(headings, spans, strict=True)):
        between = " " * (GAP if number else 0)
        above.append(f"{between}{heading:^{GROUP}}", style=DIM)
        names.append(between + "".join(f" {name:>{TIME}}" for name in ("p50", "p95", "p99")))
        wait.append(between + _cells(span.wait if span else None))
        service.append(between + _cells(span.service if span else None))
    lines = [above, names, wait, service]
    for each in lines:
        each.truncate(width)
    return lines


def _both(figures: Figures, width: int) -> bool:
    if figures.last is None or figures.window is None or figures.window.seconds <= figures.last.seconds:
        return False
    return width >= LABEL + 2 * GROUP + GAP


def _cells(times: Quantiles | None) -> str:
    values = (times.p50, times.p95, times.p99) if times else (None, None, None)
    return "".join(f" {words.seconds(value):>{TIME}}" for value in values)


def _workers(figures: Figures, width: int, room: int) -> Table:
    shown = columns(width, daemons=len(figures.daemons), threads=has_threads(figures))
    table = Table(box=None, padding=(0, PADDING, 0, 0), pad_edge=False, header_style=HEADING, width=width)
    for each in shown:
        table.add_column(
            Text(each.name),
            width=each.width,
            no_wrap=True,
            overflow="ellipsis",
            justify="right" if each.right else "left",
        )
    workers = in_order(figures.workers, room)
    rows = workers if len(workers) <= room else workers[: max(0, room - 1)]
    for worker in rows:
        table.add_row(*_row(worker, shown))
    if len(rows) < len(workers) and room:
        table.add_row(*_more(len(workers) - len(rows), shown))
    return table


def _row(worker: WorkerFigures, shown: Iterable[Column]) -> list[Text]:
    request = worker.request
    more = f"  (+{worker.more})" if worker.more else ""
    cells = {
        "DAEMON": str(worker.daemon),
        "WORKER": str(worker.pid),
        "STATE": worker.state,
        "BUSY": words.UNKNOWN if worker.threads is None else f"{worker.busy}/{worker.threads}",
        "REQ/S": words.pace(worker.per_second),
        "SERVED": words.UNKNOWN if worker.served is None else str(worker.served),
        "RSS": words.memory(worker.rss),
        "AGE": words.seconds(request.age) if request else "",
        "CLIENT": request.client if request else "",
        "ID": request.id if request else "",
        "REQUEST": f"{request.method} {request.target}{more}" if request else "",
    }
    return [
        Text(cells[each.name], style=STATES.get(worker.state, "") if each.name == "STATE" else "") for each in shown
    ]


def _more(count: int, shown: Iterable[Column]) -> list[Text]:
    """Where there is most room."""
    return [
        Text(f"and {words.count(count, 'worker', 'workers')} more" if each.name == "REQUEST" else "", DIM)
        for each in shown
    ]


def _causes(figures: Figures, width: int) -> Text:
    total = sum(figures.deaths.values())
    by_cause = sorted(((count, name) for name, count in figures.deaths.items() if count), reverse=True)
    causes = [f"{count} {_cause(name)}" for count, name in by_cause]
    return Text(
        fitting([f"{words.count(total, 'worker', 'workers')} ended:", *causes], width), style=HEADING, no_wrap=True
    )


def _death(last: LastDeath, figures: Figures, width: int) -> Text:
    death = last.death
    today = figures.at - death.at < words.DAY
    when = time.strftime("%H:%M:%S" if today else "%b %d", time.localtime(death.at))
    whose = f" of {last.daemon}" if len(figures.daemons) > 1 else ""
    held = f", with {words.count(death.lost, 'request', 'requests')}" if death.lost else ""
    text = Text(f"{when:<8}  worker {death.pid}{whose}  {_cause(death.cause)}: {death.how}{held}", no_wrap=True)
    text.truncate(width, overflow="ellipsis")
    return text


def _cause(name: str) -> str:
    return name.replace("_", " ")

"""docs/pictures/*.svg: who says what to whom, drawn from texts of one line an event.

A text has a title, the names of its columns, and then lines such as ``client -> dispatcher: GET /`` (a message),
``worker x killed`` (the end of a column) and ``master . reaps it|and more`` (what somebody does alone, in lines). The
pictures have a ground of their own, so that they can be read on a light page and on a dark one.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "pictures"

COLUMN, MARGIN, HEAD, ROW, LINE = 190, 105, 84, 44, 17
"""Pixels: from column to column, to the first of them, to the first event, from event to event, from line to line."""

STYLE = """\
.ground { fill: #fdfdfc; stroke: #d6d6d2 }
text { font: 13px system-ui, sans-serif; fill: #2b2b2b; text-anchor: middle }
.title { font-size: 15px; font-weight: 600 }
.name { font-weight: 600 }
.box { fill: #e8eef6; stroke: #5b7ca6 }
.note { fill: #fbf3dd; stroke: #c7a34a }
.life { stroke: #b4b8bd; stroke-dasharray: 4 4 }
.arrow { stroke: #35577f; stroke-width: 1.6; marker-end: url(#head) }
.tip { fill: #35577f }
.end { stroke: #b3352b; stroke-width: 2.6 }
@media (prefers-color-scheme: dark) {
  .ground { fill: #1d2024; stroke: #3a3f45 }
  text { fill: #e2e4e6 }
  .box { fill: #27384d; stroke: #6f94c2 }
  .note { fill: #3d3521; stroke: #a98a3e }
  .life { stroke: #5a6068 }
  .arrow { stroke: #8fb4e0 }
  .tip { fill: #8fb4e0 }
  .end { stroke: #e8766c }
}
"""

EVENT = re.compile(r"(?P<who>.+?) (?P<kind>->|x|\.) (?P<rest>.+)")


@dataclass(frozen=True, slots=True)
class Event:
    who: str
    kind: str
    """``->``, ``x`` or ``.``."""
    whom: str
    """Of a message, else empty."""
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    title: str
    columns: Sequence[str]
    events: Sequence[Event]


def made() -> dict[Path, str]:
    """Each picture, by its file."""
    return {file.with_suffix(".svg"): svg(read(file.read_text())) for file in sorted(FOLDER.glob("*.txt"))}


def read(text: str) -> Picture:
    """Raises ValueError for a line that is no event, or about somebody who has no column."""
    title, columns, *events = (line.strip() for line in text.strip().splitlines())
    names = [each.strip() for each in columns.removeprefix("columns:").split("|")]
    return Picture(title.removeprefix("title:").strip(), names, [_event(line, names) for line in events])


def _event(line: str, names: Sequence[str]) -> Event:
    found = EVENT.fullmatch(line)
    if not found:
        raise ValueError(f"{line!r} is no event")
    whom, text = "", found["rest"]
    if found["kind"] == "->":
        whom, _, text = (each.strip() for each in found["rest"].partition(":"))
    for name in (found["who"], whom):
        if name and name not in names:
            raise ValueError(f"{line!r}: there is no column {name!r}")
    return Event(found["who"], found["kind"], whom, text)


def svg(picture: Picture) -> str:
    at = {name: MARGIN + COLUMN * number for number, name in enumerate(picture.columns)}
    width = 2 * MARGIN + COLUMN * (len(at) - 1)
    height = HEAD + ROW * len(picture.events) + 24
    rows = [(HEAD + ROW * number + 22, event) for number, event in enumerate(picture.events)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<title>{escape(picture.title)}</title>",
        f"<style>\n{STYLE}</style>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>',
        f'<rect class="ground" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"/>',
        f'<text class="title" x="{width / 2:g}" y="26">{escape(picture.title)}</text>',
        *_lives(at, rows, height),
        *(part for y, event in rows for part in _drawn(event, at, y)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _lives(at: Mapping[str, int], rows: Sequence[tuple[int, Event]], height: int) -> Iterator[str]:
    for name, x in at.items():
        end = next((y for y, event in rows if event.kind == "x" and event.who == name), height - 12)
        yield f'<line class="life" x1="{x}" y1="68" x2="{x}" y2="{end}"/>'
        yield f'<rect class="box" x="{x - 70}" y="40" width="140" height="28" rx="5"/>'
        yield f'<text class="name" x="{x}" y="59">{escape(name)}</text>'


def _drawn(event: Event, at: Mapping[str, int], y: int) -> Iterator[str]:
    x = at[event.who]
    if event.kind == "->":
        end = at[event.whom]
        gap = 4 if end > x else -4
        yield f'<line class="arrow" x1="{x + gap}" y1="{y}" x2="{end - gap}" y2="{y}"/>'
        yield _text(event.text, (x + end) / 2, y - 7)
    elif event.kind == "x":
        yield f'<path class="end" d="M{x - 8} {y - 8}l16 16m0 -16l-16 16"/>'
        yield _text(event.text, x + 36, y + 4)
    else:
        yield from _note(event.text.split("|"), x, y)


def _note(lines: Sequence[str], x: int, y: int) -> Iterator[str]:
    width, height = 7 * max(map(len, lines)) + 20, LINE * len(lines) + 8
    yield f'<rect class="note" x="{x - width / 2:g}" y="{y - height / 2:g}" width="{width}" height="{height}" rx="4"/>'
    for number, line in enumerate(lines):
        yield _text(line, x, y - LINE * (len(lines) - 1) / 2 + LINE * number + 4)


def _text(text: str, x: float, y: float) -> str:
    return f'<text x="{x:g}" y="{y:g}">{escape(text)}</text>'

"""The screen of a terminal, as pyte has read it, as an SVG: a text for each run of characters that look alike.

Each run says how wide it is, so that columns stand below each other whatever font is there. rich could draw its own
output; here it is what a terminal has made of it that counts.
"""

from collections.abc import Iterator
from html import escape
from itertools import groupby
from typing import Final

import pyte
from pyte.screens import Char

CELL, LINE, SIZE = 8.4, 18, 14
"""Pixels: a character's width, a line's height, the font's size."""

MARGIN, BAR = 14, 30
"""Pixels: around the text, and the title's bar above it."""

COLOURS: Final = {
    "default": "#d8dce1",
    "black": "#4a4f57",
    "red": "#f0776c",
    "green": "#8ccf7e",
    "brown": "#e5c76b",
    "blue": "#71a8e8",
    "magenta": "#c998e0",
    "cyan": "#6cc5cf",
    "white": "#f4f5f7",
}
"""By the names that pyte has for them; ``brown`` is what is called yellow today."""

STYLE: Final = f"""\
.ground {{ fill: #1d2024; stroke: #3a3f45 }}
.title {{ font: 13px system-ui, sans-serif; fill: #9aa1aa; text-anchor: middle }}
.cell {{ font: {SIZE}px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: pre }}
.bold {{ font-weight: 700 }}
"""


def svg(screen: pyte.Screen, title: str) -> str:
    """All of its lines."""
    width, height = screen.columns * CELL + 2 * MARGIN, BAR + screen.lines * LINE + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>\n{STYLE}</style>",
        f'<rect class="ground" x="0.5" y="0.5" width="{width - 1:.0f}" height="{height - 1}" rx="8"/>',
        f'<text class="title" x="{width / 2:.0f}" y="20">{escape(title)}</text>',
    ]
    for number in range(screen.lines):
        parts += _line(
            [screen.buffer[number][column] for column in range(screen.columns)], BAR + (number + 0.75) * LINE
        )
    return "\n".join([*parts, "</svg>", ""])


def _line(cells: list[Char], y: float) -> Iterator[str]:
    column = 0
    for (colour, bold), run in groupby(cells, lambda cell: (cell.fg, cell.bold)):
        text = "".join(cell.data for cell in run)
        start, shown = column + len(text) - len(text.lstrip()), text.strip()
        column += len(text)
        if shown:
            look = ' class="cell bold"' if bold else ' class="cell"'
            width = f'textLength="{len(shown) * CELL:.1f}" lengthAdjust="spacingAndGlyphs"'
            place = f'xml:space="preserve" x="{MARGIN + start * CELL:.1f}" y="{y:.1f}"'
            yield f'<text{look} {place} {width} fill="{COLOURS.get(colour, f"#{colour}")}">{escape(shown)}</text>'

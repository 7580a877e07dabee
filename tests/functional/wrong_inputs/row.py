"""One wrong input, and what must come of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

ANYTHING = "..."
"""In a message: what differs from one machine, process or Python to another."""


@dataclass(frozen=True)
class Row:
    """``HERE`` is the folder in which the command is called, in which ``site/`` is an app folder that is right."""

    name: str
    line: str
    """The command line behind ``wsgid``, as a shell has it. ``start`` stands for a start in the foreground on site/."""
    told: str
    """A line of what is said, or several; ANYTHING stands for anything."""
    code: int = 2
    files: Mapping[str, str] = field(default_factory=dict)
    """Made before: path to text. A path with a slash at its end is a folder; the text ``-`` takes the file away."""
    environ: Mapping[str, str] = field(default_factory=dict)
    by_root: bool = True
    """Otherwise the command is called by somebody else."""

    def pattern(self, here: str) -> re.Pattern[str]:
        text = re.escape(self.told.replace("HERE", here)).replace(re.escape(ANYTHING), ".*?")
        return re.compile(rf"^(?:wsgid: )?{text}$", re.MULTILINE | re.DOTALL)


def saved(key: str, value: str, told: str, line: str = "start") -> Row:
    """A key of wsgid.json; ``value`` is JSON."""
    text = f'{{"{key}": {value}}}'
    return Row(f"{key} is {value:.60}", line, f"HERE/site/wsgid.json: {told}", files={"site/wsgid.json": text})

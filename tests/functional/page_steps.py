"""The commands of a page and what it shows of them, run as a reader would: in their order, by a shell, from nothing.

A console block has commands behind ``$`` and what they print; a Python block whose first line is a path is written
there. Blocks of other kinds are passed over.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.deadlines import wait_for
from tests.functional.shell import Shell

DOCS = Path(__file__).parents[2] / "docs"

BLOCK = re.compile(r"^```(?P<kind>console|python)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
STEP = re.compile(r"^\$ (?P<command>.*)\n(?P<shown>(?:(?!\$ ).*\n)*)", re.MULTILINE)
FILE = re.compile(r"^# (?P<path>\S+/\S+\.py)\n")

HOME = "/home/you"
"""The empty directory, on the page."""
EXIT_CODE = "echo $?"
LOOKS = ("cat logs/", "grep ", "wsgid status")
"""At what comes a moment after the answer, such as a line in a log: these may be repeated."""
VARYING = {
    r"\.\.\.": ".*",
    r"\b4[23]\d\d\b": r"\d+",
    r"\bup \d+ s": r"up \d+ s",
    r"\d+\.\dms": r"\d+\.\dms",
    r"\bbusy, \d+ served": r"busy, \d+ served",
    r"\bid=[0-9a-f]+": "id=[0-9a-f]+",
}
"""What is of one moment only: how it looks on the page, and in truth. Process ids are 42.. and 43.. there."""

PORTS = {"8000": 10000 + os.getpid() % 10000, "8001": 20000 + os.getpid() % 10000, "6767": 30000 + os.getpid() % 2700}
"""In place of the page's: numbers that no other test has, below those that the kernel gives out."""


@dataclass(frozen=True, slots=True)
class Step:
    command: str
    shown: str
    fails: bool
    """The next step shows its exit code."""


def follow(page: str, shell: Shell) -> None:
    """All of it. Raises AssertionError when something is not as the page has it."""
    for each in BLOCK.finditer((DOCS / page).read_text()):
        text = with_our_ports(each["text"])
        if each["kind"] == "console":
            for step in steps(text):
                run(shell, step)
        elif file := FILE.match(text):
            shell.write(file["path"], text)


def steps(text: str) -> Iterator[Step]:
    found = list(STEP.finditer(text))
    for each, following in zip(found, [*found[1:], None], strict=True):
        fails = following is not None and following["command"] == EXIT_CODE and following["shown"] != "0\n"
        yield Step(each["command"], each["shown"], fails)


def with_our_ports(text: str) -> str:
    for number, ours in PORTS.items():
        text = re.sub(rf"(:|--port ){number}\b", rf"\g<1>{ours}", text)
    return text


def run(shell: Shell, step: Step) -> None:
    """Raises AssertionError."""
    wanted = pattern(step.shown, shell.home)
    if step.command.startswith(LOOKS):
        wait_for(lambda: wanted.fullmatch(shell.run(step.command)[0]), f"what the page shows of {step.command}")
        return
    output, code = shell.run(step.command)
    told = f"$ {step.command}\n{output}"
    assert wanted.fullmatch(output), f"{told}\nand not\n{step.shown}"
    assert (code != 0) is step.fails, f"{told}\nended with {code}"


def pattern(shown: str, home: Path) -> re.Pattern[str]:
    """``...`` stands for anything, alone on a line for any lines; what varies is in `VARYING`; the rest is the rest."""
    lines = ("(?:.*\n)*" if line == "...\n" else _line(line, home) for line in shown.splitlines(keepends=True))
    return re.compile("".join(lines))


def _line(line: str, home: Path) -> str:
    parts = re.split(f"({'|'.join(VARYING)})", line.replace(HOME, str(home)))
    return "".join(map(_part, parts))


def _part(text: str) -> str:
    return next((truth for page, truth in VARYING.items() if re.fullmatch(page, text)), re.escape(text))

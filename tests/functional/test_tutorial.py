"""docs/tutorial.md: its commands, run in their order by a shell in an empty directory, show what the page shows."""

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deadlines import wait_for
from tests.functional.shell import Shell, killed_at_the_end

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"

BLOCK = re.compile(r"^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
STEP = re.compile(r"^\$ (?P<command>.*)\n(?P<shown>(?:(?!\$ ).*\n)*)", re.MULTILINE)
FILE = re.compile(r"^# (?P<path>\S+/\S+\.py)\n")

HOME = "/home/you"
"""The empty directory, on the page."""
LOOKS = ("cat logs/", "grep ", "wsgid status")
"""At what comes a moment after the answer, such as a line in a log: these may be repeated."""
EXIT_CODE = "echo $?"
VARYING = {
    r"\.\.\.": ".*",
    r"\b4[23]\d\d\b": r"\d+",
    r"\bup \d+ s": r"up \d+ s",
    r"\d+\.\dms": r"\d+\.\dms",
    r"\bbusy, \d+ served": r"busy, \d+ served",
    r"\bid=[0-9a-f]+": "id=[0-9a-f]+",
}
"""What is of one moment only: how it looks on the page, and in truth. Process ids are 42.. and 43.. there."""
PORTS = {"8000": 10000 + os.getpid() % 10000, "6767": 20000 + os.getpid() % 10000}
"""In place of the page's: a number that no other test has, below those that the kernel gives out."""


@dataclass(frozen=True, slots=True)
class Step:
    command: str
    shown: str
    fails: bool
    """The next step shows its exit code."""


def blocks() -> list[tuple[str, str]]:
    """Those that are run or written: ``sh`` is for what takes a network."""
    found = [(each["kind"], each["text"]) for each in BLOCK.finditer(PAGE.read_text())]
    return [(kind, text) for kind, text in found if kind != "sh"]


def steps(text: str) -> Iterator[Step]:
    found = list(STEP.finditer(text))
    for each, following in zip(found, [*found[1:], None], strict=True):
        fails = following is not None and following["command"] == EXIT_CODE and following["shown"] != "0\n"
        yield Step(each["command"], each["shown"], fails)


def pattern(shown: str, home: Path) -> re.Pattern[str]:
    """``...`` stands for anything, alone on a line for any lines; what varies is in `VARYING`; the rest is the rest."""
    lines = ("(?:.*\n)*" if line == "...\n" else _line(line, home) for line in shown.splitlines(keepends=True))
    return re.compile("".join(lines))


def _line(line: str, home: Path) -> str:
    parts = re.split(f"({'|'.join(VARYING)})", line.replace(HOME, str(home)))
    return "".join(map(_part, parts))


def _part(text: str) -> str:
    return next((truth for page, truth in VARYING.items() if re.fullmatch(page, text)), re.escape(text))


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with killed_at_the_end(tmp_path, WSGID_BIND=f"127.0.0.1:{PORTS['8000']}", PATH=path) as shell:
        yield shell


def test_the_tutorial(shell: Shell) -> None:
    for kind, text in blocks():
        for number, ours in PORTS.items():
            text = text.replace(f":{number}", f":{ours}").replace(f"--port {number}", f"--port {ours}")
        if kind == "python":
            found = FILE.match(text)
            assert found, text
            shell.write(found["path"], text)
        for step in steps(text) if kind == "console" else ():
            follow(shell, step)


def follow(shell: Shell, step: Step) -> None:
    """Raises AssertionError when it is not as the page has it."""
    wanted = pattern(step.shown, shell.home)
    output, code = shell.run(step.command)
    if step.command.startswith(LOOKS):
        wait_for(lambda: wanted.fullmatch(shell.run(step.command)[0]), f"what the page shows of {step.command}")
        return
    told = f"$ {step.command}\n{output}"
    assert wanted.fullmatch(output), f"{told}\nand not\n{step.shown}"
    assert (code != 0) is step.fails, f"{told}\nended with {code}"


def test_patterns() -> None:
    made = pattern("at /home/you/a: 4242, 502\n...\nend ... in 0.1ms, up 2 s\n", Path("/tmp/x1"))
    assert made.fullmatch("at /tmp/x1/a: 17, 502\n\nmore\nend of it in 12.0ms, up 10 s\n")
    assert made.fullmatch("at /tmp/x1/a: 17, 502\nend of it in 12.0ms, up 10 s\n")
    assert not made.fullmatch("at /tmp/x1/a: 17, 503\nend of it in 12.0ms, up 10 s\n")
    assert not made.fullmatch("at /tmp/x2/a: 17, 502\nend of it in 12.0ms, up 10 s\n")
    assert not made.fullmatch("at /tmp/x1/a: 17, 502\nend of it in 12.0ms, up 10 s\nmore\n")


def test_the_page_has_what_it_must() -> None:
    commands = [step.command for kind, text in blocks() if kind == "console" for step in steps(text)]
    assert {"wsgid status", "wsgid restart", "wsgid stop"} <= set(commands)
    assert any("flask" in each for each in commands)
    assert any("django" in each for each in commands)

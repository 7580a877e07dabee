"""docs/plugnplay.md shows the example as it is, what it prints, and Python that runs."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.deadlines import seconds

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "filecopy"
PAGE = (ROOT / "docs" / "plugnplay.md").read_text()

FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

SHOWN = ("interfaces.py", "checks/sha1.py", "checks/size.py", "filecopy.py")

HOME = "/srv/filecopy"
"""Where the example lies on the page."""


def blocks(language: str) -> list[str]:
    return [text for its, text in FENCED.findall(PAGE) if its == language]


def run(*arguments: str, folder: Path) -> str:
    done = subprocess.run(
        arguments,
        cwd=folder,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds(),
        check=False,
    )
    return done.stdout + (f"exit code {done.returncode}\n" if done.returncode else "")


@pytest.fixture
def example(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "filecopy", ignore=shutil.ignore_patterns("__pycache__")))


@pytest.mark.parametrize("name", SHOWN)
def test_files_are_those_of_the_example(name: str) -> None:
    shown = PAGE.index(f"```python\n{(EXAMPLE / name).read_text()}```")
    introduced = PAGE[:shown].rstrip().splitlines()[-1]
    assert f"`{name}`" in introduced


def test_the_example_prints_what_is_shown(example: Path) -> None:
    [console] = blocks("console")
    steps = re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", console, re.MULTILINE)
    assert len(steps) == 4
    for command, expected in steps:
        assert run("sh", "-c", command, folder=example).replace(str(example), HOME) == expected


def test_the_example_finds_a_copy_that_differs(example: Path) -> None:
    (example / "a").write_text("something")
    told = run("python", "filecopy.py", "a", "/dev/null", folder=example)
    assert told.startswith("Size: 9 bytes has become 0 bytes\n")
    assert told.endswith("\nexit code 3\n")


def test_other_python_runs_and_prints_what_is_shown(tmp_path: Path) -> None:
    snippets = [each for each in blocks("python") if each not in [(EXAMPLE / name).read_text() for name in SHOWN]]
    assert len(snippets) == 4
    (tmp_path / "greetings.py").write_text("".join(snippets))
    assert [run("python", "greetings.py", folder=tmp_path).replace(f"{tmp_path}/", "")] == blocks("")


def test_the_entry_point_is_of_the_group_that_is_loaded() -> None:
    [project] = map(tomllib.loads, blocks("toml"))
    [group] = project["project"]["entry-points"]
    assert f'entry_point_group="{group}"' in PAGE

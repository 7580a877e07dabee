"""docs/plugins.md shows the example as it is, and what it prints."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deadlines import seconds
from tests.unit.loaders.fresh import interpreters, load

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "pages"
PAGE = (ROOT / "docs" / "plugins.md").read_text()

HOME = "/srv/mysite"
"""Where the app folder lies on the page."""

CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STEP = re.compile(r"^\$ wsgid (.*)\n((?:[^$].*\n|\n)*)", re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The app folder of the page."""
    for name, text in (("index", "<title>Home</title>\n"), ("about", "<p>About us</p>\n\n")):
        (tmp_path / "mysite/app").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"mysite/app/{name}.html").write_text(text)
    (tmp_path / "mysite/plugins").mkdir()
    shutil.copy(EXAMPLE / "wsgid_pages.py", tmp_path / "mysite/plugins")
    return tmp_path / "mysite"


def wsgid(arguments: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "wsgid", *arguments.split()],
        cwd=folder.parent,
        capture_output=True,
        text=True,
        timeout=seconds(),
        check=False,
    )
    return done.stdout.replace(str(folder), HOME)


def test_it_shows_the_files_of_the_example() -> None:
    assert f"```python\n{(EXAMPLE / 'wsgid_pages.py').read_text()}```" in PAGE
    assert f"```toml\n{(EXAMPLE / 'pyproject.toml').read_text()}```" in PAGE


def test_commands_print_what_is_shown(folder: Path) -> None:
    calling, listing = CONSOLE.findall(PAGE)
    steps = STEP.findall(calling)
    assert len(steps) == 2
    for arguments, expected in steps:
        assert wsgid(arguments, folder) == expected
    (folder / "plugins/broken.py").write_text("import no_such_module\n")
    [(arguments, expected)] = STEP.findall(listing)
    assert wsgid(arguments, folder) == expected


def test_the_loader_serves_the_pages(folder: Path) -> None:
    with interpreters():
        assert load(folder).body == "<title>Home</title>\n"

"""The man pages: groff takes them, they name what there is, and the package has them where man(1) looks."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from docs.made.command_tree import commands

from tests.deadlines import seconds
from wsgid.config import OPTIONS

ROOT = Path(__file__).parents[3]
MAN = ROOT / "man"
PAGES = {"wsgid.1": "share/man/man1/wsgid.1", "wsgid.json.5": "share/man/man5/wsgid.json.5"}


def rendered(name: str) -> str:
    """As a terminal shows it, without bold and underline; 300 columns, so that no line is broken within a name."""
    done = subprocess.run(
        ["groff", "-man", "-ww", "-K", "utf8", "-T", "utf8", "-rLL=300n", "-P-cbou", MAN / name],
        capture_output=True,
        text=True,
        timeout=seconds(),
        check=True,
    )
    assert done.stderr == ""  # groff warns and goes on
    return done.stdout


@pytest.mark.parametrize("name", PAGES)
def test_groff_takes_it_and_shows_its_sections(name: str) -> None:
    headings = re.findall(r"^[A-Z ]+$", rendered(name), re.MULTILINE)
    assert headings[0] == "NAME"
    assert headings[-1] == "SEE ALSO"
    assert "DESCRIPTION" in headings


def test_it_names_all_options_and_commands() -> None:
    text = rendered("wsgid.1")
    for option in OPTIONS:
        assert re.search(rf"^ {{7}}{re.escape(option.flag)}[, ]", text, re.MULTILINE), option.flag
    for command in commands():
        assert f"Command {command.name}\n" in text
        for row in command.options:
            assert f"       {row.spelled}" in text


def test_it_names_all_keys() -> None:
    text = rendered("wsgid.json.5")
    for option in OPTIONS:
        start = r" \(start\)" if option.fixed else ""
        assert re.search(rf"^ {{7}}{option.name}{start}( |$)", text, re.MULTILINE), option.name


def test_the_package_has_them(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        timeout=seconds(60),
        check=True,
    )
    [wheel] = tmp_path.iterdir()
    with zipfile.ZipFile(wheel) as packed:
        data = {name.partition(".data/data/")[2]: name for name in packed.namelist()}
        for name, place in PAGES.items():
            assert packed.read(data[place]).decode() == (MAN / name).read_text()

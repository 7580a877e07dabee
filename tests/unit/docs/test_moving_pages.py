"""docs/from-gunicorn.md and docs/from-uwsgi.md name settings and options that there are."""

import importlib
import re
from pathlib import Path

import pytest

from wsgid.cli import command_line
from wsgid.config import OPTIONS

KNOWN_SETTINGS = importlib.import_module("gunicorn.config").KNOWN_SETTINGS
"""gunicorn publishes no types."""

DOCS = Path(__file__).parents[3] / "docs"

ROW = re.compile(r"^\| (?P<theirs>`.*?) \| (?P<ours>.*?) \| .*\|$", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")


def rows(page: str) -> list[tuple[list[str], list[str]]]:
    return [
        (CODE.findall(each["theirs"]), CODE.findall(each["ours"])) for each in ROW.finditer((DOCS / page).read_text())
    ]


@pytest.mark.parametrize("page", ["from-gunicorn.md", "from-uwsgi.md"])
def test_our_options_exist(page: str) -> None:
    flags = {flag for option in OPTIONS for flag in (option.flag, option.opposite)}
    named = [each for _, ours in rows(page) for each in ours]
    assert len(named) > 20
    assert {each for each in named if each.startswith("--")} <= flags
    called = {each.split()[1] for each in named if each.startswith("wsgid ")}
    assert called <= set(command_line().commands)


def test_settings_of_gunicorn_exist() -> None:
    named = {each for theirs, _ in rows("from-gunicorn.md") for each in theirs}
    assert named <= {setting.name for setting in KNOWN_SETTINGS}


def test_the_commonest_settings_of_gunicorn_are_there() -> None:
    """Those of its command line that are about sockets, processes, limits and logs."""
    named = {each for theirs, _ in rows("from-gunicorn.md") for each in theirs}
    sections = {"Server Socket", "Security"}
    assert {each.name for each in KNOWN_SETTINGS if each.section in sections} <= named


def test_options_that_are_named_alike_and_mean_something_else() -> None:
    """The page warns of them, as long as they are."""
    names = {each.name for each in KNOWN_SETTINGS for flag in each.cli or () if flag == "--keep-alive"}
    assert names == {"keepalive"}
    assert next(each for each in OPTIONS if each.flag == "--keep-alive").is_boolean
    assert "`--keep-alive` is another option here" in (DOCS / "from-gunicorn.md").read_text()

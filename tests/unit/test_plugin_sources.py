import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wsgid.plugin_sources import load_all, plugin_folders
from wsgid.plugins import Interface, Plugin, isolated

WORD = """
from wsgid.plugins import Plugin
from tests.unit.test_plugin_sources import IWord

class {name}(Plugin, IWord):
    def say(self):
        return "{name}"
"""


class IWord(Interface):
    def say(self) -> str:
        raise NotImplementedError


class Unheard(Plugin, IWord):
    """Of the program: it must not be seen in the registry of a test."""

    def say(self) -> str:
        return "unheard"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("app", "plugins", "shared"):
        (tmp_path / name).mkdir()
    with isolated():
        yield tmp_path


def test_folders_are_those_that_are_there(folder: Path) -> None:
    assert plugin_folders(folder, [folder / "shared", folder / "gone"]) == [folder / "plugins", folder / "shared"]
    assert plugin_folders(folder / "app", []) == []


def test_a_folder_with_two_paths_is_taken_once(folder: Path) -> None:
    (folder / "alias").symlink_to("plugins")
    assert plugin_folders(folder, [folder / "alias", folder / "shared" / ".." / "shared", folder / "shared"]) == [
        folder / "plugins",
        folder / "shared" / ".." / "shared",
    ]


def test_all_are_loaded_in_one_order(folder: Path) -> None:
    for place, name in (("shared", "a"), ("plugins", "b"), ("shared", "b")):
        (folder / place / f"{name}.py").write_text(WORD.format(name=f"{name}_{place}"))
    report = load_all(folder, [folder / "shared"])
    assert not report.failed
    assert [each.say() for each in IWord.implementors()] == ["a_shared", "b_plugins", "b_shared"]


def test_the_application_can_be_imported(folder: Path) -> None:
    (folder / "app" / "code_of_the_application.py").write_text("NAME = 'Ann'")
    (folder / "plugins" / "greeting.py").write_text("from code_of_the_application import NAME")
    assert not load_all(folder, []).failed
    assert sys.path[0] == str(folder / "app")
    del sys.modules["code_of_the_application"]


def test_what_fails_is_reported_and_logged(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "plugins" / "broken.py").write_text("import no_such_module")
    report = load_all(folder, [], logging.getLogger("wsgid"))
    reason = f"{folder}/plugins/broken.py, line 1: ModuleNotFoundError: No module named 'no_such_module'"
    assert [each.reason for each in report.failed] == [reason]
    assert reason in caplog.text

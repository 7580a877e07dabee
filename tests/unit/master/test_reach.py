import os
import sys
from pathlib import Path

import pytest

from tests.unit.master.offspring import in_child
from tests.unit.master.privileges import NOBODY, open_to_all
from wsgid.master import kernel
from wsgid.master.reach import Needed, barrier, closed_packages, needed, obstacle


def as_another_user(question: object) -> object:
    """Root may read everything, and access(2) goes by the real user."""

    def ask() -> object:
        if os.geteuid() == 0:
            os.setresuid(NOBODY, NOBODY, NOBODY)
        assert callable(question)
        return question()

    return in_child(ask)


def test_what_is_needed_is_named_and_there(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    found = {each.what: each.path for each in needed(tmp_path)}
    assert found["the interpreter"] == os.path.realpath(sys.executable)
    assert found["the application"] == str(tmp_path / "app")
    assert {"the standard library", "the package zmq", "the package uvloop", "the package wsgid"} < set(found)
    assert obstacle(needed(tmp_path)) is None


def test_the_first_folder_on_the_way_is_named(tmp_path: Path) -> None:
    open_to_all(tmp_path)
    (tmp_path / "shut" / "deep" / "app").mkdir(parents=True)
    (tmp_path / "shut").chmod(0)
    path = f"{tmp_path}/shut/deep/app"
    told = as_another_user(lambda: obstacle([Needed("the application", path)]))
    (tmp_path / "shut").chmod(0o700)
    assert told == f"the application ({path}) cannot be read: {tmp_path}/shut may not be searched"


def test_what_itself_is_shut(tmp_path: Path) -> None:
    open_to_all(tmp_path)
    (tmp_path / "app").mkdir(mode=0o111)
    told = as_another_user(lambda: obstacle([Needed("the application", f"{tmp_path}/app")]))
    assert told == f"the application ({tmp_path}/app) cannot be read: it may not be read"


def test_what_is_missing(tmp_path: Path) -> None:
    told = obstacle([Needed("the application", f"{tmp_path}/app"), Needed("more", "/nowhere")])
    assert told == f"the application ({tmp_path}/app) cannot be read: it is not there"
    told = obstacle([Needed("the application", f"{tmp_path}/no/app")])
    assert told == f"the application ({tmp_path}/no/app) cannot be read: {tmp_path}/no is not there"


@pytest.mark.parametrize("kind", ["package", "module"])
def test_packages_installed_with_a_narrow_umask(tmp_path: Path, kind: str) -> None:
    open_to_all(tmp_path)
    (tmp_path / "open.py").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    shut = tmp_path / "shut"
    shut.mkdir() if kind == "package" else shut.touch()
    shut.chmod(0)
    assert as_another_user(lambda: list(closed_packages([str(tmp_path), "/nowhere"]))) == [str(shut)]


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: files can be opened as nobody else")
def test_the_folder_that_keeps_a_user_of_files_out(tmp_path: Path) -> None:
    open_to_all(tmp_path)
    (tmp_path / "shut" / "deep").mkdir(parents=True)
    (tmp_path / "shut").chmod(0o700)
    with kernel.files_as(NOBODY, NOBODY):
        assert barrier(f"{tmp_path}/shut/deep/logs") == f"{tmp_path}/shut"
        assert barrier(f"{tmp_path}/shut") is None, "only what is on the way counts"
        assert barrier(f"{tmp_path}/missing/deep") is None
    assert barrier(f"{tmp_path}/shut/deep/logs") is None

"""With root's files; where the tests are not root's, everything here is somebody else's, and nothing is believed."""

import os
from pathlib import Path

import pytest

from wsgid.cli.mongrel2.trust import changeable, doubts
from wsgid.master.rights import ROOT

SOMEBODY = 65534
AS_ROOT = os.geteuid() == ROOT


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir(0o755)
    made = folder / "config.sqlite"
    made.touch(0o644)
    return made


def found(path: Path) -> Path | None:
    """For root; others distrust the first that is their own."""
    return changeable(path) if AS_ROOT else None


def test_what_is_the_systems_own() -> None:
    assert changeable(Path("/etc/passwd")) is None
    assert changeable(Path("/etc"), strictly=True) is None
    assert changeable(Path("/tmp"), strictly=True) == Path("/tmp")


def test_what_is_of_others(file: Path) -> None:
    assert (changeable(file) is None) == AS_ROOT
    if not AS_ROOT:
        return
    os.chown(file, SOMEBODY, SOMEBODY)
    assert changeable(file) == file
    os.chown(file, ROOT, ROOT)
    os.chown(file.parent, SOMEBODY, SOMEBODY)
    assert changeable(file) == file.parent


@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_a_folder_that_is_open(file: Path, mode: int) -> None:
    """Sticky or not: a journal beside the file would be believed."""
    file.parent.chmod(mode)
    assert found(file) == (file.parent if AS_ROOT else None)


def test_a_sticky_folder_further_up(file: Path) -> None:
    file.parent.parent.chmod(0o1777)
    assert found(file) is None
    file.parent.parent.chmod(0o777)
    assert found(file) == (file.parent.parent if AS_ROOT else None)


def test_links(file: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    link = tmp_path / "theirs/link"
    link.symlink_to("../folder/config.sqlite")
    (tmp_path / "first").symlink_to(link)
    assert found(tmp_path / "first") is None
    if AS_ROOT:
        os.chown(link.parent, SOMEBODY, SOMEBODY)
        assert changeable(tmp_path / "first") == link.parent


def test_the_chroot(tmp_path: Path) -> None:
    passwd = Path("/etc/passwd")
    assert [text.partition(":")[0] for text, _ in doubts(passwd, Path("/"))] == ["Mongrel2 would stay root"]
    assert [text for text, _ in doubts(passwd, tmp_path / "none")] == [f"{tmp_path}/none: No such file or directory"]
    if AS_ROOT:
        jail = tmp_path / "jail"
        jail.mkdir()
        os.chown(jail, SOMEBODY, SOMEBODY)
        assert list(doubts(passwd, jail)) == []
        jail.parent.chmod(0o1777)
        [(text, _)] = doubts(passwd, jail)
        assert f"others than root may change {jail.parent}" in text

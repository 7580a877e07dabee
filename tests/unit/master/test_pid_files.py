from collections.abc import Iterator
from pathlib import Path

import pytest

from wsgid.master.pid_files import PidFolder


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[PidFolder]:
    folder = PidFolder(tmp_path)
    yield folder
    folder.close()


def names(path: Path) -> list[str]:
    return sorted(each.name for each in path.iterdir())


def test_a_file_with_the_pid(folder: PidFolder, tmp_path: Path) -> None:
    folder.write(1234)
    assert names(tmp_path) == ["1234.pid"]
    assert (tmp_path / "1234.pid").read_text() == "1234\n"


def test_everybody_may_read_it(folder: PidFolder, tmp_path: Path) -> None:
    folder.write(1234)
    assert (tmp_path / "1234.pid").stat().st_mode & 0o444 == 0o444


def test_an_old_one_is_overwritten(folder: PidFolder, tmp_path: Path) -> None:
    (tmp_path / "1234.pid").write_text("something else, and longer\n")
    folder.write(1234)
    assert (tmp_path / "1234.pid").read_text() == "1234\n"


def test_removed(folder: PidFolder, tmp_path: Path) -> None:
    folder.write(1234)
    folder.write(5678)
    folder.remove(1234)
    assert names(tmp_path) == ["5678.pid"]


def test_removing_what_is_not_there(folder: PidFolder, tmp_path: Path) -> None:
    folder.remove(1234)
    assert names(tmp_path) == []


def test_one_that_was_never_finished_is_removed_too(folder: PidFolder, tmp_path: Path) -> None:
    (tmp_path / ".1234.new").touch()
    folder.remove(1234)
    assert names(tmp_path) == []


def test_it_stays_with_the_folder_when_its_path_leads_elsewhere(tmp_path: Path) -> None:
    """``current -> releases/7`` is pointed to ``releases/8`` while the daemon runs."""
    for release in ("7", "8"):
        (tmp_path / release).mkdir()
    current = tmp_path / "current"
    current.symlink_to("7")
    folder = PidFolder(current)
    folder.write(1234)
    current.unlink()
    current.symlink_to("8")
    folder.remove(1234)
    folder.close()
    assert names(tmp_path / "7") == []


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        PidFolder(tmp_path / "pid")

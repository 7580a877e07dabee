"""How its log is followed; what becomes of the process is tried with the real one."""

from pathlib import Path

from wsgid.cli.mongrel2.supervised import LogTail


def append(file: Path, text: str) -> None:
    with open(file, "a") as log:
        log.write(text)


def test_what_was_there_before_is_not_told(tmp_path: Path) -> None:
    file = tmp_path / "error.log"
    append(file, "of yesterday\n")
    tail = LogTail(file)
    assert tail.new_lines() == []
    append(file, "one\ntwo\nthr")
    assert tail.new_lines() == ["one", "two"]
    append(file, "ee\n")
    assert tail.new_lines() == ["three"]


def test_one_that_comes_later(tmp_path: Path) -> None:
    tail = LogTail(tmp_path / "error.log")
    assert tail.new_lines() == []
    append(tmp_path / "error.log", "one\n")
    assert tail.new_lines() == ["one"]


def test_rotation(tmp_path: Path) -> None:
    file = tmp_path / "error.log"
    append(file, "before\n")
    tail = LogTail(file)
    file.rename(tmp_path / "error.log.1")
    append(file, "moved\n")
    assert tail.new_lines() == ["moved"]
    file.write_text("cut\n")
    assert tail.new_lines() == ["cut"]

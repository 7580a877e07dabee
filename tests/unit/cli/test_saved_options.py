"""The file itself: nobody finds half of it, and it stays whose it is."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deadlines import seconds
from wsgid.cli.complaints import CannotDo
from wsgid.cli.saved_options import alone, write

OWNER = 12345

NO_SPACE = OSError(28, "No space left on device")


def fail(*_: object, **__: object) -> None:
    raise NO_SPACE


def test_mode_and_owner_stay(tmp_path: Path) -> None:
    file = tmp_path / "wsgid.json"
    file.write_text("{}")
    file.chmod(0o604)
    owner = OWNER if os.geteuid() == 0 else os.geteuid()
    os.chown(file, owner, -1)
    write(tmp_path, {"workers": 2})
    told = file.stat()
    assert (told.st_uid, stat.S_IMODE(told.st_mode)) == (owner, 0o604)
    assert json.loads(file.read_text()) == {"workers": 2}


def test_whatever_text_json_can_hold(tmp_path: Path) -> None:
    for text in ("naïve €", "\ud800"):
        write(tmp_path, {"x_note": text})
        assert json.loads((tmp_path / "wsgid.json").read_bytes()) == {"x_note": text}


def test_a_new_one(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        write(tmp_path, {"workers": 2})
    finally:
        os.umask(mask)
    assert (tmp_path / "wsgid.json").read_text() == '{\n  "workers": 2\n}\n'
    assert stat.S_IMODE((tmp_path / "wsgid.json").stat().st_mode) == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: no folder can be given to somebody else")
class TestByRoot:
    def test_a_new_one_in_a_folder_of_somebody(self, tmp_path: Path) -> None:
        os.chown(tmp_path, OWNER, OWNER)
        write(tmp_path, {})
        told = (tmp_path / "wsgid.json").stat()
        assert (told.st_uid, told.st_gid) == (OWNER, OWNER)

    def test_a_link_of_somebody_leads_nowhere(self, tmp_path: Path) -> None:
        (tmp_path / "mine.json").write_text("{}")
        (tmp_path / "wsgid.json").symlink_to("mine.json")
        os.lchown(tmp_path / "wsgid.json", OWNER, OWNER)
        with pytest.raises(CannotDo, match=f"wsgid.json is a link of user {OWNER} to a file of somebody else's"):
            write(tmp_path, {"workers": 2})
        assert (tmp_path / "mine.json").read_text() == "{}"


def test_a_link_stays(tmp_path: Path) -> None:
    for name in ("shared", "release"):
        (tmp_path / name).mkdir()
    (tmp_path / "shared" / "wsgid.json").write_text("{}")
    (tmp_path / "release" / "wsgid.json").symlink_to("../shared/wsgid.json")
    write(tmp_path / "release", {"workers": 2})
    assert (tmp_path / "release" / "wsgid.json").is_symlink()
    assert json.loads((tmp_path / "shared" / "wsgid.json").read_text()) == {"workers": 2}


@pytest.mark.parametrize("call", ["fsync", "rename", "fchmod"])
def test_when_it_fails_the_old_one_is_there(call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wsgid.json").write_text('{"workers": 1}')
    monkeypatch.setattr(os, call, fail)
    with pytest.raises(CannotDo, match=r"wsgid\.json cannot be written: No space left on device"):
        write(tmp_path, {"workers": 2})
    assert os.listdir(tmp_path) == ["wsgid.json"]
    assert (tmp_path / "wsgid.json").read_text() == '{"workers": 1}'


def test_several_at_once_all_count(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    names = ("workers", "threads", "quarantine", "backlog")
    line = [sys.executable, "-m", "wsgid", "config", "--app-path", str(tmp_path)]
    with alone(tmp_path):  # so that all of them have come before the first one begins
        running = [subprocess.Popen([*line, f"--{name}", "7"], stdout=subprocess.PIPE) for name in names]
        with pytest.raises(subprocess.TimeoutExpired):
            running[0].wait(1)
    for each in running:
        each.communicate(timeout=seconds())
    assert json.loads((tmp_path / "wsgid.json").read_text()) == dict.fromkeys(names, 7)

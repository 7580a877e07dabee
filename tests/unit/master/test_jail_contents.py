import os
import sys
from pathlib import Path

import pytest

from wsgid.master.jail_contents import Sight, devices, sights

APP = Path("/srv/site")


def paths(start: str = "/nowhere", app_path: Path = APP, **environ: str) -> list[str]:
    return [each.path for each in sights(start, environ, app_path)]


def is_seen(path: str, seen: list[str]) -> bool:
    return any(Path(path).is_relative_to(each) for each in seen)


def test_interpreter_and_packages_are_seen_by_the_paths_that_python_knows() -> None:
    seen = paths()
    for path in (sys.prefix, os.__file__, sys.executable, os.path.realpath(sys.executable), *sys.path[1:]):
        assert is_seen(path, seen) or not os.path.exists(path) or path in ("", os.getcwd())


def test_a_source_is_without_symbolic_links() -> None:
    assert all(each.source == os.path.realpath(each.source) for each in sights("/nowhere", {}, APP))


def test_nothing_is_seen_twice() -> None:
    seen = paths()
    assert [each for each in seen if is_seen(each, [other for other in seen if other != each])] == []


def test_accounts_keys_programs_and_processes_are_not_seen() -> None:
    seen = paths()
    for path in ("/etc/passwd", "/etc/shadow", "/etc/ssl/private", "/home", "/var", "/proc/self", "/usr/bin/su"):
        assert not is_seen(path, seen)
    assert not {"/", "/usr", "/etc", "/root", "/home"} & set(seen)


def test_the_directory_of_the_call_is_on_the_path_only_by_chance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    assert not is_seen(str(tmp_path), paths(start=str(tmp_path)))
    assert is_seen(str(tmp_path), paths(start=str(tmp_path), PYTHONPATH=f"/nowhere:{tmp_path}"))
    assert is_seen(str(tmp_path), paths())


def test_what_lies_in_the_app_folder_is_seen_anyway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "packages").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    assert not is_seen(str(tmp_path), paths(app_path=tmp_path))
    (tmp_path / "current").symlink_to(tmp_path)
    assert not is_seen(str(tmp_path), paths(app_path=tmp_path / "current"))


def test_devices_that_programs_count_on() -> None:
    assert Sight("/dev/null", "/dev/null") in devices()
    assert {each.path for each in devices()} <= {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}

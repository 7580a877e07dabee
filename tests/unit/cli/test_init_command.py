"""What `wsgid init` makes, finds and says; who owns it when root makes it is in tests/functional/test_init.py."""

import json
import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wsgid.cli import command_line
from wsgid.cli.init import EXAMPLES, IGNORED, SECRET, Example
from wsgid.config_sources import load

BY_ITSELF = {"app", "plugins", "logs", "run", "pid", "pid/master", "pid/worker", "wsgid.json"}


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    mask = os.umask(0o022)
    yield
    os.umask(mask)


def init(*arguments: str) -> object:
    return command_line().main(["init", *arguments], prog_name="wsgid", standalone_mode=False)


def paths(folder: Path) -> set[str]:
    return {str(each.relative_to(folder)) for each in folder.rglob("*")}


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {str(each): (each.stat().st_mtime_ns, each.read_bytes()) for each in folder.rglob("*") if each.is_file()}


def test_folders_above_it_that_are_made_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert init("new/site") == 0
    assert capsys.readouterr().out.startswith(f"{tmp_path}/new/site, made:\n  {tmp_path}/new/\n  app/\n")


def test_a_folder_with_all_that_a_daemon_writes_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert init("site") == 0
    assert paths(tmp_path / "site") == BY_ITSELF
    told = capsys.readouterr().out
    assert told.startswith(f"{tmp_path}/site, made:\n  app/\n  plugins/\n")
    assert told.endswith(
        f"\nPut the application's code into {tmp_path}/site/app, then start it:\n\n  wsgid --app-path site\n"
    )
    assert stat.S_IMODE((tmp_path / "site" / "run").stat().st_mode) == 0o700


def test_its_options_are_right(tmp_path: Path) -> None:
    init("site")
    assert load({"app_path": str(tmp_path / "site")}, {}).config.workers == 2


@pytest.mark.parametrize("arguments", [[], ["--app-path", "a/b"], ["a/b"]])
def test_where(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert init(*arguments) == 0
    assert paths(tmp_path / ("a/b" if arguments else ".")) == BY_ITSELF
    assert capsys.readouterr().out.endswith("\n  wsgid --app-path a/b\n" if arguments else "\n  wsgid\n")


def test_in_front_of_its_name_and_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command_line().main(["--app-path", "one", "init"], prog_name="wsgid", standalone_mode=False)
    monkeypatch.setenv("WSGID_APP_PATH", "two")
    init()
    assert paths(tmp_path / "one") == paths(tmp_path / "two") == BY_ITSELF


def test_two_names_for_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert init("one", "--app-path", "two") == 2
    assert capsys.readouterr().err == "wsgid: the folder is named twice, by itself and by --app-path\n"
    assert paths(tmp_path) == set()


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=list(EXAMPLES))
def test_twice_does_nothing_the_second_time(
    example: Example, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    init("--example", example.name)
    (tmp_path / "app" / "__pycache__").mkdir()
    before = contents(tmp_path)
    capsys.readouterr()
    assert init("--example", example.name) == 0
    assert contents(tmp_path) == before
    assert capsys.readouterr().out.startswith(f"{tmp_path} has all that it needs already, and stays as it is\n")


def test_what_is_there_is_left_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.py").write_text("app = print")
    (tmp_path / "wsgid.json").write_text('{"workers": 5}')
    assert init() == 0
    assert json.loads((tmp_path / "wsgid.json").read_text()) == {"workers": 5}
    told = capsys.readouterr().out
    assert "There already, and left as they are:\n  wsgid.json\n" in told
    assert "Put the application's code" not in told


def test_no_example_beside_other_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.py").write_text("app = print")
    assert init("--example", "plain") == 1
    assert capsys.readouterr().err == (
        f"wsgid: {tmp_path}/app has code already (main.py), so no example is put there: leave --example away, or name "
        "another folder\n"
    )
    assert paths(tmp_path) == {"app", "app/main.py"}


def test_an_example_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Exception, match="'rails' is not one of 'flask', 'django', 'plain'"):
        init("--example", "rails")


def test_django_has_a_key_of_its_own_outside_of_the_code(tmp_path: Path) -> None:
    for name in ("one", "two"):
        init(name, "--example", "django")
    keys = {(tmp_path / name / SECRET).read_text().strip() for name in ("one", "two")}
    assert len(keys) == 2
    assert all(len(key) >= 50 for key in keys)
    assert stat.S_IMODE((tmp_path / "one" / SECRET).stat().st_mode) == 0o600
    assert not any(
        key.encode() in content for key in keys for _, content in contents(tmp_path / "one" / "app").values()
    )
    ignored = (tmp_path / "one" / ".gitignore").read_text().splitlines()
    assert ignored == [f"/{each}" for each in IGNORED]
    assert f"/{SECRET}" in ignored
    assert (tmp_path / "one" / "app" / "hello" / "manage.py").stat().st_mode & stat.S_IXUSR


def test_a_framework_that_is_missing_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(EXAMPLES, "flask", Example("flask", "No-Such-Framework"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert init("--example", "flask") == 0
    assert (tmp_path / "app" / "wsgi.py").is_file()
    assert f"\n  {sys.executable} -m pip install No-Such-Framework\n" in capsys.readouterr().out


def test_a_file_in_the_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "app").write_text("")
    assert init() == 1
    assert capsys.readouterr().err.startswith(f"wsgid: {tmp_path}/app cannot be made: File exists; ")


def test_options_that_are_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "wsgid.json").write_text("{")
    assert init() == 2
    assert capsys.readouterr().err.startswith(f"wsgid: {tmp_path}/wsgid.json, line 1, column 2: not valid JSON: ")
    assert paths(tmp_path) == {"wsgid.json"}


def test_a_user_that_there_is_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert init("site", "--user", "no-such-user") == 1
    assert re.match("wsgid: --user no-such-user: this machine has no user of that name", capsys.readouterr().err)
    assert paths(tmp_path) == set()

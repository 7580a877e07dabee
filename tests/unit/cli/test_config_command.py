"""`wsgid config`: what it saves, what it refuses, and what it says of it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from wsgid.cli import command_line
from wsgid.config_sources import load


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Called from the folder above it."""
    folder = tmp_path / "site"
    (folder / "app").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return folder


def run(*arguments: str) -> object:
    return command_line().main(["config", "--app-path", "site", *arguments], prog_name="wsgid", standalone_mode=False)


def saved(site: Path) -> Mapping[str, object]:
    content = json.loads((site / "wsgid.json").read_text())
    assert isinstance(content, dict)
    return content


def save(site: Path, **content: object) -> None:
    (site / "wsgid.json").write_text(json.dumps(content))


def test_values_are_saved_as_json_has_them(site: Path) -> None:
    line = "--workers 4 --debug --no-keep-alive --redeliver off --timeout 2.50 --max-rss 10m --umask 022 --wsgi-app a:b"
    assert run(*line.split(), "--queue-timeout", "30") == 0
    assert saved(site) == {
        "workers": 4,
        "debug": True,
        "keep_alive": False,
        "redeliver": False,
        "timeout": 2.5,
        "max_rss": "10m",
        "umask": "022",
        "wsgi_app": "a:b",
        "queue_timeout": 30,
    }
    assert load({"app_path": str(site)}, {}).config.max_rss == 10 * 1024**2


def test_what_turns_something_off_again(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(site, debug="true", keep_alive=True, chroot=True)
    assert run("--no-debug", "--no-keep-alive", "--no-chroot") == 0
    assert saved(site) == {"debug": False, "keep_alive": False, "chroot": False}
    assert '  debug: "true" -> false\n' in capsys.readouterr().out


def test_all_else_in_the_file_stays_in_its_order(site: Path) -> None:
    before = (
        '{\n    "x_note": ["é", null],\n    "workers": "2",\n    "envs": {"B": "1", "A": "2"},\n    "debug": true\n}\n'
    )
    (site / "wsgid.json").write_text(before)
    assert run("--workers", "3") == 0
    assert list(saved(site)) == ["x_note", "workers", "envs", "debug"]
    text = (site / "wsgid.json").read_text()
    assert '\n    "x_note": [\n        "é",\n        null\n    ],\n    "workers": 3,\n' in text, "as it was indented"


@pytest.mark.parametrize("spelled", ["max_requests", "max-requests", "--max-requests"])
def test_unset(spelled: str, site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(site, max_requests=3, x_note=1, envs={"KEY": "secret"}, wrokers=2)
    assert run("--unset", spelled, "--unset", "x_note", "--unset=envs", "--unset=wrokers", "--unset=debug") == 0
    assert saved(site) == {}
    told = capsys.readouterr().out
    assert "\n  envs: KEY -> (not set)\n" in told, "whose value is nobody's business"


def test_a_list_takes_the_place_of_the_saved_one(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(site, bind=["127.0.0.1:1", "127.0.0.1:2"])
    assert run("--bind", "127.0.0.1:3") == 0
    assert saved(site) == {"bind": ["127.0.0.1:3"]}
    assert '  bind: ["127.0.0.1:1", "127.0.0.1:2"] -> ["127.0.0.1:3"]\n' in capsys.readouterr().out


def test_a_relative_path_means_the_same(site: Path, tmp_path: Path) -> None:
    for folder in ("site/state", "site/more", "m2"):
        (tmp_path / folder).mkdir()
    assert run("--run-dir", "site/state", "--mongrel2-chroot", "m2", "--loader-dir", "./site/more") == 0
    sockets = ["--bind=unix:site/run/web.sock", "--bind=unix:/run/x.sock", "--recv=ipc://m2/in", "--send=ipc://@out"]
    assert run(*sockets, "--syslog=unix:site/log.sock") == 0
    assert saved(site) == {
        "run_dir": "state",
        "mongrel2_chroot": f"{tmp_path}/m2",
        "loader_dir": ["more"],
        "bind": ["unix:run/web.sock", "unix:/run/x.sock"],
        "recv": [f"ipc://{tmp_path}/m2/in"],
        "send": ["ipc://@out"],
        "syslog": "unix:log.sock",
    }
    config = load({"app_path": str(site)}, {}).config
    assert (config.run_dir, config.loader_dir) == (site / "state", (site / "more",))
    assert config.syslog == f"unix:{site}/log.sock"
    assert config.bind == (f"unix:{site}/run/web.sock", "unix:/run/x.sock")


def test_folders_of_loaders_in_a_jail_are_named_as_they_are_seen_there(site: Path) -> None:
    (site / "more").mkdir()
    assert run("--chroot", "--loader-dir", "/more") == 0
    assert saved(site) == {"chroot": True, "loader_dir": ["/more"]}


def test_what_a_restart_cannot_change_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    run("--workers", "2")
    assert capsys.readouterr().out.endswith("\nA running daemon goes by it after `wsgid restart`.\n")
    run("--bind", "127.0.0.1:1", "--user", "root")
    told = capsys.readouterr().out
    assert told.endswith("\nNo restart changes --bind, --user: `wsgid stop`, then start it again.\n")
    assert "after `wsgid restart`" not in told


def test_nothing_new_is_not_written(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("--workers", "2")
    before = (site / "wsgid.json").stat()
    capsys.readouterr()
    assert run("--workers", "2", "--unset", "debug") == 0
    assert capsys.readouterr().out == f"{site}/wsgid.json says so already, and stays as it is\n"
    assert (site / "wsgid.json").stat().st_ino == before.st_ino


def test_the_environment_wins_and_that_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WSGID_WORKERS", "9")
    assert run("--workers", "2") == 0
    assert capsys.readouterr().err == "wsgid: WSGID_WORKERS is set in the environment here, and wins over it\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--workers", "many"], ["--workers: 'many' is not a whole number from 1 to 1000"]),
        (["--workers=0", "--timeout=x"], ["--workers: '0' is not", "--timeout: 'x' is not a number of seconds"]),
        (["--run-dir", "none"], ["--run-dir: 'none' is not a directory that exists and can be reached"]),
        (["--recv", "tcp://127.0.0.1:1"], ["--recv and --send go in pairs", "so nothing is saved"]),
        (["--unset", "wrokers"], ["--unset: 'wrokers' is no option, nor is it in wsgid.json, did you mean workers?"]),
        (["--unset=workers", "--workers=3"], ["--workers is given, and also to be unset: say one of both"]),
        (["--json", "--workers=3"], ["--json is for showing the options, and not for saving some"]),
    ],
)
def test_what_is_wrong_is_not_saved(
    arguments: list[str], told: list[str], site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(site, workers=2)
    assert run(*arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(told)
    assert all(line.startswith(f"wsgid: {words}") for line, words in zip(lines, told, strict=True))
    assert saved(site) == {"workers": 2}


@pytest.mark.parametrize("content", ['{"workers": 2,}', "[]", '{"a": 1, "a": 2}', "\xff"])
def test_a_file_that_is_wrong_is_not_touched(content: str, site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (site / "wsgid.json").write_text(content, encoding="latin-1")
    assert run("--workers", "3") == 2
    assert (site / "wsgid.json").read_text(encoding="latin-1") == content
    assert capsys.readouterr().err.endswith("wsgid: so nothing is changed: put it right first\n")


def test_what_was_wrong_before_is_told_and_does_no_harm(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(site, wrokers=2, run_dir="gone")
    assert run("--workers", "3") == 0
    assert saved(site) == {"wrokers": 2, "run_dir": "gone", "workers": 3}
    assert capsys.readouterr().err.splitlines() == [
        f"wsgid: {site}/wsgid.json: 'wrokers' is no option, did you mean workers?; keys of your own begin with x_ (and "
        "was so before)",
        f"wsgid: {site}/wsgid.json: run_dir: 'gone' is not a directory that exists and can be reached (and was so "
        "before)",
    ]


def test_no_app_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "site" / "app").rmdir()
    assert run("--workers", "3") == 2
    assert "is no app folder: " in capsys.readouterr().err
    assert os.listdir(tmp_path / "site") == []


# The table


def test_each_option_is_shown_with_its_source(
    site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    save(site, workers="3", envs={"KEY": "secret"}, max_rss=1024)
    monkeypatch.setenv("WSGID_DEBUG", "true")
    assert run() == 0
    told = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert ["workers", "wsgid.json", "3"] in told
    assert ["max_rss", "wsgid.json", "1k"] in told
    assert ["debug", "WSGID_DEBUG", "true"] in told
    assert ["timeout", "default", "0, no limit"] in told
    assert told[-1:] == [["KEY"]]


def test_as_json(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(site, workers="3", bind="127.0.0.1:1")
    assert run("--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["file"] == f"{site}/wsgid.json"
    assert told["options"]["app_path"] == {"value": str(site), "source": "command line", "fixed": True}
    assert told["options"]["workers"] == {"value": 3, "source": "wsgid.json", "fixed": False}
    assert told["options"]["bind"] == {"value": ["127.0.0.1:1"], "source": "wsgid.json", "fixed": True}


def test_the_rest_is_shown_with_what_is_wrong(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(site, workers="none", threads=3, bogus=1)
    assert run() == 2
    shown = capsys.readouterr()
    told = [line.split(maxsplit=2) for line in shown.out.splitlines()]
    assert ["threads", "wsgid.json", "3"] in told
    assert ["workers", "wrong", "(see what is told of it)"] in told
    no_option, no_number, remedy = shown.err.splitlines()
    assert no_option.startswith(f"wsgid: {site}/wsgid.json: 'bogus' is no option")
    assert no_number.startswith(f"wsgid: {site}/wsgid.json: workers: 'none' is not")
    assert remedy == f"wsgid: wsgid config --unset bogus removes it from {site}/wsgid.json"


def test_as_json_with_what_is_wrong(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(site, workers="none")
    assert run("--json") == 2
    told = json.loads(capsys.readouterr().out)
    assert told["options"]["workers"] == {"value": None, "source": "wrong", "fixed": False}
    assert len(told["faults"]) == 1

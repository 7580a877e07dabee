"""How the commands are spelled; what they do is tested with each of them."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest

from wsgid.cli import command_line
from wsgid.cli.commands import commands as all_commands
from wsgid.cli.complaints import CannotDo
from wsgid.cli.own_commands import OwnGroup


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> dict[str, Mapping[str, object]]:
    """What each command was called with; their work is not done."""
    told: dict[str, Mapping[str, object]] = {}

    def note(name: str, options: Mapping[str, object]) -> int:
        told[name] = options
        return 7

    for module in ("status", "stop", "restart"):
        monkeypatch.setattr(f"wsgid.cli.{module}.{module}", lambda options, name=module: note(name, options))
    for name in ("list_requests", "kill_request", "trace_request"):
        monkeypatch.setattr(f"wsgid.cli.request.{name}", lambda options, name=name: note(name, options))
    return told


def run(*arguments: str) -> object:
    return command_line().main(arguments, prog_name="wsgid", standalone_mode=False)


@pytest.mark.parametrize(
    ("arguments", "name", "options"),
    [
        ("status", "status", {"app_path": "."}),
        ("status --json --pid 3", "status", {"app_path": ".", "json": True, "pid": "3"}),
        ("stop --no-wait --send-signal KILL", "stop", {"app_path": ".", "no_wait": True, "send_signal": "KILL"}),
        ("restart --send-signal=15", "restart", {"app_path": ".", "send_signal": "15"}),
        ("--app-path a --run-dir r stop --pid 3", "stop", {"app_path": "a", "run_dir": "r", "pid": "3"}),
        ("stop --app-path a --run-dir r", "stop", {"app_path": "a", "run_dir": "r"}),
        ("--app-path a stop --app-path b", "stop", {"app_path": "b"}),
        ("request list --json", "list_requests", {"app_path": ".", "json": True}),
        ("--app-path a request kill 5f3a-1 --pid 3", "kill_request", {"app_path": "a", "pid": "3", "id": "5f3a-1"}),
        ("request trace --app-path a 5f3a-1", "trace_request", {"app_path": "a", "id": "5f3a-1"}),
    ],
)
def test_options(
    arguments: str,
    name: str,
    options: Mapping[str, object],
    called: dict[str, Mapping[str, object]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for each in "abr":
        (tmp_path / each).mkdir()
    monkeypatch.chdir(tmp_path)
    assert run(*arguments.split()) == 7
    places = {name: str(tmp_path / str(path)) for name, path in options.items() if name in ("app_path", "run_dir")}
    assert called == {name: {**options, **places}}


def test_a_folder_that_is_not_there_is_told(
    called: dict[str, Mapping[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("stop", "--app-path", "/no/such") == 2
    assert "wsgid: --app-path: '/no/such' is not a directory" in capsys.readouterr().err
    assert called == {}


def test_options_of_a_start_mean_nothing(called: dict[str, Mapping[str, object]]) -> None:
    for arguments in (["--debug", "stop"], ["--bind", ":80", "restart"]):
        with pytest.raises(
            click.UsageError, match=f"^{arguments[0]} is for the start of a daemon, it means nothing to "
        ):
            run(*arguments)
    assert called == {}


def test_why_a_command_cannot_do_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(options: Mapping[str, object]) -> int:
        raise CannotDo("this", "and that", exit_code=5)

    monkeypatch.setattr("wsgid.cli.stop.stop", refuse)
    assert run("stop") == 5
    assert capsys.readouterr() == ("", "wsgid: this\nwsgid: and that\n")


def test_help_tells_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    for words in spellings():
        assert run(*words, "--help") == 0
        told = " ".join(capsys.readouterr().out.split())
        assert told.startswith(f"Usage: wsgid {' '.join(words)} [OPTIONS] ")
        assert "Exit code: 0 " in told
        assert "--app-path DIR" in told or words == ["completion"]


def spellings() -> Iterator[list[str]]:
    """Of all commands, ``request list`` among them and not ``request``, which does nothing."""
    for each in all_commands():
        if isinstance(each, OwnGroup):
            yield from ([each.name, member.name] for member in each.subcommands())
        else:
            yield [each.name]


def test_the_list_of_commands(capsys: pytest.CaptureFixture[str]) -> None:
    run("--help")
    told = capsys.readouterr().out
    shown = dict(re.findall(r"^  ([a-z0-9]+) {2,}(\S.*)$", told.partition("Set up:")[2], re.MULTILINE))
    assert shown["restart"] == "Replace the workers without losing a request."
    assert shown.keys() == {each.name for each in all_commands()}
    assert "...\n" not in told.partition("Set up:")[2], "each fits its line"

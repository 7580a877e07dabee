"""What is offered to a shell, by click's protocol; real shells are in tests/functional/test_completion.py."""

import pytest
from click.shell_completion import ShellComplete

from wsgid.cli import command_line
from wsgid.cli.completion import PROGRAM, VARIABLE, script
from wsgid.config import OPTIONS


def offered(*words: str) -> list[tuple[str, str]]:
    """For the last of these words: kind and text."""
    *before, incomplete = words
    shell = ShellComplete(command_line(), {}, PROGRAM, VARIABLE)
    return [(each.type, each.value) for each in shell.get_completions(before, incomplete)]


def plain(*words: str) -> list[str]:
    found = offered(*words)
    assert {kind for kind, _ in found} <= {"plain"}
    return [text for _, text in found]


def test_commands() -> None:
    assert plain("st") == ["status", "stop"]
    assert plain("request", "") == ["kill", "list", "trace"]
    assert plain("no-such-command", "st") == ["status", "stop"]


def test_every_option_and_its_opposite() -> None:
    flags = {flag for each in OPTIONS for flag in (each.flag, *([each.opposite] if each.is_boolean else []))}
    assert flags <= {*plain("--")}
    assert flags <= {*plain("config", "--")} | {"--app-path"}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--redeliver", ""], ["on", "off"]),
        (["--forwarded-headers", "f"], ["forwarded"]),
        (["--syslog-facility", "local7"], ["local7"]),
        (["--filter", "w"], ["worker-pid"]),
        (["--user", "roo"], ["root"]),
        (["--group", "roo"], ["root"]),
        (["--workers", ""], []),
        (["init", "--example", "d"], ["django"]),
        (["completion", ""], ["bash", "zsh", "fish"]),
    ],
)
def test_values(words: list[str], found: list[str]) -> None:
    assert plain(*words) == found


@pytest.mark.parametrize("words", [["--app-path", "/u"], ["check", "--loader-dir", "/u"], ["init", "/u"]])
def test_folders_are_left_to_the_shell(words: list[str]) -> None:
    assert offered(*words) == [("dir", "/u")]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_asks_by_the_variable_that_click_listens_to(shell: str) -> None:
    assert f"{VARIABLE}={shell}_complete" in script(shell)

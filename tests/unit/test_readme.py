"""README's examples are taken by the programs they are written for."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

import click
import pytest

from wsgid.cli import command_line
from wsgid.cli.command_line import build
from wsgid.config_sources import load

README = (Path(__file__).parents[2] / "README.md").read_text()

COMMAND = re.compile(r"^(?: {4}wsgid|wsgid(?= -)) (?P<arguments>(?:.*\\\n)*.*)$", re.MULTILINE)
"""Indented, or in a fenced block; with the lines that a backslash joins to it."""


def commands() -> list[list[str]]:
    """The arguments of each command line, in the order of the text: those in blocks, not those within sentences."""
    found = COMMAND.finditer(README)
    lines = (each["arguments"].replace("\\\n", " ").removesuffix("&") for each in found)
    return [shlex.split(line, comments=True) for line in lines]


def starts() -> list[list[str]]:
    return [each for each in commands() if each[0].startswith("--")]


def orders() -> list[list[str]]:
    """To a running daemon."""
    return [each for each in commands() if each not in starts()]


def parsed(arguments: list[str]) -> Mapping[str, object]:
    given: dict[str, object] = {}

    def start(options: Mapping[str, object]) -> int:
        given.update(options)
        return 0

    assert build(start).main(arguments, prog_name="wsgid", standalone_mode=False) == 0
    return given


def test_its_commands_are_found() -> None:
    assert len(starts()) >= 4
    assert {each[0] for each in orders()} >= {"check", "init", "status", "stop", "restart"}


@pytest.mark.parametrize("arguments", orders(), ids=shlex.join)
def test_its_orders_are_understood(arguments: list[str]) -> None:
    name, *options = arguments
    command: click.Command = command_line().commands[name]
    if isinstance(command, click.Group):
        name, *options = options
        command = command.commands[name]
    with command.make_context(name, options) as context:
        assert context.params["app_path"] is None or context.params["app_path"] == "mysite"


@pytest.mark.parametrize("arguments", starts(), ids=shlex.join)
def test_its_starts_are_understood(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "mysite").mkdir()
    options = {**parsed(arguments)}
    options.pop("mongrel2_chroot", None)  # it has to be there where it is named
    assert load(options, {}, tmp_path).config.app_path == tmp_path / "mysite"

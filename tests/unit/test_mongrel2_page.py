"""The examples of docs/mongrel2.md are taken by the programs they are written for."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

import click
import pytest

from tests.unit.mongrel2_config.by_m2sh import loaded
from wsgid.cli import command_line
from wsgid.cli.command_line import build

PAGE = (Path(__file__).parents[2] / "docs" / "mongrel2.md").read_text()

FENCED = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
"""Mongrel2's configuration looks like Python, but is marked as text: formatters of Python, ruff's for one, put a comma
after the last argument, at which m2sh fails."""

COMMAND = re.compile(r"^(?: {4}|\$ )wsgid (?P<arguments>(?:.*\\\n)*.*)$", re.MULTILINE)


def commands() -> list[list[str]]:
    return [shlex.split(each["arguments"].replace("\\\n", " ")) for each in COMMAND.finditer(PAGE)]


def subcommands() -> list[list[str]]:
    return [each[1:] for each in commands() if each[0] == "mongrel2"]


def start() -> Mapping[str, object]:
    """The one command that starts a daemon, by its options."""
    given: dict[str, object] = {}

    def note(options: Mapping[str, object]) -> int:
        given.update(options)
        return 0

    [arguments] = (each for each in commands() if each[0].startswith("--"))
    assert build(note).main(arguments, prog_name="wsgid", standalone_mode=False) == 0
    return given


@pytest.mark.parametrize("arguments", subcommands(), ids=shlex.join)
def test_its_commands_are_understood(arguments: list[str]) -> None:
    name, *options = arguments
    group = command_line().commands["mongrel2"]
    assert isinstance(group, click.Group)
    with group.commands[name].make_context(name, options) as context:
        assert context.args == []


def test_its_commands_are_found() -> None:
    assert len(subcommands()) >= 3


def test_mongrel2_loads_its_configuration(tmp_path: Path) -> None:
    [conf] = (text for text in FENCED.findall(PAGE) if text.startswith("# mysite.conf\n"))
    mysite = loaded(conf, tmp_path)
    [server] = mysite.servers
    [handler] = server.handlers()
    options = start()
    assert ((handler.send_spec,), (handler.recv_spec,)) == (options["recv"], options["send"])
    assert server.chroot == options["mongrel2_chroot"]
    assert handler.protocol == "tnetstring"
    assert mysite.settings["upload.temp_store"].endswith("XXXXXX")

"""Each call of ``wsgid`` in the pages is understood, and each option that they name exists."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from wsgid.cli import command_line
from wsgid.config import OPTIONS

DOCS = Path(__file__).parents[3] / "docs"
PAGES = sorted(each.name for each in DOCS.glob("*.md"))

CALL = re.compile(r"^(?: {4}|\$ )(?:sudo )?wsgid(?P<arguments>(?: .*\\\n)*.*)$", re.MULTILINE)
"""Indented, or behind the prompt of a console block; with the lines that a backslash joins to it."""
SHELL = {"|", ">", ">>", "&", "&&", ";", "||", "2>&1"}
"""What comes from there on is not wsgid's."""

NAMED = re.compile(r"`(?P<flag>--[a-z][a-z0-9-]*)[^`]*`")
"""Code that begins with an option."""
FOREIGN = {"--init", "--stop-timeout", "--no-ip-validation", "--minutes", "--full", "--list"}
"""Of docker, GoAccess, scripts/soak and scripts/bench."""
PLUGIN = "pages"
"""The command of docs/plugins.md, whose test calls it."""


def calls(page: str) -> Iterator[list[str]]:
    for found in CALL.finditer((DOCS / page).read_text()):
        words = shlex.split(found["arguments"].replace("\\\n", " "), comments=True)
        end = next((at for at, word in enumerate(words) if word in SHELL or word[0] in "<>"), len(words))
        if not {"[OPTION]...", "COMMAND", PLUGIN} & set(words):  # the first two are those of a synopsis
            yield words[:end]


@pytest.mark.parametrize("page", PAGES)
def test_calls_are_understood(page: str) -> None:
    for arguments in calls(page):
        command: click.Command = command_line()
        rest = list(arguments)
        while isinstance(command, click.Group) and rest and rest[0] in command.commands:
            command = command.commands[rest.pop(0)]
        assert command.make_context("wsgid", rest).args == [], arguments


def test_calls_are_found() -> None:
    assert sum(len(list(calls(page))) for page in PAGES) > 40


def test_options_exist() -> None:
    known = {flag for option in OPTIONS for flag in (option.flag, option.opposite)} | FOREIGN
    known |= {flag for each in _commands(command_line()) for param in each.params for flag in param.opts}
    for page in PAGES:
        named = {found["flag"] for found in NAMED.finditer((DOCS / page).read_text())}
        assert named <= known, page


def _commands(group: click.Group) -> Iterator[click.Command]:
    yield group
    for each in group.commands.values():
        yield from _commands(each) if isinstance(each, click.Group) else [each]

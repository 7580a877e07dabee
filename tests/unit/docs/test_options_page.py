"""docs/options.md says of each option what the table says, and of no other."""

import re
from pathlib import Path

import click

from wsgid.cli import command_line
from wsgid.config import OPTIONS

PAGE = (Path(__file__).parents[3] / "docs" / "options.md").read_text()

FOR_READERS = {"--version", "--help-all"}
"""Options of the command line that set nothing."""

SECTION = re.compile(r"^### `(?P<flag>--[a-z0-9-]+).*`\n\n(?P<body>(?:(?!##).*\n)*)", re.MULTILINE)


def test_it_has_the_options_of_the_table_in_its_order() -> None:
    assert [each["flag"] for each in SECTION.finditer(PAGE)] == [each.flag for each in OPTIONS]


def test_they_are_those_of_the_command_line() -> None:
    flags = [each.opts[0] for each in command_line().params if isinstance(each, click.Option)]
    assert [each["flag"] for each in SECTION.finditer(PAGE)] == [each for each in flags if each not in FOR_READERS]


def test_it_says_what_the_table_says() -> None:
    for found, option in zip(SECTION.finditer(PAGE), OPTIONS, strict=True):
        assert option.help in found["body"]
        assert f"- Default: {option.default_text}\n" in found["body"]
        assert f"- Value: {option.allowed}\n" in found["body"]
        assert f'`{option.variable}`; `wsgid.json`: `"{option.name}"`' in found["body"]
        assert ("a new start only" in found["body"]) is option.fixed

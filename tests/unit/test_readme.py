"""README's examples are taken by the programs they are written for."""

import os
import re
import shlex
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import click
import pytest

from tests.deadlines import seconds
from wsgid.cli import command_line
from wsgid.cli.command_line import build
from wsgid.config_sources import load

README = (Path(__file__).parents[2] / "README.md").read_text()

FENCED = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
"""Mongrel2's configuration looks like Python, but is marked as text: formatters of Python, ruff's for one, put a comma
after the last argument, at which m2sh fails."""

COMMAND = re.compile(r"^(?: {4}wsgid|wsgid(?= -)) (?P<arguments>(?:.*\\\n)*.*)$", re.MULTILINE)
"""Indented, or in a fenced block; with the lines that a backslash joins to it."""


def commands() -> list[list[str]]:
    """The arguments of each command line, in the order of the text: those in blocks, not those within sentences."""
    found = COMMAND.finditer(README)
    return [shlex.split(each["arguments"].replace("\\\n", " "), comments=True) for each in found]


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


def test_mongrel2_loads_its_configuration(tmp_path: Path) -> None:
    m2sh = shutil.which("m2sh")
    assert m2sh, "m2sh is not installed, which comes with Mongrel2: apt-get install mongrel2-core"
    [conf] = (text for text in FENCED.findall(README) if text.startswith("# mysite.conf\n"))
    (tmp_path / "mysite.conf").write_text(conf)
    done = subprocess.run(
        [m2sh, "load", "-db", "config.sqlite", "-config", "mysite.conf"],
        cwd=tmp_path,
        env={**os.environ, "LOGNAME": "nobody"},  # it writes down who changed the configuration
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=seconds(),
        check=True,
    )
    assert b"error" not in done.stdout.lower(), done.stdout.decode()  # it exits with 0 all the same
    with closing(sqlite3.connect(tmp_path / "config.sqlite")) as config:
        handlers = config.execute("SELECT send_spec, recv_spec, protocol FROM handler").fetchall()
        routes = config.execute("SELECT path, target_type FROM route").fetchall()
        settings = dict(config.execute("SELECT key, value FROM setting"))
    [options] = [given for each in starts() if "recv" in (given := parsed(each))]
    assert handlers == [(*options["recv"], *options["send"], "tnetstring")]  # type: ignore[misc]  # tuples of text
    assert routes == [("/", "handler")]
    assert settings["upload.temp_store"].endswith("XXXXXX")

"""The examples in deploy/, and the page about them, say what is so."""

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.deadlines import seconds
from wsgid.cli import command_line
from wsgid.cli.command_line import build
from wsgid.cli.mongrel2.place import FOLDER
from wsgid.config import OPTIONS, Config
from wsgid.dispatcher.descriptors import MOST_CONNECTIONS, RESERVED
from wsgid.master.silence import SILENCE
from wsgid.master.stopping import DRAIN_MARGIN, GIVE_UP_AFTER, KILL_AFTER
from wsgid.master.supervisor import MEANINGLESS, SIGNALS

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PAGE = ROOT / "docs" / "deploy.md"

INSTALLED = "/srv/mysite/venv/bin/wsgid"

FOREIGN = {"--init", "--no-cache-dir", "--now", "--read-only", "--stop-timeout", "--tmpfs", "--uid"}
"""Options of docker, pip, systemctl and useradd."""

LONGEST_STOP = Config().graceful_timeout + DRAIN_MARGIN + KILL_AFTER + GIVE_UP_AFTER


def ini(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",), comment_prefixes=("#", ";"))
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # keys are case-sensitive
    parser.read_string((DEPLOY / name).read_text())
    return parser


SERVICE = ini("wsgid.service")["Service"]
MONGREL2 = ini("mongrel2.service")["Service"]
PROGRAM = ini("supervisord.conf")["program:mysite"]


def command_lines() -> list[list[str]]:
    """The arguments after ``wsgid``, wherever it is called."""
    [entrypoint] = re.findall(r"^ENTRYPOINT (.*)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    [rotated] = re.findall(rf"^ *({INSTALLED} .*) >/dev/null$", (DEPLOY / "logrotate").read_text(), re.MULTILINE)
    called = [
        rotated,
        MONGREL2["ExecStart"],
        SERVICE["ExecStart"],
        SERVICE["ExecReload"].replace("$MAINPID", "1"),
        PROGRAM["command"],
    ]
    shown = re.findall(r"^    wsgid (.*)$", PAGE.read_text(), re.MULTILINE)
    shown += re.findall(r"`wsgid ([^`]+)`", PAGE.read_text())
    assert all(each.startswith(f"{INSTALLED} ") for each in called)
    return [json.loads(entrypoint)[1:], *(shlex.split(each)[1:] for each in called), *map(shlex.split, shown)]


@pytest.mark.parametrize("arguments", command_lines(), ids=shlex.join)
def test_commands_are_understood(arguments: list[str], tmp_path: Path) -> None:
    by_name = command_line().commands
    command: click.Command = by_name.get(arguments[0]) or build(lambda _: 0)
    rest = arguments[1:] if arguments[0] in by_name else arguments
    if isinstance(command, click.Group) and arguments[0] in by_name:
        command, rest = command.commands[rest[0]], rest[1:]
    context = command.make_context("wsgid", rest)
    assert context.args == []


def every_command() -> Iterator[click.Command]:
    for each in command_line().commands.values():
        yield each
        if isinstance(each, click.Group):
            yield from each.commands.values()


def test_options_exist() -> None:
    known = {opt for each in every_command() for param in each.params for opt in param.opts} | {
        each.flag for each in OPTIONS
    }
    texts = [PAGE, *DEPLOY.iterdir()]
    for text in texts:
        named = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", text.read_text()))
        assert named <= known | FOREIGN | {"--no-cache-dir", "--uid"}, text


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", PAGE.read_text())
    assert all((PAGE.parent / link).exists() for link in links)
    assert {f"../deploy/{file.name}" for file in DEPLOY.iterdir()} <= set(links)


def test_the_signals_are_those_that_mean_something() -> None:
    rows = re.findall(r"^\| ([A-Z0-9, ]+) \|", PAGE.read_text(), re.MULTILINE)
    told = {f"SIG{name}" for row in rows for name in row.split(", ")}
    assert told == {each.name for each in SIGNALS} - {"SIGCHLD", *(each.name for each in MEANINGLESS)}


def test_lines_are_short() -> None:
    for text in [PAGE, *(each for each in DEPLOY.iterdir() if each.suffix != ".json")]:  # which cannot break a text
        assert [line for line in text.read_text().splitlines() if len(line) > 130] == [], text


class TestService:
    def test_what_the_page_promises(self) -> None:
        assert SERVICE["Type"] == "notify"
        assert SERVICE["NotifyAccess"] == "main"
        assert SERVICE["KillMode"] == "mixed"
        assert SERVICE["ProtectSystem"] == "strict"
        assert SERVICE["NoNewPrivileges"] == "yes"
        assert SERVICE["CapabilityBoundingSet"] == ""
        assert SERVICE["SystemCallFilter"] == "@system-service"
        assert "AF_UNIX" in SERVICE["RestrictAddressFamilies"].split()
        assert f"/run/{SERVICE['RuntimeDirectory']}" in SERVICE["ExecStart"]

    def test_it_waits_long_enough(self) -> None:
        assert float(SERVICE["TimeoutStartSec"]) > Config().start_timeout
        assert float(SERVICE["TimeoutStopSec"]) > LONGEST_STOP
        # The word comes at half the time. Just before one was due the dispatcher may have fallen silent.
        assert float(SERVICE["WatchdogSec"]) / 2 > SILENCE
        assert int(SERVICE["LimitNOFILE"]) >= 2 * MOST_CONNECTIONS + RESERVED

    @pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze (Debian: systemd) is not here")
    def test_systemd_finds_no_fault(self, tmp_path: Path) -> None:
        for name in ("wsgid.service", "wsgid.socket", "mongrel2.service"):
            # It looks whether the command is there.
            text = (DEPLOY / name).read_text().replace(INSTALLED, sys.executable)
            (tmp_path / name).write_text(text)
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds(),
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, "")


class TestMongrel2:
    def test_it_is_the_daemons_neighbour(self) -> None:
        assert (MONGREL2["User"], MONGREL2["Group"]) == (SERVICE["User"], SERVICE["Group"])
        assert MONGREL2["Type"] == "notify"
        assert MONGREL2["KillMode"] == "mixed"
        assert MONGREL2["AmbientCapabilities"] == MONGREL2["CapabilityBoundingSet"] == "CAP_NET_BIND_SERVICE"
        # Its configuration, logs, sockets and uploads.
        assert MONGREL2["ReadWritePaths"] == f"/srv/mysite/{FOLDER}"
        assert f"ReadWritePaths=/srv/mysite/{FOLDER}" in PAGE.read_text()


class TestSocket:
    def test_it_is_what_the_service_can_serve(self) -> None:
        # A key that comes twice: configparser keeps the last.
        streams = re.findall(r"^ListenStream=(.*)$", (DEPLOY / "wsgid.socket").read_text(), re.MULTILINE)
        assert streams == ["0.0.0.0:80", "[::]:80"]
        section = ini("wsgid.socket")["Socket"]
        assert section["BindIPv6Only"] == "ipv6-only"
        assert int(section["Backlog"]) == Config().backlog
        assert section.get("Accept", "no") == "no"


class TestSupervisord:
    def test_only_the_master_is_told_and_it_has_its_time(self) -> None:
        assert PROGRAM["stopsignal"] == "TERM"
        assert PROGRAM["stopasgroup"] == PROGRAM["killasgroup"] == "false"
        assert float(PROGRAM["stopwaitsecs"]) > LONGEST_STOP


def test_the_container_is_given_its_time() -> None:
    [told] = re.findall(r"--stop-timeout (\d+)", PAGE.read_text())
    assert float(told) > LONGEST_STOP
    [told] = re.findall(r"--stop-timeout (\d+)", (DEPLOY / "Dockerfile").read_text())
    assert float(told) > LONGEST_STOP

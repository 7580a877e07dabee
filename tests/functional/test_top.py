"""``wsgid top`` in real pseudo-terminals, while a load runs."""

import json
import os
import re
import signal
import subprocess
from contextlib import ExitStack
from typing import Any

import pytest

from tests.deadlines import seconds, wait_for
from tests.functional.clients import Connection
from tests.functional.conftest import MakeDaemon
from tests.functional.daemon import Daemon, command, environment
from tests.functional.gate import Gates
from tests.functional.ledger import Ledger
from tests.functional.load import Load, mixed
from tests.functional.screen import CTRL_C, Terminal

WORKERS = 4

INTERVAL = ("--interval", "0.4")


def watch(daemon: Daemon, columns: int, lines: int) -> Terminal:
    return Terminal(command(daemon.folder, "top", *INTERVAL), columns, lines)


def top(daemon: Daemon, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(daemon.folder, "top", *INTERVAL, *options),
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds(),
    )


@pytest.fixture
def daemon(serve: MakeDaemon, ledger: Ledger, gates: Gates) -> Daemon:
    """One of its workers has been killed, and one is held by a request."""
    env = {**ledger.env, **gates.env}
    daemon = serve("ledger", "--bind", "127.0.0.1:0", "--workers", str(WORKERS), env=env)
    victim = daemon.worker_pids[0]
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: victim not in daemon.worker_pids and len(daemon.worker_pids) == WORKERS, "another worker")
    return daemon


def test_the_screen_under_load(daemon: Daemon, ledger: Ledger, gates: Gates) -> None:
    with ExitStack() as stack:
        small, large = stack.enter_context(watch(daemon, 80, 24)), stack.enter_context(watch(daemon, 200, 50))
        held = stack.enter_context(Connection(daemon.address))
        held.ask(f"/slow?gate={gates.make('held')}")
        gates.wait_until_held("held")
        with Load(daemon.address, mixed(milliseconds=5), clients=6):
            for terminal in (small, large):
                lines = terminal.wait_for(lambda lines: is_complete(lines) and is_busy(lines), "all of it, under load")
                assert_well_formed(lines, daemon)
                assert re.fullmatch(rf"wsgid {daemon.pid}   up \d+ s   {daemon.url} +\d\d:\d\d:\d\d  q: quit", lines[0])
                assert re.search(r"\d s  .*GET /slow\?gate=held$", row_of(held_by(lines), lines))
                died = [line for line in lines if line.endswith("signal: killed by SIGKILL")]
                assert len(died) == 1
            small.resize(60, 20)
            lines = small.wait_for(lambda lines: lines[0].endswith("q: quit") and len(lines[0]) == 60, "the new size")
            assert_well_formed(small.wait_for(is_complete, "all of it"), daemon)
        lines = large.wait_for(lambda lines: lines[1].startswith("0 requests/s"), "the end of the load")
        ledger.look()
        done = {
            pid: sum(each.pid == pid and each.number in ledger.ended for each in ledger.begun) for pid in pids(daemon)
        }
        served = {pid: int(row_of(pid, lines).split()[3]) for pid in pids(daemon)}
        assert served == done, "as many as the application has really served"
        small.press(b"x")
        assert small.process.poll() is None
        small.press(b"q")
        assert small.end() == 0
        large.press(CTRL_C)
        assert large.end() == 0
        gates.release("held")
        assert held.answer().status == 200


def pids(daemon: Daemon) -> list[int]:
    return daemon.worker_pids


def row_of(worker: int, lines: list[str]) -> str:
    [row] = [line for line in lines if line.startswith(f"{worker} ")]
    return row


def held_by(lines: list[str]) -> int:
    [row] = [line for line in lines if "GET /slow?gate=held" in line]
    return int(row.split()[0])


def is_complete(lines: list[str]) -> bool:
    """All that there can be to see is there."""
    text = "\n".join(lines)
    return "1 worker ended:   1 signal" in text and "wait  " in text and "WORKER " in text


def is_busy(lines: list[str]) -> bool:
    """It has been watched for a while: both spans are there, and both have times."""
    service = next((line for line in lines if line.startswith("service ")), "")
    return len(re.findall(r"\d+ m?s", service)) == 6 and not lines[1].startswith("0 ")


def assert_well_formed(lines: list[str], daemon: Daemon) -> None:
    """Each line is of one of the kinds that there are, in their order: none has been broken."""
    kinds = [
        r"wsgid \d+   .*q: quit",
        r"[\d.]+ requests/s   \d+ queued(, the first for [\d.]+ m?s)?(   \d of 4 threads busy(   \d+ M)?)?",
        r"last [\d.]+ m?s   2xx 100 %",
        r" +last [\d.]+ m?s( +last [\d.]+ m?s)?",
        r"( +p50 +p95 +p99)+",
        r"(wait|service)( +([\d.]+ m?s|-))+",
        r"WORKER .*REQUEST",
        r"\d+ +(busy|ready)( .*)?",
        r"1 worker ended:   1 signal",
        r"\d\d:\d\d:\d\d  worker \d+  signal: killed by SIGKILL",
    ]
    left = [line for line in lines if line]
    for kind in kinds:
        while left and re.fullmatch(kind, left[0]):
            left.pop(0)
    assert not left, "\n".join(lines)
    assert {int(line.split()[0]) for line in lines if re.match(r"\d+ +(busy|ready)\b", line)} == {*daemon.worker_pids}


def test_without_a_terminal(daemon: Daemon) -> None:
    """Into a pipe, or a file."""
    done = top(daemon)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert lines[0].startswith(f"wsgid {daemon.pid}   up ")
    assert {int(line.split()[0]) for line in lines if re.match(r"\d+ +(busy|ready)\b", line)} == {*daemon.worker_pids}
    told = figures(top(daemon, "--json", "--once").stdout)
    assert {each["pid"] for each in told["workers"]} == {*daemon.worker_pids}
    assert told["deaths"]["signal"] == 1
    assert all(each["rss"] > 2**20 for each in told["workers"])


def figures(line: str) -> dict[str, Any]:
    return dict(json.loads(line))

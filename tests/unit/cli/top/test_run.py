"""What is written where there is no screen, and how it ends."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.deadlines import seconds
from tests.functional.daemon import command, environment
from tests.functional.screen import Terminal
from tests.unit.channel.counted import NOTHING
from tests.unit.cli.standing_in import answering, living_master
from wsgid.app import WsgidApp
from wsgid.channel.commands import Report, Served, WorkerReport, WorkerState, line
from wsgid.cli.complaints import CannotDo
from wsgid.cli.top import run
from wsgid.cli.top.reading import read
from wsgid.cli.top.run import top


def report(pid: int) -> bytes:
    serving = [Served("5f3a-1", "GET", "/report", "127.0.0.1", 3.2)]
    workers = [WorkerReport(pid, WorkerState.BUSY, 1, 1, 7, serving)]
    return line(Report(os.getpid(), ["http://127.0.0.1:8000"], False, 1, 0, 1, workers, 0, 0.0, NOTHING))


def options(app: WsgidApp, **more: object) -> dict[str, object]:
    return {"app_path": str(app.path), "interval": 0.1, **more}


def test_once(app: WsgidApp, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with living_master(app, workers=1) as master:
        with answering(master.run_dir, *[[report(master.workers[0])]] * 2):
            assert top(options(app, once=True)) == 0
        [worker] = master.workers
        lines = [each.rstrip() for each in capsys.readouterr().out.splitlines()]
    assert lines[0].startswith(f"wsgid {master.pid}   up 0 s   http://127.0.0.1:8000   ")
    assert lines[1].startswith("0 requests/s   0 queued   1 of 1 thread busy   ")
    [row] = [each for each in lines if each.startswith(f"{worker} ")]
    assert row.endswith(" 3.20 s  GET /report")


def test_without_a_terminal_it_is_once(app: WsgidApp, capsys: pytest.CaptureFixture[str]) -> None:
    with living_master(app) as master:
        assert top(options(app)) == 0
        assert capsys.readouterr().out.startswith(f"wsgid {master.pid} does not answer  ")


def test_json(app: WsgidApp, capsys: pytest.CaptureFixture[str]) -> None:
    with living_master(app, workers=1) as master:
        with answering(master.run_dir, *[[report(master.workers[0])]] * 2):
            assert top(options(app, once=True, json=True)) == 0
        told = json.loads(capsys.readouterr().out)
    [worker] = told["workers"]
    assert (worker["pid"], worker["state"], worker["request"]["target"]) == (master.workers[0], "busy", "/report")
    assert worker["rss"] > 2**20
    assert told["daemons"][0]["rss"] > worker["rss"]
    assert told["last"]["seconds"] >= 0.1


def test_lines_go_on_until_ctrl_c(
    app: WsgidApp, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[object] = []

    def look(app: WsgidApp, pid: object) -> object:
        looks.append(pid)
        if len(looks) == 4:
            raise KeyboardInterrupt
        return read(app, pid)

    monkeypatch.setattr(run, "read", look)
    with living_master(app):
        assert top(options(app, json=True)) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_nothing_runs(app: WsgidApp) -> None:
    with pytest.raises(CannotDo, match=f"^nothing runs on {app.path}$") as caught:
        top(options(app))
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("interval", [0.0, -1.0, 0.09, 3601.0, float("nan"), float("inf")])
def test_intervals_that_cannot_be(app: WsgidApp, interval: float) -> None:
    with pytest.raises(CannotDo, match=r"is not between 0\.1 and 3600 seconds$") as caught:
        top(options(app, interval=interval))
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("term", ["dumb", None])
def test_a_terminal_without_a_cursor_is_none(term: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.delenv("TERM", raising=False)
    if term is not None:
        monkeypatch.setenv("TERM", term)
    assert not run._on_a_screen()
    monkeypatch.setenv("TERM", "xterm")
    assert run._on_a_screen()


def test_memory_of_a_process_that_has_ended(app: WsgidApp, tmp_path: Path) -> None:
    with living_master(app, workers=1) as master:
        (app.worker_piddir / "4194305.pid").touch()
        reading = read(app, None)
    assert set(reading.rss) == {master.pid, *master.workers}


def test_on_a_screen_until_q(app: WsgidApp) -> None:
    watching = command(app.path, "top", "--interval", "0.1")
    with living_master(app, workers=1) as master, Terminal(watching, 80, 24) as terminal:
        terminal.wait_for(lambda lines: lines[0].startswith(f"wsgid {master.pid} does not answer "), "the screen")
        os.kill(master.pid, signal.SIGTERM)
        terminal.wait_for(lambda lines: lines[0].startswith("nothing runs on /"), "the end of the daemon")
        terminal.press(b"q")
        assert terminal.end() == 0


def test_nobody_reads_any_more(app: WsgidApp) -> None:
    lines = [*command(app.path, "top", "--interval", "0.1"), "--json"]
    with living_master(app), subprocess.Popen(lines, env=environment(), stdout=subprocess.PIPE) as reading:
        assert reading.stdout is not None
        assert reading.stdout.readline().startswith(b'{"at":')
        reading.stdout.close()
        assert reading.wait(seconds()) == 0

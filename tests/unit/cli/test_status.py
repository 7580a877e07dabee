import json
from pathlib import Path

import pytest

from tests.unit.channel.counted import NOTHING
from tests.unit.cli.standing_in import answering, living_master
from wsgid.app import WsgidApp
from wsgid.channel.commands import Report, WorkerReport, WorkerState, line
from wsgid.cli.complaints import CannotDo
from wsgid.cli.status import status


def test_running(app: WsgidApp, capsys: pytest.CaptureFixture[str]) -> None:
    with living_master(app, workers=2) as master:
        assert status({"app_path": str(app.path)}) == 0
    assert capsys.readouterr().out.splitlines()[:3] == [
        "Status: Running",
        f"Master pids: {master.pid}",
        f"Worker pids: {', '.join(map(str, sorted(master.workers)))}",
    ]


def test_stopped(app: WsgidApp, capsys: pytest.CaptureFixture[str]) -> None:
    (app.master_piddir / "4194305.pid").touch()
    assert status({"app_path": str(app.path)}) == 3
    assert capsys.readouterr().out == "Status: Stopped\nMaster pids: 4194305 (dead)\nWorker pids: none\n"


def test_a_master_without_workers(app: WsgidApp, capsys: pytest.CaptureFixture[str]) -> None:
    with living_master(app):
        assert status({"app_path": str(app.path)}) == 4
    assert capsys.readouterr().out.startswith("Status: Stopped\n")


def test_json(app: WsgidApp, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(7, ["http://x"], False, 0, 0, 0, [WorkerReport(8, WorkerState.HUNG, 1, 1, 0, [])], 0, 0.0, NOTHING)
    with living_master(app) as master, answering(master.run_dir, [line(report)]):
        assert status({"app_path": str(app.path), "json": True}) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["status"] == "Running"
    assert told["app_path"] == str(app.path)
    [daemon] = told["daemons"]
    assert (daemon["pid"], daemon["source"], daemon["dispatcher"]) == (master.pid, "control socket", 7)
    assert daemon["workers"] == [{"pid": 8, "state": "hung", "threads": 1, "busy": 1, "served": 0, "serving": []}]


def test_one_of_several(app: WsgidApp, capsys: pytest.CaptureFixture[str]) -> None:
    with living_master(app, workers=1), living_master(app) as idle:
        assert status({"app_path": str(app.path), "pid": str(idle.pid)}) == 4
        assert capsys.readouterr().out.splitlines()[:3] == [
            "Status: Stopped",
            f"Master pids: {idle.pid}",
            "Worker pids: none",
        ]
    with pytest.raises(CannotDo) as caught:
        status({"app_path": str(app.path), "pid": str(idle.pid)})
    assert caught.value.exit_code == 3


def test_a_folder_whose_name_is_not_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "caf\udce9"
    (folder / "app").mkdir(parents=True)
    assert status({"app_path": str(folder), "json": True}) == 3
    assert json.loads(capsys.readouterr().out)["app_path"] == rf"{tmp_path}/caf\udce9"

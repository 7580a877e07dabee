import json
import os
from pathlib import Path

import pytest

from tests.unit.cli.standing_in import living_master
from tests.unit.master.privileges import as_nobody, open_to_all
from wsgid.app import WsgidApp
from wsgid.cli.complaints import CannotDo
from wsgid.cli.daemons import Daemon, Found, folder, look, look_for, parent, running

NO_PROCESS = 2**22 + 1
"""Above the largest pid of Linux (proc_sys_kernel(5), "pid_max")."""


def leave_pid_file(folder: Path, pid: int) -> None:
    (folder / f"{pid}.pid").write_text(f"{pid}\n")


# The folder


def test_the_folder_is_found_as_by_a_start(app: WsgidApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    assert folder({"app_path": str(app.path)}).rundir == app.path / "run"
    assert folder({"app_path": str(app.path), "run_dir": str(tmp_path)}).rundir == tmp_path
    monkeypatch.setenv("WSGID_APP_PATH", str(app.path))
    assert folder({}).path == app.path
    (app.path / "wsgid.json").write_text(json.dumps({"run_dir": "../elsewhere"}))
    assert folder({}).rundir.samefile(tmp_path / "elsewhere")
    monkeypatch.setenv("WSGID_RUN_DIR", str(tmp_path))
    assert folder({}).rundir == tmp_path


def test_whatever_else_is_wrong_with_the_options(app: WsgidApp, capsys: pytest.CaptureFixture[str]) -> None:
    (app.path / "wsgid.json").write_text('{"workers": "many", "wrokers": 2, "envs": 7}')
    assert folder({"app_path": str(app.path)}).path == app.path
    assert capsys.readouterr().err == ""
    (app.path / "wsgid.json").write_text('{"run_dir": ')
    assert folder({"app_path": str(app.path)}).path == app.path
    told = capsys.readouterr().err
    assert told.startswith(f"wsgid: {app.path}/wsgid.json, line 1, column 13: not valid JSON")
    assert told.endswith("; so a run_dir in it is not known here\n")


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotDo, match=f"^{tmp_path} is no app folder") as caught:
        folder({"app_path": str(tmp_path)})
    assert caught.value.exit_code == 2
    with pytest.raises(CannotDo, match=r"^--app-path: .* is not a directory") as caught:
        folder({"app_path": str(tmp_path / "no")})
    assert caught.value.exit_code == 2


def test_a_folder_whose_code_is_gone_will_do(app: WsgidApp) -> None:
    """A release is being exchanged, say: its daemons can be stopped all the same."""
    app.appdir.rmdir()
    assert folder({"app_path": str(app.path)}).path == app.path


# Who lives


def test_nobody(app: WsgidApp, tmp_path: Path) -> None:
    assert look(app) == Found((), (), ())
    assert look(WsgidApp(tmp_path)) == Found((), (), ())


def test_the_living_and_the_dead(app: WsgidApp) -> None:
    leave_pid_file(app.master_piddir, NO_PROCESS)
    leave_pid_file(app.worker_piddir, NO_PROCESS)
    with living_master(app, workers=2) as one, living_master(app, workers=1) as two, living_master(app, 1) as dead:
        dead.kill()
        found = look(app)
        expected = {each.pid: tuple(sorted(each.workers)) for each in (one, two)}
        assert {each.pid: each.workers for each in found.daemons} == expected
        assert [each.pid for each in found.daemons] == sorted(expected)
        assert found.dead_masters == tuple(sorted((dead.pid, NO_PROCESS)))
        assert found.stray_workers == (dead.workers[0], NO_PROCESS)


def test_a_process_that_has_the_pid_of_a_dead_master_is_none(app: WsgidApp) -> None:
    leave_pid_file(app.master_piddir, os.getpid())
    (app.rundir / str(os.getpid())).mkdir()
    (app.rundir / str(os.getpid()) / "lock").touch()
    assert look(app) == Found((), (os.getpid(),), ())


def test_when_it_started(app: WsgidApp) -> None:
    with living_master(app) as master:
        [daemon] = look(app).daemons
        assert daemon.since == (master.run_dir / "lock").stat().st_mtime


def test_others_see_what_the_pid_files_tell(app: WsgidApp) -> None:
    open_to_all(app.path)
    leave_pid_file(app.master_piddir, NO_PROCESS)
    with living_master(app, workers=1) as master:
        app.rundir.chmod(0)
        try:
            with as_nobody():
                found = look(app)
        finally:
            app.rundir.chmod(0o700)
        pid_file = app.master_piddir / f"{master.pid}.pid"
        assert found.daemons == (Daemon(master.pid, pid_file.stat().st_mtime, tuple(master.workers)),)
    assert found.dead_masters == (NO_PROCESS,)
    assert found.stray_workers == ()


def test_a_run_folder_that_cannot_be_read_is_told(app: WsgidApp) -> None:
    app.rundir.rmdir()
    app.rundir.symlink_to(app.rundir)
    with pytest.raises(CannotDo, match=f"^{app.rundir} cannot be read: Too many levels of symbolic links$"):
        look(app)


# --pid


def test_one_of_several(app: WsgidApp) -> None:
    leave_pid_file(app.master_piddir, NO_PROCESS)
    with living_master(app) as one, living_master(app) as two:
        assert {each.pid for each in look_for(None, app).daemons} == {one.pid, two.pid}
        found = look_for(str(one.pid), app)
        assert [each.pid for each in found.daemons] == [one.pid]
        assert found.dead_masters == ()
        for text, message, code in [
            ("x", "^--pid: 'x' is not a process id$", 2),
            ("-1", "^--pid: '-1' is not a process id$", 2),
            ("9" * 5000, f"^--pid: 9+ is no master on {app.path}: those that run there are ", 3),
            (str(NO_PROCESS), f"^--pid: the daemon {NO_PROCESS} on {app.path} is dead$", 3),
            (str(os.getpid()), f"^--pid: {os.getpid()} is no master on {app.path}: those that run there are ", 3),
        ]:
            with pytest.raises(CannotDo, match=message) as caught:
                look_for(text, app)
            assert caught.value.exit_code == code


# Processes


def test_processes() -> None:
    assert running(os.getpid())
    assert parent(os.getpid()) == os.getppid()
    assert not running(NO_PROCESS)
    assert parent(NO_PROCESS) == 0


def test_a_zombie_does_not_run() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert not running(child)
    assert parent(child) == os.getpid()
    os.waitpid(child, 0)

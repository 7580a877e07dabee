import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cli.standing_in import app_folder, bystander, living_master
from tests.unit.master.locks import hold
from tests.unit.master.privileges import as_nobody, open_to_all
from wsgid.app import WsgidApp
from wsgid.instances import DIRECTORY, has_lock, instances, is_dead, locked, workers_of


@pytest.fixture
def app(tmp_path: Path) -> WsgidApp:
    return app_folder(tmp_path / "site")


@pytest.fixture
def run(app: WsgidApp) -> Iterator[int]:
    descriptor = os.open(app.rundir, DIRECTORY)
    yield descriptor
    os.close(descriptor)


def test_only_directories_named_by_a_pid_count(app: WsgidApp, run: int) -> None:
    for name in ("12", "7", "x", "²", "1.sock"):
        (app.rundir / name).mkdir()
    assert sorted(instances(run)) == ["12", "7"]


def test_a_daemon_lives_as_long_as_its_master(app: WsgidApp, run: int) -> None:
    with living_master(app, workers=2) as master:
        name = str(master.pid)
        assert instances(run) == [name]
        assert not is_dead(name, run)
        assert workers_of(name, run) == set(master.workers)
        master.kill()
        assert is_dead(name, run)
        assert workers_of(name, run) == set(master.workers)


def test_one_without_a_lock_is_dead(app: WsgidApp, run: int) -> None:
    (app.rundir / "12").mkdir()
    assert is_dead("12", run)
    assert workers_of("12", run) == set()


def test_those_who_only_look_do_not_disturb_each_other(app: WsgidApp, run: int) -> None:
    (app.rundir / "12").mkdir()
    (app.rundir / "12" / "lock").touch()
    with open(app.rundir / "12" / "lock") as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        assert is_dead("12", run)
    let_go = hold(app.rundir / "12" / "lock")
    assert not is_dead("12", run)
    let_go()


def test_a_lock_on_the_folder_is_let_go(app: WsgidApp, run: int) -> None:
    with locked(run, fcntl.LOCK_SH):
        assert not _is_free(app.rundir)
    assert _is_free(app.rundir)


def _is_free(path: Path) -> bool:
    descriptor = os.open(path, DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def test_who_has_the_lock(app: WsgidApp, run: int) -> None:
    with living_master(app, workers=1) as master:
        name = str(master.pid)
        assert has_lock(master.pid, name, run)
        assert not has_lock(os.getpid(), name, run)
        assert not has_lock(master.workers[0], name, run), "a child that has it would make a dead master look alive"
        master.kill()
        assert not has_lock(master.pid, name, run)


def test_who_has_the_lock_where_inodes_have_two_numbers(
    app: WsgidApp, run: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wsgid.instances._is_listed", lambda pid, inode: False)
    test_who_has_the_lock(app, run)


def test_a_process_that_may_not_be_looked_at_does_not_have_it(app: WsgidApp, run: int) -> None:
    """But a master that may not be looked at, because it has dropped root's rights, has it."""
    with living_master(app) as master, bystander() as other:
        open_to_all(master.run_dir)
        open_to_all(app.rundir)
        with as_nobody():
            assert has_lock(master.pid, str(master.pid), run)
            assert not has_lock(other.pid, str(master.pid), run)

"""Run directories of several masters; a dead one is one whose lock nobody holds."""

import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.deadlines import wait_for
from tests.unit.master.locks import hold, is_waited_for
from tests.unit.master.privileges import as_nobody, open_to_all
from wsgid.app import WsgidApp
from wsgid.master.errors import CannotStart
from wsgid.master.run_dir import RunDir
from wsgid.upload_journal import UploadJournal


@pytest.fixture
def app(tmp_path: Path) -> WsgidApp:
    app = WsgidApp(tmp_path)
    app.create_folders()
    return app


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def live(stack: ExitStack, app: WsgidApp, pid: int, *workers: int) -> RunDir:
    """A running daemon, until the end of the test."""
    run_dir = RunDir(app, pid)
    stack.callback(run_dir.remove)
    for worker in workers:
        run_dir.add_worker(worker)
    return run_dir


def die(app: WsgidApp, pid: int, *workers: int) -> None:
    """A daemon that was killed: its descriptors are closed, and that is all."""
    run_dir = RunDir(app, pid)
    for worker in workers:
        run_dir.add_worker(worker)
    run_dir.close_in_child()
    os.close(run_dir.fd)


def instances(app: WsgidApp) -> list[str]:
    return sorted(path.name for path in app.rundir.iterdir())


def test_made_for_its_owner_only(stack: ExitStack, app: WsgidApp) -> None:
    live(stack, app, 100)
    path = app.rundir / "100"
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE((path / "lock").stat().st_mode) == 0o600
    assert app.master_pids() == [100]


def test_its_descriptor_is_the_directory(stack: ExitStack, app: WsgidApp) -> None:
    run_dir = live(stack, app, 100)
    assert os.path.samestat(os.fstat(run_dir.fd), (app.rundir / "100").stat())
    assert not os.get_inheritable(run_dir.fd)


def test_locked_until_it_is_removed(stack: ExitStack, app: WsgidApp) -> None:
    run_dir = RunDir(app, 100)
    with open(app.rundir / "100" / "lock", "rb") as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        run_dir.remove()
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_workers_come_and_go(stack: ExitStack, app: WsgidApp) -> None:
    run_dir = live(stack, app, 100, 101, 102)
    assert app.worker_pids() == [101, 102]
    run_dir.remove_worker(101)
    assert app.worker_pids() == [102]
    assert os.listdir(app.rundir / "100" / "workers") == ["102"]
    run_dir.remove_worker(101)
    assert app.worker_pids() == [102]


def test_removed_with_all_that_is_in_it(app: WsgidApp) -> None:
    run_dir = RunDir(app, 100)
    run_dir.add_worker(101)
    (app.rundir / "100" / "channel.sock").touch()
    run_dir.remove()
    assert (instances(app), app.master_pids(), app.worker_pids()) == ([], [], [])


def test_the_dead_are_buried(stack: ExitStack, app: WsgidApp) -> None:
    die(app, 100, 101, 102)
    (app.rundir / "100" / "channel.sock").touch()
    live(stack, app, 200, 201)
    assert (instances(app), app.master_pids(), app.worker_pids()) == (["200"], [200], [201])


def test_a_dead_one_of_our_own_pid_is_buried(stack: ExitStack, app: WsgidApp) -> None:
    """In a container the master is process 1 each time."""
    die(app, 1, 7)
    live(stack, app, 1)
    assert (instances(app), app.master_pids(), app.worker_pids()) == (["1"], [1], [])


def test_uploads_of_the_dead_are_removed_and_those_of_the_living_stay(stack: ExitStack, app: WsgidApp) -> None:
    store = app.path / "store"
    store.mkdir()
    for pid in (100, 200):
        (store / str(pid)).touch()
        run_dir = RunDir(app, pid)
        journal = UploadJournal(run_dir.fd)
        journal.note(bytes(store / str(pid)))
        journal.close()
        if pid == 100:
            run_dir.close_in_child()
            os.close(run_dir.fd)
    live(stack, app, 300)
    assert (instances(app), os.listdir(store)) == (["200", "300"], ["200"])
    run_dir.remove()
    assert os.listdir(store) == []


def test_the_living_are_left_alone(stack: ExitStack, app: WsgidApp) -> None:
    live(stack, app, 100, 101)
    live(stack, app, 200, 201)
    assert (instances(app), app.master_pids(), app.worker_pids()) == (["100", "200"], [100, 200], [101, 201])


def test_a_pid_file_that_a_living_daemon_took_over_stays(stack: ExitStack, app: WsgidApp) -> None:
    """The dead daemon's worker had the pid that a living daemon's worker has now."""
    die(app, 100, 101)
    dead = app.rundir / "100"
    dead.rename(app.rundir / "hidden")
    live(stack, app, 200, 101)
    (app.rundir / "hidden").rename(dead)
    live(stack, app, 300)
    assert (instances(app), app.worker_pids()) == (["200", "300"], [101])


@pytest.mark.parametrize("missing", ["lock", "workers"])
def test_one_that_was_killed_while_it_was_made(stack: ExitStack, app: WsgidApp, missing: str) -> None:
    die(app, 100)
    path = app.rundir / "100" / missing
    path.unlink() if path.is_file() else path.rmdir()
    live(stack, app, 200)
    assert instances(app) == ["200"]


def test_one_that_is_just_being_made_is_not_taken_for_dead(stack: ExitStack, app: WsgidApp) -> None:
    release = hold(app.rundir)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(live, stack, app, 200)
        wait_for(lambda: is_waited_for(app.rundir), "the other daemon to wait")
        (app.rundir / "100").mkdir()
        stack.callback(hold_new_file(app.rundir / "100" / "lock"))
        release()
        other.result()
    assert instances(app) == ["100", "200"]


def hold_new_file(path: Path) -> Callable[[], None]:
    path.touch()
    return hold(path)


def test_other_files_in_run_are_none_of_ours(stack: ExitStack, app: WsgidApp) -> None:
    (app.rundir / "database.sock").touch()
    (app.rundir / "cache").mkdir()
    live(stack, app, 200)
    assert instances(app) == ["200", "cache", "database.sock"]


def test_the_same_pid_twice(stack: ExitStack, app: WsgidApp) -> None:
    """Two containers that share the folder."""
    live(stack, app, 1)
    with pytest.raises(CannotStart, match=r"run/1 belongs to a running daemon with the same process id, in another"):
        RunDir(app, 1)
    assert app.master_pids() == [1]


def test_no_place_for_it(app: WsgidApp) -> None:
    app.rundir.rmdir()
    with pytest.raises(
        CannotStart, match=r"run/100 or a pid file cannot be made: No such file or directory; run wsgid"
    ):
        RunDir(app, 100)


def test_no_pid_file_no_run_directory(app: WsgidApp) -> None:
    (app.master_piddir / ".100.new").mkdir()
    with pytest.raises(CannotStart, match="run/100 or a pid file cannot be made: Is a directory"):
        RunDir(app, 100)
    assert instances(app) == []


def test_its_path_is_short_with_and_without_proc(stack: ExitStack, app: WsgidApp) -> None:
    run_dir = live(stack, app, 100)
    assert os.path.samestat(os.stat(run_dir.path), (app.rundir / "100").stat())
    assert len(run_dir.path) < 40
    jailed = RunDir(app, 200, jailed=True)
    stack.callback(jailed.remove)
    assert jailed.path == str(app.rundir / "200")


def test_somebody_elses_is_left_alone(stack: ExitStack, app: WsgidApp) -> None:
    die(app, 100, 101)
    for folder in (app.path, app.rundir, app.master_piddir, app.worker_piddir):
        open_to_all(folder)
    if os.geteuid() != 0:
        (app.rundir / "100").chmod(0)  # as good as another user's
    with as_nobody():
        run_dir = RunDir(app, 200)
        assert (instances(app), app.worker_pids()) == (["100", "200"], [101])
        run_dir.remove()
    (app.rundir / "100").chmod(0o700)


def test_a_child_that_lets_go_keeps_the_directory_itself(app: WsgidApp) -> None:
    run_dir = RunDir(app, 100)
    run_dir.close_in_child()
    assert "lock" in os.listdir(run_dir.fd)
    os.close(run_dir.fd)

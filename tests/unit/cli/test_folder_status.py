import os
import time

from tests.unit.channel.counted import NOTHING
from tests.unit.cli.standing_in import answering, living_master
from wsgid.app import WsgidApp
from wsgid.channel.commands import Report, Served, WorkerReport, WorkerState, line
from wsgid.cli.daemons import Found, look
from wsgid.cli.folder_status import DaemonStatus, FolderStatus, WorkerStatus, describe

SERVED = Served("id-1", "GET", "/", "127.0.0.1", 1.5)


def report(*workers: WorkerReport, draining: bool = False) -> Report:
    return Report(4242, ["http://127.0.0.1:8000"], draining, 3, 2, 1, list(workers), 7, 0.5, NOTHING)


def test_nothing(app: WsgidApp) -> None:
    assert describe(Found((), (), ()), app) == FolderStatus("Stopped", str(app.path), [], [], [], [])


def test_what_the_dispatcher_says(app: WsgidApp) -> None:
    with living_master(app, workers=2) as master:
        first, second = sorted(master.workers)
        said = line(report(WorkerReport(second, WorkerState.BUSY, 2, 1, 40, [SERVED])))
        with answering(master.run_dir, [said]):
            told = describe(look(app), app)
    assert told.status == "Running"
    [daemon] = told.daemons
    assert 0 <= daemon.uptime < 3600
    assert daemon == DaemonStatus(
        pid=master.pid,
        source="control socket",
        uptime=daemon.uptime,
        workers=[WorkerStatus(first, "starting"), WorkerStatus(second, "busy", 2, 1, 40, [SERVED])],
        dispatcher=4242,
        addresses=["http://127.0.0.1:8000"],
        draining=False,
        unfinished=3,
        queued=2,
        busy=1,
        unnamed=7,
        longest_wait=0.5,
        counts=NOTHING,
        metrics=[],
    )


def test_a_worker_that_does_not_call_any_more_is_leaving_while_the_daemon_stops(app: WsgidApp) -> None:
    with living_master(app, workers=1) as master, answering(master.run_dir, [line(report(draining=True))]):
        told = describe(look(app), app)
    assert told.daemons[0].workers == [WorkerStatus(master.workers[0], "leaving")]


def test_what_the_pid_files_say(app: WsgidApp) -> None:
    with living_master(app, workers=2) as master:
        first, second = sorted(master.workers)
        found = look(app)
        with living_master(app) as without_workers:
            told = describe(look(app), app)
        assert {each.pid: each.source for each in told.daemons} == {
            master.pid: "pid files",
            without_workers.pid: "pid files",
        }
        assert told.status == "Running"
        [with_workers] = (each for each in told.daemons if each.workers)
        assert with_workers.workers == [WorkerStatus(first, "unknown"), WorkerStatus(second, "unknown")]
        assert with_workers.queued is None
    assert time.time() >= found.daemons[0].since


def test_a_worker_that_is_dead_but_not_yet_buried(app: WsgidApp) -> None:
    with living_master(app) as master:
        (master.run_dir / "workers" / "4194305").touch()
        told = describe(look(app), app)
        assert (told.status, told.daemons[0].workers) == ("Stopped", [WorkerStatus(4194305, "dead")])


def test_a_master_without_a_worker_is_stopped(app: WsgidApp) -> None:
    with living_master(app):
        told = describe(look(app), app)
        assert (told.status, len(told.daemons)) == ("Stopped", 1)


def test_a_clock_that_was_set_back(app: WsgidApp) -> None:
    with living_master(app) as master:
        os.utime(master.run_dir / "lock", (2**33, 2**33))
        assert describe(look(app), app).daemons[0].uptime == 0


def test_what_dead_ones_leave(app: WsgidApp) -> None:
    with living_master(app, workers=1) as master:
        (app.worker_piddir / "4194305.pid").touch()
        master.kill()
        told = describe(look(app), app)
        assert told == FolderStatus("Stopped", str(app.path), [], [master.pid], [4194305], master.workers)

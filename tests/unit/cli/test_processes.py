import os
import select
import signal
from pathlib import Path

import pytest

from tests.deadlines import seconds, wait_for
from tests.unit.cli.standing_in import bystander, living_master
from tests.unit.master.privileges import as_nobody, open_to_all
from wsgid.app import WsgidApp
from wsgid.cli.complaints import CannotDo
from wsgid.cli.daemons import running
from wsgid.cli.processes import Gone, master, signal_named, worker

NO_PROCESS = 2**22 + 1


def test_a_master_gets_its_signal_and_its_end_is_seen(app: WsgidApp) -> None:
    with living_master(app) as living, master(living.pid, app) as held:
        held.send(signal.SIGTERM)
        assert select.select([held], [], [], seconds()) == ([held], [], [])
        assert living.process.wait() == 0
        with pytest.raises(Gone):
            held.send(signal.SIGTERM)


def test_a_master_that_has_ended_meanwhile(app: WsgidApp, tmp_path: Path) -> None:
    with living_master(app) as living:
        living.kill()
        with pytest.raises(Gone), master(living.pid, app):
            pass
    with pytest.raises(Gone), master(NO_PROCESS, WsgidApp(tmp_path)):
        pass


def test_whoever_has_the_pid_of_a_dead_master_gets_nothing(app: WsgidApp) -> None:
    with living_master(app) as living, bystander() as other:
        living.kill()
        living.run_dir.rename(app.rundir / str(other.pid))
        with pytest.raises(Gone), master(other.pid, app):
            pass


@pytest.mark.parametrize("there_is_such_a_pid_here", [True, False])
def test_whoever_has_the_pid_of_a_master_elsewhere_gets_nothing(app: WsgidApp, there_is_such_a_pid_here: bool) -> None:
    """In another container, on a folder that both see. Here the master is one of this machine, but by another pid."""
    with living_master(app) as living:
        pid = os.getpid() if there_is_such_a_pid_here else NO_PROCESS
        living.run_dir.rename(app.rundir / str(pid))
        with pytest.raises(CannotDo, match=f"^the daemon {pid} lives, but is not the process"), master(pid, app):
            pass
        (app.rundir / str(pid)).rename(living.run_dir)


def test_a_master_of_another_user(app: WsgidApp) -> None:
    message = "belongs to another user: run this command as that user or as root$"
    open_to_all(app.path)
    with living_master(app) as living:
        app.rundir.chmod(0)
        with as_nobody(), pytest.raises(CannotDo, match=message), master(living.pid, app):
            pass
        app.rundir.chmod(0o755)
        with as_nobody(), pytest.raises(CannotDo, match=message), master(living.pid, app):
            pass
        app.rundir.chmod(0o700)


def test_the_kernel_has_the_last_word(app: WsgidApp, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(signal, "pidfd_send_signal", refuse)
    with living_master(app) as living, master(living.pid, app) as held:
        with pytest.raises(CannotDo, match="belongs to another user"):
            held.send(signal.SIGTERM)
        assert living.process.poll() is None


def test_a_worker_is_a_child_of_its_master(app: WsgidApp) -> None:
    with living_master(app, workers=1) as living:
        [pid] = living.workers
        with pytest.raises(Gone), worker(pid, of=os.getpid()):
            pass
        with pytest.raises(Gone), worker(NO_PROCESS, of=living.pid):
            pass
        with worker(pid, of=living.pid) as held:
            held.send(signal.SIGTERM)
        wait_for(lambda: not running(pid), "the worker to end")


@pytest.mark.parametrize("text", ["15", "TERM", "SIGTERM", "term", "SigTerm"])
def test_signals_have_numbers_and_names(text: str) -> None:
    assert signal_named(text) is signal.SIGTERM


@pytest.mark.parametrize("text", ["", "0", "65", "-15", "SIG", "KILLL", "²", "9" * 5000])
def test_what_is_no_signal(text: str) -> None:
    with pytest.raises(CannotDo, match=r"^--send-signal: .* is no signal: give a name such as TERM") as caught:
        signal_named(text)
    assert caught.value.exit_code == 2

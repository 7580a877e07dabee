import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.deadlines import seconds, wait_for
from tests.unit.channel.counted import NOTHING
from tests.unit.cli.standing_in import answering, bystander, living_master
from wsgid.app import WsgidApp
from wsgid.channel.commands import Report, line
from wsgid.cli.complaints import CannotDo
from wsgid.cli.daemons import look, running
from wsgid.cli.stop import stop


def test_all_daemons_of_the_folder(app: WsgidApp, capsys: pytest.CaptureFixture[str]) -> None:
    with living_master(app, workers=1) as one, living_master(app) as two:
        assert stop({"app_path": str(app.path)}) == 0
        assert (one.process.wait(), two.process.wait()) == (0, 0)
    told = capsys.readouterr()
    assert sorted(told.out.splitlines()) == sorted(f"wsgid {each.pid} has ended" for each in (one, two))
    assert told.err == ""


def test_one_of_them(app: WsgidApp, capsys: pytest.CaptureFixture[str]) -> None:
    with living_master(app) as one, living_master(app) as two:
        assert stop({"app_path": str(app.path), "pid": str(one.pid)}) == 0
        assert one.process.wait() == 0
        assert running(two.pid)
        with pytest.raises(CannotDo, match="is no master on"):
            stop({"app_path": str(app.path), "pid": str(os.getpid())})
        with pytest.raises(CannotDo, match="is no master on"):
            stop({"app_path": str(app.path), "pid": str(one.pid)})
        assert running(two.pid)


def test_nothing_to_stop(app: WsgidApp, capsys: pytest.CaptureFixture[str]) -> None:
    with living_master(app) as dead:
        dead.kill()
    assert stop({"app_path": str(app.path)}) == 0
    assert capsys.readouterr() == (f"nothing runs on {app.path}\n", "")


def test_another_signal(app: WsgidApp, capsys: pytest.CaptureFixture[str]) -> None:
    with living_master(app) as master:
        assert stop({"app_path": str(app.path), "send_signal": "kill"}) == 0
        assert master.process.wait() == -signal.SIGKILL
    assert capsys.readouterr().out == f"wsgid {master.pid} has ended\n"


def test_after_a_signal_that_ends_nothing_nothing_is_waited_for(app: WsgidApp) -> None:
    with living_master(app) as master:
        assert stop({"app_path": str(app.path), "send_signal": str(int(signal.SIGCONT))}) == 0
        assert running(master.pid)


def test_without_waiting(app: WsgidApp, capsys: pytest.CaptureFixture[str]) -> None:
    with living_master(app) as master:
        os.kill(master.pid, signal.SIGSTOP)
        assert stop({"app_path": str(app.path), "no_wait": True}) == 0
        assert running(master.pid)
        os.kill(master.pid, signal.SIGCONT)
        assert master.process.wait() == 0
    assert capsys.readouterr() == ("", "")


def test_one_that_ends_before_it_gets_the_signal(
    app: WsgidApp, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with living_master(app) as master:
        seen = look(app)
        master.kill()
        monkeypatch.setattr("wsgid.cli.stop.look_for", lambda pid, app: seen)
        assert stop({"app_path": str(app.path)}) == 0
    assert capsys.readouterr() == (f"wsgid {master.pid} has ended\n", "")


def test_one_that_cannot_be_stopped_does_not_keep_the_others(app: WsgidApp, capsys: pytest.CaptureFixture[str]) -> None:
    with living_master(app) as one, living_master(app) as elsewhere, bystander() as other:
        elsewhere.run_dir.rename(app.rundir / str(other.pid))
        assert stop({"app_path": str(app.path)}) == 1
        assert one.process.wait() == 0
        assert running(elsewhere.pid)
        assert other.poll() is None
        (app.rundir / str(other.pid)).rename(elsewhere.run_dir)
    told = capsys.readouterr()
    assert told.out == f"wsgid {one.pid} has ended\n"
    assert told.err.startswith(f"wsgid: the daemon {other.pid} lives, but is not the process {other.pid} that is seen")


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    ours, theirs = pty.openpty()
    yield ours, theirs
    os.close(ours)


def test_a_terminal_is_shown_what_is_waited_for(app: WsgidApp, terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    report = line(Report(1, [], True, 3, 0, 3, [], 0, 0.0, NOTHING))
    with living_master(app) as master:
        os.kill(master.pid, signal.SIGSTOP)
        with answering(master.run_dir, [report]):
            command = start_stop(app, theirs)
            shown = b""
            while b"3 requests in progress" not in shown:
                shown += os.read(ours, 1000)
        assert f"waiting for the daemon {master.pid}, which has 3 requests in progress".encode() in shown
        os.kill(master.pid, signal.SIGCONT)
        out, _ = command.communicate(timeout=seconds())
        assert (command.returncode, out) == (0, f"wsgid {master.pid} has ended\n")


def test_an_interrupt_ends_the_waiting_alone(app: WsgidApp) -> None:
    with living_master(app) as master:
        os.kill(master.pid, signal.SIGSTOP)
        command = start_stop(app, subprocess.PIPE)
        wait_for(lambda: is_pending(master.pid, signal.SIGTERM), "the signal to be sent")
        command.send_signal(signal.SIGINT)
        _, told = command.communicate(timeout=seconds())
        assert command.returncode == 130
        assert told.startswith("wsgid: not waiting any longer: the daemons go on stopping")
        os.kill(master.pid, signal.SIGCONT)
        assert master.process.wait() == 0


def start_stop(app: WsgidApp, stderr: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "wsgid", "stop", "--app-path", str(app.path)],
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )


def is_pending(pid: int, number: signal.Signals) -> bool:
    """proc_pid_status(5), "ShdPnd"."""
    with open(f"/proc/{pid}/status") as status:
        [mask] = (each.split()[1] for each in status if each.startswith("ShdPnd:"))
    return bool(int(mask, 16) & 1 << (number - 1))

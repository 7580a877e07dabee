import signal
import socket
import subprocess
import sys

import pytest

from tests.deadlines import seconds, wait_for
from tests.unit.cli.standing_in import answering, bystander, living_master
from wsgid.app import WsgidApp
from wsgid.channel.commands import News, Noted, Refused, Restart, line
from wsgid.cli.complaints import CannotDo
from wsgid.cli.daemons import look, running
from wsgid.cli.restart import restart

FIRST = line(News("worker 1 of 1 is replaced", over=False, ok=False))
DONE = line(News("the restart is done", over=True, ok=True))
FAILED = line(News("the restart failed:\nTraceback ...\nall go on as before", over=True, ok=False))


def test_the_news_and_how_it_ends(app: WsgidApp, capsys: pytest.CaptureFixture[str]) -> None:
    with living_master(app) as master, answering(master.run_dir, [line(Noted()), FIRST, DONE]) as said:
        assert restart({"app_path": str(app.path)}) == 0
    assert said == [line(Restart())]
    assert capsys.readouterr() == (
        f"wsgid {master.pid}: worker 1 of 1 is replaced\nwsgid {master.pid}: the restart is done\n",
        "",
    )


def test_one_after_another_and_a_failure_counts(app: WsgidApp, capsys: pytest.CaptureFixture[str]) -> None:
    with living_master(app) as one, living_master(app) as two:
        first, second = sorted((one, two), key=lambda each: each.pid)
        with answering(first.run_dir, [line(Noted()), FAILED]), answering(second.run_dir, [line(Noted()), DONE]):
            assert restart({"app_path": str(app.path)}) == 1
    assert capsys.readouterr() == (
        f"wsgid {second.pid}: the restart is done\n",
        f"wsgid {first.pid}: the restart failed:\nTraceback ...\nall go on as before\n",
    )


def test_one_of_them(app: WsgidApp) -> None:
    with living_master(app), living_master(app) as two, answering(two.run_dir, [line(Noted()), DONE]):
        assert restart({"app_path": str(app.path), "pid": str(two.pid)}) == 0


def test_nothing_to_restart(app: WsgidApp) -> None:
    with pytest.raises(CannotDo, match=f"^nothing runs on {app.path}: start it with `wsgid`$") as caught:
        restart({"app_path": str(app.path)})
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([], "the connection has ended"),
        ([line(Refused("too many"))], "too many"),
        ([DONE], "it does not speak as this version of wsgid does"),
        ([line(Noted()), line(Noted())], "it does not speak as this version of wsgid does"),
    ],
)
def test_one_that_cannot_be_asked(
    app: WsgidApp, capsys: pytest.CaptureFixture[str], answers: list[bytes], why: str
) -> None:
    with living_master(app) as master, answering(master.run_dir, answers):
        assert restart({"app_path": str(app.path)}) == 1
    assert capsys.readouterr().err == (
        f"wsgid: the daemon {master.pid} cannot be asked to restart: {why}; `kill -HUP {master.pid}` asks its master "
        "directly, and the log tells how it goes\n"
    )


def test_a_dispatcher_that_dies_meanwhile(app: WsgidApp, capsys: pytest.CaptureFixture[str]) -> None:
    with living_master(app) as master, answering(master.run_dir, [line(Noted()), FIRST]):
        assert restart({"app_path": str(app.path)}) == 1
    assert capsys.readouterr().err.startswith(
        f"wsgid: the dispatcher of {master.pid} died, or left, before the restart"
    )


def test_an_interrupt_ends_the_waiting_alone(app: WsgidApp) -> None:
    with living_master(app) as master:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(master.run_dir / "control.sock"))
            listener.listen()
            listener.settimeout(seconds())
            command = subprocess.Popen(
                [sys.executable, "-u", "-m", "wsgid", "restart", "--app-path", str(app.path)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            caller, _ = listener.accept()
            with caller:
                caller.sendall(line(Noted()) + FIRST)
                assert command.stdout is not None
                assert command.stdout.readline() == f"wsgid {master.pid}: worker 1 of 1 is replaced\n"
                command.send_signal(signal.SIGINT)
                _, told = command.communicate(timeout=seconds())
        assert command.returncode == 130
        assert told.startswith(f"wsgid: not waiting any longer: the restart of {master.pid} goes on")


# The way of old


def test_a_signal_goes_to_the_workers_alone(app: WsgidApp, capsys: pytest.CaptureFixture[str]) -> None:
    with living_master(app, workers=2) as master:
        assert restart({"app_path": str(app.path), "send_signal": "TERM"}) == 0
        wait_for(lambda: not any(map(running, master.workers)), "the workers to end")
        assert running(master.pid)
        workers = ", ".join(map(str, sorted(master.workers)))
        assert capsys.readouterr() == (f"wsgid {master.pid}: SIGTERM was sent to {workers}\n", "")


def test_a_signal_for_nobody(app: WsgidApp, capsys: pytest.CaptureFixture[str]) -> None:
    with living_master(app) as master:
        assert restart({"app_path": str(app.path), "send_signal": "TERM"}) == 0
    assert capsys.readouterr().out == f"wsgid {master.pid}: no worker is there to get SIGTERM\n"


def test_whoever_has_the_pid_of_a_worker_that_is_gone_gets_nothing(app: WsgidApp) -> None:
    with living_master(app) as master, bystander() as other:
        (master.run_dir / "workers" / str(other.pid)).touch()
        assert restart({"app_path": str(app.path), "send_signal": "KILL"}) == 0
        assert other.poll() is None
        (master.run_dir / "workers" / str(other.pid)).unlink()


def test_a_master_that_ends_meanwhile(
    app: WsgidApp, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with living_master(app, workers=1) as master:
        seen = look(app)
        master.kill()
        monkeypatch.setattr("wsgid.cli.restart.look_for", lambda pid, app: seen)
        assert restart({"app_path": str(app.path), "send_signal": "TERM"}) == 1
        assert running(master.workers[0])
    assert capsys.readouterr().err == f"wsgid: the daemon {master.pid} has ended meanwhile\n"

"""What commands act on: masters in processes of their own, which do nothing but live, and whoever answers for their
dispatchers."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.deadlines import seconds
from wsgid.app import WsgidApp

MASTER = """
import os, signal, sys
from wsgid.app import WsgidApp
from wsgid.master.run_dir import RunDir

ENDING = {signal.SIGTERM, signal.SIGINT}
signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
run_dir = RunDir(WsgidApp(sys.argv[1]), os.getpid())
workers = []
settled, settle = os.pipe()
for _ in range(int(sys.argv[2])):
    pid = os.fork()
    if pid == 0:
        run_dir.close_in_child()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        os.write(settle, b".")
        signal.pause()
    os.read(settled, 1)
    run_dir.add_worker(pid)
    workers.append(pid)
print(*workers, flush=True)
signal.sigwait(ENDING)
for pid in workers:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    os.waitpid(pid, 0)
    run_dir.remove_worker(pid)
run_dir.remove()
"""
"""With the run directory, the pid files and the lock of a real one; its workers end at SIGTERM."""


@dataclass(frozen=True)
class Master:
    pid: int
    workers: list[int]
    process: subprocess.Popen[str]
    run_dir: Path

    def kill(self) -> None:
        """As the kernel does when memory is short: its workers and files stay behind."""
        self.process.kill()
        self.process.wait()


def app_folder(path: Path) -> WsgidApp:
    app = WsgidApp(path)
    app.appdir.mkdir(parents=True)
    app.create_folders()
    return app


@contextmanager
def living_master(app: WsgidApp, workers: int = 0) -> Iterator[Master]:
    process = subprocess.Popen(
        [sys.executable, "-c", MASTER, str(app.path), str(workers)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process:
        pids = [int(pid) for pid in process.stdout.readline().split()]
        assert len(pids) == workers, "the master did not come up"
        try:
            yield Master(process.pid, pids, process, app.rundir / str(process.pid))
        finally:
            process.kill()  # it may have been stopped; and what it leaves nobody will miss
            for pid in pids:
                _kill(pid)


@contextmanager
def bystander() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that is none of ours, whose pid may be taken for one."""
    with subprocess.Popen(["sleep", "1000"]) as process:
        try:
            yield process
        finally:
            process.kill()


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@contextmanager
def answering(run_dir: Path, *answers: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Says these lines to one caller after the other, each as soon as it has said something, then hangs up; gives what
    they said."""
    said: list[bytes] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(run_dir / "control.sock"))
        listener.listen()
        listener.settimeout(seconds())

        def answer() -> None:
            for lines in answers:
                caller, _ = listener.accept()
                with caller:
                    said.append(caller.recv(1000))
                    for line in lines:
                        caller.sendall(line)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield said
        finally:
            thread.join()
            (run_dir / "control.sock").unlink(missing_ok=True)

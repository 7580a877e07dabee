"""The real supervisord, with deploy/supervisord.conf."""

import getpass
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import proc
from tests.deadlines import seconds, wait_for
from tests.functional import clients
from tests.functional.conftest import MakeFolder
from tests.functional.daemon import READY, environment
from tests.functional.gate import Gates

CONF = Path(__file__).parents[2] / "deploy" / "supervisord.conf"

OF_ITS_OWN = """
[supervisord]
nodaemon=true
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
[unix_http_server]
file={folder}/control.sock
[supervisorctl]
serverurl=unix://{folder}/control.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
"""What a system's own supervisord.conf has, which includes those of programs."""


class Supervisord:
    def __init__(self, folder: Path, app_folder: Path, gates: Gates) -> None:
        self._folder = folder
        self.output = folder / "mysite.log"
        places = {
            "/srv/mysite/venv/bin/wsgid": f"{sys.executable} -m wsgid",
            "/srv/mysite": f"{app_folder} --bind 127.0.0.1:0",
            "user=mysite": f"user={getpass.getuser()}",
            "/var/log/supervisor/mysite.log": f"{self.output}",
            "startsecs=5": "startsecs=0",
        }
        text = CONF.read_text()
        for place, here in places.items():
            assert place in text
            text = text.replace(place, here)
        self._conf = folder / "supervisord.conf"
        self._conf.write_text(OF_ITS_OWN.format(folder=folder) + text)
        self.process = subprocess.Popen(
            [_program("supervisord"), "-c", self._conf],
            env=environment(**gates.env),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def control(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [_program("supervisorctl"), "-c", self._conf, *arguments],
            capture_output=True,
            text=True,
            timeout=seconds(),
            check=False,
        )

    def ready(self, times: int = 1) -> tuple[int, str]:
        """Pid and URL of the daemon that was ready for the so-many-th time."""

        def found() -> tuple[int, str] | None:
            lines = READY.findall(self.output.read_text()) if self.output.exists() else []
            return (int(lines[times - 1][0]), lines[times - 1][1]) if len(lines) >= times else None

        return wait_for(found, "a daemon to be ready")

    def wait_for_log(self, text: str) -> None:
        wait_for(lambda: text in self.output.read_text(), f"{text!r} in the log")


def _program(name: str) -> str:
    """Beside our interpreter, or anywhere."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert found, f"{name} is not installed: scripts/test installs it with what else the tests need"
    return found


@pytest.fixture
def supervisord(tmp_path: Path, app_folder: MakeFolder, gates: Gates) -> Iterator[Supervisord]:
    made = Supervisord(tmp_path, app_folder("plain"), gates)
    yield made
    print(made.output.read_text() if made.output.exists() else "no output")
    if made.process.poll() is None:
        made.process.send_signal(signal.SIGTERM)
    try:
        made.process.wait(seconds())
    except subprocess.TimeoutExpired:
        made.process.kill()
        made.process.wait()
        raise


def test_it_is_started_reloaded_watched_and_stopped(supervisord: Supervisord, gates: Gates) -> None:
    pid, url = supervisord.ready()
    assert clients.request(url).body == b"Hello, World!\n"

    assert supervisord.control("signal", "HUP", "mysite").returncode == 0
    supervisord.wait_for_log("the restart is done")
    assert proc.alive(pid)

    os.kill(pid, signal.SIGKILL)
    pid, url = supervisord.ready(2)
    assert proc.alive(pid)

    address = re.fullmatch(r"http://(.*):(\d+)", url)
    assert address
    with clients.Connection((address[1], int(address[2]))) as held:
        held.ask(f"/hold?fifo={gates.make('held')}")
        gates.wait_until_held("held")
        supervisord.process.send_signal(signal.SIGTERM)  # as the machine shuts down
        supervisord.wait_for_log("SIGTERM: stopping")
        gates.release("held", b"finished")
        assert held.answer().body == b"finished"
    assert supervisord.process.wait(seconds()) == 0
    assert not proc.alive(pid)

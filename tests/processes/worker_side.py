"""A worker process as the master starts it, with the test as its master and its dispatcher.

Run as a module it is that process: it takes a post from its argument and lives it.
"""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import proc
from tests.deadlines import seconds
from tests.unit.worker.dispatcher_side import Listener, Peer
from wsgid import logs
from wsgid.channel.frames import Role
from wsgid.config import Config
from wsgid.posts import WorkerPost
from wsgid.worker.main import run

ROOT = Path(__file__).parents[2]

VARIABLE = "WORKER_SIDE"
"""In the environment of a worker and of all that come from it: whose they are."""


@dataclass
class Called:
    """What a worker has opened once it is ready."""

    control: Peer
    channels: list[Peer]
    """By the number of the thread."""


class WorkerSide:
    """One worker process, and all that it is connected to."""

    def __init__(
        self,
        folder: Path,
        code: str,
        *,
        threads: int = 1,
        envs: Mapping[str, str] | None = None,
        listen: bool = True,
        detached: bool = False,
    ) -> None:
        """``detached`` as by the real master: all it says goes to its log, and not to its standard error."""
        self.folder = folder
        self.threads = threads
        self.listener = Listener(folder / "run")
        if not listen:
            self.listener.die()
        (folder / "app").mkdir()
        (folder / "app" / "wsgi.py").write_text(code)
        self._lifeline, self._master = os.pipe()
        self.report, report = os.pipe()
        self.log_file = folder / ("logs/wsgid.log" if detached else "worker.log")
        self.log_file.parent.mkdir(exist_ok=True)
        stacks = os.open(folder / "stacks", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        post = {
            "folder": str(folder),
            "threads": threads,
            "envs": dict(envs or {}),
            "detached": detached,
            "run_dir": self.listener.descriptor,
            "lifeline": self._lifeline,
            "report": report,
            "stacks": stacks,
        }
        path = os.pathsep.join([str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", __name__, json.dumps(post)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": path, VARIABLE: str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[self.listener.descriptor, self._lifeline, report, stacks],
            )
        os.close(report)
        os.close(stacks)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    @property
    def stacks(self) -> str:
        """Where the master would read them, a file in memory."""
        return (self.folder / "stacks").read_text()

    def accept(self) -> Called:
        """All the connections of the worker, from the first to the last."""
        control: Peer | None = None
        channels: dict[int, Peer] = {}
        while control is None or len(channels) < self.threads:
            peer = self.listener.accept()
            assert peer.hello is not None
            if peer.hello.role is Role.CONTROL:
                assert control is None
                control = peer
            else:
                assert peer.hello.thread not in channels
                channels[peer.hello.thread] = peer
        return Called(control, [channels[number] for number in range(self.threads)])

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def master_dies(self) -> None:
        os.close(self._master)
        self._master = -1

    def wait(self) -> int:
        """The exit code, when the process has ended; negative for a signal."""
        return self.process.wait(seconds())

    def descriptors(self) -> set[str]:
        """What the process has open, each with what it is: sockets, pipes and files."""
        folder = Path(f"/proc/{self.pid}/fd")
        return {f"{entry.name} {os.readlink(entry)}" for entry in folder.iterdir()}

    def count_descriptors(self) -> int:
        """Also while some are being opened and closed."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(seconds())
        for child in proc.own_descendants():
            if child.has_variable(f"{VARIABLE}={self.folder}"):
                proc.kill(child)
        self.listener.close()
        for descriptor in (self._lifeline, self._master, self.report):
            if descriptor >= 0:
                os.close(descriptor)


def main(post: dict[str, Any]) -> int:
    config = Config(app_path=Path(post["folder"]), threads=post["threads"], envs=post["envs"])
    if post["detached"]:
        logs.configure(config, "worker")
        logs.redirect_stdio(config)
    else:
        logging.basicConfig(format="%(levelname)s %(message)s", level=logging.INFO)
    run_dir = post["run_dir"]
    path = f"/proc/self/fd/{run_dir}"
    return run(WorkerPost(config, run_dir, path, post["lifeline"], post["report"], post["stacks"]))


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))

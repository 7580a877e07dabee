"""A daemon that is process 1, as in a container: in a pid namespace of its own, with its own /proc.

Made by unshare(1) of util-linux, which every Debian has. It takes root, or a kernel where everybody may make them.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests import proc
from tests.deadlines import seconds, wait_for
from tests.functional.daemon import READY, Daemon, Outcome

BECOME_ROOT = () if os.geteuid() == 0 else ("--user", "--map-root-user")


def why_not() -> str:
    """Why there can be no containers here; empty when there can."""
    done = subprocess.run(_unshare("true"), capture_output=True, text=True, timeout=seconds(), check=False)
    return done.stderr.strip() if done.returncode else ""


class Container(Daemon):
    def __init__(self, folder: Path, *options: str, env: Mapping[str, str] | None = None) -> None:
        super().__init__(folder, *options, env=env, launcher=_unshare())

    def _launch(self) -> None:
        super()._launch()
        self.pid = wait_for(self._first_process, "process 1 of the container")

    def _first_process(self) -> int | None:
        assert self._process is not None
        children = [each.pid for each in proc.descendants(self._process.pid) if each.parent == self._process.pid]
        if not children and not proc.alive(self._process.pid):
            return self._process.pid  # it has ended already: what `wait` needs
        return children[0] if children else None

    def _read_ready_lines(self) -> None:
        found = READY.findall(self.output)
        assert {pid for pid, _ in found} == {"1"}, f"it is not process 1:\n{self.output}"
        self.addresses = [address for _, address in found]

    def run(self, command: str, *options: str) -> Outcome:
        """A command in the same container, as by ``docker exec``."""
        user = ("--user", "--preserve-credentials") if BECOME_ROOT else ()
        enter = ["nsenter", "--target", str(self.pid), "--pid", "--mount", *user, "--"]
        done = subprocess.run(
            [*enter, sys.executable, "-m", "wsgid", command, "--app-path", str(self.folder), *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds(),
            check=False,
        )
        return Outcome(done.returncode, done.stdout)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.send(how)
        assert self.wait() == 0, self.output
        self.assert_nothing_left()

    def assert_nothing_left(self) -> None:
        """By the names that the pids have in it."""
        left = [*self.folder.glob("run/*"), *self.folder.glob("pid/*/*.pid"), *self.processes()]
        assert not left, f"the daemon left behind: {left}\nIts output:\n{self.output}"


def _unshare(*program: str) -> Sequence[str]:
    # --kill-child: nothing in it outlives a test that is killed.
    return ["unshare", *BECOME_ROOT, "--pid", "--fork", "--kill-child", "--mount-proc", "--", *program]

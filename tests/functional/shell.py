"""A shell in an empty directory, for pages whose commands are run as a reader would run them."""

import contextlib
import os
import select
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from tests import proc
from tests.deadlines import seconds, wait_for
from tests.functional.daemon import MARK, environment

LIMIT = 60.0
"""Seconds (before stretching) for a command: far more than any on those pages takes."""


class Shell:
    """One bash, which keeps its directory and its variables from command to command."""

    def __init__(self, home: Path, env: dict[str, str]) -> None:
        self.home = home
        self._end = uuid.uuid4().hex
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=home,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def run(self, command: str) -> tuple[str, int]:
        """What the command printed, and its exit code. Raises AssertionError when it does not end."""
        assert self.process.stdin is not None
        # The code is given back, so that the next command may ask for it.
        self.process.stdin.write(f'{command}\n_code=$?; echo "{self._end} $_code"; (exit $_code)\n'.encode())
        self.process.stdin.flush()
        output, _, code = self._read(command).partition(self._end)
        return output, int(code)

    def write(self, path: str, text: str) -> None:
        """A file, named from where the shell is."""
        directory, _ = self.run("pwd")
        (Path(directory.rstrip("\n")) / path).write_text(text)

    def _read(self, command: str) -> str:
        assert self.process.stdout is not None
        end = time.monotonic() + seconds(LIMIT)
        output = b""
        while not (self._end.encode() in output and output.endswith(b"\n")):
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, end - time.monotonic()))
            piece = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            assert piece, f"$ {command}\n{output.decode(errors='replace')}\nand no end of it"
            output += piece
        return output.decode(errors="replace")


@contextlib.contextmanager
def killed_at_the_end(**variables: str) -> Iterator[Shell]:
    """A shell in a new directory, with these variables and the commands of our environment. Nothing of it stays.

    The directory has a short name: below it come addresses of UNIX sockets, which may have 107 bytes.
    """
    with tempfile.TemporaryDirectory(prefix="page-") as folder:
        Path(folder, ".curlrc").write_text("silent\nshow-error\n")  # on a terminal curl shows no progress
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        env = environment(CURL_HOME=folder, NO_COLOR="1", COLUMNS="200", PATH=path, **variables)
        home = Path(folder, "home")
        home.mkdir()
        shell = Shell(home, env)
        try:
            yield shell
        finally:
            _kill(f"{MARK}={env[MARK]}")
            shell.process.communicate()


def _kill(mark: str) -> None:
    def left() -> list[proc.Process]:
        return [each for each in proc.own_descendants() if not each.zombie and each.has_variable(mark)]

    for each in left():
        proc.kill(each)
    wait_for(lambda: not left(), "the processes of the shell to end")

"""Clients in a process of their own: a plan goes into its standard input, and what it has found comes out of it."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]


class ClientProcess:
    """Runs from ``with`` to its end, or until it has done what was planned."""

    def __init__(self, module: str, plan: bytes) -> None:
        self._module = module
        self._plan = plan
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed at the end of ``with``

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", self._module]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=self._output, cwd=ROOT)
        assert self._process.stdin is not None
        with self._process.stdin as plan:
            plan.write(self._plan)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.kill()
        self._process.wait()
        self._output.close()

    @property
    def over(self) -> bool:
        return self._process.poll() is not None

    def code(self) -> int:
        """Waits for its end."""
        return self._process.wait()

    def output(self) -> bytes:
        """All of it, once it is over."""
        self._output.seek(0)
        return self._output.read()

"""Tries rows."""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.deadlines import seconds
from tests.functional import mounts
from tests.functional.daemon import environment
from tests.functional.wrong_inputs.row import Row
from tests.functional.wrong_inputs.zygote import LIMIT

ROOT = Path(__file__).parents[3]

NOBODY = 65534

RIGHT = "def application(environ, start_response):\n    return []\n"

START = ["--no-daemon", "--stdout", "--app-path=site"]


@dataclass(frozen=True)
class Outcome:
    code: int
    told: str
    """On standard error."""
    here: str


class Trial:
    """Tries each row once."""

    def __init__(self, zygote: subprocess.Popen[str]) -> None:
        self._zygote = zygote
        self._outcomes: dict[str, Outcome] = {}

    def of(self, row: Row) -> Outcome:
        if row.name not in self._outcomes:
            with tempfile.TemporaryDirectory() as name:
                here = Path(name).resolve()
                here.chmod(0o777)
                _lay_out(here, row)
                self._outcomes[row.name] = self._try(row, here)
        return self._outcomes[row.name]

    def _try(self, row: Row, here: Path) -> Outcome:
        start, *rest = shlex.split(row.line.replace("HERE", str(here))) or [""]
        arguments = [*START, *rest] if start == "start" else [start, *rest]
        if not row.by_root and os.geteuid() == 0:
            return _by_nobody(arguments, here)
        gone = here / "gone"
        with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as err:
            order = {
                "arguments": arguments,
                "environ": environment(**row.environ),
                "cwd": str(gone if gone.exists() else here),
                "gone": gone.exists(),
                "limit": int(seconds(LIMIT)),
                "out": out.name,
                "err": err.name,
            }
            assert self._zygote.stdin is not None
            assert self._zygote.stdout is not None
            print(json.dumps(order), file=self._zygote.stdin, flush=True)
            code = int(self._zygote.stdout.readline())
            return Outcome(code, err.read().decode(errors="replace"), str(here))


def _by_nobody(arguments: list[str], here: Path) -> Outcome:
    """In a process from the start: somebody else may not be able to read what Python has yet to import."""
    rights = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    with tempfile.TemporaryDirectory() as scratch:
        launcher = mounts.readable_interpreter(Path(scratch))
        line = [*launcher, *rights, sys.executable, "-m", "wsgid", *arguments]
        done = subprocess.run(
            line, cwd=here, env=environment(), capture_output=True, text=True, timeout=seconds(), check=False
        )
    return Outcome(done.returncode, done.stderr, str(here))


@contextmanager
def trial() -> Iterator[Trial]:
    command = [sys.executable, "-m", "tests.functional.wrong_inputs.zygote"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as zygote:
        yield Trial(zygote)


def _lay_out(here: Path, row: Row) -> None:
    files = {"site/app/wsgi.py": RIGHT, **row.files}
    for name, text in files.items():
        path = here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        elif text != "-":
            path.write_text(text, encoding="utf-8", errors="surrogateescape")

"""waitress, a WSGI server that others wrote, with an application of an app folder: what ours is compared with."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.deadlines import seconds, wait_for
from tests.functional.daemon import environment

READY = re.compile(r"Serving on http://127\.0\.0\.1:(?P<port>\d+)\n")


@contextmanager
def waitress(code: Path, application: str, prefix: str, env: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Where it listens. ``code`` is put on its ``sys.path``, ``application`` is ``module:object``, and ``prefix``
    becomes SCRIPT_NAME. Raises AssertionError."""
    options = ("--listen", "127.0.0.1:0", "--url-prefix", prefix, application)
    printed = code.parent / "waitress.out"
    with open(printed, "wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "waitress", *options],
            env=environment(**env),
            cwd=code,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(lambda: process.poll() is not None or READY.search(printed.read_text()), "waitress to be ready")
        ready = READY.search(printed.read_text())
        assert ready, f"waitress did not start:\n{printed.read_text()}"
        yield ("127.0.0.1", int(ready["port"]))
    finally:
        print(f"--- waitress\n{printed.read_text()}")
        process.send_signal(signal.SIGTERM)
        process.wait(seconds())

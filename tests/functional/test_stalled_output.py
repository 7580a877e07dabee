"""``--stdout`` into a pipe that nobody reads: the logs wait, the clients do not."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.deadlines import seconds, wait_for
from tests.functional import clients
from tests.functional.conftest import MakeFolder
from tests.functional.daemon import ACCESS, READY, command, environment

REQUESTS = 2000
TARGET = "/?" + "x" * 1000
"""Its lines fill a pipe after some sixty requests, and a megabyte after a thousand."""


@contextmanager
def foreground(arguments: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Ended in any case, whatever it blocks in; its pipe stays open until then."""
    process = subprocess.Popen(
        arguments, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def read_until_ready(output: int) -> str:
    """The address; the pipe is then empty, but for what follows the ready line."""
    text = ""
    while not (found := READY.search(text)):
        part = os.read(output, 65536)
        assert part, f"it ended instead of getting ready:\n{text}"
        text += part.decode()
    return found["address"]


def test_all_requests_are_answered(app_folder: MakeFolder) -> None:
    arguments = command(app_folder("plain"), "--no-daemon", "--stdout", "--bind", "127.0.0.1:0", "--workers", "2")
    with foreground(arguments) as process:
        assert process.stdout is not None
        output = process.stdout.fileno()
        host, _, port = read_until_ready(output).removeprefix("http://").rpartition(":")
        with clients.Connection((host, int(port))) as connection:
            for _ in range(REQUESTS):
                connection.ask(TARGET)
                assert connection.answer().status == 200
        text = ""

        def told() -> bool:
            nonlocal text
            text += os.read(output, 65536).decode()
            return "lines are missing from it" in text

        wait_for(told, "the log to flow again")
        missing = int(text.partition("for a while: ")[2].split()[0])
        assert missing > 0
        assert len(ACCESS.findall(text)) == REQUESTS - missing
        process.terminate()
        assert process.communicate(timeout=seconds())
        assert process.returncode == 0

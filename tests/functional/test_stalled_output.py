"""``--stdout`` into a pipe or onto a terminal that nobody reads: the logs wait, the clients do not."""

import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests import proc
from tests.deadlines import seconds, wait_for
from tests.functional import clients
from tests.functional.conftest import MakeFolder
from tests.functional.daemon import ACCESS, READY, command, environment

REQUESTS = 2000
TARGET = "/?" + "x" * 1000
"""Its lines fill a pipe after some sixty requests, and a megabyte after a thousand."""


@contextmanager
def foreground(arguments: list[str], output: int = subprocess.PIPE) -> Iterator[subprocess.Popen[bytes]]:
    """Ended in any case, whatever it blocks in; its pipe stays open until then."""
    process = subprocess.Popen(
        arguments, env=environment(), stdin=subprocess.DEVNULL, stdout=output, start_new_session=True
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
        text += part.decode().replace("\r\n", "\n")  # as a terminal has it
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


def test_a_terminal_that_is_not_read_stops_nobody(app_folder: MakeFolder) -> None:
    """A paused tmux, or an ssh whose network is gone. Unlike a pipe it is ready for writing with any room at all."""
    ours, theirs = pty.openpty()
    arguments = command(app_folder("plain"), "--no-daemon", "--stdout", "--bind", "127.0.0.1:0", "--workers", "2")
    with open(ours, "rb", 0), open(theirs, "wb", 0), foreground(arguments, theirs) as process:
        host, _, port = read_until_ready(ours).removeprefix("http://").rpartition(":")
        before = children(process.pid)
        # On one connection: with another dispatcher it would be closed.
        with clients.Connection((host, int(port))) as connection:
            for _ in range(REQUESTS):
                connection.ask(TARGET)
                assert connection.answer().status == 200
        assert children(process.pid) == before
        os.set_blocking(ours, False)
        text = ""

        def told(what: str) -> bool:
            nonlocal text
            with suppress(BlockingIOError):
                text += os.read(ours, 65536).decode()
            return what in text

        wait_for(lambda: told("lines are missing from it"), "the log to flow again")
        process.terminate()
        wait_for(lambda: told(f"wsgid {process.pid} has ended"), "the daemon to end")
        assert process.wait(seconds()) == 0


def children(pid: int) -> set[int]:
    return {each.pid for each in proc.own_descendants() if each.parent == pid}

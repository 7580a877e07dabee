"""A server that is one command, started on a port of its own and ended by a signal."""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from signal import SIGKILL

from tests.deadlines import wait_for
from tests.functional.clients import Connection, Cut
from tests.functional.load import Address
from tests.functional.mongrel2 import free_port

from bench.contender import Application, NotMeasured

OUTPUT = "output"

END = 15.0
"""Seconds that a server has to end by itself: some wait for their connections."""


@contextmanager
def listening(
    command: Callable[[int], Sequence[str]], folder: Path, application: Application
) -> Iterator[tuple[Address, int]]:
    """Its address and pid, once it answers; ``command`` is called with a port. Raises NotMeasured."""
    address = ("127.0.0.1", free_port())
    with process(command(address[1]), folder, application.folder / "app", application.env) as started:
        wait_for(lambda: started.poll() is not None or answers(address), "the server to answer")
        if started.poll() is not None:
            raise NotMeasured(f"it did not start:\n{output(folder)}")
        yield address, started.pid


@contextmanager
def process(
    command: Sequence[str], folder: Path, cwd: Path, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """What it prints goes into `OUTPUT` in the folder. It is ended by SIGTERM, which lets it end its workers; those
    that it leaves behind, as granian does when they have just died, are killed."""
    environment = {**os.environ, **(env or {})}
    with open(folder / OUTPUT, "ab") as printed:
        started = subprocess.Popen(
            command, stdout=printed, stderr=subprocess.STDOUT, cwd=cwd, env=environment, process_group=0
        )
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(END)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()
        with suppress(ProcessLookupError):
            os.killpg(started.pid, SIGKILL)


def output(folder: Path) -> str:
    """What a process with this folder has printed."""
    return (folder / OUTPUT).read_text(errors="replace")


def answers(address: Address) -> bool:
    """Whatever it says: one that listens may have no worker yet, and one in front nobody behind it."""
    try:
        with Connection(address) as connection:
            connection.ask()
            return connection.answer().status != HTTPStatus.BAD_GATEWAY
    except (ConnectionError, Cut):
        return False

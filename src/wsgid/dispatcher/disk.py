"""The directory for files without a name, and the threads in which the event loop's file I/O is done.

Reading, writing, opening and closing block (the last bytes of a large file go when it is closed, with all its blocks):
none of it is done in the loop's own thread.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Final, Protocol, TypeVar

Result = TypeVar("Result")

PIECE: Final = 256 * 1024
"""Bytes read or written at once: enough to be cheap, and little enough that a slow disk holds a thread only shortly."""


class Closable(Protocol):
    def close(self) -> None: ...


class Disk:
    def __init__(self, directory: str, executor: Executor, loop: asyncio.AbstractEventLoop) -> None:
        self.directory = directory
        self._executor = executor
        self._loop = loop

    def run(self, job: Callable[[], Result], done: Callable[["asyncio.Future[Result]"], None]) -> None:
        """Does the job in a thread and calls ``done`` in the loop with its outcome, which may be an OSError."""
        self._loop.run_in_executor(self._executor, job).add_done_callback(done)

    def soon(self, callback: Callable[[], None]) -> None:
        """Calls it in the loop, once what is in progress there is done."""
        self._loop.call_soon(callback)

    def time(self) -> float:
        """Seconds, by the loop's clock."""
        return self._loop.time()

    def start(self, job: Callable[[], None]) -> None:
        """Does the job in a thread; nobody hears of it."""
        try:
            self._executor.submit(job)
        except RuntimeError:  # the executor has been shut down: the process is ending, and nobody waits for the loop
            job()

    def close(self, file: Closable | int) -> None:
        """Closes it in a thread; an int is a descriptor."""
        self.start(partial(os.close, file) if isinstance(file, int) else file.close)


def unnamed_file(directory: str) -> int:
    """A descriptor of a new file that has no name from its first byte on: no crash leaves it behind. It blocks. Raises
    OSError."""
    with tempfile.TemporaryFile(buffering=0, dir=directory) as file:
        return os.dup(file.fileno())

"""A body that Mongrel2 has written to a file, which is ours to remove."""

import asyncio
import errno
import logging
import os
import stat
from collections.abc import Callable
from concurrent.futures import Executor

log = logging.getLogger("wsgid.dispatcher")


class UploadFile:
    """Opened, and at once unlinked, when it is its request's turn: from then on it lives as long as its descriptor, and
    no death of ours leaves it behind. File I/O happens in a thread."""

    __slots__ = ("_closed", "_executor", "_loop", "_opening", "path")

    def __init__(self, path: bytes, executor: Executor, loop: asyncio.AbstractEventLoop) -> None:
        self.path = path
        self._executor = executor
        self._loop = loop
        self._opening = False
        self._closed = False

    @property
    def error(self) -> OSError | None:
        return None  # whether it can be opened is not known before `finish`

    def finish(self, finished: Callable[[int | OSError], None]) -> None:
        """Calls back with a descriptor of the file, which has lost its name, or with the reason why there is none."""
        self._opening = True
        future = self._loop.run_in_executor(self._executor, open_and_unlink, self.path)
        future.add_done_callback(lambda opened: finished(opened.result()))

    def explain(self, error: OSError) -> str:
        return (
            f"Mongrel2's upload cannot be opened: {error}. If Mongrel2 runs in a chroot, name that directory with "
            "--mongrel2-chroot; if it runs elsewhere, mount its upload.temp_store at the same path here"
        )

    def close(self) -> None:
        if not self._opening and not self._closed:
            self._closed = True
            self._loop.run_in_executor(self._executor, remove, self.path)


def open_and_unlink(path: bytes) -> int | OSError:
    """A descriptor of the file, or why it cannot be opened: also when it is anything but a plain file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return OSError(errno.EINVAL, "not a plain file", os.fsdecode(path))
    remove(path)
    return descriptor


def remove(path: bytes) -> None:
    """What cannot be removed is logged: the store fills up."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass  # Mongrel2 removes it itself when the client leaves in time
    except OSError as error:
        log.error("an upload's file stays behind: %s; its directory must be writable for our user", error)

"""``wsgi.file_wrapper``: a file object as an iterable of its blocks (PEP 3333, "Optional Platform-Specific File
Handling").

A large file is not read here: its descriptor goes to the dispatcher, which sends it, and the worker is free.
"""

import io
import os
import stat
from typing import Final, NamedTuple, Protocol

MIN_FILE_BLOCK: Final = 64 * 1024
"""Bytes read at once from a regular file, however few the application asked for (Django asks for 4096): each block
costs a frame and two system calls. PEP 3333 lets a server ignore the size asked for."""

DEFAULT_BLOCK: Final = 8 * 1024
"""Bytes read at once from anything else, when the application asks for nothing: what wsgiref takes."""


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


BUFFERED: Final = (io.BufferedReader, io.BufferedRandom)


class Opened(NamedTuple):
    """A regular file, as the descriptor of a file object that gives just what is in it."""

    descriptor: int
    """The file object's."""
    position: int
    """Bytes."""
    rest: int
    """Bytes from there to the end."""


class FileWrapper:
    """Iterates over what the file holds from its position on. Has ``close`` when the file has it."""

    def __init__(self, file: Readable, block_size: int = DEFAULT_BLOCK) -> None:
        self._file = file
        # From a pipe or a socket a larger read would wait for data that the application meant to pass on at once.
        self._block_size = max(block_size, MIN_FILE_BLOCK) if _is_regular(file) else block_size
        close = getattr(file, "close", None)
        if close is not None:
            self.close = close

    def opened(self) -> Opened | None:
        """The file, when there is a regular one and whoever reads its descriptor gets what ``read`` would give."""
        file = self._file
        # The types themselves: other objects with a descriptor, gzip's files for one, give something else than what
        # lies in the file, and so may a derived class.
        if type(file) is io.FileIO:
            return _opened(file)
        if isinstance(file, BUFFERED) and type(file) in BUFFERED and type(file.raw) is io.FileIO:
            return _opened(file)
        return None

    def __iter__(self) -> "FileWrapper":
        return self

    def __next__(self) -> bytes:
        if block := self._file.read(self._block_size):
            return block
        raise StopIteration


def _opened(file: io.FileIO | io.BufferedReader | io.BufferedRandom) -> Opened | None:
    try:
        if not file.readable():  # the dispatcher could only cut the answer; here the request gets its 500
            return None
        file.flush()
        status, position = os.fstat(file.fileno()), file.tell()
    except (OSError, ValueError):  # a pipe has no position; closed, or on a full disk: whoever reads it is told
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return Opened(file.fileno(), position, max(0, status.st_size - position))


def _is_regular(file: Readable) -> bool:
    fileno = getattr(file, "fileno", None)
    if fileno is None:
        return False
    try:
        return stat.S_ISREG(os.fstat(fileno()).st_mode)
    except (OSError, ValueError):  # in memory only (io.UnsupportedOperation is both), or closed
        return False

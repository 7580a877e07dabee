"""``wsgi.file_wrapper``: a file object as an iterable of its blocks (PEP 3333, "Optional Platform-Specific File
Handling")."""

import os
import stat
from typing import Final, Protocol

MIN_FILE_BLOCK: Final = 64 * 1024
"""Bytes read at once from a regular file, however few the application asked for (Django asks for 4096): each block
costs a frame and two system calls. PEP 3333 lets a server ignore the size asked for."""

DEFAULT_BLOCK: Final = 8 * 1024
"""Bytes read at once from anything else, when the application asks for nothing: what wsgiref takes."""


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class FileWrapper:
    """Iterates over what the file holds from its position on. Has ``close`` when the file has it."""

    def __init__(self, file: Readable, block_size: int = DEFAULT_BLOCK) -> None:
        self._file = file
        # From a pipe or a socket a larger read would wait for data that the application meant to pass on at once.
        self._block_size = max(block_size, MIN_FILE_BLOCK) if _is_regular(file) else block_size
        close = getattr(file, "close", None)
        if close is not None:
            self.close = close

    def __iter__(self) -> "FileWrapper":
        return self

    def __next__(self) -> bytes:
        if block := self._file.read(self._block_size):
            return block
        raise StopIteration


def _is_regular(file: Readable) -> bool:
    fileno = getattr(file, "fileno", None)
    if fileno is None:
        return False
    try:
        return stat.S_ISREG(os.fstat(fileno()).st_mode)
    except (OSError, ValueError):  # in memory only (io.UnsupportedOperation is both), or closed
        return False

"""Answers by ``wsgi.file_wrapper`` (PEP 3333, "Optional Platform-Specific File Handling").

The validator is not asked: its iterable would stand between the gateway and the wrapper.
"""

import io
import tempfile
from collections.abc import Iterable
from typing import IO, Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from contents import contents
from given import TEXT, given, note


class Noting:
    """A file-like object that is no file, and notes that it was closed."""

    def __init__(self, contents: bytes) -> None:
        self._memory = io.BytesIO(contents)

    def read(self, size: int) -> bytes:
        return self._memory.read(size)

    def close(self) -> None:
        note("closed")


class Unclosable:
    """Has no more than it must have."""

    def __init__(self, contents: bytes) -> None:
        self.read = io.BytesIO(contents).read


def file_of(contents: bytes) -> IO[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115 (the gateway closes it)
    file.write(contents)
    file.seek(0)
    return file


def wraps(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """``size`` bytes, read from ``position`` on, of the ``kind`` of file that the query says."""
    made: dict[str, Any] = {"file": file_of, "memory": io.BytesIO, "noting": Noting, "unclosable": Unclosable}
    file = made[given(environ, "kind", "file")](contents(given(environ, "size", 10)))
    if position := given(environ, "position", 0):
        file.seek(position)
    start_response(given(environ, "status", "200 OK"), given(environ, "headers", [TEXT]))
    wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](file, given(environ, "block", 4096))
    return wrapped


def unwraps(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """A middleware that iterates over what it is given by the one below."""
    return [part.replace(b"1", b"one") for part in wraps(environ, start_response)]


UNJUDGED: dict[str, WSGIApplication] = {"wraps": wraps, "unwraps": unwraps}

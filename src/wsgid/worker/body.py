"""``wsgi.input``: the request's body, from memory or from a file that the dispatcher passed as a descriptor.

The file is read at positions of our own (pread): the descriptor's offset is shared with the dispatcher. It is read up
to the body's length and no further, as a file that Mongrel2 wrote may have the client's next request behind the body.
"""

import io
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, Final

from wsgid.protocol.values import Request

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BUFFER_SIZE: Final = 64 * 1024
"""Bytes read ahead from a file: few system calls for an application that reads line by line."""


def open_body(request: Request, descriptor: int | None) -> tuple[BinaryIO, Callable[[], None]]:
    """The body as a file object, and what closes it for good when the request ends.

    Takes over ``descriptor``. The second value closes also what an application has detached or kept a reference to.
    """
    if descriptor is None:
        memory = io.BytesIO(request.body)
        return memory, memory.close
    file = BodyFile(descriptor, request.content_length or 0)
    return io.BufferedReader(file, BUFFER_SIZE), file.close


def rewind(body: BinaryIO) -> None:
    """As if nobody had read of it, unless somebody has closed it."""
    if not body.closed:
        body.seek(0)


class BodyFile(io.RawIOBase):
    """The first ``length`` bytes of a descriptor, seekable. Owns the descriptor and closes it once."""

    def __init__(self, descriptor: int, length: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._length = length
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Raises OSError when the file is shorter than the body that was announced."""
        if self.closed:
            raise ValueError("the request has ended, and its body is closed")
        wanted = memoryview(buffer).cast("B")[: max(0, self._length - self._position)]
        if not wanted:
            return 0
        count = os.preadv(self._descriptor, [wanted], self._position)
        if count == 0:
            raise OSError(f"the file of the request's body ends after {self._position} of {self._length} bytes")
        self._position += count
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Raises ValueError for a place before the beginning; one behind the end reads as empty, as in any file."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}[whence]
        if start + offset < 0:
            raise ValueError(f"cannot seek to {start + offset}, before the beginning of the request's body")
        self._position = start + offset
        return self._position

    def close(self) -> None:
        if not self.closed:
            try:
                os.close(self._descriptor)
            finally:
                super().close()

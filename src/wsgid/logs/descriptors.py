"""Records and lines onto a descriptor: a file, or a pipe or terminal whose reader may be slow."""

import contextlib
import fcntl
import logging
import os
import select
import stat
import struct
import sys
import termios
from typing import Final

from wsgid.logs.forms import Form
from wsgid.logs.handler import RecordHandler

STDIN, STDOUT, STDERR = 0, 1, 2

CLOSED: Final = -1
"""No descriptor: a write to it fails."""

MAX_RECORD: Final = 64 * 1024
"""Bytes. A pipe's usual capacity, so that the reader of ``--stdout`` can take a record at once; no traceback of use is
longer, but a message that repeats a request's body may be."""


class DescriptorHandler(RecordHandler):
    """Writes each record with one write(2).

    One that may not block loses the records for which there is no `room`, and the middle of those too long for it.
    """

    def __init__(self, descriptor: int, form: Form, may_block: bool) -> None:
        super().__init__(form, may_block)
        self.descriptor = descriptor

    def _write(self, record: logging.LogRecord) -> bool:
        most = MAX_RECORD if self._may_block else min(MAX_RECORD, room(self.descriptor))
        if not most:
            return False
        data = self._form.data(record, self.lost, most)
        # The rest of a record is not written afterwards: by then another process may have written its own.
        return os.write(self.descriptor, data) == len(data)

    def end(self) -> None:
        with self.lock or contextlib.nullcontext():
            if self.descriptor > STDERR:  # the standard ones are the process's, not ours
                os.close(self.descriptor)
            self.descriptor = CLOSED
        super().end()


def room(descriptor: int) -> int:
    """Bytes that can be written at once without waiting for a reader; 0 when there is no room now. Raises OSError.

    That a pipe is ready for writing promises room for PIPE_BUF bytes (Linux, pipe(7)); sockets have more. A pipe in
    which nothing waits takes as much as it holds: the stacks of a worker are longer than PIPE_BUF.

    Another process that writes into the same pipe may take the room before we do. Then we wait after all, for as long
    as nobody reads: that is rare, and O_NONBLOCK, which would rule it out, would be set for whoever shares the pipe
    with us, also for programs that cannot do with it.
    """
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return sys.maxsize
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    # An error (POLLERR: nobody has the pipe open for reading) counts as room: the write will say which.
    if not poll.poll(0):
        return 0
    return max(select.PIPE_BUF, _capacity(descriptor))


def _capacity(descriptor: int) -> int:
    """Bytes that a pipe holds (F_GETPIPE_SZ of fcntl(2)); 0 when something waits in it, and of what is no pipe."""
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        return 0
    [waiting] = struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)))
    return 0 if waiting else fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ)

"""Writing without waiting for whoever reads: into a pipe, onto a terminal, into a socket, or into a file."""

import contextlib
import fcntl
import os
import select
import socket
import stat
import struct
import sys
import termios

STDIN, STDOUT, STDERR = 0, 1, 2

_OWN = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Outlet:
    """A descriptor that others may share.

    As long as it is not `open` its writes wait where `room` has promised too much: on a terminal, which is ready with
    any room at all, and in a pipe when another process was faster.
    """

    __slots__ = ("_own", "_socket", "descriptor")

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._own = descriptor
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Makes writes return at once. To be called while the process may still do so: not as another user, nor in a
        jail. Where it may not, or has no /proc, they stay as they are. Raises OSError when there is no such descriptor.

        A pipe or a terminal is opened once more: O_NONBLOCK belongs to what was opened, and set on the descriptor that
        we were given it would hold for all who share it, also for programs that cannot do with it. A socket cannot be
        opened; there a flag of each message does it.
        """
        mode = os.fstat(self.descriptor).st_mode
        if stat.S_ISSOCK(mode):
            self._socket = socket.socket(fileno=os.dup(self.descriptor))
        elif stat.S_ISFIFO(mode) or os.isatty(self.descriptor):
            with contextlib.suppress(OSError):
                self._own = os.open(f"/proc/self/fd/{self.descriptor}", _OWN)

    def room(self) -> int:
        """See `room`."""
        return room(self.descriptor)

    def write(self, data: bytes | bytearray) -> int:
        """How many bytes of it were taken, 0 when there is no room now. Raises OSError."""
        try:
            if self._socket is not None:
                return self._socket.send(data, socket.MSG_DONTWAIT)
            return os.write(self._own, data)
        except BlockingIOError:
            return 0


def room(descriptor: int) -> int:
    """Bytes that are worth trying to write at once; 0 when there is no room now. Raises OSError.

    That a pipe is ready for writing promises room for PIPE_BUF bytes (Linux, pipe(7)); sockets have more. A pipe in
    which nothing waits takes as much as it holds: the stacks of a worker are longer than PIPE_BUF. A terminal promises
    nothing, and another process that writes into the same pipe may take the room before we do: see `Outlet.open`.
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

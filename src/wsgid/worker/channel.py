"""The worker's side of one connection to the dispatcher: blocking, used by one thread."""

import array
import os
import select
import socket
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from wsgid.channel import frames
from wsgid.channel.frames import FrameError, FrameReader, Hello, Kind
from wsgid.posts import CHANNEL_SOCKET
from wsgid.protocol.values import Request
from wsgid.worker.errors import DispatcherGone
from wsgid.worker.outlet import Frames

READ_SIZE: Final = 64 * 1024
"""Bytes taken at once: nearly every REQUEST is smaller. Each read allocates as much and gives back what is over, which
costs nothing up to here and 18 µs with 256 KiB, where malloc turns to mmap."""

REQUEST: Final = Kind.REQUEST
MSG_CMSG_CLOEXEC: Final = int(socket.MSG_CMSG_CLOEXEC)
MSG_CTRUNC: Final = int(socket.MSG_CTRUNC)
# For speed: Python 3.11 finds a global in a sixth of the time of an enum's member, and `&` on flags is Python code.

DESCRIPTOR_SPACE: Final = socket.CMSG_LEN(array.array("i").itemsize)
"""Room for one descriptor. CMSG_SPACE would round it up to two; those that find no room are closed by the kernel."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about the upload that this request has begun."""

    request: Request


def connect(run_path: str, hello: Hello) -> socket.socket:
    """One attempt to reach the dispatcher; HELLO has been said. Raises OSError."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.connect(f"{run_path}/{CHANNEL_SOCKET}")
        sock.sendall(frames.hello(hello))
    except OSError:
        sock.close()
        raise
    return sock


class Channel:
    """Takes requests and gives answers. Owns the socket and the descriptors that have not been handed out."""

    __slots__ = ("_arrival", "_descriptors", "_frames", "_reader", "_socket", "outlet")

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._arrival = select.poll()
        self._arrival.register(sock, select.POLLIN)
        self._reader = FrameReader()
        self._frames: deque[tuple[Kind, bytes]] = deque()
        self._descriptors: list[int] = []
        self.outlet = Frames(self.send, self.send_pieces, self.send_file)

    def take(self) -> tuple[Request, int | None] | Asked | None:
        """Waits for the next request; gives it with the descriptor of the file its body is in, which is the caller's.
        It may also be a question.

        None when the dispatcher releases the thread. Raises DispatcherGone, and FrameError when the dispatcher breaks
        the channel's rules: only `close` may follow.
        """
        while not self._frames:
            self._frames.extend(self._reader.feed(self._receive()))
        kind, payload = self._frames.popleft()
        if kind is REQUEST:
            request = frames.read_request(payload)
            usual = not self._descriptors and not request.body_in_file
            return request, None if usual else self._descriptor_of(request)
        if kind is Kind.ASK:
            return Asked(frames.read_request(payload))
        if kind is Kind.RELEASE:
            return None
        raise FrameError(f"{kind.name} on a channel")

    def send(self, data: bytes) -> None:
        """Raises DispatcherGone."""
        try:
            self._socket.sendall(data)
        except OSError as error:
            _gone(error)

    def send_pieces(self, pieces: Sequence[bytes | memoryview]) -> None:
        """As one write, without joining them. Raises DispatcherGone."""
        try:
            sent = self._socket.sendmsg(pieces)
            for piece in pieces:
                if sent < len(piece):  # a signal came while there was no room for all
                    self._socket.sendall(memoryview(piece)[sent:])
                sent = max(0, sent - len(piece))
        except OSError as error:
            _gone(error)

    def send_file(self, announced: bytes, descriptor: int) -> None:
        """``announced``: a FILE frame. The descriptor stays the caller's. Raises DispatcherGone."""
        self.send(announced)
        while not self._frames:
            try:
                self._frames.extend(self._reader.feed(self._receive()))
            except FrameError as error:
                raise DispatcherGone(f"the dispatcher broke the channel's rules: {error}") from error
        if (kind := self._frames.popleft()[0]) is not Kind.FILE_AWAITED:
            raise DispatcherGone(f"the dispatcher broke the channel's rules: {kind.name} instead of FILE_AWAITED")
        try:
            socket.send_fds(self._socket, [frames.DESCRIPTOR], [descriptor])
        except OSError as error:
            _gone(error)

    def close(self) -> None:
        """Also closes descriptors that nobody took."""
        self._socket.close()
        while self._descriptors:
            os.close(self._descriptors.pop())

    def _receive(self) -> bytes:
        # A thread that waits in recvmsg itself is also woken, to no purpose, when the dispatcher has read its last
        # answer and the socket has room again (unix_write_space() in Linux' net/unix/af_unix.c): one that polls is not.
        self._arrival.poll()
        try:
            data, ancillary, flags, _ = self._socket.recvmsg(READ_SIZE, DESCRIPTOR_SPACE, MSG_CMSG_CLOEXEC)
        except OSError as error:
            _gone(error)
        if ancillary:
            self._keep_descriptors(ancillary)
        if flags & MSG_CTRUNC:
            raise FrameError("more descriptors at once than one, or this process may open no more files")
        if not data:
            raise DispatcherGone("the dispatcher closed the channel")
        return data

    def _keep_descriptors(self, ancillary: list[tuple[int, int, bytes]]) -> None:
        # Descriptors they are: anything else a UNIX socket brings only when it was asked for.
        for _, _, data in ancillary:
            self._descriptors.extend(array.array("i", data))

    def _descriptor_of(self, request: Request) -> int | None:
        if len(self._descriptors) != request.body_in_file:
            raise FrameError(f"request {request.id} came with {len(self._descriptors)} descriptors")
        return self._descriptors.pop() if request.body_in_file else None


def _gone(error: OSError) -> NoReturn:
    raise DispatcherGone(f"the channel failed: {error.strerror}") from error

"""The worker's side of a connection, played by the test."""

import asyncio
import os
import socket
from pathlib import Path

from tests.unit.dispatcher.loops import until
from wsgid.channel import frames
from wsgid.channel.frames import FrameReader, Hello, Kind, Role
from wsgid.protocol.values import Request

READ_SIZE = 65536


class FarEnd:
    """Says frames and hears those of the dispatcher, with the descriptors that come along."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.descriptors: list[int] = []
        self.ended = False
        """The dispatcher has closed the connection."""
        self._reader = FrameReader()
        self._heard: list[tuple[Kind, bytes]] = []
        self._serving = False

    def close(self) -> None:
        if self._serving:
            asyncio.get_running_loop().remove_reader(self.sock)
        self.sock.close()
        while self.descriptors:
            os.close(self.descriptors.pop())

    def say(self, *said: bytes) -> None:
        """All of it in one piece, which must be small enough for the socket."""
        data = b"".join(said)
        assert self.sock.send(data) == len(data)

    async def say_it_all(self, data: bytes) -> None:
        """As the dispatcher takes it."""
        view = memoryview(data)
        while view:
            view = view[await until(lambda: self._send(view), "the dispatcher to read") :]  # noqa: B023

    def _send(self, data: memoryview) -> int:
        try:
            return self.sock.send(data)
        except BlockingIOError:
            return 0

    def listen(self) -> None:
        """Takes what is there."""
        while not self.ended:
            try:
                data, descriptors, _, _ = socket.recv_fds(self.sock, READ_SIZE, 10)
            except BlockingIOError:
                return
            except ConnectionResetError:
                data, descriptors = b"", []
            self.descriptors += descriptors
            self._heard += self._reader.feed(data)
            self.ended = not data

    def drop_what_is_there(self) -> None:
        """Reads without understanding."""
        try:
            while self.sock.recv(READ_SIZE):
                pass
        except BlockingIOError:
            pass

    def serve_all(self, answer: bytes) -> None:
        """From now on each request gets this answer at once."""
        self._serving = True
        asyncio.get_running_loop().add_reader(self.sock, self._serve, answer)
        self._serve(answer)

    def _serve(self, answer: bytes) -> None:
        self.listen()
        for _ in self._heard:
            self.say(answer)
        self._heard.clear()

    @property
    def silent(self) -> bool:
        """Nothing has been said to it that it has not heard."""
        self.listen()
        return not self._heard

    async def hear(self) -> tuple[Kind, bytes]:
        await until(lambda: not self.silent, "a frame")
        return self._heard.pop(0)

    async def take(self, expected: Kind = Kind.REQUEST) -> Request:
        """Of a request or, with Kind.ASK, of a question."""
        kind, payload = await self.hear()
        assert kind is expected
        return frames.read_request(payload)

    async def hear_the_end(self) -> None:
        await until(lambda: self.silent and self.ended, "the connection's end")


def call(path: Path, hello: Hello) -> FarEnd:
    """Calls the dispatcher whose channel's socket is at ``path``."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect(str(path))
    far_end = FarEnd(sock)
    far_end.say(frames.hello(hello))
    return far_end


def thread(pid: int, number: int = 0, threads: int = 1, *, filters: bool = False) -> Hello:
    """One of so many of its process, which may have upload filters."""
    return Hello(pid, Role.CHANNEL, number, threads, filters)


def control(pid: int) -> Hello:
    return Hello(pid, Role.CONTROL, 0, 1)

"""A client on a real socket, whose answers are read by h11."""

import asyncio
import socket
import struct
from dataclasses import dataclass

import h11
import pytest

from tests.unit.dispatcher.loops import until

HOST = b"Host: a\r\n"


def get(target: str = "/", *headers: bytes) -> bytes:
    return b"GET %b HTTP/1.1\r\n" % target.encode() + HOST + b"".join(line + b"\r\n" for line in headers) + b"\r\n"


def post(body: bytes, *headers: bytes) -> bytes:
    lines = [b"Content-Length: %d" % len(body), *headers]
    return b"POST / HTTP/1.1\r\n" + HOST + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def closes(self) -> bool:
        return self.headers.get("connection") == "close"


class Visitor:
    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self._loop = asyncio.get_running_loop()
        self._unread = b""
        self._ended = False

    async def say(self, *data: bytes) -> None:
        await self._loop.sock_sendall(self.sock, b"".join(data))

    async def say_bytewise(self, data: bytes) -> None:
        for byte in data:
            await self.say(bytes([byte]))
            await asyncio.sleep(0)

    def half_close(self) -> None:
        self.sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.sock.close()

    def reset(self) -> None:
        """Closes in such a way that the server is sent a RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    async def answer(self, method: str = "GET") -> Answer:
        """The next answer, which must be whole."""
        client = h11.Connection(h11.CLIENT)
        client.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
        client.send(h11.EndOfMessage())
        response: h11.Response | None = None
        body = b""
        data, self._unread = self._unread, b""
        if data:
            client.receive_data(data)
        while not isinstance(event := client.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                client.receive_data(await self._receive())
            elif isinstance(event, h11.Data):
                body += event.data
            else:
                assert isinstance(event, h11.Response), event
                response = event
        assert response is not None
        self._unread = client.trailing_data[0]
        return Answer(response.status_code, {name.decode(): value.decode() for name, value in response.headers}, body)

    async def receive(self, size: int) -> bytes:
        """So many bytes."""
        while len(self._unread) < size:
            self._unread += await self._receive() or b"?" * size
        data, self._unread = self._unread[:size], self._unread[size:]
        return data

    async def rest(self) -> bytes:
        """All until the end of the connection, which must not be a reset."""
        while data := await self._receive():
            self._unread += data
        return self._unread

    async def reset_by_peer(self) -> bytes:
        """Waits for a reset; gives what came before."""
        with pytest.raises(ConnectionResetError):
            await self.rest()
        return self._unread

    async def _receive(self) -> bytes:
        return await self._loop.sock_recv(self.sock, 65536)

    def has_something(self) -> bool:
        """To read, without waiting: also the end."""
        try:
            self.sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        return True

    async def notices(self) -> None:
        await until(self.has_something, "something to read")

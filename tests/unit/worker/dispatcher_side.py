"""The dispatcher as a worker meets it: a UNIX socket that speaks the channel's frames, driven step by step."""

import os
import socket
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from tests.deadlines import seconds
from wsgid.channel import frames
from wsgid.channel.frames import FrameReader, Hello, Kind
from wsgid.posts import CHANNEL_SOCKET
from wsgid.protocol.values import Header, Request, WrittenHead

GET = Request(
    key="r1",
    id="r1",
    method="GET",
    target="/",
    script_name="",
    path="/",
    query="",
    version="HTTP/1.1",
    headers=[("host", "localhost")],
    scheme="http",
    server_name="localhost",
    server_port="8000",
    remote_addr="127.0.0.1",
    remote_port="40000",
    server_id="http",
    client_id="c1",
    content_length=None,
    body=b"",
    body_in_file=False,
)


def a_request(**fields: Any) -> Request:
    """A GET of ``/``, with these fields instead; its key is its id, unless there is another among them."""
    return msgspec.structs.replace(GET, **{"key": fields.get("id", GET.key), **fields})


@dataclass
class Answered:
    """What a worker has said about one request."""

    kinds: list[Kind] = field(default_factory=list)
    head: WrittenHead | None = None
    parts: list[bytes] = field(default_factory=list)
    file: frames.File | None = None

    @property
    def status(self) -> str:
        return self._lines[0].removeprefix("HTTP/1.1 ")

    @property
    def headers(self) -> list[Header]:
        pairs = [line.partition(": ") for line in self._lines[1:]]
        return [(name, value) for name, _, value in pairs]

    @property
    def _lines(self) -> list[str]:
        assert self.head is not None, self.kinds
        return self.head.lines.decode("latin-1").split("\r\n")[:-1]

    @property
    def body(self) -> bytes:
        return b"".join(self.parts)

    @property
    def whole(self) -> bool:
        return Kind.CUT not in self.kinds

    def add(self, kind: Kind, payload: bytes) -> bool:
        """Takes one more frame and checks that it may come; whether the worker is done with the request."""
        before = self.kinds[-1] if self.kinds else None
        self.kinds.append(kind)
        done = False
        if kind is Kind.ANSWER:
            assert before is None
            answer = frames.read_answer(payload)
            self.head, self.parts, done = answer.head, [answer.body], answer.done
        elif kind is Kind.HEAD:
            assert before is None
            self.head = frames.read_head(payload)
        elif kind is Kind.PART:
            assert before in (Kind.HEAD, Kind.PART)
            assert 0 < len(payload) <= frames.PART_SIZE
            self.parts.append(payload)
        elif kind is Kind.FILE:
            assert before is None
            self.file = frames.read_file(payload)
            self.head = self.file.head
        elif kind is Kind.DESCRIPTOR:
            assert before is Kind.FILE
        elif kind in (Kind.END, Kind.CUT):
            assert before in (Kind.HEAD, Kind.PART)
        else:
            assert kind is Kind.DONE, kind
            assert before in (Kind.ANSWER, Kind.END, Kind.CUT, Kind.DESCRIPTOR)
            done = True
        return done


class Peer:
    """The dispatcher's end of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(seconds())
        self.sock = sock
        self.hello: Hello | None = None
        self._reader = FrameReader()
        self._frames: deque[tuple[Kind, bytes]] = deque()

    def frame(self) -> tuple[Kind, bytes]:
        """The next frame. Raises EOFError when the worker has closed the connection, TimeoutError."""
        while not self._frames:
            data = self.sock.recv(1024 * 1024)
            if not data:
                raise EOFError
            self._frames.extend(self._reader.feed(data))
        return self._frames.popleft()

    @property
    def heard(self) -> bool:
        """With the last frame came another one."""
        return bool(self._frames)

    def ask(self, request: Request, *descriptors: int) -> None:
        socket.send_fds(self.sock, [frames.request(request)], list(descriptors))

    def answer(self) -> Answered:
        """All that the worker says until it is done with the request."""
        answered = Answered()
        while not answered.add(*self.frame()):
            if answered.kinds == [Kind.FILE] and answered.file is not None:
                self.sock.sendall(frames.FILE_AWAITED)
                answered.parts.append(self._content(answered.file))
        return answered

    def _content(self, file: frames.File) -> bytes:
        """What is to be sent of the file whose descriptor comes next."""
        data, [descriptor], _, _ = socket.recv_fds(self.sock, len(frames.DESCRIPTOR), 1)
        self._frames.extend(self._reader.feed(data))
        with open(descriptor, "rb") as opened:
            return os.pread(opened.fileno(), file.length, file.offset)

    def serve(self, request: Request, *descriptors: int) -> Answered:
        self.ask(request, *descriptors)
        return self.answer()

    def release(self) -> None:
        self.sock.sendall(frames.RELEASE)

    def at_end(self) -> bool:
        """Waits; whether the worker's next word is the end of the connection."""
        try:
            self.frame()
        except (EOFError, ConnectionResetError):
            return True
        return False

    def close(self) -> None:
        self.sock.close()


class Listener:
    """Where the workers call: the channel's socket in a run directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self.path = f"/proc/self/fd/{self.descriptor}"
        self.peers: list[Peer] = []
        self.open()

    def open(self) -> None:
        """Listens; again after `die`."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(seconds())
        self.sock.bind(f"{self.path}/{CHANNEL_SOCKET}")
        self.sock.listen(64)

    def accept(self) -> Peer:
        """The next caller, who has said HELLO."""
        peer = Peer(self.sock.accept()[0])
        self.peers.append(peer)
        kind, payload = peer.frame()
        assert kind is Kind.HELLO
        peer.hello = frames.read_hello(payload)
        return peer

    def die(self) -> None:
        """All ends at once, as when the dispatcher is killed, and the dead socket is taken away."""
        self.sock.close()
        (self.folder / CHANNEL_SOCKET).unlink(missing_ok=True)
        for peer in self.peers:
            peer.close()
        self.peers.clear()

    def close(self) -> None:
        self.die()
        os.close(self.descriptor)

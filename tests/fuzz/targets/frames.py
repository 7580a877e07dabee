"""The channel's frames, in any pieces, at both of its ends.

The first byte of an input says how large the pieces are, and the second who reads them; the rest is what travels.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvloop

from tests.unit.dispatcher.edges.wires import RecordingTransport, http_edge
from tests.unit.dispatcher.fakes import HandClock, InlineExecutor
from tests.unit.dispatcher.loops import faults_of, turns
from tests.unit.dispatcher.requests import a_head, a_policy, a_request
from wsgid.access_fields import COMBINED
from wsgid.channel import frames
from wsgid.channel.frames import HEADER, MAX_FRAME, Answer, File, FrameError, FrameReader, Hello, Kind, Role
from wsgid.dispatcher.access_file import AccessFile
from wsgid.dispatcher.access_line import line_of
from wsgid.dispatcher.access_log import AccessLog
from wsgid.dispatcher.disk import Disk
from wsgid.dispatcher.dispatch import Dispatch
from wsgid.dispatcher.edges.http import HttpEdge
from wsgid.dispatcher.edges.http_connection import HttpConnection
from wsgid.dispatcher.slots import Slot
from wsgid.dispatcher.worker import Worker
from wsgid.dispatcher.workers import _first_hello
from wsgid.worker.body import open_body
from wsgid.worker.channel import Asked, Channel
from wsgid.worker.environ import build_environ, environ_template
from wsgid.worker.errors import DispatcherGone
from wsgid.worker.wsgi_errors import ErrorsStream

Said = list[tuple[Kind, bytes]]

KINDS = {kind.value: kind for kind in Kind}
READ: dict[Kind, tuple[Callable[[bytes], Any], Callable[[Any], bytes]]] = {
    Kind.HELLO: (frames.read_hello, frames.hello),
    Kind.REQUEST: (frames.read_request, frames.request),
    Kind.ANSWER: (frames.read_answer, frames.answer),
    Kind.HEAD: (frames.read_head, frames.head),
    Kind.FILE: (frames.read_file, frames.file),
}
"""How payloads are read, and written."""

TEMPLATE = environ_template(threads=1)


@contextmanager
def opened() -> Iterator[Callable[[bytes], None]]:
    with running_dispatcher() as dispatcher:
        yield lambda data: check(data, dispatcher)


def check(data: bytes, dispatcher: "Dispatcher") -> None:
    size, reader, said = data[:1], data[1:2], data[2:]
    pieces = list(cut(said, int.from_bytes(size) or len(said) or 1))
    match int.from_bytes(reader) % 3:
        case 0:
            check_reader(pieces)
        case 1:
            check_dispatcher(pieces, dispatcher)
        case 2:
            check_worker(said)


def cut(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


# The reader.


def check_reader(pieces: list[bytes]) -> None:
    """It gives the same whatever the pieces, until it meets what breaks the rules."""
    expected, legal = by_hand(b"".join(pieces))
    reader, heard = FrameReader(), []
    try:
        for piece in pieces:
            heard += reader.feed(piece)
    except FrameError as error:
        assert str(error)
        assert not legal
        assert heard == expected[: len(heard)]
    else:
        assert legal
        assert heard == expected
    for kind, payload in expected:
        check_payload(kind, payload)


def by_hand(data: bytes) -> tuple[Said, bool]:
    """The whole frames, and whether nothing breaks the rules."""
    said: Said = []
    while len(data) >= HEADER.size:
        length, number = int.from_bytes(data[:4]), data[4]
        payload, rest = data[5 : 5 + length], data[5 + length :]
        if length > MAX_FRAME:
            return said, False
        if len(payload) < length:
            break
        if number not in KINDS:
            return said, False
        said.append((KINDS[number], payload))
        data = rest
    return said, True


def check_payload(kind: Kind, payload: bytes) -> None:
    """A value, which is written in one way, or the error."""
    if kind not in READ:
        return
    read, write = READ[kind]
    try:
        value: Any = read(payload)
    except FrameError as error:
        assert str(error)
        return
    [(again, written)] = FrameReader().feed(write(value))
    assert again is kind
    assert read(written) == value


# The dispatcher's end.


def check_dispatcher(pieces: list[bytes], dispatcher: "Dispatcher") -> None:
    """Whatever a worker says, nothing fails in the dispatcher, and the client has an answer or none, but not two."""
    try:
        _first_hello(FrameReader().feed(b"".join(pieces)))
    except FrameError as error:
        assert str(error)
    slot, theirs = dispatcher.slot()
    client = dispatcher.ask("HEAD" if len(pieces) % 4 == 3 else "GET")
    for piece in pieces:
        if slot.worker.slots:
            theirs.sendall(piece)
            dispatcher.hear(slot)
    theirs.close()
    slot.close("it is over")
    dispatcher.settle()
    assert dispatcher.dispatch.open_count == 0
    assert client.arrived.startswith(b"HTTP/1.1 ") or client.lost


class Dispatcher:
    """With an HTTP edge, and worker threads that are sockets."""

    def __init__(
        self, dispatch: Dispatch, edge: HttpEdge, loop: asyncio.AbstractEventLoop, faults: list[dict[str, Any]]
    ) -> None:
        self.dispatch = dispatch
        self._faults = faults
        self._edge = edge
        self._loop = loop

    def slot(self) -> tuple[Slot, socket.socket]:
        """Of a worker of its own, and the worker's end of it."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        worker = Worker(1)
        slot = Slot(ours, worker, 0, FrameReader(), self.dispatch, self._loop)
        worker.slots.append(slot)
        self.dispatch.slot_idle(slot)
        return slot, theirs

    def ask(self, method: str) -> RecordingTransport:
        connection = HttpConnection(self._edge)
        client = RecordingTransport(self._loop, connection)
        connection.connection_made(client)
        client.say(b"%b / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % method.encode())
        return client

    def hear(self, slot: Slot) -> None:
        while slot.worker.slots and slot.readable():
            pass

    def settle(self) -> None:
        self._loop.run_until_complete(turns())
        assert not self._faults, self._faults


@contextmanager
def running_dispatcher() -> Iterator[Dispatcher]:
    loop = uvloop.new_event_loop()
    devnull = os.open(os.devnull, os.O_WRONLY)
    log = AccessLog(AccessFile(devnull), line_of(COMBINED), HandClock(), loop.call_soon, loop.call_later)
    disk = Disk("/", InlineExecutor(), loop)
    dispatch = Dispatch(HandClock(), log, a_policy(redeliver=False), "id", lambda _: None, disk)
    edge = http_edge(dispatch, loop)
    with faults_of(loop) as faults:
        yield Dispatcher(dispatch, edge, loop, faults)
    edge.close()
    loop.close()
    os.close(devnull)


# The worker's end.


def check_worker(said: bytes) -> None:
    """Whatever a dispatcher says, it is a request of which an environ can be made, a release, or the end."""
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    with theirs:
        theirs.sendall(said)
    try:
        while (taken := channel.take()) is not None:
            if isinstance(taken, Asked):
                continue
            request, descriptor = taken
            body, close = open_body(request, descriptor)
            check_environ(build_environ(TEMPLATE, request, body, ErrorsStream(request.id), lambda: False))
            close()
    except (FrameError, DispatcherGone) as error:
        assert str(error)
    finally:
        channel.close()


def check_environ(environ: dict[str, Any]) -> None:
    """PEP 3333, "environ Variables"."""
    assert environ["SCRIPT_NAME"] == "" or environ["SCRIPT_NAME"].startswith("/")
    assert environ["SCRIPT_NAME"] != "/"
    assert environ["PATH_INFO"].startswith("/") or (environ["PATH_INFO"] == "" and environ["SCRIPT_NAME"])
    assert environ["SERVER_NAME"]
    assert environ["SERVER_PORT"]
    assert all(type(value) is str for name, value in environ.items() if "." not in name)


def seeds() -> list[bytes]:
    part = frames.frame(Kind.PART, b"part")
    by_worker = [
        frames.hello(Hello(1, Role.CHANNEL, 0, 1)),
        frames.answer(Answer(a_head("200 OK", ("X-A", "b"), length=5), b"hello", True)),
        frames.answer(Answer(a_head("304 Not Modified"), b"", False)) + frames.DONE,
        frames.head(a_head()) + part + part + frames.END + frames.DONE,
        frames.head(a_head(length=9)) + part + frames.CUT + frames.DONE,
        frames.file(File(a_head(length=9), 3)) + frames.DESCRIPTOR + frames.DONE,
    ]
    by_dispatcher = [
        frames.request(a_request(headers=[("host", "a"), ("cookie", "a"), ("cookie", "b"), ("x_y", "z")])) * 2,
        frames.request(a_request(method="POST", script_name="/a%20b", body=b"hello", content_length=5))
        + frames.RELEASE,
        frames.request(a_request(body_in_file=True, content_length=70_000)),
        frames.ask(a_request(method="POST", body_in_file=True)) + frames.RELEASE,
        frames.client_gone("id-1") + frames.interrupt("id-2"),
    ]
    said = [*(b"\0\1" + each for each in by_worker), *(b"\0\2" + each for each in by_dispatcher)]
    return [*said, *(bytes([size, 0]) + b"".join(by_worker) for size in (1, 3, 7, 50))]

"""Clients down to their bytes, for whom nothing but the wire is played: a transport and a link that write down what is
sent, and a judge of it."""

import asyncio
import re
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from unittest.mock import patch

from tests.answers import Answer, read_answers
from wsgid.dispatcher.dispatch import Dispatch
from wsgid.dispatcher.edges.body_times import BodyTimes
from wsgid.dispatcher.edges.http import HttpEdge
from wsgid.dispatcher.edges.http_connection import HttpConnection, HttpTimes
from wsgid.dispatcher.edges.mongrel2 import Mongrel2Edge
from wsgid.protocol import mongrel2_replies
from wsgid.protocol.forwarded import FrontEnds
from wsgid.protocol.http_reader import Phase
from wsgid.protocol.limits import HttpLimits
from wsgid.protocol.tnetstrings import encode
from wsgid.upload_journal import UploadJournal

LIMITS = HttpLimits(request_line=4096, fields=100, headers=16 * 1024, body=16 * 1024 * 1024)
NOBODY = FrontEnds(["none"], "x-forwarded")
TIMES = HttpTimes(header=10.0, keepalive=5.0, body=BodyTimes(10.0, 1 / 500))

LINE = re.compile(
    r'"\S+ (?P<target>\S+) HTTP/1\.\d" (?P<code>\d{3}) (?P<size>\d+) .* id=\S+(?: end=(?P<end>\w+))?$', re.M
)
"""Of the access log."""


def http_edge(dispatch: Dispatch, loop: asyncio.AbstractEventLoop) -> HttpEdge:
    """It listens nowhere: each connection is made by the test."""
    return HttpEdge(dispatch, LIMITS, TIMES, loop, "wsgid", NOBODY)


def mongrel2_edge(
    dispatch: Dispatch, loop: asyncio.AbstractEventLoop, executor: Executor, journal: UploadJournal
) -> tuple[Mongrel2Edge, "RecordingLink"]:
    with patch("wsgid.dispatcher.edges.mongrel2.Mongrel2Link", RecordingLink):
        edge = Mongrel2Edge(
            dispatch,
            "",
            "",
            chroot="",
            shared=False,
            limits=LIMITS,
            trusts=NOBODY.trusts,
            body_times=TIMES.body,
            executor=executor,
            journal=journal,
            loop=loop,
            server="wsgid",
        )
    assert isinstance(edge.link, RecordingLink)
    return edge, edge.link


class RecordingSocket:
    family = socket.AF_INET

    def __init__(self) -> None:
        self.lingers = True
        """Closing it does not reset the connection."""

    def setsockopt(self, level: int, option: int, value: bytes) -> None:
        assert (level, option) == (socket.SOL_SOCKET, socket.SO_LINGER)
        self.lingers = False


class RecordingTransport(asyncio.Transport):
    """As uvloop's: what cannot be written yet is written after close(), dropped by abort()."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        protocol: asyncio.Protocol,
        peer: tuple[str, int] | None = ("192.0.2.1", 1024),
    ) -> None:
        self._socket = RecordingSocket()
        super().__init__({"socket": self._socket, "peername": peer, "sockname": ("127.0.0.1", 80)})
        self._loop = loop
        self._protocol = protocol
        self._buffer = b""
        self.arrived = b""
        """At the client."""
        self.choked = False
        self.reading = True
        self.closing = False
        self.aborted = False
        self.eof = False
        """Nothing more will be written."""
        self.lost = False

    @property
    def deaf(self) -> bool:
        """What is said now is not read: the request that was on its way has been refused. Its answer need not be here,
        as it waits behind others, and may never come."""
        assert isinstance(self._protocol, HttpConnection)
        return self._protocol._reader.phase is Phase.REFUSED

    @property
    def reset(self) -> bool:
        return self.aborted and not self._socket.lingers

    # What the connection does.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.eof, "uvloop would raise RuntimeError"
        if not (self.closing or self.lost):  # as uvloop, which forgets the rest
            self._buffer += data
            self._flush()

    def write_eof(self) -> None:
        self.eof = True

    def can_write_eof(self) -> bool:
        return True

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True
        self._flush()

    def abort(self) -> None:
        self.closing = self.aborted = True
        self._buffer = b""
        self._flush()

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """When the client is choked is up to the test."""

    def get_write_buffer_size(self) -> int:
        return len(self._buffer)

    def _flush(self) -> None:
        if not self.choked:
            self.arrived += self._buffer
            self._buffer = b""
        if self.closing and not self._buffer and not self.lost:
            self._lose(None)

    def _lose(self, why: OSError | None) -> None:
        self.lost = True
        self._loop.call_soon(self._protocol.connection_lost, why)

    # What the client does.

    def say(self, data: bytes) -> None:
        if not (self.closing or self.lost):
            self._protocol.data_received(data)

    def finish_sending(self) -> None:
        if not (self.closing or self.lost) and not self._protocol.eof_received():
            self.close()

    def go(self) -> None:
        if not self.lost:
            self._lose(ConnectionResetError())

    def choke(self) -> None:
        if not self.choked and not self.lost:
            self.choked = True
            self._protocol.pause_writing()

    def read_on(self) -> None:
        if self.choked and not self.lost:
            self.choked = False
            self._flush()
            if not self.lost:
                self._protocol.resume_writing()


CREDITS = 200
"""Bytes that may wait in Mongrel2 for a client (``MAX_CREDITS`` there), unless a test has more: so few that hardly an
answer fits."""


class RecordingLink:
    """In place of `wsgid.dispatcher.edges.mongrel2_link.Mongrel2Link`, and of Mongrel2 behind it."""

    def __init__(
        self,
        recv: str,
        send: str,
        loop: asyncio.AbstractEventLoop,
        *,
        received: Callable[[bytes], None],
        lost: Callable[[], None],
        **_: object,
    ) -> None:
        self.generation = 1
        self.choked = False
        self.receiving = True
        self.received = received
        self.flow_control = False
        self.credits = CREDITS
        self.clients: dict[str, MongrelClient] = {}
        """Of this generation, by number."""
        self._loop = loop
        self._lost = lost

    def send(self, message: bytes, generation: int) -> bool:
        if generation != self.generation:
            return False
        address, _, payload = message.partition(b", ")
        target = address.decode().partition(":")[2]
        if target.startswith("X "):
            self._order(target.split()[1:], message)
            return True
        client = self.clients[target]
        assert message == mongrel2_replies.reply("srv-1", target, payload)
        assert not client.ended, "nothing is sent after the end"
        client.arrived += payload
        client.ended = not payload
        if self.flow_control and payload:
            client.messages.append(len(payload))
            assert client.unwritten <= self.credits, "Mongrel2 would end the connection"
            self._loop.call_soon(self.write, client)
        return True

    def _order(self, numbers: list[str], order: bytes) -> None:
        if order == mongrel2_replies.keep_alive_all("srv-1", numbers):
            return
        [number] = numbers
        assert order == mongrel2_replies.cancel("srv-1", number)
        self.clients[number].cancel()

    def write(self, client: "MongrelClient") -> None:
        """What waits for this client, if it takes it."""
        if not client.unwritten or client.choked or not client.is_there:
            return
        written, client.messages = client.messages, []
        for size in written:
            if self.receiving and self.clients.get(client.number) is client:
                given = encode({b"METHOD": b"JSON", b"DOWNLOAD_CREDITS": b"%d" % size})
                self.received(f"srv-1 {client.number} @* ".encode() + given + b'18:{"type":"credits"},')

    def restart(self) -> None:
        """Mongrel2's: all its clients are gone, and new ones will have their numbers."""
        for each in self.clients.values():
            each.left = True
        self.clients = {}
        self.generation += 1
        self._lost()

    def take_arrived(self) -> None: ...

    def stop_receiving(self) -> None:
        self.receiving = False

    def close(self, linger: float) -> None:
        self.receiving = False

    def terminate(self) -> None: ...


@dataclass(eq=False)
class Asked:
    """A request that has been sent."""

    method: str
    target: str
    heard: bool = False
    """Its connection was open, and the server was not about to close it."""
    late: bool = False
    """The server was already about to end: an answer before may have said that it closes the connection."""


@dataclass(eq=False, repr=False)
class ByteClient:
    asked: list[Asked] = field(default_factory=list)
    left: bool = False
    """It has abandoned what it asked for."""


@dataclass(eq=False, repr=False)
class HttpClient(ByteClient):
    transport: RecordingTransport = field(kw_only=True)
    unsaid: list[tuple[bytes, Asked | None]] = field(default_factory=list)
    """What it is about to send, with the request that is whole then."""
    within: bool = False
    """It has sent a part of a request."""
    last: bool = False
    """It asks for nothing more."""

    @property
    def is_there(self) -> bool:
        return not self.transport.lost

    @property
    def arrived(self) -> bytes:
        return self.transport.arrived

    @property
    def ended(self) -> bool:
        return not self.transport.reset

    @property
    def was_cut(self) -> bool:
        return self.transport.aborted


@dataclass(eq=False, repr=False)
class MongrelClient(ByteClient):
    number: str = field(kw_only=True)
    arrived: bytes = b""
    messages: list[int] = field(default_factory=list)
    """The sizes of those that are still in Mongrel2, with flow control."""
    choked: bool = False
    """It takes nothing."""
    ended: bool = False
    cancelled: bool = False
    within: bool = False

    @property
    def is_there(self) -> bool:
        return not (self.left or self.ended)

    @property
    def unwritten(self) -> int:
        """Bytes of them."""
        return sum(self.messages)

    def cancel(self) -> None:
        """What is still in Mongrel2 is dropped."""
        self.arrived = self.arrived[: len(self.arrived) - self.unwritten]
        self.ended = self.cancelled = True

    @property
    def was_cut(self) -> bool:
        """Only within an answer: a close message behind a whole one would be an answer that is missing. (That to a HEAD
        is whole with its head, and cut when the application fails after it.)"""
        answers, partial = _read(self)
        head = any(each.method == "HEAD" for each in self.asked[len(answers) - 1 :][:1])
        return self.cancelled or (self.ended and (partial or head))


@dataclass(frozen=True)
class Line:
    """Of the access log."""

    code: int
    size: int
    end: str


def judge(client: HttpClient | MongrelClient, log: Mapping[str, list[Line]], *, filters: bool) -> None:
    """Once all is over; ``log`` by target. With ``filters`` a request may be refused before it is whole. Raises
    AssertionError."""
    early = (403, 408, 502, 503, 504) if filters else (408,)
    answers, _ = _read(client)
    for asked, answer in zip(client.asked, answers, strict=False):
        [line] = log[asked.target]
        _judge_answer(client, asked, answer, line)
    # What was late for this one came when nothing was read any more.
    deaf = any(each.status in early and each.closes for each in answers)
    closed = bool(answers) and answers[-1].closes
    unanswered = client.asked[len(answers) :]
    # Of an answer that is kept for a client not a byte may have gone out when it is cut, and behind one that is not
    # taken another cannot even begin.
    cut = client.was_cut or (client.ended and any(each.end in ("cut", "left") for each in _lines(log, unanswered[:1])))
    for asked in unanswered:
        asked.heard &= not (deaf or (asked.late and closed))
        lines = len(log.get(asked.target, []))
        assert lines == 1 or not (lines or asked.heard), (asked, lines)
        assert client.left or cut or not asked.heard, f"no answer to {asked}"
    surplus = answers[len(client.asked) :]
    assert [each.status for each in surplus] in ([], *([status] for status in early)), surplus
    assert not surplus or client.within, "an answer to nothing"


def _lines(log: Mapping[str, list[Line]], asked: list[Asked]) -> list[Line]:
    return [line for each in asked for line in log.get(each.target, [])]


def _judge_answer(client: HttpClient | MongrelClient, asked: Asked, answer: Answer, line: Line) -> None:
    if asked.method == "HEAD" and line.end in ("left", "cut"):
        # To the client it is whole with its head, to us when the application has ended.
        assert client.left or client.was_cut
        return
    assert (line.code, line.size) == (answer.status, len(answer.body)), (asked, answer, line)
    if answer.status == 200:
        assert not line.end, f"what is logged so is no whole answer: {line}"
        assert not answer.body.replace(asked.target.encode(), b""), "the answer to another request"
    else:
        assert answer.status in (403, 408, 502, 503, 504), answer
        assert line.end == "refused"


def _read(client: HttpClient | MongrelClient) -> tuple[list[Answer], bool]:
    """The whole answers, in order, and whether a part of one follows. One more is read than was asked for."""
    methods = [*(each.method for each in client.asked), "GET"]
    answers, rest = read_answers(client.arrived, methods, ended=client.ended)
    assert not rest, f"more than was asked for: {rest!r}"
    partial = bool(answers) and not answers[-1].whole
    return answers[:-1] if partial else answers, partial

"""HTTP clients: a raw connection whose answers h11 judges, and one call for an ordinary request.

h11 is a second opinion: none of its code is in wsgid. A malformed answer raises ``h11.RemoteProtocolError``; one that
ends too early raises Cut.
"""

import http.client
import json
import socket
import struct
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import h11

from tests.deadlines import seconds

RECEIVE = 64 * 1024

NO_LINGER = struct.pack("ii", 1, 0)
"""SO_LINGER on, 0 seconds: close() sends RST at once."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    reason: str
    headers: list[tuple[str, str]]
    """As they came, names lower-cased."""
    body: bytes
    version: str = "1.1"
    informational: list[int] = field(default_factory=list)
    """Statuses of the 1xx answers before it."""

    def header(self, name: str) -> str | None:
        """The value; repeats joined with ``, ``; None when there is none."""
        values = [value for key, value in self.headers if key == name.lower()]
        return ", ".join(values) if values else None

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


class Cut(Exception):
    """The connection ended before the answer did."""

    def __init__(self, body: bytes, status: int) -> None:
        """``status`` is 0 when not even the head was whole."""
        super().__init__(f"the connection ended before the answer did, after {len(body)} bytes of body")
        self.body = body
        self.status = status


class Connection:
    """One TCP (or UNIX) connection on which anything may be sent."""

    def __init__(self, address: tuple[str, int] | str, source: str = "") -> None:
        """``source``: the IP address to come from, of which loopback has many; empty: any."""
        if isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.settimeout(seconds())
            self.socket.connect(address)
        else:
            self.socket = socket.create_connection(address, seconds(), (source, 0))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._methods: deque[str] = deque()
        """Of requests sent by ask() and not yet answered: an answer to HEAD has no body."""
        self._rest = b""
        """Received, but part of the next answer."""
        self.was_reset = False
        """The other side ended by RST: no answer is whole that ends with it."""

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send_in_pieces(self, data: bytes, size: int = 1) -> None:
        """Each piece in a packet of its own."""
        for start in range(0, len(data), size):
            self.socket.sendall(data[start : start + size])

    def ask(
        self,
        target: str = "/",
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        version: str = "1.1",
    ) -> None:
        """Sends a request without waiting for its answer: several in a row are pipelined."""
        self._methods.append(method)
        self.send(request_bytes(target, method, headers, body, version))

    def answer(self, method: str | None = None) -> Answer:
        """Reads the next answer, to the oldest ask() not yet answered or to a ``method`` that was sent by send().

        Raises Cut, h11.RemoteProtocolError, and TimeoutError.
        """
        judge = h11.Connection(h11.CLIENT, max_incomplete_event_size=1024 * 1024)
        asked = method or (self._methods.popleft() if self._methods else "GET")
        judge.send(h11.Request(method=asked, target="/", headers=[("host", "judge")]))
        judge.send(h11.EndOfMessage())
        if self._rest:
            judge.receive_data(self._rest)
            self._rest = b""
        return self._read(judge)

    def _read(self, judge: h11.Connection) -> Answer:
        head: h11.Response | None = None
        body = bytearray()
        informational: list[int] = []
        while True:
            event = self._event(judge)
            if isinstance(event, h11.InformationalResponse):
                informational.append(event.status_code)
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif event is None or isinstance(event, h11.ConnectionClosed) or self.was_reset:
                raise Cut(bytes(body), head.status_code if head is not None else 0)
            elif isinstance(event, h11.EndOfMessage):
                assert head is not None
                self._rest = judge.trailing_data[0]
                headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers]
                reason, version = head.reason.decode("latin-1"), head.http_version.decode()
                return Answer(head.status_code, reason, headers, bytes(body), version, informational)

    def _event(self, judge: h11.Connection) -> h11.Event | type[h11.PAUSED] | None:
        """None when the connection has ended where that is no end of an answer."""
        ended = False
        while True:
            try:
                event = judge.next_event()
            except h11.RemoteProtocolError:
                if ended:
                    return None
                raise
            if event is not h11.NEED_DATA:
                return event  # type: ignore[return-value]  # NEED_DATA is ruled out above, mypy does not see it
            data = self.receive()
            ended = not data
            judge.receive_data(data)

    def receive(self) -> bytes:
        """Whatever comes next; ``b""`` when the other side has ended, also by a reset."""
        if self._rest:
            rest, self._rest = self._rest, b""
            return rest
        try:
            return self.socket.recv(RECEIVE)
        except ConnectionResetError:
            self.was_reset = True
            return b""

    def receive_until(self, wanted: bytes) -> None:
        """Returns when this has come, which answer() will still find. Raises AssertionError when the other side ends
        before, and TimeoutError."""
        received = b""
        while wanted not in received:
            more = self.receive()
            assert more, f"the end came before {wanted!r}, after {received!r}"
            received += more
        self._rest = received

    def expect_end(self) -> None:
        """The other side closes and sends nothing more. Raises AssertionError, TimeoutError."""
        more = self.receive()
        assert more == b"", f"the end was expected, not {more[:200]!r}"

    def finish_sending(self) -> None:
        """Half-closes: nothing more is sent, answers can still be read."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Leaves rudely, by RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self.socket.close()


def request_bytes(
    target: str = "/",
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    version: str = "1.1",
) -> bytes:
    """A request as it goes over the wire, with Host and, when there is a body, Content-Length unless they are given."""
    lines = {"Host": "test.example", **({"Content-Length": str(len(body))} if body else {}), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {target} HTTP/{version}\r\n{head}\r\n".encode("latin-1") + body


def request(
    url: str,
    method: str = "GET",
    body: bytes | Iterable[bytes] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """An ordinary request by the standard library's client; a body that is not bytes is sent in chunks."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with closing(http.client.HTTPConnection(parts.hostname, parts.port, timeout=seconds())) as connection:
        connection.request(method, target, body, dict(headers or {}))
        response = connection.getresponse()
        received = [(name.lower(), value) for name, value in response.getheaders()]
        version = "1.1" if response.version == 11 else "1.0"
        return Answer(response.status, response.reason, received, response.read(), version)

"""What h11 reads in all the bytes that a server has sent on one connection.

h11 is a second opinion: none of its code is in wsgid.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import h11

LARGEST_HEAD = 4 * 1024 * 1024
"""Bytes: h11 refuses 16 KiB as it comes, and an application's headers may have a megabyte."""


@dataclass(frozen=True)
class Answer:
    status: int
    """0 when not even the head is whole."""
    reason: str
    headers: list[tuple[str, str]]
    """As they came, names lower-cased."""
    body: bytes
    whole: bool
    """Its end has come, and is told from the end of the connection where that could be either."""
    informational: list[int]
    """Statuses of the 1xx answers before it."""

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    @property
    def closes(self) -> bool:
        return "close" in self.values("connection")


def read_answers(data: bytes, methods: Iterable[str], *, ended: bool) -> tuple[list[Answer], bytes]:
    """The answers to requests with these methods, in order, and what follows them. Only the last can be one that is not
    whole. ``ended``: the connection was closed in order after these bytes, neither reset nor still open.

    Raises h11.RemoteProtocolError for what is no HTTP.
    """
    answers: list[Answer] = []
    for method in methods:
        if not data or (answers and not answers[-1].whole):
            break
        answer, data = _read_answer(data, method, ended)
        answers.append(answer)
    return answers, data


def _read_answer(data: bytes, method: str, ended: bool) -> tuple[Answer, bytes]:
    judge = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGEST_HEAD)
    judge.send(h11.Request(method=method, target="/", headers=[("Host", "judge")]))
    judge.send(h11.EndOfMessage())
    judge.receive_data(data)
    answer, body = Answer(0, "", [], b"", False, []), bytearray()
    while not isinstance(event := _next_event(judge, ended), h11.EndOfMessage | None):
        if isinstance(event, h11.InformationalResponse):
            answer.informational.append(event.status_code)
        elif isinstance(event, h11.Response):
            headers = [(name.decode(), value.decode("latin-1")) for name, value in event.headers]
            answer = replace(answer, status=event.status_code, reason=event.reason.decode("latin-1"), headers=headers)
        else:
            assert isinstance(event, h11.Data), event
            body += event.data
    whole = event is not None
    return replace(answer, body=bytes(body), whole=whole), judge.trailing_data[0] if whole else b""


def _next_event(judge: h11.Connection, ended: bool) -> h11.Event | None:
    """None when the answer goes no further."""
    event = judge.next_event()
    if event is h11.NEED_DATA and ended:
        judge.receive_data(b"")
        try:
            event = judge.next_event()
        except h11.RemoteProtocolError:  # what came before was in order, the end is too early
            return None
    return event if isinstance(event, h11.Event) else None

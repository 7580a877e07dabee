"""What PEP 3333 makes of a behaviour: the whole answer, a 500, or one that is cut.

Written from the PEP and RFC 9110, and not from wsgid's code. Where the PEP leaves a choice, wsgid's is told here:

- types are exact: no subclass of list, tuple or str where ``start_response`` wants one, as wsgiref has it;
- a value may have no control character at all, TAB among them: the PEP says so, other than RFC 9110;
- of a list or tuple without ``close()`` nothing is sent before all of it has been looked at: one with a wrong part, or
  with too few bytes for its Content-Length, is a 500 and not cut;
- what comes behind the last byte of an answer changes nothing, be it an error; the log has it.
"""

import enum
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.apps.behaviours.app.wsgi import (
    Behaviour,
    BodyStep,
    File,
    Give,
    Odd,
    Pieces,
    Raise,
    Result,
    Start,
    Step,
    Stream,
    Whole,
    Write,
    part_of,
    shaped,
    value_of,
)
from wsgid.worker.checks import HEADER_OVERHEAD, MAX_HEADERS, MAX_STATUS

Headers = list[tuple[str, str]]

NO_BODY = {204, 205, 304}
HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "trailers",
    "transfer-encoding",
    "upgrade",
}
"""RFC 2616 section 13.5.1, to which the PEP refers, and what it means by "trailers"."""

TOKEN_MARKS = "!#$%&'*+-.^_`|~"


class Ending(enum.Enum):
    WHOLE = enum.auto()
    FAILED = enum.auto()
    """A 500 of the server's."""
    CUT = enum.auto()


@dataclass(frozen=True)
class Expected:
    ending: Ending
    status: str
    headers: Headers
    body: bytes
    """All that may be sent of it."""
    size: int | None
    """Bytes of the body that there would be for a GET, where they are known before it is sent."""
    complaint: bool
    """The log has to tell of a mistake."""


class Failure(Exception):
    """A rule was broken, or the application raised something."""


def expect(behaviour: Behaviour, method: str) -> Expected:
    return Played(method).play(behaviour)


class Played:
    def __init__(self, method: str) -> None:
        self._method = method
        self._status = ""
        """Not before a good call of ``start_response``."""
        self._headers: Headers = []
        self._length: int | None = None
        self._body = bytearray()
        self._begun = False
        """Something has been sent."""
        self._over = False
        """The last byte has."""
        self._failed = False
        self._writable = False
        self._lenient = False
        """A file may be longer than its Content-Length."""
        self._size: int | None = None
        self._complaint = False

    def play(self, behaviour: Behaviour) -> Expected:
        close: list[Step] = []
        try:
            for step in behaviour.call:
                self._do(step)
            close = getattr(behaviour.result, "close", None) or []
            self._take(behaviour.result)
            self._end()
        except Failure:
            self._failed = not self._over
            self._complaint = self._over = True
        self._close(close)
        return self._expected()

    def _expected(self) -> Expected:
        if self._failed and not self._begun:
            return Expected(Ending.FAILED, "500 Internal Server Error", [], b"", None, True)
        ending = Ending.CUT if self._failed else Ending.WHOLE
        return Expected(ending, self._status, self._headers, bytes(self._body), self._size, self._complaint)

    def _close(self, steps: list[Step]) -> None:
        try:
            for step in steps:
                self._do(step)
        except Failure:
            self._complaint = True

    # Steps.

    def _do(self, step: BodyStep) -> None:
        try:
            match step:
                case Start():
                    self._start(step)
                case Write():
                    self._write(part_of(step.part))
                case Raise():
                    raise Failure
        except Failure:
            if not (isinstance(step, Start | Write) and step.swallows):
                raise

    def _start(self, step: Start) -> None:
        again = self._status != "" and step.exc_info != "caught"
        if self._begun or self._over or again or step.exc_info == "odd":
            raise Failure
        status = value_of(step.status)
        headers = shaped(step.shape, [(value_of(name), value_of(value)) for name, value in step.headers])
        if not (is_status(status) and are_headers(headers)):
            raise Failure
        self._status, self._headers = status, list(headers)
        lengths = [int(value) for name, value in headers if name.lower() == "content-length"]
        self._length = lengths[0] if lengths else None
        self._writable = True

    def _write(self, data: Any) -> None:
        if not self._writable or not isinstance(data, bytes):
            raise Failure
        if data and self._over and not self._all_there:
            raise Failure
        if data:
            self._send(data)

    # The body.

    @property
    def _all_there(self) -> bool:
        """The body is as long as it may be."""
        return self._bodiless or len(self._body) == self._length

    @property
    def _bodiless(self) -> bool:
        return self._method == "HEAD" or int(self._status[:3]) in NO_BODY

    def _take(self, result: Result) -> None:
        match result:
            case Whole():
                at_hand = result.close is None and result.kind != "list subclass"
                self._take_whole([part_of(part) for part in result.parts], at_hand=at_hand)
            case Stream():
                self._take_parts(self._yielded(result.steps))
            case File():
                self._lenient = True
                text = result.content.text[result.position :]
                if result.kind == "disk" and not self._begun:
                    self._size = len(text)
                part = text if result.kind == "text" else text.encode("latin-1")
                self._take_parts([part] if part else [])
            case Pieces():
                self._lenient = True
                self._take_parts(self._read(result.steps))
            case Odd(name="list"):
                self._take_whole([], at_hand=True)
            case Odd():
                raise Failure

    def _take_whole(self, parts: list[Any], *, at_hand: bool) -> None:
        if at_hand and not all(isinstance(part, bytes) for part in parts):
            raise Failure
        if at_hand and not self._begun:
            self._size = sum(map(len, parts))
            promised = self._length if self._status and not self._bodiless else None
            if promised is not None and self._size < promised:
                raise Failure
        self._take_parts(parts)

    def _take_parts(self, parts: Any) -> None:
        for part in parts:
            if not isinstance(part, bytes):
                raise Failure
            if part and not self._send(part):
                return

    def _yielded(self, steps: Sequence[BodyStep]) -> Iterator[Any]:
        for step in steps:
            match step:
                case Give():
                    yield part_of(step.part)
                case Raise(error="StopIteration"):
                    return  # which is how iterators end
                case _:
                    self._do(step)

    def _read(self, steps: Sequence[BodyStep]) -> Iterator[Any]:
        """By the wrapper: what is empty ends a file."""
        for part in self._yielded(steps):
            if not part:
                return
            yield part

    def _send(self, data: bytes) -> bool:
        """Whether there may be more."""
        if not self._status:
            raise Failure
        if self._over:
            self._note_surplus()
            return False
        self._begun = True
        if self._bodiless:
            self._over = True
            return True
        if self._length is not None:
            room = self._length - len(self._body)
            if len(data) > room:
                self._note_surplus()
            data = data[:room]
        self._body += data
        self._over = len(self._body) == self._length
        return True

    def _note_surplus(self) -> None:
        if not (self._bodiless or self._lenient):
            self._complaint = True

    def _end(self) -> None:
        if not self._status:
            raise Failure
        if not (self._over or self._bodiless) and self._length is not None and len(self._body) < self._length:
            raise Failure
        self._over = True


def is_status(status: Any) -> bool:
    if type(status) is not str or len(status) > MAX_STATUS:
        return False
    return re.match(r"[2-5][0-9][0-9] ", status) is not None and is_plain(status)


def are_headers(headers: Any) -> bool:
    if type(headers) is not list or not all(type(header) is tuple and len(header) == 2 for header in headers):
        return False
    if not all(is_name(name) and is_plain(value) for name, value in headers):
        return False
    lengths = [value for name, value in headers if name.lower() == "content-length"]
    size = sum(len(name) + len(value) + HEADER_OVERHEAD for name, value in headers)
    return len(lengths) <= 1 and all(map(is_length, lengths)) and size <= MAX_HEADERS


def is_name(name: Any) -> bool:
    return (
        type(name) is str
        and name != ""
        and all(each.isascii() and (each.isalnum() or each in TOKEN_MARKS) for each in name)
        and name.lower() not in HOP_BY_HOP
    )


def is_plain(text: Any) -> bool:
    """Text of bytes, none of them a control character."""
    return type(text) is str and not re.search(r"[^ -~\x80-\xff]", text)


def is_length(value: str) -> bool:
    return 0 < len(value) <= 18 and all("0" <= each <= "9" for each in value)

"""Frames of the channel between dispatcher and worker.

A frame is four bytes of length, one byte of kind and that many bytes of payload. A worker process opens one *channel*
for each thread, and one *control* connection. What may be said:

======== ===================== =========================================================================
by       on                    frames
======== ===================== =========================================================================
worker   channel               HELLO, then for each request ANSWER | FILE | HEAD PART* (END | CUT), then DONE,
                               and for each question ADMITTED | ANSWER
worker   control               HELLO, LEAVING, STACK
dispatch channel               REQUEST (with a descriptor when the body is in a file), ASK, FILE_AWAITED, RELEASE
dispatch control               CLIENT_MAY_BE_GONE, CLIENT_GONE, INTERRUPT, TRACE
======== ===================== =========================================================================

Those on a control connection name a request. CLIENT_MAY_BE_GONE: its client sends nothing more, and may well wait for
its answer. CLIENT_GONE: nobody takes what is still to come of the answer. TRACE: where is the thread that serves it?
STACK is the answer.

ASK is the question whether an upload may go on: a request whose body is still on its way. An ANSWER to it refuses the
upload, and is what the client gets. HELLO says whether the worker has filters to ask; one that has none admits all.

ANSWER carries whether DONE follows: an application that returned a plain list has nothing left to do, and the ordinary
answer costs one write. FILE announces an answer whose body is in a file. The worker sends DESCRIPTOR, and the
descriptor with it, only after FILE_AWAITED: it would be lost on a reader who just takes bytes (unix(7)), as the
dispatcher does otherwise. End of file on a channel without a RELEASE before it means that the other side died.
"""

import enum
import struct
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from wsgid.protocol.values import Request, WrittenHead

Value = TypeVar("Value")

HEADER = struct.Struct("!IB")
HEADER_SIZE: Final = HEADER.size

MAX_FRAME = 4 * 1024 * 1024
"""No frame is larger. The largest honest one is a REQUEST: headers (at most 1 MiB on any edge) and a small body."""

INLINE_BODY = 64 * 1024
"""Request bodies up to this travel inside the REQUEST, larger ones as a file. A UNIX socket takes about 200 KiB at
once, so that a request to an idle worker is one write that never blocks."""

PART_SIZE = 256 * 1024
"""The largest PART, and the largest body in an ANSWER: what the dispatcher buffers for one slot stays in proportion."""


class Kind(enum.IntEnum):
    HELLO = 1
    REQUEST = 2
    ANSWER = 3
    HEAD = 4
    PART = 5
    END = 6
    CUT = 7
    DONE = 8
    RELEASE = 9
    LEAVING = 10
    CLIENT_GONE = 11
    INTERRUPT = 12
    FILE = 13
    FILE_AWAITED = 14
    DESCRIPTOR = 15
    CLIENT_MAY_BE_GONE = 16
    ASK = 17
    ADMITTED = 18
    TRACE = 19
    STACK = 20


_REQUEST, _ANSWER = Kind.REQUEST, Kind.ANSWER
"""One of each for every request: what concerns them is written out below, as each call and each look at an enum's
attribute (Python 3.11) is a part of what the request costs."""

_KINDS: Final = {kind.value: kind for kind in Kind}


class FrameError(Exception):
    """The other side broke the rules above: the connection is of no use any more."""


class Role(enum.IntEnum):
    CHANNEL = 1
    CONTROL = 2


class Hello(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The first frame of every connection: who is calling."""

    pid: int
    role: Role
    thread: int
    """0 and up; a control connection says 0."""
    threads: int
    """How many channels this process opens: it is ready when all of them have called."""
    filters_uploads: bool = False
    """It has upload filters. A control connection does not say it."""
    identifier: int = 0
    """Of the thread, as threading.get_ident() and stacks have it. A control connection does not say it."""


class Answer(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A whole answer in one frame."""

    head: WrittenHead
    body: bytes
    done: bool
    """Nothing follows: the slot is idle again. Otherwise a DONE comes once ``close()`` has returned."""


class File(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An answer whose body is a part of a file."""

    head: WrittenHead
    """Has a content_length."""
    offset: int
    """Bytes."""

    @property
    def length(self) -> int:
        """Bytes."""
        return self.head.content_length or 0


class Stack(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where the thread is that serves a request."""

    key: str
    text: str | None
    """In the words of a traceback, at most `MAX_STACK` bytes; None when no thread serves this request."""


_pack, _unpack = HEADER.pack, HEADER.unpack_from
_encode = msgspec.msgpack.Encoder().encode
_BIN_32: Final = struct.Struct("!BI").pack
_decode_hello = msgspec.msgpack.Decoder(Hello).decode
_decode_request = msgspec.msgpack.Decoder(Request).decode
_decode_answer = msgspec.msgpack.Decoder(Answer).decode
_decode_head = msgspec.msgpack.Decoder(WrittenHead).decode
_decode_file = msgspec.msgpack.Decoder(File).decode
_decode_stack = msgspec.msgpack.Decoder(Stack).decode


def frame(kind: Kind, payload: bytes = b"") -> bytes:
    """One frame, ready to be written."""
    return HEADER.pack(len(payload), kind) + payload


def header(kind: Kind, size: int) -> bytes:
    """What a frame begins with whose payload, of so many bytes, is written behind it."""
    return HEADER.pack(size, kind)


def hello(value: Hello) -> bytes:
    return frame(Kind.HELLO, _encode(value))


def request(value: Request) -> bytes:
    payload = _encode(value)
    return _pack(len(payload), _REQUEST) + payload


def ask(value: Request) -> bytes:
    return frame(Kind.ASK, _encode(value))


def answer(value: Answer) -> bytes:
    payload = _encode(value)
    return _pack(len(payload), _ANSWER) + payload


def answer_around(head: WrittenHead, size: int, done: bool) -> tuple[bytes, bytes]:
    """What comes before and behind a body of so many bytes in an ANSWER: it is sent from where it lies."""
    packed = _encode(Answer(head, b"", done))
    # MessagePack: an empty body is two bytes, one of any size is announced by five; `done` is the last byte.
    before = packed[:-3] + _BIN_32(0xC6, size)
    return _pack(len(before) + size + 1, _ANSWER) + before, packed[-1:]


def head(value: WrittenHead) -> bytes:
    return frame(Kind.HEAD, _encode(value))


def file(value: File) -> bytes:
    return frame(Kind.FILE, _encode(value))


def client_may_be_gone(key: str) -> bytes:
    return frame(Kind.CLIENT_MAY_BE_GONE, key.encode())


def client_gone(key: str) -> bytes:
    return frame(Kind.CLIENT_GONE, key.encode())


def interrupt(key: str) -> bytes:
    """The request has taken too long: its thread is to be interrupted, if it still serves it."""
    return frame(Kind.INTERRUPT, key.encode())


def trace(key: str) -> bytes:
    return frame(Kind.TRACE, key.encode())


def stack(value: Stack) -> bytes:
    return frame(Kind.STACK, _encode(value))


END = frame(Kind.END)
CUT = frame(Kind.CUT)
DONE = frame(Kind.DONE)
ADMITTED = frame(Kind.ADMITTED)
FILE_AWAITED = frame(Kind.FILE_AWAITED)
DESCRIPTOR = frame(Kind.DESCRIPTOR)
RELEASE = frame(Kind.RELEASE)
LEAVING = frame(Kind.LEAVING)


def read_hello(payload: bytes) -> Hello:
    """Raises FrameError."""
    return _read(_decode_hello, payload)


def read_request(payload: bytes) -> Request:
    """Raises FrameError."""
    try:
        return _decode_request(payload)
    except _UNREADABLE as error:
        raise _does_not_decode(error) from None


def read_answer(payload: bytes) -> Answer:
    """Raises FrameError."""
    try:
        return _decode_answer(payload)
    except _UNREADABLE as error:
        raise _does_not_decode(error) from None


def read_head(payload: bytes) -> WrittenHead:
    """Raises FrameError."""
    return _read(_decode_head, payload)


def read_file(payload: bytes) -> File:
    """Raises FrameError, also when there is nothing to send."""
    value = _read(_decode_file, payload)
    if value.length <= 0 or value.offset < 0:
        raise FrameError(f"a file of which {value.length} bytes from {value.offset} on are to be sent")
    return value


def read_stack(payload: bytes) -> Stack:
    """Raises FrameError."""
    return _read(_decode_stack, payload)


def _read(decode: Callable[[bytes], Value], payload: bytes) -> Value:
    try:
        return decode(payload)
    except _UNREADABLE as error:
        raise _does_not_decode(error) from None


_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""Text and depth have errors of their own."""


def _does_not_decode(error: Exception) -> FrameError:
    return FrameError(f"a frame that does not decode: {error}")


class FrameReader:
    """Cuts a stream of bytes into frames. What is not whole yet is joined once, when it is."""

    __slots__ = ("_missing", "_parts")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        """The beginning of a frame."""
        self._missing = 0
        """Bytes without which nothing more can be said about it."""

    def feed(self, data: bytes) -> list[tuple[Kind, bytes]]:
        """The frames that are complete with this data, as (kind, payload).

        Raises FrameError on an unknown kind or a frame over MAX_FRAME; the reader is then of no use.
        """
        size = len(data)
        if self._parts:
            self._parts.append(data)
            self._missing -= size
            if self._missing > 0:
                return []
            data = b"".join(self._parts)
            self._parts.clear()
            size = len(data)
        elif size >= HEADER_SIZE:
            length, number = _unpack(data)
            if length == size - HEADER_SIZE <= MAX_FRAME and (kind := _KINDS.get(number)) is not None:
                # One whole frame, as nearly always: the loop below would find the same.
                return [(kind, data[HEADER_SIZE:])]
        found: list[tuple[Kind, bytes]] = []
        position = 0
        while size - position >= HEADER_SIZE:
            length, number = _unpack(data, position)
            if length > MAX_FRAME:
                raise FrameError(f"a frame of {length} bytes, the limit is {MAX_FRAME}")
            start = position + HEADER_SIZE
            if size - start < length:
                self._missing = length - (size - start)
                break
            position = start + length
            known = _KINDS.get(number)
            if known is None:
                raise FrameError(f"a frame of unknown kind {number}")
            found.append((known, data[start:position]))
        else:
            self._missing = HEADER_SIZE - (size - position)
        if position < size:
            self._parts.append(data[position:])
        return found

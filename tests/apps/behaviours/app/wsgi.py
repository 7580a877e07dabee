"""Plays the behaviour that a request describes in its header ``X-Behaviour``, be it as PEP 3333 has it or not.

What is played is made up and judged in tests/behaviours.
"""

import io
import re
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec


class Stretch(msgspec.Struct, frozen=True, tag=True):
    """Text over and over, cut at ``size`` characters: what is large is short to describe."""

    of: str
    """Latin-1; not empty."""
    size: int

    @property
    def text(self) -> str:
        return (self.of * (self.size // len(self.of) + 1))[: self.size]


class Odd(msgspec.Struct, frozen=True, tag=True):
    """A value of some type (see `ODD`), where PEP 3333 wants one of a certain type."""

    name: str


Part = Stretch | Odd
"""Of a body; a Stretch as bytes."""

Value = str | Stretch | Odd
"""A status, or the name or value of a header; a Stretch as str."""

Shape = Literal["list", "list, changed later", "list subclass", "tuple", "iterator", "None", "dict", "lists", "triples"]
"""Of the headers: of the whole, or, with the last two, of each."""


class Start(msgspec.Struct, frozen=True, tag=True):
    """Calls ``start_response``."""

    status: Value
    headers: list[tuple[Value, Value]]
    shape: Shape = "list"
    exc_info: Literal["", "caught", "empty", "odd"] = ""
    """The third argument: none, ``sys.exc_info()`` where there is an exception, or where there is none, or nonsense."""
    swallows: bool = False
    """Whatever Exception comes out, the application goes on."""


class Write(msgspec.Struct, frozen=True, tag=True):
    """Calls ``write()``."""

    part: Part
    swallows: bool = False


class Raise(msgspec.Struct, frozen=True, tag=True):
    """Of an error in `ERRORS`."""

    error: str


class Read(msgspec.Struct, frozen=True, tag=True):
    """Of the request's body, all of it."""


class Give(msgspec.Struct, frozen=True, tag=True):
    """A part of the body, as the application returns or yields it."""

    part: Part


Step = Start | Write | Raise | Read
BodyStep = Step | Give


class Whole(msgspec.Struct, frozen=True, tag=True):
    """The application returns all parts at once."""

    kind: Literal["list", "tuple", "list subclass"]
    """The last is any iterable to PEP 3333: it may have an iterator of its own."""
    parts: list[Part]
    close: list[Step] | None = None
    """What ``close()`` does; None: there is none."""


class Stream(msgspec.Struct, frozen=True, tag=True):
    """The application returns what does all this as it is iterated over. A generator function that calls
    ``start_response`` itself is one whose application has done nothing before."""

    kind: Literal["generator", "iterator", "iterable", "sequence"]
    """A sequence has ``__getitem__`` only; an iterable, alone of these, has a length: that of `steps`."""
    steps: list[BodyStep]
    close: list[Step] | None = None
    """A generator's own ``close()`` does nothing."""


class File(msgspec.Struct, frozen=True, tag=True):
    """The application returns a file in ``wsgi.file_wrapper``."""

    kind: Literal["disk", "memory", "text"]
    content: Stretch
    position: int
    block: int | None


class Pieces(msgspec.Struct, frozen=True, tag=True):
    """The same, with an object that has nothing but ``read``, which gives these, one at a time."""

    steps: list[BodyStep]


Result = Whole | Stream | File | Pieces | Odd


class Behaviour(msgspec.Struct, frozen=True):
    call: list[Step]
    """What the application does before it returns."""
    result: Result


class Mistake(Exception):
    """The application's own."""


class Text(str):
    pass


class Data(bytes):
    pass


ODD: dict[str, Any] = {
    "None": None,
    "int": 7,
    "str": "text",
    "str subclass": Text("text"),
    "bytes": b"bytes",
    "bytes subclass": Data(b"bytes"),
    "bytearray": bytearray(b"bytes"),
    "memoryview": memoryview(b"bytes"),
    "list": [],
    "dict": {"a": b"b"},
}

ERRORS: dict[str, Callable[[], BaseException]] = {
    "Mistake": Mistake,
    "BaseException": BaseException,
    "SystemExit": lambda: SystemExit(0),
    "KeyboardInterrupt": KeyboardInterrupt,
    "GeneratorExit": GeneratorExit,
    "BrokenPipeError": BrokenPipeError,
    "StopIteration": StopIteration,
    "RecursionError": RecursionError,
}

decode: Callable[[bytes], Behaviour] = msgspec.json.Decoder(Behaviour).decode
_encode = msgspec.json.Encoder().encode
_BEYOND = re.compile("[^ -~]")


def encode(behaviour: Behaviour) -> str:
    """In printable ASCII, as a header can carry it; what is beyond has JSON's escapes."""
    return _BEYOND.sub(_escape, _encode(behaviour).decode())


def _escape(character: re.Match[str]) -> str:
    """In UTF-16: two escapes for what is beyond U+FFFF (RFC 8259 section 7)."""
    data = character[0].encode("utf-16-be")
    return "".join(f"\\u{data[start : start + 2].hex()}" for start in range(0, len(data), 2))


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Any:
    behaviour = decode(environ["HTTP_X_BEHAVIOUR"].encode("latin-1"))
    player = Player(environ, start_response)
    for step in behaviour.call:
        player.do(step)
    return player.result(behaviour.result)


class Player:
    def __init__(self, environ: WSGIEnvironment, start_response: StartResponse) -> None:
        self._environ = environ
        self._start_response = start_response
        self._write: Callable[[bytes], object] | None = None

    def do(self, step: BodyStep) -> None:
        try:
            self._do(step)
        except Exception:
            if not (isinstance(step, Start | Write) and step.swallows):
                raise

    def _do(self, step: BodyStep) -> None:
        match step:
            case Start(exc_info="caught"):
                try:
                    raise Mistake("in the midst of it")
                except Mistake:
                    self._start(step, sys.exc_info())
            case Start(exc_info="empty"):
                self._start(step, (None, None, None))
            case Start(exc_info="odd"):
                self._start(step, ("odd",))
            case Start():
                self._start(step)
            case Write(part=part):
                assert self._write is not None, "write() comes from start_response"
                self._write(part_of(part))
            case Raise(error=error):
                raise ERRORS[error]()
            case Read():
                self._environ["wsgi.input"].read()

    def _start(self, step: Start, *exc_info: Any) -> None:
        headers = shaped(step.shape, [(value_of(name), value_of(value)) for name, value in step.headers])
        self._write = self._start_response(value_of(step.status), headers, *exc_info)
        if step.shape == "list, changed later":
            headers[:] = [("Content-Length", "1"), ("X\r\n", "Y\r\n")]

    def result(self, result: Result) -> Any:
        match result:
            case Whole(kind="list", close=None):
                return [part_of(part) for part in result.parts]
            case Whole(kind="tuple", close=None):
                return tuple(part_of(part) for part in result.parts)
            case Whole(kind="list subclass", close=None):
                return ClosingList(part_of(part) for part in result.parts)
            case Whole():
                closing: type[Any] = ClosingTuple if result.kind == "tuple" else ClosingList
                whole = closing([part_of(part) for part in result.parts])
                whole.close = Closing(self, result.close or []).close
                return whole
            case Stream():
                return self._stream(result)
            case File():
                wrapper = self._environ["wsgi.file_wrapper"]
                return wrapper(opened(result)) if result.block is None else wrapper(opened(result), result.block)
            case Pieces():
                return self._environ["wsgi.file_wrapper"](PieceReader(Body(self, result.steps)))
            case Odd():
                return ODD[result.name]

    def _stream(self, stream: Stream) -> Any:
        body = Body(self, stream.steps)
        given: Any = STREAMS[stream.kind](body)
        if stream.close is not None:
            given.close = Closing(self, stream.close).close
        return given


class Closing(NamedTuple):
    player: Player
    steps: list[Step]

    def close(self) -> None:
        for step in self.steps:
            self.player.do(step)


class Body:
    """What is left to do."""

    def __init__(self, player: Player, steps: Sequence[BodyStep]) -> None:
        self._player = player
        self._steps = deque(steps)
        self.length = len(steps)

    def next_part(self) -> Any:
        """Raises StopIteration at the end, and whatever the steps do."""
        while self._steps:
            step = self._steps.popleft()
            if isinstance(step, Give):
                return part_of(step.part)
            self._player.do(step)
        raise StopIteration


class ClosingList(list[Any]):
    pass


class ClosingTuple(tuple[Any, ...]):
    pass


class BodyIterator:
    def __init__(self, body: Body) -> None:
        self._body = body

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self._body.next_part()


class BodyIterable:
    def __init__(self, body: Body) -> None:
        self._body = body

    def __iter__(self) -> Iterator[Any]:
        return generated(self._body)

    def __len__(self) -> int:
        return self._body.length


class BodySequence:
    def __init__(self, body: Body) -> None:
        self._body = body

    def __getitem__(self, index: int) -> Any:
        try:
            return self._body.next_part()
        except StopIteration:
            raise IndexError from None


def generated(body: Body) -> Iterator[Any]:
    while True:
        try:
            part = body.next_part()
        except StopIteration:
            return
        yield part


STREAMS: dict[str, Callable[[Body], Any]] = {
    "generator": generated,
    "iterator": BodyIterator,
    "iterable": BodyIterable,
    "sequence": BodySequence,
}


class PieceReader:
    def __init__(self, body: Body) -> None:
        self._body = body

    def read(self, size: int) -> Any:
        try:
            return self._body.next_part()
        except StopIteration:
            return b""


def opened(file: File) -> Any:
    text = file.content.text
    found: Any
    if file.kind == "text":
        found = io.StringIO(text)
    elif file.kind == "memory":
        found = io.BytesIO(text.encode("latin-1"))
    else:
        found = tempfile.TemporaryFile()  # noqa: SIM115 - the server closes it, by close() of the wrapper
        found.write(text.encode("latin-1"))
    found.seek(file.position)
    return found


def part_of(part: Part) -> Any:
    return part.text.encode("latin-1") if isinstance(part, Stretch) else ODD[part.name]


def value_of(value: Value) -> Any:
    if isinstance(value, Odd):
        return ODD[value.name]
    return value.text if isinstance(value, Stretch) else value


def shaped(shape: Shape, headers: list[tuple[Any, Any]]) -> Any:
    match shape:
        case "list" | "list, changed later":
            return headers
        case "list subclass":
            return ClosingList(headers)
        case "tuple":
            return tuple(headers)
        case "iterator":
            return iter(headers)
        case "None":
            return None
        case "dict":
            return dict(headers)
        case "lists":
            return [list(header) for header in headers]
        case "triples":
            return [(*header, "") for header in headers]

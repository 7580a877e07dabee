"""Random conversations: most behaviours as PEP 3333 has it, the others wrong in one way or several, at any point."""

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import strategies as st

from tests.apps.behaviours.app.wsgi import (
    ERRORS,
    ODD,
    Behaviour,
    BodyStep,
    File,
    Give,
    Odd,
    Part,
    Pieces,
    Raise,
    Read,
    Result,
    Shape,
    Start,
    Step,
    Stream,
    Stretch,
    Value,
    Whole,
    Write,
    encode,
)
from tests.behaviours.conversations import Asked, Conversation, Turn
from wsgid.channel.frames import INLINE_BODY, PART_SIZE
from wsgid.dispatcher.edges.client import JOIN_LIMIT, WINDOW
from wsgid.protocol.mongrel2_parts import FIRST_SIZE
from wsgid.worker.checks import MAX_HEADERS, MAX_STATUS

T = TypeVar("T")

LARGEST_DESCRIPTION = 8 * 1024
"""Bytes of a behaviour as a header. The edges take 16 KiB of headers."""

MOST_TURNS = 3

BORDERS = (FIRST_SIZE, JOIN_LIMIT, INLINE_BODY, PART_SIZE, 2 * PART_SIZE, WINDOW, WINDOW + PART_SIZE)
"""Bytes at which something changes on an answer's way."""


def mostly(usual: Sequence[T], odd: Sequence[T], share: int = 16) -> st.SearchStrategy[T]:
    """One of these; one of the odd ones once in so many. (Of lists with more than 255 items `sampled_from` prefers the
    first ones.)"""
    both = st.sampled_from(usual), st.sampled_from(odd)
    return st.integers(1, share).flatmap(lambda drawn: both[drawn == share])


sometimes = mostly([False], [True], share=5)
rarely = mostly([False], [True])

# Parts of bodies.

TEXTS = ["abcdefghijklmnopqrstuvwxyz", "0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "\r\n", "\x00\xff"]
SMALL = [Stretch(of, size) for of in TEXTS for size in (0, 1, 2, 5, 14, 39)]
LARGE = [Stretch(of, border + step) for of in TEXTS[:2] for border in BORDERS for step in (-1, 0, 1)]
ODDS = [Odd(name) for name in ODD]
stretches = mostly(SMALL, LARGE, share=20)
parts: st.SearchStrategy[Part] = mostly(SMALL, [*LARGE, *ODDS], share=12)

# Statuses and headers.

PLAIN = [f"a{chr(code)}b" for code in (*range(0x20, 0x7F), *range(0x80, 0x100))]
"""Text with any character that PEP 3333 allows, and..."""

CONTROLS = [f"a{chr(code)}b" for code in (*range(0x20), 0x7F, 0x100, 0x660, 0x20AC, 0x1F600)]
"""... with others. (C1 controls are not among them: in latin-1 they are bytes as any.)"""

BREAKING = ["a\r\nX: y", "a\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "\n", "a\r", "\0", "\t", *CONTROLS]

REASONS = ["OK", "", "Two  blanks ", " First", "\xe9\xff", "(;=:@)", *PLAIN]
CODES = [200, 200, 200, 200, 201, 204, 205, 206, 301, 304, 404, 500, 503]
BAD_STATUSES: list[Value] = ["", "200", "2000 OK", "20 OK", "099 X", "600 X", " 200 OK", "200\tOK", "OK", "+20 OK"]
BAD_STATUSES += ["2\u0660\u0660 OK", "100 Continue", "101 Switching Protocols", "103 Early Hints", "199 X"]
BAD_STATUSES += [Stretch("200 OK, ", size) for size in (MAX_STATUS, MAX_STATUS + 1, 5 * MAX_HEADERS)]
BAD_STATUSES += [*ODDS, *(f"200 {text}" for text in BREAKING)]

GOOD_NAMES = ["Content-Type", "Set-Cookie", "set-cookie", "X-A", "ETag", "Location", "Vary", "X-Request-Id", "Status"]
GOOD_NAMES += ["DATE", "Server", "Via", "Expect", "Host", "Proxy-Connection", "x!#$%&'*+-.^_`|~9"]
HOP_BY_HOP = ["Connection", "keep-alive", "Transfer-Encoding", "TE", "trailers", "Trailer", "Upgrade"]
HOP_BY_HOP += ["Proxy-Authenticate", "PROXY-AUTHORIZATION"]
BAD_NAMES = [*HOP_BY_HOP * 4, "", "A:", "\xc4", *(f"a{each}b" for each in ' "(),/:;<=>?@[\\]{}'), *BREAKING]
GOOD_VALUES = ["", "a", "a, b", " blanks ", '"q\\"', "close", "chunked", "100-continue", *PLAIN]
HUGE = [Stretch(of, MAX_HEADERS - size) for of in ("v", "\xe9") for size in (0, 33, 35, 200)]

codes = st.sampled_from(CODES) | st.integers(200, 599)
statuses = st.builds("{} {}".format, codes, st.sampled_from(REASONS))
bad_statuses = st.sampled_from(BAD_STATUSES)
names: st.SearchStrategy[Value] = mostly(GOOD_NAMES, [*BAD_NAMES, *ODDS], share=32)
values: st.SearchStrategy[Value] = mostly(GOOD_VALUES, [*BREAKING, *HUGE, *ODDS], share=32)
SHAPES: list[Shape] = ["list", "list", "list, changed later"]
ODD_SHAPES: list[Shape] = ["list subclass", "tuple", "iterator", "None", "dict", "lists", "triples"]
shapes = mostly(SHAPES, ODD_SHAPES, share=20)


@st.composite
def lengths(draw: st.DrawFn, size: int) -> list[tuple[Value, Value]]:
    """Content-Length headers for a body of so many bytes: mostly none or the right one."""
    wrong = [size + 1, max(0, size - 1), 0, 5, size + PART_SIZE]
    broken = ["", "+1", "-1", "1 ", "0x1", "1.0", "\u0665", "1" * 18, "1" * 19, f"0{size}", f"{size}, {size}"]
    kind = draw(st.integers(0, 15))
    if kind < 6:
        return []
    name = st.sampled_from(["Content-Length", "content-length", "CONTENT-LENGTH"])
    value = st.just(str(size))
    if kind > 14:
        value = st.sampled_from(broken)
    elif kind > 12:
        value = st.sampled_from(wrong).map(str)
    return [(draw(name), draw(value)) for _ in range(2 if draw(rarely) else 1)]


@st.composite
def starts(draw: st.DrawFn, size: int) -> Start:
    given = draw(st.lists(st.tuples(names, values), max_size=3))
    place = draw(st.integers(0, len(given)))
    return Start(
        status=draw(bad_statuses if draw(rarely) else statuses),
        headers=[*given[:place], *draw(lengths(size)), *given[place:]],
        shape=draw(shapes),
        exc_info=draw(st.sampled_from(["", "", "", "", "", "", "empty", "caught", "caught", "odd"])),
        swallows=draw(sometimes),
    )


# What an application does.

gives = st.builds(Give, parts)
writes = st.builds(Write, parts, swallows=sometimes)
raises = st.builds(Raise, st.sampled_from(sorted(ERRORS)))
actions: st.SearchStrategy[Step] = st.one_of(writes, starts(5), raises, st.just(Read()))
closes = st.sampled_from([0, 0, 0, 1, 1, 2]).flatmap(
    lambda drawn: st.none() if drawn == 0 else st.lists(actions, max_size=drawn - 1)
)
body_step: st.SearchStrategy[BodyStep] = sometimes.flatmap(lambda drawn: actions if drawn else gives)
raised_late: st.SearchStrategy[list[BodyStep]] = st.builds(
    lambda begun, fault, rest: [*begun, fault, *rest], st.lists(gives, min_size=1, max_size=2), raises, st.lists(gives)
)
body_steps = st.lists(body_step, max_size=5) | raised_late

wholes = st.builds(
    Whole, st.sampled_from(["list", "list", "list", "tuple", "list subclass"]), st.lists(parts, max_size=4), closes
)
generators = st.builds(Stream, st.just("generator"), body_steps)
streams = st.builds(Stream, st.sampled_from(["iterator", "iterable", "sequence"]), body_steps, closes)
files = st.builds(
    File,
    st.sampled_from(["disk", "disk", "memory", "text"]),
    stretches,
    position=st.sampled_from([0, 0, 1, 30]),
    block=st.sampled_from([None, None, 512, PART_SIZE]),
)
pieces = st.builds(Pieces, body_steps)
results: st.SearchStrategy[Result] = rarely.flatmap(
    lambda drawn: pieces | st.sampled_from(ODDS) if drawn else st.one_of(wholes, generators, streams, files)
)


def size_of(given: Sequence[Part | BodyStep]) -> int:
    """Bytes of the parts that are bytes."""
    found = [each.part if isinstance(each, Give | Write) else each for each in given]
    return sum(each.size for each in found if isinstance(each, Stretch))


def body_size(result: Result) -> int:
    match result:
        case Whole():
            return size_of(result.parts)
        case File():
            return max(0, result.content.size - result.position)
        case Stream() | Pieces():
            return size_of(result.steps)
        case Odd():
            return 0


@st.composite
def behaviours(draw: st.DrawFn) -> Behaviour:
    result = draw(results)
    before = draw(st.lists(actions, max_size=2)) if draw(rarely) else []
    after = draw(st.lists(actions, max_size=3)) if draw(sometimes) else []
    start = draw(starts(body_size(result) + size_of(after)))
    kind = draw(st.integers(0, 15))
    if kind == 15:
        return Behaviour([*before, *after], result)  # without a start_response, unless one came by chance
    if kind > 11 and isinstance(result, Stream):
        place = draw(st.integers(0, len(result.steps))) if draw(sometimes) else 0
        steps = [*result.steps[:place], start, *after, *result.steps[place:]]
        return Behaviour(before, Stream(result.kind, steps, result.close))
    return Behaviour([*before, start, *after], result)


# Requests.

METHODS = ["GET", "GET", "GET", "HEAD", "POST", "PUT", "OPTIONS"]
STAYING = {"1.1": ["", "", "", "keep-alive", "x, y"], "1.0": ["keep-alive", "Keep-Alive", "x, KEEP-ALIVE"]}
LEAVING = {"1.1": ["close", "CLOSE", "keep-alive, close"], "1.0": ["", "close", "x"]}


@st.composite
def turns(draw: st.DrawFn, *, last: bool) -> Turn:
    version = draw(st.sampled_from(["1.1", "1.1", "1.0"]))
    leaves = last or draw(sometimes)
    body = draw(mostly([None], [0, 3, INLINE_BODY + 1], share=5))
    asked = Asked(
        method=draw(st.sampled_from(METHODS)),
        version=version,  # type: ignore[arg-type]  # drawn from two
        connection=draw(st.sampled_from((LEAVING if leaves else STAYING)[version])),
        body=body,
        chunked=body is not None and version == "1.1" and draw(st.booleans()),
    )
    return Turn(asked, draw(behaviours().filter(is_short)))


def is_short(behaviour: Behaviour) -> bool:
    return len(encode(behaviour)) < LARGEST_DESCRIPTION


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    count = draw(st.integers(1, MOST_TURNS))
    said = [draw(turns(last=number == count)) for number in range(1, count + 1)]
    return Conversation(said, slow=draw(sometimes))

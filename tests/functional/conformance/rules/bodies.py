"""What an application may give as a body (PEP 3333, "Specification Details")."""

from tests.functional.conformance.outcomes import BROKEN_RULE, Answer, Comes, Opens, cut, failed
from tests.functional.conformance.requests import do, get, head, long
from tests.functional.conformance.rule import Group, Rule

BODY = 'PEP 3333, "Specification Details"'
STRINGS = 'PEP 3333, "A Note On String Types"'
STREAMING = 'PEP 3333, "Buffering and Streaming"'
NOT_BYTES = f"{BROKEN_RULE}each part of the body must be bytes"
NOT_ITERABLE = f"{BROKEN_RULE}an application must return an iterable of bytes"
CLOSED = ("closed",)

KINDS = (
    Rule(
        "body-list",
        BODY,
        "A list of parts is sent, in order.",
        get(do("returns", value=[b"one, ", b"two"])),
        Answer(200, b"one, two"),
    ),
    Rule(
        "body-tuple",
        BODY,
        "A tuple of parts is sent, in order.",
        get(do("returns", value=(b"one, ", b"two"))),
        Answer(200, b"one, two"),
    ),
    Rule(
        "body-iterable",
        BODY,
        "Any iterable is sent, part by part, and closed.",
        get(do("yields", parts=[b"one, ", b"two"])),
        Answer(200, b"one, two", notes=CLOSED),
    ),
    Rule(
        "body-generator",
        BODY,
        "A generator is sent, part by part, and what it does in its `finally` is done.",
        get(do("generator", parts=[b"one, ", b"two"])),
        Answer(200, b"one, two", notes=CLOSED),
    ),
    Rule(
        "body-by-index",
        BODY,
        "What is iterable by `__getitem__` only is sent, part by part.",
        get(do("by-index")),
        Answer(200, b"by index"),
    ),
    Rule(
        "body-of-nothing",
        BODY,
        "An empty list is an empty body.",
        get(do("returns", value=[])),
        Answer(200, b"", {"content-length": "0", "transfer-encoding": None}),
    ),
    Rule(
        "body-that-gives-nothing",
        BODY,
        "An iterable that gives nothing is an empty body.",
        get(do("yields", parts=[])),
        Answer(200, b"", {"content-length": "0", "transfer-encoding": None}, notes=CLOSED),
    ),
    Rule(
        "body-of-empty-parts",
        BODY,
        "Empty parts are no end of the body, wherever they are.",
        get(do("yields", parts=[b"", b"one, ", b"", b"", b"two", b""])),
        Answer(200, b"one, two", notes=CLOSED),
    ),
    Rule(
        "body-of-nothing-but-empty-parts",
        BODY,
        "Nothing but empty parts is an empty body.",
        get(do("yields", parts=[b"", b""])),
        Answer(200, b"", {"content-length": "0"}, notes=CLOSED),
    ),
    Rule(
        "body-large",
        BODY,
        "A part may have any size.",
        get(do("large")),
        Answer(200, b"l" * 300_000, {"content-length": "300000"}),
    ),
    Rule(
        "body-at-once",
        STREAMING,
        "A part is sent before the next is asked for.",
        get(do("waits-for-a-gate", gate="body-at-once")),
        (Comes(b"first"), Opens("body-at-once"), Answer(200, b"first, second", notes=CLOSED)),
    ),
    Rule(
        "body-at-once-with-a-length",
        STREAMING,
        "With a Content-Length, too, a part is sent before the next is asked for.",
        get(do("waits-for-a-gate", gate="body-at-once-with-a-length", headers=long(13))),
        (Comes(b"first"), Opens("body-at-once-with-a-length"), Answer(200, b"first, second", notes=CLOSED)),
    ),
    Rule(
        "body-at-once-1.0",
        STREAMING,
        "To HTTP/1.0, too, a part is sent before the next is asked for.",
        get(do("waits-for-a-gate", gate="body-at-once-1.0"), version="1.0"),
        (Comes(b"first"), Opens("body-at-once-1.0"), Answer(200, b"first, second", closes=True, notes=CLOSED)),
    ),
)


def refused_whole(name: str, source: str, text: str, value: object, *words: str) -> Rule:
    """What is returned at once, and cannot be sent."""
    return Rule(f"body-{name}", source, text, get(do("returns", value=value)), failed(*words))


def refused_part(name: str, text: str, part: object, shown: str) -> tuple[Rule, Rule]:
    """As the first part, and as a later one."""
    return (
        Rule(
            f"part-{name}",
            STRINGS,
            text,
            get(do("yields", parts=[part])),
            failed(NOT_BYTES, shown, notes=CLOSED),
        ),
        Rule(
            f"part-{name}-later",
            STRINGS,
            f"{text} Behind the first part the answer is cut.",
            get(do("yields", parts=[b"part", part])),
            cut(b"part", NOT_BYTES, shown, notes=CLOSED),
        ),
    )


MISTAKES = (
    refused_whole("of-text", STRINGS, "The body is not text.", "text", NOT_ITERABLE, "the str 'text'"),
    refused_whole(
        "of-bytes",
        BODY,
        "The body is not bytes, which would be sent byte by byte.",
        b"bytes",
        NOT_ITERABLE,
        "the bytes b'bytes'",
        "return [body]",
    ),
    refused_whole("none", BODY, "The body is not None.", None, NOT_ITERABLE, "is a 'return' missing?"),
    refused_whole("of-a-number", BODY, "The body is no number.", 4, NOT_ITERABLE, "the int 4"),
    refused_whole("list-of-text", STRINGS, "A list's parts are not text.", [b"a", "text"], NOT_BYTES, "the str 'text'"),
    refused_whole("list-of-none", STRINGS, "A list's parts are not None.", [None], NOT_BYTES, "gave None"),
    refused_whole("list-of-numbers", STRINGS, "A list's parts are no numbers.", [4], NOT_BYTES, "the int 4"),
    refused_whole("dict", STRINGS, "The keys of a dict are no parts.", {"a": "b"}, NOT_BYTES, "the str 'a'"),
    *refused_part("of-text", "A part is not text.", "text", "the str 'text'"),
    *refused_part("none", "A part is not None.", None, "gave None"),
    *refused_part("number", "A part is no number.", 4, "the int 4"),
    Rule(
        "part-of-text-for-head",
        STRINGS,
        "A part is not text for HEAD either, though it is not sent.",
        head(do("yields", parts=["text"])),
        Answer(500, b"", log=((NOT_BYTES, "the str 'text'"),), notes=CLOSED),
    ),
    Rule(
        "part-bytearray",
        STRINGS,
        "A part is not a bytearray, which may change while it is sent.",
        get(do("gives-a-bytearray")),
        failed(NOT_BYTES, "the bytearray", "bytes(part)"),
    ),
    Rule(
        "part-memoryview",
        STRINGS,
        "A part is not a memoryview.",
        get(do("gives-a-memoryview")),
        failed(NOT_BYTES, "the memoryview"),
    ),
)

GROUPS = (
    Group("Bodies", KINDS),
    Group("What is no body", MISTAKES, "The log says which rule is broken, by what, and what to do."),
)

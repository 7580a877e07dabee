"""What an application may give as a body, and how that ends (PEP 3333)."""

from tests.apps.conformance.app.contents import contents
from tests.functional.conformance.outcomes import (
    BROKEN_RULE,
    FAILED,
    TRACEBACK,
    Answer,
    Comes,
    Cut,
    Opens,
    cut,
    failed,
)
from tests.functional.conformance.requests import do, get, head
from tests.functional.conformance.rule import Differs, Group, Rule, Why

BODY = 'PEP 3333, "Specification Details"'
STRINGS = 'PEP 3333, "A Note On String Types"'
LENGTH = 'PEP 3333, "Handling the Content-Length Header"'
STREAMING = 'PEP 3333, "Buffering and Streaming"'
FAILING = 'PEP 3333, "Error Handling"'

NOT_BYTES = f"{BROKEN_RULE}each part of the body must be bytes"
NOT_ITERABLE = f"{BROKEN_RULE}an application must return an iterable of bytes"
TOO_SHORT = f"{BROKEN_RULE}the body must have as many bytes as Content-Length says"
SURPLUS = f"{BROKEN_RULE}the body must have as many bytes as Content-Length says; the application announced"
RAISED = (FAILED, TRACEBACK, "RuntimeError: raised on request")
LEFT = (FAILED, TRACEBACK, "SystemExit: left on request")
CLOSED = ("closed",)


def long(size: int) -> list[tuple[str, str]]:
    return [("Content-Type", "text/plain"), ("Content-Length", str(size))]


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

LENGTHS = (
    Rule(
        "length-right",
        LENGTH,
        "The application's Content-Length is sent as it gave it.",
        get(do("yields", parts=[b"four", b"more"], headers=long(8))),
        Answer(200, b"fourmore", {"content-length": "8", "transfer-encoding": None}, notes=CLOSED),
    ),
    Rule(
        "length-too-large-list",
        LENGTH,
        "A list with fewer bytes than Content-Length is not sent.",
        get(do("returns", value=[b"four"], headers=long(10))),
        failed(TOO_SHORT, "announced 10 and 6 of them never came"),
    ),
    Rule(
        "length-too-large-iterable",
        LENGTH,
        "An answer of an iterable with fewer bytes than Content-Length is cut, so that the client can tell.",
        get(do("yields", parts=[b"four"], headers=long(10))),
        cut(b"four", TOO_SHORT, "announced 10 and 6 of them never came", notes=CLOSED),
    ),
    Rule(
        "length-too-large-nothing",
        LENGTH,
        "An iterable that gives nothing, behind a Content-Length above 0, has failed.",
        get(do("yields", parts=[], headers=long(10))),
        failed(TOO_SHORT, "announced 10 and 10 of them never came", notes=CLOSED),
    ),
    Rule(
        "length-too-large-for-head",
        LENGTH,
        "For HEAD nobody counts the bytes of the body.",
        head(do("yields", parts=[b"four"], headers=long(10))),
        Answer(200, b"", {"content-length": "10"}, notes=CLOSED),
    ),
    Rule(
        "length-too-small-list",
        LENGTH,
        "What a list has beyond Content-Length is cut off, and the log says so.",
        get(do("returns", value=[b"four", b"more"], headers=long(4))),
        Answer(200, b"four", log=((SURPLUS, "announced 4 and gave at least 4 more, which are cut off"),)),
    ),
    Rule(
        "length-too-small-part",
        LENGTH,
        "What a part has beyond Content-Length is cut off, and the log says so.",
        get(do("yields", parts=[b"four", b"more"], headers=long(6))),
        Answer(200, b"fourmo", log=((SURPLUS, "announced 6 and gave at least 2 more"),), notes=CLOSED),
    ),
    Rule(
        "length-too-small-parts",
        LENGTH,
        "Behind the Content-Length an iterable is asked for one part and no other: it may have no end.",
        get(do("surplus")),
        Answer(
            200, b"part", log=((SURPLUS, "announced 4 and gave at least 4 more"),), notes=("asked", "asked", "closed")
        ),
    ),
    Rule(
        "length-zero",
        LENGTH,
        "Content-Length may be 0.",
        get(do("yields", parts=[], headers=long(0))),
        Answer(200, b"", {"content-length": "0"}, notes=CLOSED),
    ),
    Rule(
        "length-zero-and-a-body",
        LENGTH,
        "A body behind a Content-Length of 0 is cut off, and the log says so.",
        get(do("yields", parts=[b"four"], headers=long(0))),
        Answer(200, b"", log=((SURPLUS, "announced 0 and gave at least 4 more"),), notes=CLOSED),
    ),
    Rule(
        "length-added",
        LENGTH,
        "A list without a Content-Length gets one.",
        get(do("returns", value=[b"one, ", b"two"])),
        Answer(200, b"one, two", {"content-length": "8", "transfer-encoding": None}),
    ),
)

FAILURES = (
    Rule(
        "raise",
        FAILING,
        "An exception out of the application: 500, the traceback in the log, nothing of it in the answer.",
        get(do("fails")),
        failed(*RAISED, "GET /do/fails? "),
    ),
    Rule(
        "raise-for-head",
        FAILING,
        "An exception for HEAD is a 500 without a body.",
        head(do("fails")),
        Answer(500, b"", {"content-length": "22"}, log=(RAISED,)),
    ),
    Rule(
        "raise-when-started",
        FAILING,
        "An exception behind start_response is a 500: nothing has been sent.",
        get(do("started-and-fails")),
        failed(*RAISED),
    ),
    Rule(
        "raise-when-iterated",
        FAILING,
        "An exception of the iterable before its first part is a 500.",
        get(do("fails-behind", parts=[])),
        failed(*RAISED, notes=CLOSED),
    ),
    Rule(
        "raise-behind-empty-parts",
        FAILING,
        "An exception behind empty parts is a 500.",
        get(do("fails-behind", parts=[b"", b""])),
        failed(*RAISED, notes=CLOSED),
    ),
    Rule(
        "raise-by-iter",
        FAILING,
        "An exception of `__iter__` is a 500.",
        get(do("cannot-be-iterated")),
        failed(*RAISED, notes=CLOSED),
    ),
    Rule(
        "raise-late",
        FAILING,
        "An exception behind the first part cuts the answer: no client takes it for a whole one.",
        get(do("fails-behind")),
        cut(b"part", *RAISED, notes=CLOSED),
    ),
    Rule(
        "raise-late-for-head",
        FAILING,
        "For HEAD an exception behind the first part leaves the answer as it is; the log has the traceback.",
        head(do("fails-behind")),
        Answer(200, b"", log=(RAISED,), notes=CLOSED),
    ),
    Rule(
        "raise-late-with-a-length",
        FAILING,
        "An exception within a Content-Length cuts the answer.",
        get(do("fails-behind", headers=long(10))),
        cut(b"part", *RAISED, notes=CLOSED),
    ),
    Rule(
        "raise-behind-the-length",
        FAILING,
        "An exception behind the last byte of a Content-Length leaves the answer whole; the log has the traceback.",
        get(do("fails-behind", headers=long(4))),
        Answer(200, b"part", log=(RAISED,), notes=CLOSED),
    ),
    Rule(
        "raise-late-1.0",
        FAILING,
        "Where only the connection's end tells that of the body, a reset tells that it is cut.",
        get(do("fails-behind"), version="1.0"),
        Cut(200, b"part", reset=True, end="cut", log=(RAISED,), notes=CLOSED),
        mongrel2=Differs(
            Why.LEFT,
            "Mongrel2 can end a connection, but not reset one: a client of HTTP/1.0 takes the part for the whole.",
            Answer(200, b"part", closes=True, end="cut", log=(RAISED,), notes=CLOSED),
        ),
    ),
    Rule(
        "exit",
        FAILING,
        "SystemExit is an exception as any other: nobody has asked the worker to end.",
        get(do("exits")),
        failed(*LEFT),
    ),
    Rule(
        "exit-late",
        FAILING,
        "SystemExit behind the first part cuts the answer.",
        get(do("exits-behind")),
        cut(b"part", *LEFT, notes=CLOSED),
    ),
    Rule(
        "close-raises",
        BODY,
        "close() that fails leaves the answer whole; the log has the traceback.",
        get(do("cannot-be-closed", parts=[b"one, ", b"two"])),
        Answer(
            200,
            b"one, two",
            log=(("close() failed, after the answer", TRACEBACK, "RuntimeError: raised on request"),),
            notes=CLOSED,
        ),
    ),
    Rule(
        "close-without-start",
        BODY,
        "close() is called also where start_response was not.",
        get(do("closes-unstarted")),
        failed(f"{BROKEN_RULE}start_response must be called", notes=CLOSED),
    ),
    Rule(
        "close-for-head",
        BODY,
        "close() is called for HEAD, too.",
        head(do("yields", parts=[b"one, ", b"two"])),
        Answer(200, b"", notes=CLOSED),
    ),
)


FILES = 'PEP 3333, "Optional Platform-Specific File Handling"'


def wraps(name: str, text: str, wanted: Answer | Cut, **given: object) -> Rule:
    return Rule(f"file-{name}", FILES, text, get(do("wraps", **given)), wanted)


WRAPPED = (
    wraps("small", "A file in `wsgi.file_wrapper` is sent.", Answer(200, contents(10)), size=10),
    wraps(
        "large",
        "A large file is sent, with its Content-Length.",
        Answer(200, contents(300_000), {"content-length": "300000"}),
        size=300_000,
    ),
    wraps("empty", "An empty file is an empty body.", Answer(200, b"", {"content-length": "0"}), size=0),
    wraps("from-position", "A file is sent from its position on.", Answer(200, contents(10)[4:]), size=10, position=4),
    wraps(
        "large-from-position",
        "A large file is sent from its position on.",
        Answer(200, contents(400_000)[100_000:], {"content-length": "300000"}),
        size=400_000,
        position=100_000,
    ),
    wraps(
        "with-a-length",
        "A file is sent up to the Content-Length, and no complaint is made of the rest.",
        Answer(200, contents(4), {"content-length": "4"}),
        size=10,
        headers=long(4),
    ),
    wraps(
        "large-with-a-length",
        "A large file is sent up to the Content-Length.",
        Answer(200, contents(300_000), {"content-length": "300000"}),
        size=400_000,
        headers=long(300_000),
    ),
    wraps(
        "shorter-than-its-length",
        "The answer of a file shorter than Content-Length is cut.",
        cut(contents(10), TOO_SHORT),
        size=10,
        headers=long(20),
    ),
    wraps(
        "in-memory",
        "What is no file but reads as one is sent, too.",
        Answer(200, contents(10_000)),
        kind="memory",
        size=10_000,
    ),
    wraps("closed", "The file is closed, once.", Answer(200, contents(10), notes=CLOSED), kind="noting", size=10),
    wraps("without-close", "The file need not have close().", Answer(200, contents(10)), kind="unclosable", size=10),
    Rule(
        "file-for-head",
        FILES,
        "HEAD gets the length of a large file.",
        head(do("wraps", size=300_000)),
        Answer(200, b"", {"content-length": "300000"}),
    ),
    Rule(
        "file-iterated",
        FILES,
        "The wrapper is an iterable of bytes to a middleware.",
        get(do("unwraps", size=10)),
        Answer(200, b"0one23456789"),
    ),
)

GROUPS = (
    Group("Bodies", KINDS),
    Group("What is no body", MISTAKES, "The log says which rule is broken, by what, and what to do."),
    Group("Content-Length and the body", LENGTHS),
    Group("Failures", FAILURES),
    Group("Files", WRAPPED),
)

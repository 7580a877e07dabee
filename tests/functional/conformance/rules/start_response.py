"""How an application may start its answer (PEP 3333)."""

from tests.functional.conformance.outcomes import BROKEN_RULE, FAILED, TRACEBACK, Answer, Comes, Opens, cut, failed
from tests.functional.conformance.requests import do, get, head
from tests.functional.conformance.rule import Group, Rule

START = 'PEP 3333, "The start_response() Callable"'
ERRORS = 'PEP 3333, "Error Handling"'
WRITE = 'PEP 3333, "The write() Callable"'
FLUSH = 'PEP 3333, "Buffering and Streaming"'
AGAIN = f"{BROKEN_RULE}start_response may be called again only with exc_info"
ENDED = f"{BROKEN_RULE}start_response must be called before the answer has ended"
NEVER = f"{BROKEN_RULE}start_response must be called before the first part of the body"
NOT_BYTES = f"{BROKEN_RULE}each part of the body must be bytes"

CALLS = (
    Rule(
        "start-never",
        START,
        "An application that gives a body and never calls start_response has failed: 500, in words in the log.",
        get(do("never")),
        failed(NEVER),
    ),
    Rule(
        "start-never-without-a-body",
        START,
        "An application that neither gives a body nor calls start_response has failed.",
        get(do("never", value=[])),
        failed(NEVER),
    ),
    Rule(
        "start-late",
        START,
        "start_response may be called as late as when the first part is asked for.",
        get(do("late")),
        Answer(200, b"late", {"transfer-encoding": "chunked"}),
    ),
    Rule(
        "start-behind-an-empty-part",
        START,
        "start_response may be called behind an empty part, which is not yet a body.",
        get(do("late-behind-an-empty-part")),
        Answer(200, b"late"),
    ),
    Rule(
        "start-too-late",
        START,
        "Behind the first part that has bytes it is too late for start_response.",
        get(do("too-late")),
        failed(NEVER),
    ),
    Rule(
        "start-twice",
        START,
        "start_response may not be called twice; the application's line that does is in the log.",
        get(do("twice")),
        failed(FAILED, TRACEBACK, "starts.py", 'start_response("404 Not Found"', AGAIN),
    ),
    Rule(
        "start-twice-caught",
        START,
        "A second call of start_response changes nothing: who catches what it raises goes on with the first answer.",
        get(do("twice-and-catches")),
        Answer(200, b"the first one stands"),
    ),
    Rule(
        "start-in-close",
        START,
        "start_response may not be called in close(), when the answer is over.",
        get(do("in-close")),
        Answer(200, b"body", log=(("close() failed, after the answer", TRACEBACK, ENDED),), notes=("closed",)),
    ),
    Rule(
        "headers-are-copied",
        START,
        "What is done to the list of headers afterwards changes nothing: it has been checked.",
        get(do("changes-its-headers")),
        Answer(200, b"body", {"x-kept": "yes", "x-slipped-in": None}),
    ),
    Rule(
        "exc-info-at-once",
        ERRORS,
        "The first call of start_response may have exc_info.",
        get(do("first-call-has-exc-info")),
        Answer(500, b"an error page"),
    ),
    Rule(
        "exc-info-replaces",
        ERRORS,
        "With exc_info, status and all headers are replaced while nothing has been sent.",
        get(do("replaces")),
        Answer(503, b"replaced", {"x-first": None, "x-second": "yes", "content-length": None}),
    ),
    Rule(
        "exc-info-replaces-behind-an-empty-part",
        ERRORS,
        "Behind an empty part the answer can still be replaced: nothing has been sent.",
        get(do("replaces-behind-an-empty-part")),
        Answer(503, b"replaced"),
    ),
    Rule(
        "exc-info-too-late",
        ERRORS,
        "Behind the first part that was sent start_response raises what exc_info has: the answer is cut.",
        get(do("replaces-what-was-sent")),
        cut(b"part", FAILED, TRACEBACK, "RuntimeError: raised on request"),
    ),
)

WRITES = (
    Rule(
        "write",
        WRITE,
        "What is written comes before what the iterable gives.",
        get(do("writes", written=[b"written, ", b"again, "], value=[b"returned"])),
        Answer(200, b"written, again, returned"),
    ),
    Rule(
        "write-only",
        WRITE,
        "An application that writes all may return an empty iterable.",
        get(do("writes", written=[b"written"])),
        Answer(200, b"written"),
    ),
    Rule(
        "write-nothing",
        WRITE,
        "Writing nothing sends nothing and ends nothing.",
        get(do("writes", written=[b"", b"written", b""], value=[b"", b", returned"])),
        Answer(200, b"written, returned"),
    ),
    Rule(
        "write-with-a-length",
        WRITE,
        "Content-Length counts what is written and what the iterable gives.",
        get(do("writes", headers=[("Content-Length", "8")], written=[b"four"], value=[b"more"])),
        Answer(200, b"fourmore", {"content-length": "8"}),
    ),
    Rule(
        "write-at-once",
        FLUSH,
        "What is written is sent before write() returns.",
        get(do("writes-and-waits", gate="write-at-once")),
        (Comes(b"written"), Opens("write-at-once"), Answer(200, b"written, returned")),
    ),
    Rule(
        "write-of-text",
        WRITE,
        "What is written must be bytes.",
        get(do("writes", written=["text"])),
        failed(FAILED, TRACEBACK, "write(each)", NOT_BYTES, "the str 'text'"),
    ),
    Rule(
        "write-too-much",
        'PEP 3333, "Handling the Content-Length Header"',
        "What is written beyond Content-Length is cut off, and the log says so.",
        get(do("writes", headers=[("Content-Length", "4")], written=[b"fourmore"], value=[b"still more"])),
        Answer(200, b"four", log=(("the application announced 4 and gave at least 4 more, which are cut off",),)),
    ),
    Rule(
        "write-and-raise",
        WRITE,
        "An exception behind what was written cuts the answer.",
        get(do("writes-and-raises")),
        cut(b"written", FAILED, TRACEBACK, "RuntimeError: raised on request"),
    ),
    Rule(
        "write-for-head",
        "RFC 9110 section 9.3.2",
        "What is written for a HEAD is not sent.",
        head(do("writes", written=[b"written, "], value=[b"returned"])),
        Answer(200, b""),
    ),
)

GROUPS = (Group("start_response", CALLS), Group("write", WRITES))

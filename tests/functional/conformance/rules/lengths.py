"""Content-Length and the bytes that come (PEP 3333, "Handling the Content-Length Header")."""

from tests.functional.conformance.outcomes import BROKEN_RULE, Answer, cut, failed
from tests.functional.conformance.requests import do, get, head, long
from tests.functional.conformance.rule import Group, Rule

LENGTH = 'PEP 3333, "Handling the Content-Length Header"'
TOO_SHORT = f"{BROKEN_RULE}the body must have as many bytes as Content-Length says"
SURPLUS = f"{BROKEN_RULE}the body must have as many bytes as Content-Length says; the application announced"
CLOSED = ("closed",)

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

GROUPS = (Group("Content-Length and the body", LENGTHS),)

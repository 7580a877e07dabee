"""Answers by wsgi.file_wrapper (PEP 3333, "Optional Platform-Specific File Handling")."""

from tests.apps.conformance.app.contents import contents
from tests.functional.conformance.outcomes import Answer, Cut, cut
from tests.functional.conformance.requests import do, get, head, long
from tests.functional.conformance.rule import Group, Rule
from tests.functional.conformance.rules.lengths import TOO_SHORT

FILES = 'PEP 3333, "Optional Platform-Specific File Handling"'
CLOSED = ("closed",)


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

GROUPS = (Group("Files", WRAPPED),)

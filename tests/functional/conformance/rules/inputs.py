"""The body of a request, as wsgi.input gives it (PEP 3333, "Input and Error Streams")."""

import io
import json
from collections.abc import Iterable
from urllib.parse import quote

from tests.apps.mirror.app.wsgi import Call, play
from tests.functional.conformance.outcomes import Answer, Sends, Told
from tests.functional.conformance.requests import do, get, post, post_chunked
from tests.functional.conformance.rule import Differs, Group, Rule, Why
from tests.functional.conformance.rules.mongrel2 import LAST_CHUNKED

CHUNKED = "RFC 9112 section 7.1"
STREAMS = 'PEP 3333, "Input and Error Streams"'
SMALL = b"first\nsecond line\n\n\xff\x00 the last, without an end"
LARGE = b"".join(b"line %d %s\n" % (number, b"x" * (number % 97)) for number in range(3500)) + b"no end"
"""Above 200 KiB: the dispatcher keeps it in a file, and so does Mongrel2."""

CHUNK = 50_000
"""Bytes: Mongrel2 takes chunks of up to 102,400."""


def played(calls: list[Call]) -> str:
    """The target at which the mirror calls wsgi.input so."""
    return f"/?calls={quote(json.dumps(calls))}"


def reads(name: str, text: str, *calls: Call) -> Rule:
    """A small body, a large one, and one without a byte, read as any file does."""
    target, bodies = played(list(calls)), (SMALL, LARGE, b"")
    sent = [post(target, body) for body in bodies]
    first, second, third = (_read(body, calls) for body in bodies)
    return Rule(name, STREAMS, text, sent[0], (first, Sends(sent[1]), second, Sends(sent[2]), third))


def reads_chunks(name: str, text: str, body: bytes) -> Rule:
    chunks = [body[start : start + CHUNK] for start in range(0, len(body), CHUNK)]
    return Rule(name, CHUNKED, text, post_chunked(played(ALL), *chunks), _read(body, ALL), mongrel2=LAST_CHUNKED)


def _read(body: bytes, calls: Iterable[Call]) -> Answer:
    environ: dict[str, Told] = {"CONTENT_LENGTH": str(len(body))}
    return Answer(200, environ=environ, played=play(io.BytesIO(body), list(calls)))


ALL: list[Call] = [["read", 5], ["readline"], ["readlines", 12], ["read", 7], ["list"], ["read"]]

READING = (
    reads("input-read", "read() gives the whole body, then nothing.", ["read"], ["read"]),
    reads(
        "input-read-size",
        "read(n) gives at most n bytes.",
        ["read", 3],
        ["read", 100],
        ["read", 0],
        ["read", -1],
        ["read", 1],
    ),
    reads(
        "input-read-beyond",
        "read(n) beyond the end gives what there is, then nothing.",
        ["read", 300_000],
        ["read", 1],
        ["read", 300_000],
    ),
    reads(
        "input-readline",
        "readline() gives a line with its end.",
        ["readline"],
        ["readline"],
        ["readline"],
        ["readline"],
        ["readline"],
    ),
    reads(
        "input-readline-size",
        "readline(n) gives at most n bytes of it.",
        ["readline", 4],
        ["readline", 100_000],
        ["readline", 0],
    ),
    reads("input-readlines", "readlines() gives all lines.", ["readlines"], ["readlines"]),
    reads("input-readlines-hint", "readlines(hint) may give fewer.", ["readlines", 12], ["readlines"]),
    reads("input-iterated", "Iterating gives all lines.", ["list"], ["list"]),
    reads(
        "input-mixed",
        "All ways of reading may be mixed.",
        ["read", 5],
        ["readline"],
        ["readlines", 1],
        ["read", 7],
        ["list"],
    ),
    reads(
        "input-seek",
        "The body can be read again: wsgi.input is seekable, which is more than the PEP asks for.",
        ["seek", 9],
        ["read", 4],
        ["tell"],
        ["seek", 0],
        ["read"],
        ["seek", 150_000],
        ["readline"],
        ["seek", -5, 1],
        ["read", 3],
        ["seekable"],
        ["readable"],
    ),
    Rule(
        "input-of-no-body",
        STREAMS,
        "Without a body there is nothing to read.",
        get(played([["read"], ["readline"], ["list"]])),
        Answer(200, played=["", "", []]),
    ),
    Rule(
        "input-ends-before-the-next-request",
        STREAMS,
        "What follows the body on the connection is never read as part of it.",
        post(played([["read"], ["read", 100]]), b"body") + get(do("returns")),
        (Answer(200, played=["body", ""], to="POST"), Answer(200, b"body")),
    ),
    Rule(
        "input-large-ends-before-the-next-request",
        STREAMS,
        "What follows a large body is never read as part of it either.",
        post(played([["seek", 0, 2], ["tell"], ["read", 100]]), LARGE) + get(do("returns")),
        (Answer(200, played=[len(LARGE), len(LARGE), ""], to="POST"), Answer(200, b"body")),
        mongrel2=Differs(
            Why.WRONG,
            "Mongrel2 stores what a client pipelines behind a large body with the body: wsgid does not read it, and "
            "that request is lost.",
            Answer(200, played=[len(LARGE), len(LARGE), ""]),
        ),
    ),
)

GROUPS = (Group("The body of a request", READING),)

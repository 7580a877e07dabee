"""Requests of which two parsers could read the length of the body differently: they are refused (RFC 9112 section 6).

Behind most of them stands another request, which must not be served.
"""

from tests.functional.conformance.outcomes import Answer, Dropped, FinishesSending, Gone, refused
from tests.functional.conformance.requests import chunked, get
from tests.functional.conformance.rule import Differs, Group, Rule, Why
from tests.functional.conformance.rules.mongrel2 import LAST_CHUNKED

LENGTH = "RFC 9112 section 6.3"
CODING = "RFC 9112 section 6.1"
CHUNKS = "RFC 9112 section 7.1"
SMUGGLED = get("/smuggled")


def taken_for_a_request(says: str) -> Differs:
    return Differs(
        Why.WRONG,
        "Mongrel2 takes what it cannot read for no body, and what follows for the next request: wsgid refuses the one "
        "and does not serve the other, which has 499 in the access log.",
        (refused(400, says), Dropped(499, end="left")),
    )


def ambiguous(name: str, source: str, text: str, *fields: str, behind: bytes = SMUGGLED, says: str = "") -> Rule:
    """A POST with these header lines: nobody knows where its body ends, so what is behind is not read.

    ``says`` is in the answer; as a rule the name of the first header, so that it is not refused for what is behind.
    """
    sent, words = get("/", *fields, method="POST") + behind, says or fields[0].partition(":")[0]
    return Rule(name, source, text, sent, refused(400, words), mongrel2=taken_for_a_request(words))


FRAMING = (
    ambiguous(
        "length-and-coding",
        LENGTH,
        "Content-Length with Transfer-Encoding is refused.",
        "Content-Length: 5",
        "Transfer-Encoding: chunked",
        behind=b"0\r\n\r\n" + SMUGGLED,
    ),
    ambiguous("two-lengths", LENGTH, "Two Content-Length are refused.", "Content-Length: 0", "Content-Length: 46"),
    ambiguous(
        "two-equal-lengths", LENGTH, "Two equal Content-Length are refused.", "Content-Length: 0", "Content-Length: 0"
    ),
    ambiguous("length-list", LENGTH, "A list of lengths is refused.", "Content-Length: 0, 0"),
    ambiguous("length-plus", LENGTH, "A length with `+` is refused.", "Content-Length: +0"),
    ambiguous("length-minus", LENGTH, "A length with `-` is refused.", "Content-Length: -1"),
    ambiguous("length-hexadecimal", LENGTH, "A length in hexadecimal is refused.", "Content-Length: 0x10"),
    ambiguous("length-with-letters", LENGTH, "A length with letters behind is refused.", "Content-Length: 0abc"),
    ambiguous("length-with-a-blank", LENGTH, "A length with blanks within is refused.", "Content-Length: 0 0"),
    ambiguous("length-empty", LENGTH, "An empty length is refused.", "Content-Length:"),
    ambiguous("length-word", LENGTH, "A length that is no number is refused.", "Content-Length: abc"),
    ambiguous("length-point", LENGTH, "A length with a decimal point is refused.", "Content-Length: 0.0"),
    ambiguous("length-overflow", LENGTH, "A length beyond 64 bits is refused.", "Content-Length: 18446744073709551616"),
    ambiguous(
        "coding-unknown", CODING, "A Transfer-Encoding other than chunked is refused.", "Transfer-Encoding: gzip"
    ),
    ambiguous("coding-list", CODING, "A coding before chunked is refused.", "Transfer-Encoding: gzip, chunked"),
    ambiguous("coding-behind", CODING, "A coding behind chunked is refused.", "Transfer-Encoding: chunked, gzip"),
    ambiguous("coding-twice", CODING, "chunked twice is refused.", "Transfer-Encoding: chunked, chunked"),
    ambiguous(
        "two-codings",
        CODING,
        "Two Transfer-Encoding are refused.",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: chunked",
        behind=chunked(b"body") + SMUGGLED,
    ),
    ambiguous(
        "two-other-codings",
        CODING,
        "Two Transfer-Encoding of which one is chunked are refused.",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: chunked",
    ),
    ambiguous("coding-identity", CODING, "identity is refused.", "Transfer-Encoding: identity"),
    ambiguous("coding-empty", CODING, "An empty Transfer-Encoding is refused.", "Transfer-Encoding:"),
    ambiguous("coding-with-parameter", CODING, "chunked has no parameters.", "Transfer-Encoding: chunked;q=1"),
    ambiguous("coding-quoted", CODING, "chunked is not quoted.", 'Transfer-Encoding: "chunked"'),
    ambiguous(
        "coding-with-a-control",
        CODING,
        "chunked has no control characters before it.",
        "Transfer-Encoding: \x0bchunked",
        says="value",
    ),
    ambiguous("coding-like", CODING, "A coding that ends in chunked is not chunked.", "Transfer-Encoding: xchunked"),
    Rule(
        "coding-1.0",
        CODING,
        "Transfer-Encoding on HTTP/1.0 is refused.",
        get("/", "Transfer-Encoding: chunked", "Connection: keep-alive", method="POST", version="1.0")
        + chunked(b"body")
        + SMUGGLED,
        refused(400, "Transfer-Encoding"),
        mongrel2=taken_for_a_request("Transfer-Encoding"),
    ),
    ambiguous(
        "coding-in-capitals",
        CODING,
        "chunked is written in small letters: whatever stands before wsgid may not know it otherwise.",
        "Transfer-Encoding: Chunked",
    ),
)


def bad_chunks(name: str, text: str, body: bytes, mongrel2: Differs) -> Rule:
    sent = get("/", "Transfer-Encoding: chunked", method="POST") + body
    return Rule(name, CHUNKS, text, sent, refused(400), mongrel2=mongrel2)


def taken_for(size: int) -> Differs:
    return Differs(
        Why.WRONG,
        "Mongrel2 reads the sizes of chunks as C's strtol does, and what is no number as 0; wsgid sees only the body.",
        Answer(200, environ={"CONTENT_LENGTH": str(size)}, closes=True),
    )


GIVEN_UP = Differs(
    Why.LEFT,
    "Mongrel2 ends the connection without a word. wsgid was told that the request began: the access log has 499.",
    Gone(499, end="left"),
)

WAITED_FOR = Differs(
    Why.LEFT,
    "Mongrel2 waits for the CR LF that does not come, until the client leaves or its reaper ends the connection.",
    (FinishesSending(), Gone(499, end="left")),
)

CHUNKED = (
    bad_chunks(
        "chunk-size-word", "The size of a chunk is a hexadecimal number.", b"xyz\r\nbody\r\n0\r\n\r\n", taken_for(0)
    ),
    bad_chunks("chunk-size-empty", "The size of a chunk is not empty.", b"\r\nbody\r\n0\r\n\r\n", taken_for(0)),
    bad_chunks("chunk-size-minus", "The size of a chunk has no `-`.", b"-4\r\nbody\r\n0\r\n\r\n", taken_for(0)),
    bad_chunks("chunk-size-plus", "The size of a chunk has no `+`.", b"+4\r\nbody\r\n0\r\n\r\n", taken_for(4)),
    bad_chunks("chunk-size-0x", "The size of a chunk has no `0x`.", b"0x4\r\nbody\r\n0\r\n\r\n", taken_for(4)),
    bad_chunks(
        "chunk-size-underscore",
        "The size of a chunk has no underscores.",
        b"1_0\r\n0123456789abcdef\r\n0\r\n\r\n",
        GIVEN_UP,
    ),
    bad_chunks(
        "chunk-size-blank", "The size of a chunk has no blanks before it.", b" 4\r\nbody\r\n0\r\n\r\n", taken_for(4)
    ),
    bad_chunks(
        "chunk-size-overflow", "The size of a chunk fits 64 bits.", b"10000000000000004\r\nbody\r\n0\r\n\r\n", GIVEN_UP
    ),
    bad_chunks("chunk-too-long", "CR LF follows a chunk's last byte.", b"4\r\nbodyx\r\n0\r\n\r\n", GIVEN_UP),
    bad_chunks("chunk-lf", "LF alone does not end a chunk.", b"4\r\nbody\n0\r\n\r\n", GIVEN_UP),
    bad_chunks("chunk-size-lf", "LF alone does not end a chunk's size.", b"4\nbody\r\n0\r\n\r\n", WAITED_FOR),
    bad_chunks("chunk-size-cr", "CR alone does not end a chunk's size.", b"4\rbody\r\n0\r\n\r\n", WAITED_FOR),
    Rule(
        "chunk-extension",
        "RFC 9112 section 7.1.1",
        "An extension of a chunk is passed over.",
        get("/", "Transfer-Encoding: chunked", method="POST") + b'4;a="b"\r\nbody\r\n0\r\n\r\n',
        Answer(200, environ={"CONTENT_LENGTH": "4"}),
        mongrel2=LAST_CHUNKED,
    ),
    Rule(
        "chunk-size-zeros",
        CHUNKS,
        "Zeros may stand before a chunk's size, which may be in either case.",
        get("/", "Transfer-Encoding: chunked", method="POST") + b"000A\r\n0123456789\r\n0000\r\n\r\n",
        Answer(200, environ={"CONTENT_LENGTH": "10"}),
        mongrel2=LAST_CHUNKED,
    ),
)

GROUPS = (
    Group("Requests refused: how long the body is", FRAMING, "Another request follows, which must not be served."),
    Group("Requests refused: chunks", CHUNKED),
)

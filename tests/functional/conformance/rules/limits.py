"""How large a request may be. All of these limits are options; here they are small."""

from tests.functional.conformance.outcomes import Answer, Gone, Sends, by_mongrel2, refused
from tests.functional.conformance.requests import chunked, get, post, post_chunked
from tests.functional.conformance.rule import SMALL, Differs, Group, Rule, Why

TARGET = "RFC 9112 section 3"
HEADERS = "RFC 6585 section 5"
BODY = "RFC 9110 section 15.5.14"


SMUGGLED = get("/smuggled")
LARGE_CHUNK = chunked(b"c" * 200_000)


def target(length: int) -> str:
    return "/" + "t" * (length - 1)


LIMITS = (
    Rule(
        "limit-target",
        TARGET,
        "A target of --limit-request-line is served.",
        get(target(200)),
        Answer(200),
        setup=SMALL,
    ),
    Rule(
        "limit-target-passed",
        TARGET,
        "A target longer than --limit-request-line is refused.",
        get(target(201)),
        refused(414),
        setup=SMALL,
    ),
    Rule(
        "limit-fields",
        HEADERS,
        "--limit-request-fields headers are served.",
        get("/", *(f"X-{number}: y" for number in range(9))),
        Answer(200),
        mongrel2=Differs(Why.OTHERWISE, "X-Forwarded-For, which Mongrel2 adds, counts as one of them.", refused(431)),
        setup=SMALL,
    ),
    Rule(
        "limit-fields-passed",
        HEADERS,
        "More than --limit-request-fields headers are refused.",
        get("/", *(f"X-{number}: y" for number in range(10))),
        refused(431),
        setup=SMALL,
    ),
    Rule(
        "limit-headers",
        HEADERS,
        "Headers of --limit-request-headers bytes together are served.",
        get("/", f"X: {'y' * 340}"),
        Answer(200),
        setup=SMALL,
    ),
    Rule(
        "limit-headers-passed",
        HEADERS,
        "Headers of more than --limit-request-headers bytes are refused.",
        get("/", f"X: {'y' * 400}"),
        refused(431),
        setup=SMALL,
    ),
    Rule(
        "limit-headers-without-end",
        HEADERS,
        "A header that has no end is refused when it is too long, and is not kept until then.",
        get("/").removesuffix(b"\r\n") + b"X: " + b"y" * 1_000_000,
        refused(431),
        mongrel2=Differs(
            Why.LEFT,
            "Mongrel2 has a limit of its own for a head; it may reset the connection before its answer is read.",
            (),
        ),
        setup=SMALL,
    ),
    Rule("limit-body", BODY, "A body of --max-body is served.", post("/", b"b" * 1000), Answer(200), setup=SMALL),
    Rule(
        "limit-body-passed",
        BODY,
        "A body longer than --max-body is refused before it comes.",
        get("/", "Content-Length: 1001", method="POST"),
        refused(413),
        mongrel2=Differs(
            Why.LEFT,
            "Mongrel2 hands a body of up to limits.content_length over when it has all of it.",
            (Sends(b"b" * 1001), refused(413)),
        ),
        setup=SMALL,
    ),
    Rule(
        "limit-body-passed-in-chunks",
        BODY,
        "A body in chunks that is longer than --max-body is refused.",
        post_chunked("/", b"b" * 1000, b"b"),
        refused(413),
        setup=SMALL,
    ),
    Rule(
        "limit-body-expected",
        "RFC 9110 section 10.1.1",
        "Who expects 100-continue for a body longer than --max-body is told 413 instead.",
        get("/", "Content-Length: 50000", "Expect: 100-continue", method="POST"),
        refused(413),
        mongrel2=Differs(
            Why.LEFT,
            "Mongrel2 says 100 before anybody could object.",
            Answer(413, closes=True, end="refused", informational=(100,)),
        ),
        setup=SMALL,
    ),
    Rule(
        "limit-target-passed-by-the-query",
        TARGET,
        "The query counts as part of the target.",
        get("/?" + "q" * 199),
        refused(414),
        setup=SMALL,
    ),
    Rule(
        "limit-fields-passed-with-a-body",
        HEADERS,
        "A request with a body is refused for its headers, too, and the body is not read.",
        post("/", SMUGGLED, *(f"X-{number}: y" for number in range(10))),
        refused(431),
        setup=SMALL,
    ),
    Rule(
        "head-of-10000-bytes",
        HEADERS,
        "As it comes, a head of 10,000 bytes is served.",
        get("/", f"X: {'y' * 10_000}"),
        Answer(200),
        mongrel2=Differs(
            Why.LEFT, "Mongrel2 refuses what is larger than its limits.buffer_size, 4096.", by_mongrel2(400)
        ),
    ),
    Rule(
        "chunk-of-200000-bytes",
        "RFC 9112 section 7.1",
        "A chunk may have any size.",
        get("/", "Transfer-Encoding: chunked", method="POST") + LARGE_CHUNK[:10],
        (Sends(LARGE_CHUNK[10:]), Answer(200, environ={"CONTENT_LENGTH": "200000"})),
        mongrel2=Differs(
            Why.WRONG,
            "Mongrel2 ends the connection at a chunk of more than 102,400 bytes.",
            Gone(499, end="left"),
        ),
    ),
)

GROUPS = (Group("Limits", LIMITS, "All of them are options, and small for these rules: 200, 10, 400 and 1000."),)

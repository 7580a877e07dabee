"""Whether a connection goes on, and requests that follow each other on one (RFC 9112 section 9)."""

from dataclasses import replace

from tests.functional.conformance.outcomes import (
    Answer,
    Comes,
    Continue,
    Cut,
    Dropped,
    FinishesSending,
    Gone,
    Opens,
    Sends,
    by_mongrel2,
    refused,
)
from tests.functional.conformance.requests import chunked, do, get, head, post, post_chunked
from tests.functional.conformance.rule import Differs, Group, Rule, Why
from tests.functional.conformance.rules.mongrel2 import LAST_CHUNKED

PERSISTENCE = "RFC 9112 section 9.3"
CLOSING = "RFC 9112 section 9.6"
PIPELINING = "RFC 9112 section 9.3.2"
EXPECT = "RFC 9110 section 10.1.1"
BODY = do("returns")
LARGE = b"large" * 40_000
EXPECTING = get("/", "Content-Length: 4", "Expect: 100-continue", method="POST")
KEPT = Answer(200, b"body", {"connection": None})
KEPT_1_0 = Answer(200, b"body", {"connection": "keep-alive"})
CLOSED = Answer(200, b"body", {"connection": "close"}, closes=True)

NOT_ITS_END = Differs(
    Why.LEFT,
    "Mongrel2 hands over what follows, and does not know of the end: the access log has 499 for it.",
    (CLOSED, Dropped(499, end="left")),
)

PERSISTENT = (
    Rule("keep-alive", PERSISTENCE, "HTTP/1.1 keeps the connection, and need not say so.", get(BODY), KEPT),
    Rule(
        "close",
        CLOSING,
        "Connection: close ends the connection with the answer.",
        get(BODY, "Connection: close"),
        CLOSED,
    ),
    Rule("close-in-any-case", CLOSING, "The token close is known in any case.", get(BODY, "connection: cLoSe"), CLOSED),
    Rule(
        "close-among-others",
        CLOSING,
        "The token close is known among others.",
        get(BODY, "Connection: keep-alive , \tClose,x"),
        CLOSED,
    ),
    Rule(
        "close-in-a-repeat",
        CLOSING,
        "The token close is known in a repeat of the header.",
        get(BODY, "Connection: x", "Connection: close"),
        CLOSED,
    ),
    Rule(
        "close-within-a-word",
        CLOSING,
        "The token close is not known within another word.",
        get(BODY, "Connection: closed, x-close"),
        KEPT,
    ),
    Rule(
        "close-behind-parts",
        CLOSING,
        "Connection: close ends the connection behind an answer in chunks.",
        get(do("yields", parts=[b"one, ", b"two"]), "Connection: close"),
        Answer(200, b"one, two", {"connection": "close"}, closes=True, notes=("closed",)),
    ),
    Rule(
        "close-behind-head",
        CLOSING,
        "Connection: close ends the connection behind an answer to HEAD.",
        head(BODY, "Connection: close"),
        Answer(200, b"", {"connection": "close"}, closes=True),
    ),
    Rule("1.0", PERSISTENCE, "HTTP/1.0 ends the connection.", get(BODY, version="1.0"), CLOSED),
    Rule(
        "1.0-keep-alive",
        PERSISTENCE,
        "HTTP/1.0 keeps the connection when the client asks for it, and the client is told so.",
        get(BODY, "Connection: keep-alive", version="1.0"),
        (KEPT_1_0, Sends(get(BODY, "Connection: keep-alive", version="1.0")), KEPT_1_0),
    ),
    Rule(
        "1.0-keep-alive-in-any-case",
        PERSISTENCE,
        "The token keep-alive is known in any case, and among others.",
        get(BODY, "Connection: x, Keep-ALIVE", version="1.0"),
        KEPT_1_0,
    ),
    *(
        Rule(
            f"1.0-keep-alive-behind-{code}",
            PERSISTENCE,
            f"A {code}, which has no body, lets HTTP/1.0 keep the connection.",
            get(do("returns", status=f"{code} x", headers=[], value=[]), "Connection: keep-alive", version="1.0"),
            Answer(code, b"", {"connection": "keep-alive"}),
        )
        for code in (204, 205, 304)
    ),
    Rule(
        "1.0-keep-alive-behind-head",
        PERSISTENCE,
        "HEAD lets HTTP/1.0 keep the connection, also where the body's length is not known.",
        head(do("yields"), "Connection: keep-alive", version="1.0"),
        Answer(200, b"", {"connection": "keep-alive", "content-length": None}, notes=("closed",)),
    ),
    Rule(
        "1.0-keep-alive-and-close",
        PERSISTENCE,
        "The token close counts more than keep-alive.",
        get(BODY, "Connection: keep-alive, close", version="1.0"),
        CLOSED,
    ),
    Rule(
        "keep-alive-behind-a-failure",
        PERSISTENCE,
        "An application that fails does not end the connection.",
        get(do("never")),
        (Answer(500, log=(("PEP 3333: start_response must be called",),)), Sends(get(BODY)), KEPT),
    ),
    Rule(
        "keep-alive-with-a-body-not-read",
        PERSISTENCE,
        "An application that leaves the body unread does not end the connection: what follows is the next request.",
        post(do("returns"), get("/do/in-close")),
        (KEPT, Sends(get(BODY)), KEPT),
    ),
)

PIPELINED = (
    Rule(
        "pipelined",
        PIPELINING,
        "Requests that do not wait for the answer before are answered in order.",
        get(BODY) + head(BODY) + post("/", b"a=b") + get(do("yields")) + get(BODY),
        (
            KEPT,
            Answer(200, b"", to="HEAD"),
            Answer(200, environ={"CONTENT_LENGTH": "3"}),
            Answer(200, b"part", notes=("closed",)),
            KEPT,
        ),
    ),
    Rule(
        "pipelined-behind-a-slow-one",
        PIPELINING,
        "Requests that do not wait are answered behind one that takes its time.",
        get(do("waits-for-a-gate", gate="pipelined-behind-a-slow-one")) + get(BODY),
        (
            Comes(b"first"),
            Opens("pipelined-behind-a-slow-one"),
            Answer(200, b"first, second", notes=("closed",)),
            KEPT,
        ),
    ),
    Rule(
        "pipelined-behind-chunks",
        PIPELINING,
        "What follows a chunked body is the next request.",
        get("/", "Transfer-Encoding: chunked", method="POST") + chunked(b"in ", b"chunks") + get(BODY),
        (Answer(200, environ={"CONTENT_LENGTH": "9"}, to="POST"), KEPT),
        mongrel2=replace(
            LAST_CHUNKED,
            expect=(
                Answer(200, environ={"CONTENT_LENGTH": "9"}, to="POST", closes=True),
                Dropped(499, end="left"),
            ),
        ),
    ),
    Rule(
        "pipelined-behind-close",
        CLOSING,
        "What follows a request with Connection: close is not answered.",
        get(BODY, "Connection: close") + get(BODY),
        CLOSED,
        mongrel2=NOT_ITS_END,
    ),
    Rule(
        "pipelined-behind-close-1.0",
        CLOSING,
        "What follows such a request of HTTP/1.0 is not answered either, though it also says keep-alive.",
        get(BODY, "Connection: keep-alive, close", version="1.0") + get(BODY),
        CLOSED,
        mongrel2=NOT_ITS_END,
    ),
    Rule(
        "refused-behind-a-good-one",
        PIPELINING,
        "A request that is refused is so in its turn, behind the answers to those before.",
        get(BODY) + get("/", "Host: another"),
        (KEPT, refused(400, "Host")),
    ),
    Rule(
        "in-single-bytes",
        "RFC 9112 section 2.2",
        "A request may come byte by byte.",
        b"",
        (*(Sends(bytes([byte])) for byte in post("/", b"a=b", "X-Bytes: yes")), Answer(200, to="POST")),
    ),
    Rule(
        "chunks-before-a-large-body",
        "RFC 9112 section 6",
        "A body is what the client sent, whatever came before it on the connection.",
        post_chunked("/", b"body"),
        (
            Answer(200, environ={"CONTENT_LENGTH": "4"}),
            Sends(post('/?calls=[["read"]]', LARGE)),
            Answer(200, played=[LARGE.decode()]),
        ),
        mongrel2=replace(LAST_CHUNKED, expect=Answer(200, environ={"CONTENT_LENGTH": "4"}, closes=True)),
    ),
    Rule(
        "in-single-bytes-of-chunks",
        "RFC 9112 section 2.2",
        "Chunks may come byte by byte.",
        b"",
        (
            *(Sends(bytes([byte])) for byte in post_chunked("/", b"a", b"b")),
            Answer(200, environ={"CONTENT_LENGTH": "2"}),
        ),
        mongrel2=LAST_CHUNKED,
    ),
    Rule(
        "half-closed",
        CLOSING,
        "A client that has finished sending gets its answer.",
        get(do("waits-for-the-end")),
        (
            Comes(b"first"),
            FinishesSending(),
            Answer(200, b"first, second", notes=("closed",)),
            Gone(),
        ),
        mongrel2=Differs(
            Why.WRONG,
            "Mongrel2 takes a client that has finished sending for one that has left, and says so.",
            (
                Comes(b"first"),
                FinishesSending(),
                Cut(200, b"first", code=499, end="left", log=(("its client has left",),), notes=("closed",)),
            ),
        ),
    ),
)

CONTINUED = (
    Rule(
        "continue",
        EXPECT,
        "Who expects 100-continue gets it, then the answer.",
        EXPECTING,
        (Continue(), Sends(b"body"), Answer(200, environ={"CONTENT_LENGTH": "4"}, to="POST")),
    ),
    Rule(
        "continue-in-any-case",
        EXPECT,
        "The expectation is known in any case.",
        get("/", "Content-Length: 4", "Expect: 100-CONTINUE", method="POST"),
        (Continue(), Sends(b"body"), Answer(200, environ={"CONTENT_LENGTH": "4"}, to="POST")),
        mongrel2=Differs(Why.WRONG, "Mongrel2 knows the expectation in lower case only.", by_mongrel2(417)),
    ),
    Rule(
        "continue-for-chunks",
        EXPECT,
        "Who expects 100-continue before chunks gets it.",
        get("/", "Transfer-Encoding: chunked", "Expect: 100-continue", method="POST"),
        (Continue(), Sends(chunked(b"body")), Answer(200, environ={"CONTENT_LENGTH": "4"}, to="POST")),
        mongrel2=LAST_CHUNKED,
    ),
    Rule(
        "continue-with-the-body",
        EXPECT,
        "Who does not wait for 100-continue gets it all the same.",
        EXPECTING + b"body",
        Answer(200, environ={"CONTENT_LENGTH": "4"}, informational=(100,)),
    ),
    Rule(
        "continue-behind-an-answer",
        EXPECT,
        "100 comes behind the answers to the requests before.",
        get(do("waits-for-a-gate", gate="continue-behind-an-answer")) + EXPECTING,
        (
            Comes(b"first"),
            Opens("continue-behind-an-answer"),
            Answer(200, b"first, second", notes=("closed",)),
            Continue(),
            Sends(b"body"),
            Answer(200, environ={"CONTENT_LENGTH": "4"}),
        ),
        mongrel2=Differs(
            Why.WRONG,
            "Mongrel2 says 100 before the answers to the requests before, or in the midst of one, as it happens.",
            (),
        ),
    ),
    Rule(
        "continue-without-a-body",
        EXPECT,
        "Without a body there is no 100.",
        get("/", "Expect: 100-continue"),
        Answer(200),
        mongrel2=Differs(
            Why.LEFT, "Mongrel2 says 100 to everybody who asks for it.", Answer(200, informational=(100,))
        ),
    ),
    Rule(
        "continue-1.0",
        EXPECT,
        "An expectation by HTTP/1.0 is ignored.",
        post("/", b"body", "Expect: 100-continue", version="1.0"),
        Answer(200, closes=True),
        mongrel2=Differs(
            Why.WRONG,
            "Mongrel2 says 100 to a client of HTTP/1.0, which may take it for the answer.",
            Answer(200, closes=True, informational=(100,)),
        ),
    ),
    Rule(
        "expectation-unknown",
        EXPECT,
        "Any other expectation is refused.",
        get("/", "Content-Length: 4", "Expect: miracles", method="POST"),
        refused(417),
        mongrel2=Differs(Why.LEFT, "Mongrel2 says so by itself.", by_mongrel2(417)),
    ),
)

GROUPS = (
    Group("Connections", PERSISTENT),
    Group("Requests that follow each other", PIPELINED),
    Group("100 Continue", CONTINUED),
)

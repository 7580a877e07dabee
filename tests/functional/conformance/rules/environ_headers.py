"""The headers of a request in the environ (PEP 3333, "environ Variables": HTTP_ Variables)."""

from tests.functional.conformance.outcomes import Answer
from tests.functional.conformance.requests import chunked, get
from tests.functional.conformance.rule import Differs, Group, Rule, Why
from tests.functional.conformance.rules.environ import VARIABLES, told
from tests.functional.conformance.rules.mongrel2 import LAST_CHUNKED

HEADERS = (
    Rule(
        "http-variables",
        VARIABLES,
        "A header's variable is HTTP_ and its name in upper case, with `_` for `-`.",
        get("/", "x-lower-Case: yes"),
        told(HTTP_X_LOWER_CASE="yes", HTTP_HOST="www.example.org:81"),
    ),
    Rule(
        "http-variables-of-any-token",
        "RFC 9110 section 5.6.2",
        "Names may have every character of a token.",
        get("/", "X.Dot!: yes"),
        Answer(200, environ={"HTTP_X.DOT!": "yes"}),
    ),
    Rule(
        "http-variables-joined",
        "RFC 9110 section 5.3",
        "Repeats of a header are joined with commas, in order.",
        get("/", "X-List: 1", "X-Other: 3", "x-list: 2"),
        told(HTTP_X_LIST="1,2"),
    ),
    Rule(
        "http-variables-joined-many",
        "RFC 9110 section 5.3",
        "All repeats of a header are joined.",
        get("/", *(f"X-List: {number}" for number in range(7))),
        told(HTTP_X_LIST="0,1,2,3,4,5,6"),
        mongrel2=Differs(
            Why.WRONG,
            "Mongrel2 keeps the first five values of a header that is repeated, and drops the others.",
            told(HTTP_X_LIST="0,1,2,3,4"),
        ),
    ),
    Rule(
        "cookies-joined",
        "RFC 9113 section 8.2.3",
        "Repeats of Cookie are joined with `; `.",
        get("/", "Cookie: a=1", "Cookie: b=2, 3"),
        told(HTTP_COOKIE="a=1; b=2, 3"),
    ),
    Rule(
        "values-are-latin-1",
        'PEP 3333, "Unicode Issues"',
        "Bytes of a value are characters of latin-1.",
        get("/", "X-Bytes: caf\xc3\xa9 \xff"),
        told(HTTP_X_BYTES="caf\xc3\xa9 \xff"),
    ),
    Rule(
        "values-without-blanks-around",
        "RFC 9110 section 5.5",
        "Blanks around a value are no part of it; those within are.",
        get("/", "X-Blanks: \t in  between \t"),
        told(HTTP_X_BLANKS="in  between"),
    ),
    Rule(
        "values-may-be-empty",
        "RFC 9110 section 5.5",
        "The value of a header may be empty.",
        get("/", "X-Empty:"),
        told(HTTP_X_EMPTY=""),
    ),
    Rule(
        "values-with-quotes",
        "RFC 9110 section 5.5",
        "Quotes and backslashes come as they were sent.",
        get("/", r'X-Quotes: say "a\\b" \u0041 \x'),
        told(HTTP_X_QUOTES=r'say "a\\b" \u0041 \x'),
    ),
    Rule(
        "underscores-dropped",
        "wsgid's own",
        "A name with `_` is dropped, for it could pose as one with `-`; the log says so at its level DEBUG.",
        get("/", "X_Under: no", "X-Under: yes"),
        Answer(200, environ={"HTTP_X_UNDER": "yes"}, log=((" DEBUG ", "'x_under' is dropped"),)),
    ),
    Rule(
        "underscores-do-not-pose-as-content",
        "wsgid's own",
        "Content_Length and Content_Type with `_` become neither CONTENT_ nor HTTP_ variables.",
        get("/", "Content_Length: 7", "Content_Type: a/b"),
        Answer(
            200,
            environ={"CONTENT_LENGTH": None, "CONTENT_TYPE": None, "HTTP_CONTENT_LENGTH": None},
            log=(("'content_length' is dropped",), ("'content_type' is dropped",)),
        ),
    ),
    Rule(
        "headers-do-not-pose-as-the-servers",
        VARIABLES,
        "No header sets a variable of another kind, nor what the front end says of the request.",
        get("/", "Remote-Addr: 6.6.6.6", "METHOD: PUT", "PATH: /no", "URI: /no", "VERSION: 2", "QUERY: no=1"),
        told(
            REMOTE_ADDR="127.0.0.1",
            HTTP_REMOTE_ADDR="6.6.6.6",
            REQUEST_METHOD="GET",
            HTTP_METHOD="PUT",
            PATH_INFO="/",
            REQUEST_URI="/",
            SERVER_PROTOCOL="HTTP/1.1",
            QUERY_STRING="",
        ),
    ),
    Rule(
        "trailers-are-not-told",
        "RFC 9110 section 6.5.1",
        "Trailers of a chunked body are not among the headers.",
        get("/", "Transfer-Encoding: chunked", method="POST")
        + chunked(b"body").removesuffix(b"\r\n")
        + b"X-Trailer: no\r\nHost: other\r\n\r\n",
        told(HTTP_X_TRAILER=None, HTTP_HOST="www.example.org:81", CONTENT_LENGTH="4"),
        mongrel2=LAST_CHUNKED,
    ),
)

GROUPS = (Group("The environ: headers", HEADERS),)

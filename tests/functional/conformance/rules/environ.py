"""What is in the environ (PEP 3333, "environ Variables")."""

import re

from tests.functional.conformance.outcomes import Answer, Known, Sends, Told
from tests.functional.conformance.requests import chunked, do, get, post, post_chunked, raw
from tests.functional.conformance.rule import SMALL, Differs, Group, Rule, Why
from tests.functional.conformance.rules.mongrel2 import LAST_CHUNKED

VARIABLES = 'PEP 3333, "environ Variables"'
CGI = "RFC 3875"


def told(**environ: Told) -> Answer:
    """The application is told so; ``wsgi__version`` stands for ``wsgi.version``."""
    return Answer(200, environ={name.replace("__", "."): value for name, value in environ.items()})


NO_LISTENER = "Mongrel2 does not tell where it listens: both are taken from Host, or are `localhost` and 80."

OF_THE_REQUEST = (
    Rule(
        "request-method",
        VARIABLES,
        "REQUEST_METHOD is the method as it was sent.",
        get("/", method="DELETE"),
        told(REQUEST_METHOD="DELETE"),
    ),
    Rule(
        "script-name-of-the-root",
        VARIABLES,
        "SCRIPT_NAME is empty, and there, where the application is at the root.",
        get("/a/b"),
        told(SCRIPT_NAME="", PATH_INFO="/a/b"),
    ),
    Rule(
        "query-string",
        VARIABLES,
        "QUERY_STRING is what follows the first `?`, as it was sent.",
        get("/a?b=%20+&c?d"),
        told(QUERY_STRING="b=%20+&c?d", PATH_INFO="/a"),
    ),
    Rule(
        "query-string-empty",
        f"{CGI} section 4.1.7",
        "QUERY_STRING is empty, and there, when nothing follows the `?`.",
        get("/a?"),
        told(QUERY_STRING="", PATH_INFO="/a", REQUEST_URI="/a?"),
    ),
    Rule(
        "query-string-missing",
        f"{CGI} section 4.1.7",
        "QUERY_STRING is empty, and there, when there is no `?`.",
        get("/a"),
        told(QUERY_STRING="", PATH_INFO="/a", REQUEST_URI="/a"),
    ),
    Rule(
        "request-uri",
        "uWSGI's and gunicorn's names",
        "REQUEST_URI and RAW_URI are the target as it was sent.",
        get("/a%2Fb/%63?d=%20"),
        told(REQUEST_URI="/a%2Fb/%63?d=%20", RAW_URI="/a%2Fb/%63?d=%20"),
    ),
    Rule(
        "content-type",
        VARIABLES,
        "CONTENT_TYPE is the Content-Type, which has no HTTP_ variable.",
        post("/", b"a=b", "Content-Type: text/x; charset=utf-8"),
        told(CONTENT_TYPE="text/x; charset=utf-8", HTTP_CONTENT_TYPE=None),
    ),
    Rule(
        "content-type-missing",
        f"{CGI} section 4.1.3",
        "CONTENT_TYPE is not there when the client sent none.",
        post("/", b"a=b"),
        told(CONTENT_TYPE=None),
    ),
    Rule(
        "content-type-empty",
        VARIABLES,
        "CONTENT_TYPE is empty when the client sent an empty one.",
        post("/", b"a=b", "Content-Type:"),
        told(CONTENT_TYPE=""),
    ),
    Rule(
        "content-type-twice",
        "RFC 9110 section 5.3",
        "Of several Content-Type the first one counts: a media type is no list.",
        post("/", b"a=b", "Content-Type: text/first", "Content-Type: text/second"),
        told(CONTENT_TYPE="text/first"),
    ),
    Rule(
        "content-length",
        VARIABLES,
        "CONTENT_LENGTH is the Content-Length, which has no HTTP_ variable.",
        post("/", b"a=b"),
        told(CONTENT_LENGTH="3", HTTP_CONTENT_LENGTH=None),
    ),
    Rule(
        "content-length-zero",
        VARIABLES,
        "CONTENT_LENGTH is 0 when the client says so.",
        post("/", b""),
        told(CONTENT_LENGTH="0"),
    ),
    Rule(
        "content-length-missing",
        f"{CGI} section 4.1.2",
        "CONTENT_LENGTH is not there when there is no body.",
        get("/"),
        told(CONTENT_LENGTH=None),
    ),
    Rule(
        "content-length-of-chunks",
        "RFC 9112 section 7.1",
        "CONTENT_LENGTH of a chunked body is its length as decoded, and Transfer-Encoding is not told.",
        post_chunked("/", b"in ", b"chunks"),
        told(CONTENT_LENGTH="9", HTTP_TRANSFER_ENCODING=None, HTTP_CONTENT_LENGTH=None),
        mongrel2=LAST_CHUNKED,
    ),
    Rule(
        "content-length-of-no-chunk",
        "RFC 9112 section 7.1",
        "CONTENT_LENGTH of a chunked body without content is 0.",
        post_chunked("/"),
        told(CONTENT_LENGTH="0", HTTP_TRANSFER_ENCODING=None),
        mongrel2=LAST_CHUNKED,
    ),
    Rule(
        "server-protocol",
        VARIABLES,
        "SERVER_PROTOCOL is the version that the client speaks.",
        get("/"),
        told(SERVER_PROTOCOL="HTTP/1.1"),
    ),
    Rule(
        "server-protocol-1.0",
        VARIABLES,
        "SERVER_PROTOCOL is HTTP/1.0 for a client that speaks it.",
        get("/", version="1.0"),
        Answer(200, environ={"SERVER_PROTOCOL": "HTTP/1.0"}, closes=True),
    ),
    Rule(
        "server-name",
        VARIABLES,
        "SERVER_NAME and SERVER_PORT are where the server listens.",
        get("/"),
        told(SERVER_NAME="127.0.0.1", SERVER_PORT=Known.PORT),
        mongrel2=Differs(Why.UNTOLD, NO_LISTENER, told(SERVER_NAME="www.example.org", SERVER_PORT="81")),
    ),
    Rule(
        "server-name-without-host",
        VARIABLES,
        "SERVER_NAME and SERVER_PORT are never empty, also without Host.",
        raw("GET / HTTP/1.0"),
        Answer(200, environ={"SERVER_NAME": "127.0.0.1", "SERVER_PORT": Known.PORT}, closes=True),
        mongrel2=Differs(
            Why.UNTOLD,
            NO_LISTENER,
            Answer(200, environ={"SERVER_NAME": "localhost", "SERVER_PORT": "80"}, closes=True),
        ),
    ),
    Rule(
        "server-software",
        f"{CGI} section 4.1.17",
        "SERVER_SOFTWARE names wsgid and its version.",
        get("/"),
        told(SERVER_SOFTWARE=re.compile(r"wsgid/\d.*")),
    ),
    Rule(
        "remote-addr",
        f"{CGI} section 4.1.8",
        "REMOTE_ADDR is the client's address.",
        get("/"),
        told(REMOTE_ADDR="127.0.0.1"),
    ),
    Rule(
        "remote-port",
        "Apache's name",
        "REMOTE_PORT is the client's port.",
        get("/"),
        told(REMOTE_PORT=re.compile(r"\d+")),
        mongrel2=Differs(
            Why.UNTOLD, "Mongrel2 does not tell the client's port: there is no REMOTE_PORT.", told(REMOTE_PORT=None)
        ),
    ),
)

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

OF_THE_GATEWAY = (
    Rule(
        "environ-is-a-dict",
        'PEP 3333, "Specification Details"',
        "The environ is a dict of its own: what an application does to it is not seen in the next.",
        get(do("says-of-environ")),
        (
            Answer(200, b"dict, as good as new"),
            Sends(get(do("says-of-environ"))),
            Answer(200, b"dict, as good as new"),
        ),
    ),
    Rule(
        "variables-are-str",
        'PEP 3333, "Unicode Issues"',
        "All CGI variables are str, of nothing but latin-1.",
        post(do("says-types"), b"body", "Content-Type: a/b", "X-Bytes: \xff"),
        Answer(200, b"str"),
    ),
    Rule(
        "wsgi-version",
        VARIABLES,
        "`wsgi.version` is (1, 0).",
        get("/"),
        told(wsgi__version=[1, 0]),
    ),
    Rule(
        "wsgi-url-scheme",
        VARIABLES,
        "`wsgi.url_scheme` is http for what came by HTTP.",
        get("/"),
        told(wsgi__url_scheme="http"),
    ),
    Rule(
        "wsgi-multithread",
        VARIABLES,
        "`wsgi.multithread` is false when a worker has one thread.",
        get("/"),
        told(wsgi__multithread=False),
    ),
    Rule(
        "wsgi-multithread-threads",
        VARIABLES,
        "`wsgi.multithread` is true when it has several.",
        get("/"),
        told(wsgi__multithread=True),
        setup=SMALL,
    ),
    Rule(
        "wsgi-multiprocess",
        VARIABLES,
        "`wsgi.multiprocess` is true, also with one worker: while it is replaced there are two.",
        get("/"),
        told(wsgi__multiprocess=True),
    ),
    Rule(
        "wsgi-run-once",
        VARIABLES,
        "`wsgi.run_once` is false.",
        get("/"),
        told(wsgi__run_once=False),
    ),
    Rule(
        "wsgi-input-terminated",
        "werkzeug's name",
        "`wsgi.input_terminated` is true: reading ends where the body ends.",
        get("/"),
        told(wsgi__input_terminated=True),
    ),
    Rule(
        "wsgid-request-id",
        "docs/environ.md",
        "`wsgid.request_id` is what the access log calls the request.",
        get("/"),
        told(wsgid__request_id=Known.REQUEST_ID),
    ),
    Rule(
        "wsgid-attempt",
        "docs/environ.md",
        "`wsgid.attempt` is 1 for a request that is served for the first time.",
        get("/"),
        told(wsgid__attempt=1),
    ),
    Rule(
        "wsgi-errors",
        'PEP 3333, "Input and Error Streams"',
        "`wsgi.errors` has write, writelines and flush; each line is a record of the log that names the request.",
        get(do("complains", text="caf\xe9 \u20ac")),
        Answer(200, b"complained", log=(("caf\xe9 \u20ac written",), ("caf\xe9 \u20ac in pieces",))),
    ),
    Rule(
        "wsgi-errors-without-an-end",
        'PEP 3333, "Input and Error Streams"',
        "What has no line end in `wsgi.errors` is a record of the log when the request has ended.",
        get(do("mutters")),
        Answer(200, b"muttered", log=(("half a line",),)),
    ),
)

GROUPS = (
    Group("The environ: the request", OF_THE_REQUEST),
    Group("The environ: headers", HEADERS),
    Group("The environ: the gateway", OF_THE_GATEWAY),
)

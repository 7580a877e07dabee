"""What is in the environ (PEP 3333, "environ Variables")."""

import re

from tests.functional.conformance.outcomes import Answer, Known, Sends, Told
from tests.functional.conformance.requests import do, get, post, post_chunked, raw
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
    Group("The environ: the gateway", OF_THE_GATEWAY),
)

"""How an answer is framed, and what else HTTP wants in it (RFC 9110, RFC 9112)."""

import re

from tests.functional.conformance.outcomes import NOW, Answer, Known, Told
from tests.functional.conformance.requests import do, get, head
from tests.functional.conformance.rule import PREFIXED, SMALL, Group, Rule

HEAD = "RFC 9110 section 9.3.2"
LENGTH = "RFC 9110 section 8.6"
FRAMING = "RFC 9112 section 6.3"
DATE = "RFC 9110 section 6.6.1"
SERVER = "RFC 9110 section 10.2.4"
OWN = "docs/environ.md"
TEXT = ("Content-Type", "text/plain")
PARTS = [b"one, ", b"two"]

NEITHER: dict[str, Told] = {"content-length": None, "transfer-encoding": None}


def gives(code: str, length: int | None = None, value: object = ()) -> str:
    """The target of an application that answers so."""
    headers = [] if length is None else [("Content-Length", str(length))]
    return do("returns", status=code, headers=headers, value=value)


FRAMINGS = (
    Rule(
        "framing-chunked",
        "RFC 9112 section 7.1",
        "A body of unknown length goes out in chunks, to HTTP/1.1.",
        get(do("yields", parts=PARTS)),
        Answer(200, b"one, two", {"transfer-encoding": "chunked", "content-length": None}, notes=("closed",)),
    ),
    Rule(
        "framing-until-close",
        "RFC 9112 section 6.1",
        "To HTTP/1.0 a body of unknown length goes out as it is, and the end of the connection ends it.",
        get(do("yields", parts=PARTS), version="1.0"),
        Answer(200, b"one, two", NEITHER, closes=True, notes=("closed",)),
    ),
    Rule(
        "framing-until-close-kept-alive",
        "RFC 9112 section 9.3",
        "The connection ends it also where a client of HTTP/1.0 wants to keep the connection.",
        get(do("yields", parts=PARTS), "Connection: keep-alive", version="1.0"),
        Answer(200, b"one, two", NEITHER, closes=True, notes=("closed",)),
    ),
    Rule(
        "framing-of-an-only-part",
        LENGTH,
        "A whole body that fits its Content-Length goes out with it.",
        get(do("yields", parts=[b"part"], headers=[("Content-Length", "4")])),
        Answer(200, b"part", {"content-length": "4", "transfer-encoding": None}, notes=("closed",)),
    ),
    Rule(
        "head-of-a-list",
        HEAD,
        "HEAD gets no body, and the Content-Length that GET would get.",
        head(do("returns", value=PARTS)),
        Answer(200, b"", {"content-length": "8", "transfer-encoding": None}),
    ),
    Rule(
        "head-with-a-length",
        HEAD,
        "HEAD gets the Content-Length that the application gives, with a body or without.",
        head(do("returns", value=[], headers=[("Content-Length", "8")])),
        Answer(200, b"", {"content-length": "8", "transfer-encoding": None}),
    ),
    Rule(
        "head-of-parts",
        HEAD,
        "HEAD gets no Content-Length where nobody knows it.",
        head(do("yields", parts=PARTS)),
        Answer(200, b"", {"content-length": None}, notes=("closed",)),
    ),
    Rule(
        "head-without-a-body",
        HEAD,
        "An empty body for HEAD says nothing of the body for GET: there is no Content-Length of 0.",
        head(do("returns", value=[])),
        Answer(200, b"", {"content-length": None}),
    ),
    Rule(
        "head-1.0",
        HEAD,
        "HEAD gets the same by HTTP/1.0.",
        head(do("returns", value=PARTS), version="1.0"),
        Answer(200, b"", {"content-length": "8"}, closes=True),
    ),
    Rule(
        "204-without-a-body",
        LENGTH,
        "204 has no body, no Content-Length and no Transfer-Encoding.",
        get(gives("204 No Content")),
        Answer(204, b"", NEITHER),
    ),
    Rule(
        "204-with-a-length",
        LENGTH,
        "The Content-Length of a 204 is taken away.",
        get(gives("204 No Content", 0)),
        Answer(204, b"", NEITHER),
    ),
    Rule(
        "204-with-a-body",
        "RFC 9110 section 15.3.5",
        "The body of a 204 is not sent.",
        get(gives("204 No Content", 4, [b"body"])),
        Answer(204, b"", NEITHER),
    ),
    Rule(
        "204-of-parts",
        "RFC 9110 section 15.3.5",
        "The body of a 204 that comes in parts is not sent either.",
        get(do("yields", status="204 No Content", headers=[], parts=PARTS)),
        Answer(204, b"", NEITHER, notes=("closed",)),
    ),
    Rule(
        "205-without-a-body",
        "RFC 9110 section 15.3.6",
        "205 has a Content-Length of 0.",
        get(gives("205 Reset Content")),
        Answer(205, b"", {"content-length": "0", "transfer-encoding": None}),
    ),
    Rule(
        "205-for-head",
        "RFC 9110 section 15.3.6",
        "205 for HEAD has a Content-Length of 0, too.",
        head(gives("205 Reset Content")),
        Answer(205, b"", {"content-length": "0", "transfer-encoding": None}),
    ),
    Rule(
        "205-with-a-body",
        "RFC 9110 section 15.3.6",
        "The body of a 205 is not sent.",
        get(gives("205 Reset Content", 4, [b"body"])),
        Answer(205, b"", {"content-length": "0", "transfer-encoding": None}),
    ),
    Rule(
        "304-without-a-body",
        "RFC 9110 section 15.4.5",
        "304 has no body and no Transfer-Encoding.",
        get(gives("304 Not Modified")),
        Answer(304, b"", NEITHER),
    ),
    Rule(
        "304-with-a-length",
        LENGTH,
        "The Content-Length of a 304 is taken away: whether it is that of the 200 nobody here can tell.",
        get(gives("304 Not Modified", 8)),
        Answer(304, b"", NEITHER),
    ),
    Rule(
        "304-with-a-body",
        "RFC 9110 section 15.4.5",
        "The body of a 304 is not sent.",
        get(gives("304 Not Modified", None, [b"body"])),
        Answer(304, b"", NEITHER),
    ),
)

ADDED = (
    Rule(
        "date",
        DATE,
        "Every answer has the Date of now.",
        get(do("returns")),
        Answer(200, b"body", {"date": NOW}),
    ),
    Rule(
        "date-of-a-refusal",
        DATE,
        "Our own answers have the Date of now.",
        get("/", "Host: another"),
        Answer(400, headers={"date": NOW}, closes=True, end="refused"),
    ),
    Rule(
        "date-of-the-application",
        DATE,
        "An application's own Date stands, and is the only one.",
        get(do("returns", headers=[("dAtE", "Thu, 01 Jan 1970 00:00:00 GMT")])),
        Answer(200, b"body", {"date": "Thu, 01 Jan 1970 00:00:00 GMT"}),
    ),
    Rule(
        "server",
        SERVER,
        "Every answer says by Server that it is wsgid's.",
        get(do("returns")),
        Answer(200, b"body", {"server": re.compile("wsgid(/.*)?")}),
    ),
    Rule(
        "server-of-the-application",
        SERVER,
        "An application's own Server stands, and is the only one.",
        get(do("returns", headers=[("sErVeR", "the application's")])),
        Answer(200, b"body", {"server": "the application's"}),
    ),
    Rule(
        "server-header",
        SERVER,
        "--server-header is what the Server header says.",
        get(do("returns")),
        Answer(200, b"body", {"server": "something else/1.0"}),
        setup=SMALL,
    ),
    Rule(
        "server-header-of-a-refusal",
        SERVER,
        "Our own answers have the Server header of --server-header, too.",
        get("/", "Host: another"),
        Answer(400, headers={"server": "something else/1.0"}, closes=True, end="refused"),
        setup=SMALL,
    ),
    Rule(
        "server-header-of-a-failure",
        SERVER,
        "The answer of an application that failed has it.",
        get(do("never")),
        Answer(500, headers={"server": "something else/1.0"}, log=(("start_response must be called",),)),
        setup=SMALL,
    ),
    Rule(
        "server-header-none",
        SERVER,
        "With an empty --server-header there is no Server header.",
        get(f"/e%20e{do('returns')}"),
        Answer(200, b"body", {"server": None}),
        setup=PREFIXED,
    ),
    Rule(
        "server-header-none-of-a-refusal",
        SERVER,
        "With an empty --server-header our own answers have none either.",
        get("/e%20e", "Host: another"),
        Answer(400, headers={"server": None}, closes=True, end="refused"),
        setup=PREFIXED,
    ),
    Rule(
        "request-id",
        OWN,
        "Every answer has X-Request-Id, which is what the logs call the request.",
        get(do("returns")),
        Answer(200, b"body", {"x-request-id": Known.REQUEST_ID}),
    ),
    Rule(
        "request-id-of-parts",
        OWN,
        "An answer in chunks has X-Request-Id.",
        get(do("yields", parts=PARTS)),
        Answer(200, b"one, two", {"x-request-id": Known.REQUEST_ID}, notes=("closed",)),
    ),
    Rule(
        "request-id-of-a-failure",
        OWN,
        "The answer of an application that failed has X-Request-Id, by which the traceback is found.",
        get(do("never")),
        Answer(500, headers={"x-request-id": Known.REQUEST_ID}, log=(("start_response must be called",),)),
    ),
    Rule(
        "request-id-of-a-refusal",
        OWN,
        "Our own answers have X-Request-Id, too.",
        get("/", "Host: another"),
        Answer(400, headers={"x-request-id": Known.REQUEST_ID}, closes=True, end="refused"),
    ),
    Rule(
        "request-id-of-the-application",
        OWN,
        "An application's own X-Request-Id stands, and is the only one.",
        get(do("returns", headers=[("x-rEQUEST-id", "the application's")])),
        Answer(200, b"body", {"x-request-id": "the application's"}),
    ),
    Rule(
        "content-type-is-not-added",
        "RFC 9110 section 8.3",
        "No Content-Type is made up.",
        get(do("returns", headers=[])),
        Answer(200, b"body", {"content-type": None}),
    ),
)

GROUPS = (Group("Framing", FRAMINGS), Group("Headers that are added", ADDED))

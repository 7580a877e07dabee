"""Header lines for which a request is refused (RFC 9112 section 5)."""

from tests.functional.conformance.outcomes import Answer, refused
from tests.functional.conformance.requests import get, raw
from tests.functional.conformance.rule import Differs, Group, Rule, Why
from tests.functional.conformance.rules.mongrel2 import REFUSES

HOST = "RFC 9112 section 3.2"
NAMES = "RFC 9112 section 5.1"
VALUES = "RFC 9110 section 5.5"
LF_ALONE = Differs(Why.OTHERWISE, "Mongrel2 takes LF alone for the end of a line, as it may.", Answer(200))


def host(name: str, text: str, value: str) -> Rule:
    """A Host that is none."""
    return Rule(
        f"host-wrong-{name}", HOST, text, raw("GET / HTTP/1.1", f"Host: {value}"), refused(400, "a Host that is not")
    )


HEADERS = (
    Rule("host-missing", HOST, "HTTP/1.1 without Host is refused.", raw("GET / HTTP/1.1"), refused(400, "Host")),
    Rule(
        "host-twice", HOST, "Two Host are refused.", raw("GET / HTTP/1.1", "Host: a", "Host: b"), refused(400, "Host")
    ),
    Rule(
        "host-twice-equal",
        HOST,
        "Two equal Host are refused.",
        raw("GET / HTTP/1.1", "Host: a", "host: a"),
        refused(400, "Host"),
    ),
    Rule(
        "host-twice-1.0",
        HOST,
        "Two Host are refused on HTTP/1.0, too.",
        raw("GET / HTTP/1.0", "Host: a", "Host: b"),
        refused(400, "Host"),
    ),
    host("name", "Host is a name or an address.", "not a host"),
    host("user", "Host has no user.", "user@a"),
    host("path", "Host has no path.", "a/b"),
    host("port-word", "The port of a Host is a number.", "a:b"),
    host("port-beyond", "The port of a Host is at most 65535.", "a:65536"),
    host("address", "An address of IPv6 in a Host is one.", "[::g]"),
    host("empty-with-port", "Host is not a port alone.", ":80"),
    host("list", "Host is no list of hosts.", "a, b"),
    Rule(
        "host-wrong-1.0",
        HOST,
        "Host of HTTP/1.0 is a name or an address, too.",
        raw("GET / HTTP/1.0", "Host: a/b"),
        refused(400, "a Host that is not"),
    ),
    Rule(
        "host-address",
        HOST,
        "Host may be an address of IPv6, with a port.",
        raw("GET / HTTP/1.1", "Host: [2001:db8::1]:81"),
        Answer(200, environ={"HTTP_HOST": "[2001:db8::1]:81"}),
    ),
    Rule(
        "host-empty",
        HOST,
        "Host may be empty.",
        raw("GET / HTTP/1.1", "Host:"),
        Answer(200, environ={"HTTP_HOST": ""}),
    ),
    Rule(
        "host-missing-1.0",
        HOST,
        "HTTP/1.0 needs no Host.",
        raw("GET / HTTP/1.0"),
        Answer(200, environ={"HTTP_HOST": None}, closes=True),
    ),
    Rule(
        "folded",
        "RFC 9112 section 5.2",
        "A folded line is refused.",
        get("/", "X: a", " b"),
        refused(400),
        mongrel2=REFUSES,
    ),
    Rule(
        "folded-by-tab",
        "RFC 9112 section 5.2",
        "A line folded by a tab is refused.",
        get("/", "X: a", "\tb"),
        refused(400),
        mongrel2=REFUSES,
    ),
    Rule(
        "blank-first-line",
        "RFC 9112 section 2.2",
        "A blank before the first header is refused.",
        raw("GET / HTTP/1.1", " Host: a", "Host: b"),
        refused(400),
        mongrel2=REFUSES,
    ),
    Rule(
        "name-blank-colon",
        NAMES,
        "No blank stands before the colon.",
        get("/", "X : a"),
        refused(400),
        mongrel2=REFUSES,
    ),
    Rule(
        "name-tab-colon", NAMES, "No tab stands before the colon.", get("/", "X\t: a"), refused(400), mongrel2=REFUSES
    ),
    Rule(
        "name-with-a-blank", NAMES, "No blank stands within a name.", get("/", "X y: a"), refused(400), mongrel2=REFUSES
    ),
    Rule("name-empty", NAMES, "A name is not empty.", get("/", ": a"), refused(400), mongrel2=REFUSES),
    Rule("name-missing", NAMES, "A line without a colon is refused.", get("/", "nocolon", "X: y"), refused(400)),
    Rule("name-with-control", NAMES, "A name has no control characters.", get("/", "X\x01y: a"), refused(400)),
    Rule("name-with-nul", NAMES, "A name has no NUL.", get("/", "X\0y: a"), refused(400), mongrel2=REFUSES),
    Rule("name-with-cr", NAMES, "A name has no CR.", get("/", "X\ry: a"), refused(400)),
    Rule("name-with-latin-1", NAMES, "A name is ASCII.", get("/", "X\xe9: a"), refused(400), mongrel2=REFUSES),
    Rule("name-with-parens", NAMES, "A name is a token.", get("/", "X(y): a"), refused(400), mongrel2=REFUSES),
    Rule("value-with-nul", VALUES, "A value has no NUL.", get("/", "X: a\0b"), refused(400), mongrel2=REFUSES),
    Rule("value-with-cr", VALUES, "A value has no CR.", get("/", "X: a\rb"), refused(400), mongrel2=REFUSES),
    Rule("value-with-control", VALUES, "A value has no other control character.", get("/", "X: a\x01b"), refused(400)),
    Rule("value-with-del", VALUES, "A value has no DEL.", get("/", "X: a\x7fb"), refused(400), mongrel2=REFUSES),
    Rule(
        "value-with-tab",
        VALUES,
        "A value may have a tab.",
        get("/", "X: a\tb"),
        Answer(200, environ={"HTTP_X": "a\tb"}),
    ),
    Rule(
        "line-by-lf",
        "RFC 9112 section 2.2",
        "LF alone is no end of a line.",
        b"GET / HTTP/1.1\nHost: a\n\n",
        refused(400),
        mongrel2=LF_ALONE,
    ),
    Rule(
        "header-by-lf",
        "RFC 9112 section 2.2",
        "LF alone is no end of a header.",
        b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
        refused(400),
        mongrel2=LF_ALONE,
    ),
)

GROUPS = (Group("Requests refused: headers", HEADERS),)

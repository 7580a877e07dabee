"""The first line of a request: method, target and version (RFC 9112 section 3); upgrades."""

from tests.functional.conformance.outcomes import Answer, Step, by_mongrel2, refused
from tests.functional.conformance.requests import do, get, raw
from tests.functional.conformance.rule import Differs, Group, Rule, Why
from tests.functional.conformance.rules.mongrel2 import KNOWS_NO_WAY, REFUSES

TARGET = "RFC 9112 section 3.2"
LINE = "RFC 9112 section 3"
METHOD = "RFC 9110 section 9.1"
VERSION = "RFC 9110 section 2.5"
CHARACTERS = "RFC 3986 section 2"
KNOWN_METHODS = Differs(Why.OTHERWISE, "The parser of HTTP knows a list of methods; others get 501.", refused(501))

SHORT_METHODS = Differs(
    Why.WRONG, "Mongrel2 knows methods of up to 20 capital letters and digits, and refuses others.", by_mongrel2(400)
)


def line(
    name: str,
    source: str,
    text: str,
    line: str,
    expect: Step,
    mongrel2: Differs | None = None,
    http: Differs | None = None,
) -> Rule:
    """A request with this first line."""
    return Rule(name, source, text, raw(line, "Host: a"), expect, mongrel2=mongrel2, http=http)


def path_instead(path: str) -> Differs:
    return Differs(
        Why.WRONG,
        "Mongrel2 drops the scheme of a URL; the rest is a path that begins with `//`, as any other may.",
        Answer(200, environ={"PATH_INFO": path, "HTTP_HOST": "a"}),
    )


LINES = (
    line(
        "method-of-any-name",
        METHOD,
        "Any method is served.",
        "BREW / HTTP/1.1",
        Answer(200, environ={"REQUEST_METHOD": "BREW"}),
        http=KNOWN_METHODS,
    ),
    line(
        "method-with-a-dash",
        METHOD,
        "A method is any token.",
        "M-SEARCH / HTTP/1.1",
        Answer(200, environ={"REQUEST_METHOD": "M-SEARCH"}),
        SHORT_METHODS,
    ),
    line("method-in-lower-case", METHOD, "A method's case counts.", "get / HTTP/1.1", refused(501), REFUSES),
    line("method-missing", LINE, "A request line has a method.", "/ HTTP/1.1", refused(501), REFUSES),
    line("method-of-bytes", METHOD, "A method is ASCII.", "G\xc9T / HTTP/1.1", refused(501), REFUSES),
    line(
        "method-trace",
        "RFC 9110 section 9.3.8",
        "TRACE is the application's to answer.",
        "TRACE / HTTP/1.1",
        Answer(200, environ={"REQUEST_METHOD": "TRACE"}),
    ),
    line(
        "connect",
        "RFC 9110 section 9.3.6",
        "CONNECT is for proxies.",
        "CONNECT a:80 HTTP/1.1",
        refused(501, asked="CONNECT a:80 HTTP/1.1"),
        KNOWS_NO_WAY,
    ),
    line(
        "options-asterisk",
        "RFC 9110 section 9.3.7",
        "No application is behind `OPTIONS *`.",
        "OPTIONS * HTTP/1.1",
        refused(404, asked="OPTIONS * HTTP/1.1"),
        KNOWS_NO_WAY,
    ),
    line("version-2.0", VERSION, "HTTP/2.0 is not spoken here.", "GET / HTTP/2.0", refused(505), REFUSES),
    line("version-1.2", VERSION, "HTTP/1.2 is not known here.", "GET / HTTP/1.2", refused(400), REFUSES),
    line("version-0.9", VERSION, "HTTP/0.9 is not spoken here.", "GET / HTTP/0.9", refused(505), REFUSES),
    line("version-missing", LINE, "A line without a version is one of HTTP/0.9.", "GET /", refused(505), REFUSES),
    line("version-in-lower-case", LINE, "HTTP is written in capitals.", "GET / http/1.1", refused(400), REFUSES),
    line("version-long", LINE, "A version has two digits.", "GET / HTTP/1.10", refused(400), REFUSES),
    line(
        "line-with-more-spaces",
        LINE,
        "More than one space between the words of the line may be passed over, and is.",
        "GET   /a   HTTP/1.1",
        Answer(200, environ={"PATH_INFO": "/a", "REQUEST_URI": "/a"}),
        REFUSES,
    ),
    line("line-with-tab", LINE, "A tab before the target is no space.", "GET\t/ HTTP/1.1", refused(501), REFUSES),
    line(
        "line-with-tab-behind", LINE, "A tab behind the target is no space.", "GET /\tHTTP/1.1", refused(400), REFUSES
    ),
    line("line-with-blank-behind", LINE, "Nothing follows the version.", "GET / HTTP/1.1 ", refused(400), REFUSES),
    line("line-with-blank-before", LINE, "Nothing stands before the method.", " GET / HTTP/1.1", refused(501), REFUSES),
    Rule(
        "line-empty",
        "RFC 9112 section 2.2",
        "An empty line before a request is passed over.",
        b"\r\n" + get("/"),
        Answer(200),
        mongrel2=Differs(Why.WRONG, "Mongrel2 refuses a request with an empty line before it.", by_mongrel2(400)),
    ),
    line("target-relative", TARGET, "A target is a path or a URL.", "GET a/b HTTP/1.1", refused(400), KNOWS_NO_WAY),
    line("target-of-a-query", TARGET, "A query alone is no target.", "GET ?a=b HTTP/1.1", refused(400), KNOWS_NO_WAY),
    line(
        "target-with-control",
        CHARACTERS,
        "A target has no control characters.",
        "GET /\x01 HTTP/1.1",
        refused(400),
        REFUSES,
    ),
    line("target-with-nul", CHARACTERS, "A target has no NUL.", "GET /\0 HTTP/1.1", refused(400), REFUSES),
    line("target-with-del", CHARACTERS, "A target has no DEL.", "GET /\x7f HTTP/1.1", refused(400), REFUSES),
    line("target-of-bytes", CHARACTERS, "A target is ASCII.", "GET /caf\xc3\xa9 HTTP/1.1", refused(400), REFUSES),
    line(
        "target-absolute",
        "RFC 9112 section 3.2.2",
        "A target may be a URL, whose authority is the Host.",
        "GET http://other:82/a/b?c=d HTTP/1.1",
        Answer(200, environ={"HTTP_HOST": "other:82", "PATH_INFO": "/a/b", "QUERY_STRING": "c=d"}),
        path_instead("//other:82/a/b"),
    ),
    line(
        "target-absolute-without-a-path",
        "RFC 9112 section 3.2.2",
        "A URL without a path asks for `/`.",
        "GET HTTP://other HTTP/1.1",
        Answer(200, environ={"HTTP_HOST": "other", "PATH_INFO": "/"}),
        path_instead("//other"),
    ),
    line(
        "target-of-another-scheme",
        "RFC 9110 section 4.2",
        "A URL as target has the scheme http or https.",
        "GET ftp://other/b HTTP/1.1",
        refused(400),
        path_instead("//other/b"),
    ),
    line(
        "target-of-https",
        "RFC 9110 section 7.4",
        "A URL of https is refused where there is no TLS: it asks for another server.",
        "GET https://other/b HTTP/1.1",
        refused(421),
        path_instead("//other/b"),
    ),
    line(
        "target-with-a-port-only",
        "RFC 9110 section 4.2.1",
        "A URL as target has more than a port.",
        "GET http://:80/b HTTP/1.1",
        refused(400),
        path_instead("//:80/b"),
    ),
    line(
        "target-with-a-user",
        "RFC 9110 section 4.2.4",
        "A URL as target has no user.",
        "GET http://user@other/b HTTP/1.1",
        refused(400),
        path_instead("//user@other/b"),
    ),
    line(
        "target-without-a-host",
        "RFC 9110 section 4.2.1",
        "A URL as target has a host.",
        "GET http:///b HTTP/1.1",
        refused(400),
        path_instead("///b"),
    ),
    Rule(
        "http2",
        "RFC 9113 section 3.4",
        "A client that speaks HTTP/2 without asking first is refused.",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        refused(400),
        mongrel2=REFUSES,
    ),
    Rule(
        "tls",
        "RFC 9110 section 4.2.2",
        "A client that speaks TLS is refused.",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50),
        refused(501),
        mongrel2=REFUSES,
    ),
    Rule("rubbish", LINE, "What is no HTTP is refused.", b"rubbish\r\n\r\n", refused(501), mongrel2=REFUSES),
)

UPGRADE = "RFC 9110 section 7.8"

UPGRADES = (
    Rule(
        "upgrade",
        UPGRADE,
        "An upgrade is not taken: the request is served as it is.",
        get(do("returns"), "Connection: upgrade", "Upgrade: h2c"),
        Answer(200, b"body", {"upgrade": None}),
    ),
    Rule(
        "upgrade-with-a-body",
        UPGRADE,
        "An upgrade of a request with a body is not taken either: it is served as it is.",
        get("/", "Connection: upgrade", "Upgrade: h2c", "Content-Length: 4", method="POST") + b"body",
        Answer(200, environ={"CONTENT_LENGTH": "4"}),
        http=Differs(
            Why.OTHERWISE, "The parser of HTTP leaves such a body unread: the request is refused.", refused(501)
        ),
    ),
    Rule(
        "websocket",
        UPGRADE,
        "A WebSocket is not opened: the request is served as it is.",
        get(
            do("returns"),
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ),
        Answer(200, b"body"),
        mongrel2=Differs(
            Why.OTHERWISE,
            "Mongrel2 hands the handshake over as such: wsgid refuses it, and says so once in the log.",
            Answer(501, closes=True, end="refused", log=(("WebSockets are not served: handshakes get 501",),)),
        ),
    ),
)

GROUPS = (
    Group("Requests refused: the first line", LINES),
    Group("Upgrades", UPGRADES),
)

"""Requests that are not served, for two parsers could read them differently or because nobody could answer them.

Behind most of them stands another request: nothing of what follows a refused one is read.
"""

from tests.functional.conformance.outcomes import (
    Answer,
    Dropped,
    FinishesSending,
    Gone,
    Step,
    by_mongrel2,
    refused,
)
from tests.functional.conformance.requests import chunked, do, get, raw
from tests.functional.conformance.rule import Differs, Group, Rule, Why
from tests.functional.conformance.rules.mongrel2 import LAST_CHUNKED

LENGTH = "RFC 9112 section 6.3"
CODING = "RFC 9112 section 6.1"
CHUNKS = "RFC 9112 section 7.1"
HOST = "RFC 9112 section 3.2"
TARGET = "RFC 9112 section 3.2"
LINE = "RFC 9112 section 3"
NAMES = "RFC 9112 section 5.1"
VALUES = "RFC 9110 section 5.5"

SMUGGLED = get("/smuggled")

REFUSES = Differs(Why.LEFT, "Mongrel2 refuses the request by itself.", by_mongrel2(400))
KNOWS_NO_WAY = Differs(Why.LEFT, "Mongrel2 refuses the request by itself, for no route leads there.", by_mongrel2(404))

LF_ALONE = Differs(Why.OTHERWISE, "Mongrel2 takes LF alone for the end of a line, as it may.", Answer(200))


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


METHOD = "RFC 9110 section 9.1"
VERSION = "RFC 9110 section 2.5"
CHARACTERS = "RFC 3986 section 2"

KNOWN_METHODS = Differs(Why.OTHERWISE, "The parser of HTTP knows a list of methods; others get 501.", refused(501))
SHORT_METHODS = Differs(
    Why.WRONG, "Mongrel2 knows methods of up to 20 capital letters and digits, and refuses others.", by_mongrel2(400)
)


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
    Group("Requests refused: how long the body is", FRAMING, "Another request follows, which must not be served."),
    Group("Requests refused: chunks", CHUNKED),
    Group("Requests refused: headers", HEADERS),
    Group("Requests refused: the first line", LINES),
    Group("Upgrades", UPGRADES),
)

"""What status and headers an application may give (PEP 3333, "The start_response() Callable")."""

from tests.functional.conformance.outcomes import BROKEN_RULE, FAILED, TRACEBACK, Answer, Comes, failed
from tests.functional.conformance.requests import do, get
from tests.functional.conformance.rule import Group, Rule

START = 'PEP 3333, "The start_response() Callable"'
STRINGS = 'PEP 3333, "A Note On String Types"'
HOP_BY_HOP = 'PEP 3333, "Other HTTP Features"'
FIELD_NAMES = "RFC 9110 section 5.1"
FIELDS = "RFC 9110 section 5.5"
LENGTH = "RFC 9110 section 8.6"


def status(name: str, source: str, text: str, given: object, words: str) -> Rule:
    """A status that is none: start_response raises in the application's line."""
    return Rule(f"status-{name}", source, text, get(do("returns", status=given)), _blamed(words))


def headers(name: str, source: str, text: str, given: object, words: str) -> Rule:
    """Headers that are none."""
    return Rule(f"header-{name}", source, text, get(do("returns", headers=given)), _blamed(words))


def _blamed(words: str) -> Answer:
    return failed(FAILED, TRACEBACK, "starts.py", f"{BROKEN_RULE}{words}")


NOT_STR = "the status must be a str"
NOT_A_STATUS = "the status must be a code, one space and a reason"
FINAL = "the status must be that of the final answer"

STATUSES = (
    Rule(
        "status-as-given",
        START,
        "Code and reason are sent as they were given.",
        get(do("returns", status="299 Quite Some R\xe9ason")),
        Answer(299, b"body", reason="Quite Some R\xe9ason"),
    ),
    Rule(
        "status-without-a-reason",
        "RFC 9112 section 4",
        "The reason of a status may be empty.",
        get(do("returns", status="200 ")),
        Answer(200, b"body", reason=""),
    ),
    status("of-bytes", STRINGS, "A status is str, and not bytes.", b"200 OK", NOT_STR),
    status("of-a-number", STRINGS, "A status is no number.", 200, NOT_STR),
    status("none", STRINGS, "A status is not None.", None, NOT_STR),
    status("empty", START, "A status is not empty.", "", NOT_A_STATUS),
    status("of-a-code", START, "A status has a space behind its code.", "200", NOT_A_STATUS),
    status("of-a-reason", START, "A status has a code.", "OK", NOT_A_STATUS),
    status("short", START, "A code has three digits, and not two.", "20 OK", NOT_A_STATUS),
    status("long", START, "A code has three digits, and not four.", "2000 OK", NOT_A_STATUS),
    status("with-a-blank", START, "Nothing stands before the code.", " 200 OK", NOT_A_STATUS),
    status("with-a-tab", START, "A space follows the code, and not a tab.", "200\tOK", NOT_A_STATUS),
    status("beyond-599", "RFC 9110 section 15", "There are no codes above 599.", "600 Beyond", NOT_A_STATUS),
    status("below-100", "RFC 9110 section 15", "There are no codes below 100.", "099 Below", NOT_A_STATUS),
    status("100", "RFC 9110 section 15.2", "100 Continue is the server's to send.", "100 Continue", FINAL),
    status("101", "RFC 9110 section 15.2.2", "101 is refused in words: nothing is upgraded.", "101 Switching", FINAL),
    status("103", "RFC 8297", "103 is refused in words: early hints are not sent.", "103 Early Hints", FINAL),
    status("with-lf", START, "A status has no LF.", "200 OK\n", NOT_A_STATUS),
    status("with-crlf", START, "A status has no CR LF: it would begin a header.", "200 OK\r\nA: b", NOT_A_STATUS),
    status("with-nul", START, "A status has no NUL.", "200 O\0K", NOT_A_STATUS),
    status("with-del", START, "A status has no DEL.", "200 O\x7fK", NOT_A_STATUS),
    status("beyond-latin-1", STRINGS, "A status has no characters beyond latin-1.", "200 \u20ac", NOT_A_STATUS),
)

NOT_LIST = "the headers must be a list"
NOT_TUPLE = "each header must be a tuple of name and value"
NOT_TEXT = "name and value of a header must be str"
NOT_TOKEN = "a header's name must be a token"
NOT_VALUE = "a header's value must have no control characters"
NOT_THEIRS = "hop-by-hop headers belong to the server"
TWICE = "Content-Length may be given once"
NO_NUMBER = "Content-Length must be a plain decimal number"

HEADERS = (
    Rule(
        "headers-as-given",
        START,
        "Headers are sent as they were given: case, order and repeats.",
        get(do("returns", headers=[("x-LOWER", "1"), ("Set-Cookie", "a=1"), ("X-A", "2"), ("Set-Cookie", "b=2")])),
        (Comes(b"200 OK\r\nx-LOWER: 1\r\nSet-Cookie: a=1\r\nX-A: 2\r\nSet-Cookie: b=2\r\n"), Answer(200, b"body")),
    ),
    Rule(
        "header-of-latin-1",
        STRINGS,
        "Characters of latin-1 are sent as one byte each.",
        get(do("returns", headers=[("X-Bytes", "caf\xe9 \xff")])),
        Answer(200, b"body", {"x-bytes": "caf\xe9 \xff"}),
    ),
    Rule(
        "header-empty",
        FIELDS,
        "The value of a header may be empty.",
        get(do("returns", headers=[("X-Empty", "")])),
        Answer(200, b"body", {"x-empty": ""}),
    ),
    Rule(
        "headers-none-at-all",
        START,
        "An application need not give any header: what HTTP wants is added.",
        get(do("returns", headers=[])),
        Answer(200, b"body", {"content-length": "4", "content-type": None}),
    ),
    Rule(
        "headers-too-large",
        "wsgid's own",
        "All headers of an answer have at most 1 MiB together.",
        get(do("has-large-headers")),
        failed(FAILED, TRACEBACK, "starts.py", "the headers of an answer may have 1048576 bytes together"),
    ),
    headers("list-none", START, "The headers are not None.", None, NOT_LIST),
    headers("list-tuple", START, "The headers are a list, and not a tuple.", (("A", "b"),), NOT_LIST),
    headers("list-dict", START, "The headers are a list, and not a dict.", {"A": "b"}, NOT_LIST),
    headers("pair-list", START, "Each header is a tuple, and not a list.", [["A", "b"]], NOT_TUPLE),
    headers("pair-str", START, "Each header is a tuple, and not text.", ["A: b"], NOT_TUPLE),
    headers("pair-of-three", START, "A header's tuple has two members, and not three.", [("A", "b", "c")], NOT_TUPLE),
    headers("pair-of-one", START, "A header's tuple has two members, and not one.", [("A",)], NOT_TUPLE),
    headers("name-bytes", STRINGS, "A name is str, and not bytes.", [(b"A", "b")], NOT_TEXT),
    headers("name-none", STRINGS, "A name is not None.", [(None, "b")], NOT_TEXT),
    headers("value-bytes", STRINGS, "A value is str, and not bytes.", [("A", b"b")], NOT_TEXT),
    headers("value-number", STRINGS, "A value is no number.", [("Content-Length", 4)], NOT_TEXT),
    headers("value-none", STRINGS, "A value is not None.", [("A", None)], NOT_TEXT),
    headers("name-empty", FIELD_NAMES, "A name is not empty.", [("", "b")], NOT_TOKEN),
    headers("name-with-blank", FIELD_NAMES, "A name has no blanks.", [("A B", "c")], NOT_TOKEN),
    headers("name-with-colon", START, "A name does not end in a colon.", [("A:", "b")], NOT_TOKEN),
    headers("name-with-crlf", START, "A name has no CR LF.", [("A\r\nB", "c")], NOT_TOKEN),
    headers("name-with-nul", START, "A name has no NUL.", [("A\0", "b")], NOT_TOKEN),
    headers("name-of-latin-1", FIELD_NAMES, "A name has no characters beyond ASCII.", [("\xc4", "b")], NOT_TOKEN),
    headers("name-beyond-latin-1", STRINGS, "A name has no characters beyond latin-1.", [("\u20ac", "b")], NOT_TOKEN),
    headers("value-with-cr", START, "A value has no CR.", [("A", "b\rc")], NOT_VALUE),
    headers("value-with-lf", START, "A value has no LF.", [("A", "b\nc")], NOT_VALUE),
    headers(
        "value-with-crlf", START, "A value has no CR LF: it would begin a header.", [("A", "b\r\nC: d")], NOT_VALUE
    ),
    headers("value-folded", START, "A value is not folded.", [("A", "b\r\n c")], NOT_VALUE),
    headers("value-with-nul", START, "A value has no NUL.", [("A", "b\0c")], NOT_VALUE),
    headers("value-with-tab", START, "A value has no TAB, which is a control character.", [("A", "b\tc")], NOT_VALUE),
    headers("value-with-del", START, "A value has no DEL.", [("A", "b\x7fc")], NOT_VALUE),
    headers("value-beyond-latin-1", STRINGS, "A value has no characters beyond latin-1.", [("A", "\u20ac")], NOT_VALUE),
    *(
        headers(f"hop-{name.lower()}", HOP_BY_HOP, f"{name} is the server's.", [(name, value)], NOT_THEIRS)
        for name, value in (
            ("Connection", "close"),
            ("Keep-Alive", "timeout=5"),
            ("Proxy-Authenticate", "Basic"),
            ("Proxy-Authorization", "Basic abc"),
            ("TE", "trailers"),
            ("Trailers", "X"),
            ("Transfer-Encoding", "chunked"),
            ("Upgrade", "h2c"),
        )
    ),
    headers(
        "hop-any-case",
        HOP_BY_HOP,
        "Hop-by-hop names are the server's in any case.",
        [("tRANSFER-eNCODING", "chunked")],
        NOT_THEIRS,
    ),
    headers(
        "lengths-equal",
        LENGTH,
        "Content-Length is given once, also if both were equal.",
        [("Content-Length", "4"), ("content-length", "4")],
        TWICE,
    ),
    headers(
        "lengths-different",
        LENGTH,
        "Content-Length is not given twice.",
        [("Content-Length", "4"), ("Content-Length", "5")],
        TWICE,
    ),
    headers("length-negative", LENGTH, "Content-Length is not negative.", [("Content-Length", "-4")], NO_NUMBER),
    headers("length-plus", LENGTH, "Content-Length has no sign.", [("Content-Length", "+4")], NO_NUMBER),
    headers("length-with-blank", LENGTH, "Content-Length has no blanks.", [("Content-Length", " 4")], NO_NUMBER),
    headers("length-list", LENGTH, "Content-Length is no list.", [("Content-Length", "4, 4")], NO_NUMBER),
    headers("length-empty", LENGTH, "Content-Length is not empty.", [("Content-Length", "")], NO_NUMBER),
    headers("length-word", LENGTH, "Content-Length has digits only.", [("Content-Length", "4x")], NO_NUMBER),
    headers(
        "length-python",
        LENGTH,
        "Content-Length has no underscores, which only Python reads as part of a number.",
        [("Content-Length", "1_0")],
        NO_NUMBER,
    ),
    headers(
        "length-not-ascii", LENGTH, "Content-Length has the digits of ASCII.", [("Content-Length", "\xb2")], NO_NUMBER
    ),
    headers(
        "length-huge", "wsgid's own", "Content-Length has at most 18 digits.", [("Content-Length", "9" * 19)], NO_NUMBER
    ),
)

BLAMED = "The call of start_response raises where a rule is broken: the log has the application's line and the rule."
GROUPS = (Group("Status", STATUSES, BLAMED), Group("Headers of an answer", HEADERS, BLAMED))

"""What ``start_response`` is given: PEP 3333 in words."""

import re
import sys
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wsgid.worker import checks
from wsgid.worker.checks import (
    MAX_HEADERS,
    MAX_KNOWN,
    MAX_KNOWN_NAME,
    MAX_SHOWN,
    MAX_STATUS,
    check_exc_info,
    check_status,
    checked_headers,
    shown,
)
from wsgid.worker.errors import ApplicationError


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("200 OK", 200),
        ("204 No Content", 204),
        ("599 ", 599),
        ("200  OK ", 200),  # blanks may be anywhere in a reason (RFC 9112 section 4)
        ("404 Où ça", 404),
        ("418 I'm a teapot: \xff", 418),
        ("200 " + "x" * (MAX_STATUS - 4), 200),
    ],
)
def test_a_good_status_gives_its_code(status: str, code: int) -> None:
    assert check_status(status) == code
    assert check_status(status) == code  # remembered


@pytest.mark.parametrize(
    ("status", "rule"),
    [
        (200, "the status must be a str; the application gave the int 200;"),
        (b"200 OK", "the status must be a str"),
        (type("Text", (str,), {})("200 OK"), "the status must be a str"),
        ("100 Continue", "leave 1xx to the server"),
        ("101 Switching Protocols", "leave 1xx to the server"),
        ("103 Early Hints", "leave 1xx to the server"),
        ("199", "leave 1xx to the server"),
        ("200", "give a code from 200 to 599"),
        ("600 Odd", "give a code from 200 to 599"),
        ("099 Odd", "give a code from 200 to 599"),
        ("2000 OK", "one space and a reason"),
        ("200\tOK", "without control characters"),
        ("200 OK\r\nX: y", "without control characters"),
        ("200 OK\n", "without control characters"),
        ("200 \x00", "without control characters"),
        ("200 \x7f", "without control characters"),
        ("200 €", "beyond latin-1"),
        ("²00 OK", "give a code"),
        ("", "give a code"),
        ("OK", "give a code"),
        ("0200 OK", "give a code"),
        (" 200 OK", "give a code"),
        ("+200 OK", "give a code"),
        ("999 x", "give a code from 200 to 599"),
        ("200 " + "x" * (MAX_STATUS - 3), f"the status may have {MAX_STATUS} characters"),
    ],
)
def test_a_bad_status_is_told_in_words(status: object, rule: str) -> None:
    with pytest.raises(ApplicationError, match=r"^PEP 3333: .*" + re.escape(rule)):
        check_status(status)


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        ([], None),
        ([("Content-Type", "text/plain"), ("X-A", ""), ("Set-Cookie", "a=b"), ("Set-Cookie", "c=d")], None),
        ([("Content-Length", "12")], 12),
        ([("content-LENGTH", "0")], 0),
        ([("Content-Length", "9" * 18)], 10**18 - 1),
        ([("X-Latin", "caf\xe9 \x80\xff")], None),
        ([("X!#$%&'*+-.^_`|~9", "v")], None),
    ],
)
def test_good_headers_give_the_content_length(headers: list[Any], length: int | None) -> None:
    assert checked_headers(headers) == (headers, length)
    assert checked_headers(headers) == (headers, length)  # names remembered


HOP_BY_HOP = (
    "Connection",
    "Keep-Alive",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
)
"""RFC 2616 section 13.5.1, which PEP 3333 means."""


@pytest.mark.parametrize(
    ("headers", "rule"),
    [
        ((("A", "b"),), "the headers must be a list; the application gave the tuple"),
        (None, "the headers must be a list; the application gave None; give a list"),
        ({"A": "b"}, "the headers must be a list"),
        ((each for each in [("A", "b")]), "the headers must be a list; the application gave the generator"),
        (type("Headers", (list,), {})([("A", "b")]), "the headers must be a list"),
        ([type("Header", (tuple,), {})(("A", "b"))], "each header must be a tuple"),
        ([["A", "b"]], "each header must be a tuple of name and value; the application gave the list ['A', 'b'];"),
        ([("A", "b", "c")], "each header must be a tuple of name and value"),
        ([("A",)], "each header must be a tuple"),
        (["Ab"], "each header must be a tuple"),
        ([("X-Worker", 12)], "must be str; the application gave the tuple ('X-Worker', 12); convert them"),
        ([(b"A", "b")], "must be str"),
        ([("A", type("Text", (str,), {})("b"))], "must be str"),
        ([("", "b")], "must be a token"),
        ([("A b", "b")], "must be a token"),
        ([("A:", "b")], "must be a token"),
        ([("A ", "b")], "must be a token"),
        ([(" A", "b")], "must be a token"),
        ([("A\n", "b")], "must be a token"),
        ([("Ä", "b")], "must be a token"),
        (
            [("Connection", "close")],
            "hop-by-hop headers belong to the server; the application gave the str 'Connection'",
        ),
        *(
            (
                [(spelled(name), "x")],
                f"hop-by-hop headers belong to the server; the application gave the str '{spelled(name)}'",
            )
            for name in HOP_BY_HOP
            for spelled in (str.lower, str.title, str.swapcase)
        ),
        ([("A", "b\r\nC: d")], "no control characters (CR, LF and TAB are such)"),
        ([("A", "b\n")], "no control characters"),
        ([("A", "b\x00")], "no control characters"),
        ([("A", "b\tc")], "no control characters"),
        ([("A", "\x7f")], "no control characters"),
        ([("A", "€")], "none beyond latin-1"),
        ([("Content-Length", "1"), ("content-length", "1")], "Content-Length may be given once"),
        ([("Content-Length", "1"), ("A", "b"), ("Content-Length", "2")], "Content-Length may be given once"),
        ([("Content-Length", "-1")], "plain decimal number; the application gave the str '-1'; give the body's length"),
        ([("Content-Length", "+1")], "plain decimal number"),
        ([("Content-Length", "")], "plain decimal number"),
        ([("Content-Length", " 1")], "plain decimal number"),
        ([("Content-Length", "1 ")], "plain decimal number"),
        ([("Content-Length", "1, 1")], "plain decimal number"),
        ([("Content-Length", "0x1")], "plain decimal number"),
        ([("Content-Length", "1_0")], "plain decimal number"),
        ([("Content-Length", "\xb2")], "plain decimal number"),
        ([("Content-Length", "1" * 19)], "plain decimal number"),
    ],
)
def test_bad_headers_are_told_in_words(headers: object, rule: str) -> None:
    with pytest.raises(ApplicationError, match=r"^PEP 3333: .*" + re.escape(rule)):
        checked_headers(headers)


def test_blanks_at_the_ends_of_a_value_are_left_out() -> None:
    headers = [("A", " b  c "), ("D", " "), ("E", "\xa0f\xa0"), ("G", "")]
    assert checked_headers(headers)[0] == [("A", "b  c"), ("D", ""), ("E", "\xa0f\xa0"), ("G", "")]
    assert headers[0] == ("A", " b  c "), "they stay the application's own"


def test_what_was_checked_cannot_be_changed_any_more() -> None:
    plain = [("A", "b")]
    checked, _ = checked_headers(plain)
    assert checked == plain
    assert checked is not plain


def test_what_sys_exc_info_gives_is_exc_info() -> None:
    check_exc_info(sys.exc_info())
    try:
        raise LookupError
    except LookupError:
        check_exc_info(sys.exc_info())


@pytest.mark.parametrize("given", [True, LookupError(), (LookupError, LookupError()), (1, 2, 3), [None] * 3])
def test_what_is_no_exc_info_is_told_in_words(given: object) -> None:
    rule = (
        rf"^PEP 3333: exc_info must be that of sys\.exc_info\(\); the application gave {re.escape(shown(given))}; pass "
    )
    with pytest.raises(ApplicationError, match=rule):
        check_exc_info(given)


def test_headers_may_not_outgrow_a_frame_of_the_channel() -> None:
    checked_headers([("A", "b" * (MAX_HEADERS - 40))])
    with pytest.raises(ApplicationError, match=f"{MAX_HEADERS} bytes together; the application gave 1 headers"):
        checked_headers([("A", "b" * MAX_HEADERS)])
    with pytest.raises(ApplicationError, match="send such data in the body"):
        checked_headers([("A", "b")] * 40_000)


def test_made_up_names_and_reasons_do_not_fill_the_memory() -> None:
    for number in range(MAX_KNOWN + 10):
        assert checked_headers([(f"X-{number}", "v")])[1] is None
        assert check_status(f"200 {number}") == 200
    assert len(checks._known_names) <= MAX_KNOWN
    assert len(checks._known_statuses) <= MAX_KNOWN
    assert checked_headers([("X-More", "v"), ("CONTENT-length", "3")])[1] == 3


def test_a_long_name_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_known_names", {})
    for size in (MAX_KNOWN_NAME, MAX_KNOWN_NAME + 1):
        assert checked_headers([("X" * size, "v")])[1] is None
    assert list(checks._known_names) == ["X" * MAX_KNOWN_NAME]


def test_a_long_value_is_shown_in_short() -> None:
    assert shown("x" * 200) == f"the str '{'x' * (MAX_SHOWN - 4)}..."
    assert shown(b"x" * 200) == f"the bytes b'{'x' * (MAX_SHOWN - 5)}..."
    assert shown([0] * 200).endswith(", 0, 0...")
    assert shown(None) == "None"


TEXT = st.text(st.characters(max_codepoint=0x17F, exclude_categories=()), max_size=8)


@given(TEXT | st.integers(), st.lists(st.tuples(TEXT, TEXT) | st.tuples(TEXT) | st.integers()) | TEXT)
@example("200 OK", [("A", "b")])
def test_anything_is_either_fit_to_be_sent_or_told_in_words(status: Any, headers: Any) -> None:
    refusal: ApplicationError | None = None
    try:
        check_status(status)
        checked_headers(headers)
    except ApplicationError as error:
        refusal = error
    if refusal is not None:
        assert "; the application gave " in str(refusal)
    else:
        sent = "".join([status, *(f"{name}: {value}" for name, value in headers)]).encode("latin-1")
        assert not re.search(rb"[\x00-\x1f\x7f]", sent)

"""The rules by which requests are refused."""

import pytest

from wsgid.protocol.mongrel2_fields import Fields, Repeats
from wsgid.protocol.mongrel2_framing import bad_body, bad_framing, bad_header, content_length

HOST = {"host": "localhost"}


@pytest.mark.parametrize(
    ("version", "fields", "length"),
    [
        ("HTTP/1.1", HOST, None),
        ("HTTP/1.0", {}, None),
        ("HTTP/1.1", {"host": ""}, None),
        ("HTTP/1.1", HOST | {"content-length": "0"}, 0),
        ("HTTP/1.1", HOST | {"content-length": "03"}, 3),
        ("HTTP/1.1", HOST | {"content-length": "010"}, 10),
        ("HTTP/1.0", {"content-length": "2147483647"}, 2147483647),
        ("HTTP/1.1", HOST | {"transfer-encoding": "chunked"}, None),
    ],
)
def test_framing_that_is_read_in_one_way_only(version: str, fields: Fields, length: int | None) -> None:
    assert bad_framing(version, fields, {}) is None
    assert content_length(fields) == length


@pytest.mark.parametrize(
    "length",
    ["", "+3", "-1", "3abc", "3, 3", "0x3", "3 4", " 3", "\x0b3", "3\xa0", "\xb3", "2147483648", "9" * 20, "0" * 11],
)
def test_a_content_length_that_is_not_a_plain_number(length: str) -> None:
    """Mongrel2 takes the number at the beginning, or none: all but its digits is up to each reader."""
    fault = bad_framing("HTTP/1.1", HOST | {"content-length": length}, {})
    assert fault == "a Content-Length that is not a plain number up to 2147483647"


@pytest.mark.parametrize("coding", ["", "Chunked", "chunked ", "gzip, chunked", "gzip", "identity", "chunked, chunked"])
def test_a_transfer_encoding_that_is_not_exactly_chunked(coding: str) -> None:
    """Mongrel2 takes the body of each of these for the next request."""
    fault = bad_framing("HTTP/1.1", HOST | {"transfer-encoding": coding}, {})
    assert fault == "a Transfer-Encoding that is not exactly chunked"


@pytest.mark.parametrize(
    ("version", "fields", "repeats", "fault"),
    [
        ("HTTP/1.0", {"transfer-encoding": "chunked"}, {}, "Transfer-Encoding on HTTP/1.0"),
        ("HTTP/1.1", {}, {}, "HTTP/1.1 without Host"),
        ("HTTP/1.1", {}, {"host": ["a", "a"]}, "more than one Host"),
        ("HTTP/1.0", {}, {"host": ["a", "b"]}, "more than one Host"),
        ("HTTP/1.1", {"host": "not a host"}, {}, "a Host that is not a host name or address"),
        ("HTTP/1.0", {"host": "a:b"}, {}, "a Host that is not a host name or address"),
        ("HTTP/1.1", HOST, {"content-length": ["3", "3"]}, "more than one Content-Length"),
        ("HTTP/1.1", HOST, {"transfer-encoding": ["chunked", "chunked"]}, "more than one Transfer-Encoding"),
        (
            "HTTP/1.1",
            HOST | {"content-length": "3", "transfer-encoding": "chunked"},
            {},
            "both Content-Length and Transfer-Encoding",
        ),
    ],
)
def test_other_framing_that_may_be_read_in_two_ways(version: str, fields: Fields, repeats: Repeats, fault: str) -> None:
    assert bad_framing(version, fields, repeats) == fault


def test_other_headers_may_be_repeated() -> None:
    assert bad_framing("HTTP/1.1", HOST, {"cookie": ["a", "b"]}) is None


@pytest.mark.parametrize("name", ["host", "x-a", "x_a", "!#$%&'*+-.^_`|~09az"])
def test_names_that_are_tokens(name: str) -> None:
    assert bad_header({name: ""}, {}) is None
    assert bad_header({}, {name: ["", "a\tb\xff"]}) is None


@pytest.mark.parametrize("name", ["", " ", "a b", "nocolon\r\nx-b", "a\x01", "a:", "\xe4", "a\n", 'a"', "a/b", "FLAGS"])
def test_names_that_are_none(name: str) -> None:
    for fault in (bad_header({"host": "h", name: "1"}, {}), bad_header({}, {name: ["1", "2"]})):
        assert fault is not None
        assert fault == f"a header name that is not a token: {name!r}"


@pytest.mark.parametrize("value", ["\r", "a\nb", "\0", "a\r\nb: c", "\x01", "a\x1f", "\x7fa"])
def test_values_with_control_characters(value: str) -> None:
    fault = "a control character in the value of x"
    assert bad_header({"x": value}, {}) == fault
    assert bad_header({}, {"x": ["fine", value]}) == fault


@pytest.mark.parametrize(
    ("fields", "body", "fault"),
    [
        ({}, b"", None),
        ({"content-length": "0"}, b"", None),
        ({"content-length": "03"}, b"abc", None),
        ({}, b"abc", "3 bytes of body where Content-Length promises 0"),
        ({"content-length": "4"}, b"abc", "3 bytes of body where Content-Length promises 4"),
        ({"content-length": "2"}, b"abc", "3 bytes of body where Content-Length promises 2"),
        ({"transfer-encoding": "chunked"}, b"", "a chunked body that came neither as a file nor as a stream"),
    ],
)
def test_the_body_is_what_the_headers_promise(fields: Fields, body: bytes, fault: str | None) -> None:
    assert bad_body(fields, body) == fault

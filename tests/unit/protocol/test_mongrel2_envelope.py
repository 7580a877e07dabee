"""Taking a message apart."""

import pytest

from wsgid.protocol.mongrel2_envelope import open_envelope
from wsgid.protocol.mongrel2_messages import MalformedMessage
from wsgid.protocol.tnetstrings import MAX_SIZE


def test_the_words_the_headers_and_the_body() -> None:
    envelope = open_envelope(b"srv-1 5 /a:b 8:1:a,1:b,}3:x,y,")
    assert (envelope.server_id, envelope.client_id, envelope.path) == ("srv-1", "5", b"/a:b")
    assert (envelope.block, envelope.fields, envelope.repeats) == (b"1:a,1:b,", {"a": "b"}, {})
    assert envelope.body == b"x,y"


def test_a_comma_after_the_headers_means_json() -> None:
    envelope = open_envelope(b'json-id -6 /j 9:{"a":"b"},0:,')
    assert (envelope.server_id, envelope.client_id, envelope.path) == ("json-id", "-6", b"/j")
    assert (envelope.fields, envelope.repeats, envelope.body) == ({"a": "b"}, {}, b"")


@pytest.mark.parametrize("number", ["0", "-1", "999999999", "2147483647", "-2147483648", "4294967295"])
def test_a_connection_id_is_any_number_of_32_bits(number: str) -> None:
    assert open_envelope(b"srv-1 %b / 0:}0:," % number.encode()).client_id == number


@pytest.mark.parametrize("body", [bytes(range(256)) * 1000, b"ab0:", b"0:,", b",", b"0:,0:"])
def test_a_body_is_any_bytes(body: bytes) -> None:
    assert open_envelope(b"a 1 / 0:}%d:%b," % (len(body), body)).body == body


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"srv-1 5 ", "no path and length of headers"),
        (b"srv-1 5 /", "no path and length of headers"),
        (b"srv-1 5 / :}0:,", "no path and length of headers"),
        (b"srv-1 5 / 00:}0:,", "no path and length of headers"),
        (b"srv-1 5 / 99999999:}0:,", "no path and length of headers"),
        (b"srv-1 5 / 9999999:}0:,", f"headers of 9999999 bytes, the limit is {MAX_SIZE}"),
        (b"srv-1 5 / 9:}0:,", "headers: neither a comma nor a brace after their 4 bytes"),
        (b"srv-1 5 / 0:]0:,", "headers: neither a comma nor a brace"),
        (b"srv-1 5 / 1:x}0:,", "headers: not a tnetstring dict"),
        (b"srv-1 5 / 1:x,0:,", "headers: not a JSON object"),
        (b"srv-1 5 / 0:}", "the body is not one netstring"),
        (b"srv-1 5 / 0:}0:", "the body is not one netstring"),
        (b"srv-1 5 / 0:}1:,", "the body is not one netstring"),
        (b"srv-1 5 / 0:}2:x,", "the body is not one netstring"),
        (b"srv-1 5 / 0:}01:x,", "the body is not one netstring"),
        (b"srv-1 5 / 0:}1:x;", "the body is not one netstring"),
        (b"srv-1 5 / 0:}1:x,,", "the body is not one netstring"),
        (b"srv-1 5 / 0:}0:,x", "the body is not one netstring"),
        (b"srv-1 5 / 0:}x:x,", "the body is not one netstring"),
        (b"srv-1 5 / 0:}123456789012:,", "the body is not one netstring"),
    ],
)
def test_somebody_waits_for_an_answer_to_a_malformed_message(message: bytes, reason: str) -> None:
    with pytest.raises(MalformedMessage) as caught:
        open_envelope(message)
    assert reason in str(caught.value)
    assert (caught.value.server_id, caught.value.client_id) == ("srv-1", "5")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "no send_ident and connection id at the start: b''"),
        (b"srv-1", "no send_ident"),
        (b"srv-1 5", "no send_ident"),
        (b" 5 / 0:}0:,", "no send_ident"),
        (b"srv-1 x / 0:}0:,", "no send_ident"),
        (b"srv-1  5 / 0:}0:,", "no send_ident"),
        (b"srv-1 12345678901 / 0:}0:,", "cannot be answered"),
        (b"srv-1 4294967296 / 0:}0:,", "the connection id 4294967296 is no number of 32 bits"),
        (b"srv-1 -2147483649 / 0:}0:,", "the connection id -2147483649 is no number of 32 bits"),
        (b"srv-1 9999999999 /", "the connection id 9999999999 is no number of 32 bits"),
        (b"my_handler 5 / 0:}0:,", "send_ident b'my_handler' cannot be answered"),
        (b"\xff.1 5 / 0:}0:,", "Change send_ident of this handler in Mongrel2's configuration"),
    ],
)
def test_nobody_to_answer(message: bytes, reason: str) -> None:
    with pytest.raises(MalformedMessage) as caught:
        open_envelope(message)
    assert reason in str(caught.value)
    assert (caught.value.server_id, caught.value.client_id) == (None, None)

"""Whole messages: as Mongrel2 sent them, malformed ones, and what must hold of any."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.protocol.mongrel2_captured import CAPTURED
from tests.unit.protocol.mongrel2_rules import check_legal, check_message
from tests.unit.protocol.mongrel2_writer import (
    LIMITS,
    REQUEST_LINE,
    Values,
    json_message,
    latin1,
    terms,
    tnetstring_message,
)
from wsgid.protocol import mongrel2
from wsgid.protocol.mongrel2_messages import MalformedMessage, Message, SocketKind, SocketMessage


def parse(message: bytes) -> Message:
    return mongrel2.parse(message, terms())


@pytest.mark.parametrize(
    ("message", "value"), CAPTURED, ids=[message[:24].decode("latin-1") for message, _ in CAPTURED]
)
def test_a_message_as_it_came(message: bytes, value: Message) -> None:
    assert parse(message) == value


def test_a_control_message_forged_over_a_json_socket_is_a_socket_message() -> None:
    """It takes a route ``@*``; Mongrel2 then adds the names that a control message does not have."""
    trusted = {"METHOD": "JSON", "PATH": "@*", "PATTERN": "@*", "URL_SCHEME": "http", "REMOTE_ADDR": "::1"}
    body = b'{"type":"disconnect"}'
    value = parse(tnetstring_message(trusted, {}, body, origin="srv-1 5 @*"))
    assert value == SocketMessage("srv-1", "5", SocketKind.JSON, "@*", "::1", body)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"srv-1 5 @* 16:6:METHOD,4:JSON,}0:,", "a control message that is not a JSON object with a type"),
        (b"srv-1 5 @* 16:6:METHOD,4:JSON,}2:[],", "a control message that is not a JSON object with a type"),
        (b'srv-1 5 @* 16:6:METHOD,4:JSON,}10:{"type":1},', "a control message that is not a JSON object with a type"),
        (
            b'srv-1 5 @* 16:6:METHOD,4:JSON,}12:{"type":"\x80"},',
            "a control message that is not a JSON object with a type",
        ),
        (b'srv-1 5 @* 16:6:METHOD,4:JSON,}13:{"type":"hi"},', "a control message of unknown type 'hi'"),
        (b'srv-1 5 @* 16:6:METHOD,4:JSON,}18:{"type":"credits"},', "DOWNLOAD_CREDITS '' are not a number"),
        (b'srv-1 5 @* 25:16:DOWNLOAD_CREDITS,2:-1,}18:{"type":"credits"},', "DOWNLOAD_CREDITS '-1' are not a number"),
    ],
)
def test_a_malformed_control_message_has_nobody_to_answer(message: bytes, reason: str) -> None:
    with pytest.raises(MalformedMessage) as caught:
        parse(message)
    assert reason in str(caught.value)
    assert (caught.value.server_id, caught.value.client_id) == (None, None)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"srv-1 5 / 16:6:METHOD,4:JSON,}0:,", "neither a request nor a control message"),
        (b"srv-1 5 / 0:}0:,", "neither a request nor a control message"),
        (b"srv-1 5 / 11:4:PATH,1:/,}0:,", "no VERSION, and the METHOD is neither JSON nor XML"),
        (b"srv-1 5 / 26:4:PATH,1:/,6:METHOD,3:GET,}0:,", "no VERSION, and the METHOD is neither JSON nor XML"),
        (b"srv-1 5 / 21:13:UPLOAD_STREAM,1:x,}0:,", "UPLOAD_STREAM 'x' is not an offset"),
        (b"srv-1 5 / 14:7:VERSION,2:x,}0:,", "headers: not a tnetstring dict"),
        (b"srv-1 5 / 21:7:VERSION,8:HTTP/1.1,}0:,", "no METHOD among the headers"),
    ],
)
def test_a_malformed_message_of_a_client_can_be_answered(message: bytes, reason: str) -> None:
    with pytest.raises(MalformedMessage) as caught:
        parse(message)
    assert reason in str(caught.value)
    assert (caught.value.server_id, caught.value.client_id) == ("srv-1", "5")


# Properties.

CONTROLS = {*range(0x20), 0x7F} - {ord("\t")}

ascii_text = st.text("abcxyz0189-_.~!$&'()*+,;=:@%/", max_size=12)
plain_values = st.text(st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n\x7f"), max_size=12)
odd_names = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=6).map(lambda name: name.lower())
names = st.sampled_from(["cookie", "accept", "x-a", "x_a", "a|b", "x-mongrel2-upload-done"]) | odd_names
lengths = st.sampled_from(["0", "1", "3", "+3", "abc", "30000", "2147483648", "3 "])
codings = st.sampled_from(["chunked", "chunked ", "gzip", "Chunked"])


def one_or_more(values: st.SearchStrategy[str]) -> st.SearchStrategy[str | list[str]]:
    return values | st.lists(values, min_size=2, max_size=5)


@st.composite
def written(draw: st.DrawFn) -> tuple[Values, Values, bytes]:
    """Mongrel2's names, the client's, and a body: all that Mongrel2 can write, and some that it cannot."""
    path = "/" + draw(ascii_text)
    query = draw(st.none() | ascii_text)
    trusted: dict[str, str | list[str]] = {
        **REQUEST_LINE,
        "METHOD": draw(st.sampled_from(["GET", "POST", "JSON", "WEBSOCKET", "X" * 20])),
        "VERSION": draw(st.sampled_from(["HTTP/1.1", "HTTP/1.0"])),
        "URL_SCHEME": draw(st.sampled_from(["http", "https"])),
        "PATTERN": draw(st.sampled_from(["/", path, path[:2], "/(.*)$"])),
        "PATH": path,
        "URI": path if query is None else f"{path}?{query}",
    }
    if query is not None:
        trusted["QUERY"] = query
    extras = (("FRAGMENT", "f"), ("DOWNLOAD_CREDITS", "9"), ("UPLOAD_STREAM", "0"), ("FLAGS", "0x81"))
    trusted |= {name: value for name, value in extras if draw(st.booleans())}
    client: dict[str, str | list[str]] = {
        **draw(st.dictionaries(names, one_or_more(plain_values), max_size=5)),
        **draw(st.dictionaries(st.just("host"), one_or_more(st.sampled_from(["h", "h:1", "[::1]", "?"])), max_size=1)),
        **draw(st.dictionaries(st.just("content-length"), one_or_more(lengths), max_size=1)),
        **draw(st.dictionaries(st.just("transfer-encoding"), one_or_more(codings), max_size=1)),
        **draw(st.dictionaries(st.just("x-mongrel2-upload-start"), one_or_more(st.just("/tmp/u")), max_size=1)),
    }
    return trusted, client, draw(st.sampled_from([b"", b"a", b"abc"]))


def outcome(message: bytes) -> Message | str:
    try:
        return parse(message)
    except MalformedMessage as malformed:
        return str(malformed)


@given(written())
def test_both_formats_say_the_same(parts: tuple[Values, Values, bytes]) -> None:
    trusted, client, body = parts
    assert outcome(json_message(trusted, client, body)) == outcome(tnetstring_message(trusted, client, body))


@given(written())
def test_all_that_can_be_written_is_legal_or_refused(parts: tuple[Values, Values, bytes]) -> None:
    trusted, client, body = parts
    check_legal(parse(tnetstring_message(trusted, client, body)), LIMITS)


blocks = st.text('0123456789:,]}{"\\abMETHODVERSIONPATHURI@*/ \x01\xff', max_size=60)


@st.composite
def near_messages(draw: st.DrawFn) -> bytes:
    """A message of Mongrel2's with a piece of it replaced, or its frame with anything inside."""
    if draw(st.booleans()):
        block = latin1(draw(blocks))
        return b"srv-1 5 / %d:%b%b0:," % (len(block), block, draw(st.sampled_from([b",", b"}"])))
    message = draw(st.sampled_from([message for message, _ in CAPTURED]))
    begin = draw(st.integers(0, len(message)))
    end = draw(st.integers(begin, min(len(message), begin + 8)))
    return message[:begin] + draw(st.binary(max_size=8)) + message[end:]


@settings(max_examples=300)
@given(st.binary() | near_messages())
def test_any_bytes_are_a_legal_value_or_the_one_error(message: bytes) -> None:
    check_message(message)

"""What Mongrel2 itself says of a request."""

import pytest

from tests.unit.protocol.mongrel2_writer import LIMITS, REQUEST_LINE, Values, tnetstring_message
from wsgid.protocol.mongrel2_envelope import Envelope, open_envelope
from wsgid.protocol.mongrel2_line import Line, take_line
from wsgid.protocol.mongrel2_messages import MalformedMessage

CLIENT = {"host": "localhost", "x-a": "1"}


def envelope(trusted: Values, client: Values = CLIENT) -> Envelope:
    return open_envelope(tnetstring_message({**REQUEST_LINE, **trusted}, client))


def test_its_names_are_taken_and_the_clients_left() -> None:
    whole = envelope({"URI": "/t?q=1", "QUERY": "q=1", "PATTERN": "/(.*)"})
    line = take_line(whole, LIMITS)
    assert line == Line("GET", "HTTP/1.1", "/t?q=1", "/t", "q=1", "/(.*)", "http", "127.0.0.1", {}, True)
    assert whole.fields == CLIENT


def test_other_names_of_its_own_are_extras() -> None:
    trusted = {"FRAGMENT": "f", "DOWNLOAD_CREDITS": "102400", "PEER_CERT_SHA1": "00", "NAME_OF_1_14": "x"}
    whole = envelope(trusted)
    assert take_line(whole, LIMITS).extras == trusted
    assert whole.fields == CLIENT


@pytest.mark.parametrize(
    ("client", "usual"),
    [
        ({"host": "h", "a-1": "x\t\xff"}, True),
        ({"a": "x\x01"}, False),
        ({"a": "\x7f"}, False),
        ({}, False),
        ({"x_a": "1"}, False),
        ({"nocolon\r\nx-b": "1"}, False),
        ({"": "1"}, False),
        ({"a": "", "": "1"}, False),
        ({"a": "b\rc"}, False),
        ({"a": "b\nc"}, False),
        ({"a": "b\0c"}, False),
        ({"a": ["1", "2"]}, False),
    ],
)
def test_headers_that_need_no_closer_look(client: Values, usual: bool) -> None:
    assert take_line(envelope({}, client), LIMITS).usual is usual


@pytest.mark.parametrize("name", ["METHOD", "VERSION", "URI", "PATH", "PATTERN", "URL_SCHEME", "REMOTE_ADDR"])
def test_a_missing_or_repeated_name(name: str) -> None:
    missing: Values = {key: value for key, value in REQUEST_LINE.items() if key != name}
    repeated: Values = {**REQUEST_LINE, name: ["a"]}
    for values in (missing, repeated):
        with pytest.raises(MalformedMessage, match=f"no {name} among the headers") as caught:
            take_line(open_envelope(tnetstring_message(values, CLIENT)), LIMITS)
        assert (caught.value.server_id, caught.value.client_id) == ("srv-1", "5")


@pytest.mark.parametrize(
    ("trusted", "reason"),
    [
        ({"METHOD": ""}, "METHOD '' is not a method"),
        ({"METHOD": "M-SEARCH"}, "is not a method"),
        ({"METHOD": "G\xc4T"}, "is not a method"),
        ({"VERSION": "HTTP/1.2"}, "VERSION 'HTTP/1.2' is neither"),
        ({"VERSION": ""}, "VERSION '' is neither"),
        ({"URL_SCHEME": "ftp"}, "URL_SCHEME 'ftp' is neither"),
        ({"PATH": "*", "URI": "*"}, "has no slash"),
        ({"PATH": "", "URI": ""}, "has no slash"),
        ({"PATH": "/other"}, "PATH '/other' is not the beginning of URI '/t'"),
        ({"URI": "/t?a\nb"}, "a control character in URI"),
        ({"QUERY": "a\rb"}, "a control character in URI"),
        ({"REMOTE_ADDR": "\0"}, "a control character in URI"),
    ],
)
def test_a_name_that_makes_no_sense(trusted: Values, reason: str) -> None:
    with pytest.raises(MalformedMessage, match=reason):
        take_line(envelope(trusted), LIMITS)


@pytest.mark.parametrize("method", ["GET", "FOO", "JSON", "WEBSOCKET", "A1", "X" * 20, "WEBSOCKET_HANDSHAKE"])
def test_any_method_is_one(method: str) -> None:
    assert take_line(envelope({"METHOD": method}), LIMITS).method == method

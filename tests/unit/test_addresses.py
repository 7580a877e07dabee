from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wsgid.addresses import (
    MAX_UNIX_PATH,
    RIGHT_BIND,
    RIGHT_ENDPOINT,
    RIGHT_PEER,
    RIGHT_SYSLOG,
    TcpAddress,
    UnixAddress,
    absolute_bind,
    absolute_endpoint,
    check_endpoint,
    parse_bind,
    syslog_address,
    trusted_peer,
)
from wsgid.protocol.trust import Trust

LONGEST = "/" + "s" * (MAX_UNIX_PATH - 1)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8000", TcpAddress("127.0.0.1", 8000)),
        ("0.0.0.0:0", TcpAddress("0.0.0.0", 0)),
        ("localhost:65535", TcpAddress("localhost", 65535)),
        ("app_1.internal:80", TcpAddress("app_1.internal", 80)),
        ("[::1]:8000", TcpAddress("::1", 8000)),
        ("[::]:8000", TcpAddress("::", 8000)),
        ("[fe80::1%eth0]:80", TcpAddress("fe80::1%eth0", 80)),
        ("[0:0:0:0:0:0:0:1]:80", TcpAddress("::1", 80)),
        ("unix:/run/app.sock", UnixAddress("/run/app.sock")),
        ("unix:app.sock", UnixAddress("app.sock")),
        ("unix:/run/with:colon", UnixAddress("/run/with:colon")),
        (f"unix:{LONGEST}", UnixAddress(LONGEST)),
    ],
)
def test_a_bind_is_understood(text: str, address: TcpAddress | UnixAddress) -> None:
    assert parse_bind(text) == address


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "has no port number after a ':'"),
        ("8000", "has no port number after a ':'"),
        ("127.0.0.1", "has no port number after a ':'"),
        ("127.0.0.1:", "has no port number after a ':'"),
        ("127.0.0.1:http", "has no port number after a ':'"),
        ("127.0.0.1:-1", "has no port number after a ':'"),
        ("127.0.0.1:\N{FULLWIDTH DIGIT EIGHT}", "has no port number after a ':'"),
        ("127.0.0.1:80\n", "has no port number after a ':'"),
        ("[::1]", "has no port number after a ':'"),
        ("127.0.0.1:65536", "has port 65536, the highest is 65535"),
        ("http://127.0.0.1:8000", "has a '/', where only host and port belong"),
        ("127.0.0.1:8000/", "has a '/', where only host and port belong"),
        (":8000", "names no host: every interface is 0.0.0.0 or [::]"),
        ("*:8000", "names no host: every interface is 0.0.0.0 or [::]"),
        ("::1:8000", "has more than one ':': an IPv6 address is written in brackets"),
        ("[::1:8000", "has more than one ':': an IPv6 address is written in brackets"),
        ("[127.0.0.1]:80", "has '127.0.0.1', which is no IPv6 address"),
        ("[]:80", "has '', which is no IPv6 address"),
        ("127.0.0.256:80", "has '127.0.0.256', which is no IPv4 address"),
        ("127.1:80", "has '127.1', which is no IPv4 address"),
        ("-host:80", "has '-host', which is no host name"),
        ("two words:80", "has 'two words', which is no host name"),
        ("höst:80", "has 'höst', which is no host name"),
        ("h" * 254 + ":80", f"has '{'h' * 79}, which is no host name"),
        ("unix:", "names no path"),
        ("unix:/run/a\0b", "has a zero byte in its path"),
        (f"unix:{LONGEST}s", "has a path of 108 bytes, a socket's is at most 107"),
        ("unix:/" + "é" * 54, "has a path of 109 bytes, a socket's is at most 107"),
    ],
)
def test_a_wrong_bind_is_told(text: str, wrong: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_bind(text)
    assert str(caught.value) == f"{text!r:.200} {wrong}; {RIGHT_BIND}"


@pytest.mark.parametrize(
    "text",
    [
        "tcp://127.0.0.1:9999",
        "tcp://mongrel2.internal:1",
        "tcp://[::1]:9999",
        "ipc:///run/app.ipc",
        "ipc://app.ipc",
        "ipc://@abstract",
    ],
)
def test_an_endpoint_is_accepted(text: str) -> None:
    check_endpoint(text)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "begins with neither tcp:// nor ipc://"),
        ("127.0.0.1:9999", "begins with neither tcp:// nor ipc://"),
        ("inproc://x", "begins with neither tcp:// nor ipc://"),
        ("TCP://127.0.0.1:9999", "begins with neither tcp:// nor ipc://"),
        ("tcp:127.0.0.1:9999", "begins with neither tcp:// nor ipc://"),
        ("tcp://127.0.0.1", "has no port number after a ':'"),
        ("tcp://127.0.0.1:*", "has no port number after a ':'"),
        ("tcp://127.0.0.1:0", "has port 0, which cannot be connected to"),
        ("tcp://*:9999", "names no host: Mongrel2 is connected to, so its machine must be named"),
        ("tcp://::1:9999", "has more than one ':': an IPv6 address is written in brackets"),
        ("ipc://", "names no path"),
        ("ipc://*", "has a wildcard, which cannot be connected to"),
        (f"ipc://{LONGEST}s", "has a path of 108 bytes, a socket's is at most 107"),
    ],
)
def test_a_wrong_endpoint_is_told(text: str, wrong: str) -> None:
    with pytest.raises(ValueError) as caught:
        check_endpoint(text)
    assert str(caught.value) == f"{text!r:.200} {wrong}; {RIGHT_ENDPOINT}"


def test_relative_paths_are_taken_from_the_folder() -> None:
    base = Path("/srv/blog")
    assert absolute_bind("unix:run/http.sock", base) == "unix:/srv/blog/run/http.sock"
    assert absolute_bind("unix:/run/http.sock", base) == "unix:/run/http.sock"
    assert absolute_bind("[0::1]:080", base) == "[::1]:80"
    assert absolute_endpoint("ipc://run/in.ipc", base) == "ipc:///srv/blog/run/in.ipc"
    assert absolute_endpoint("ipc:///run/in.ipc", base) == "ipc:///run/in.ipc"
    assert absolute_endpoint("ipc://@blog", base) == "ipc://@blog"
    assert absolute_endpoint("tcp://127.0.0.1:9999", base) == "tcp://127.0.0.1:9999"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("/dev/log", "unix:/dev/log"),
        ("unix:/dev/log", "unix:/dev/log"),
        ("unix:run/log", "unix:/srv/blog/run/log"),
        ("192.0.2.1:514", "192.0.2.1:514"),
        ("[::1]:514", "[::1]:514"),
        ("logs.example:514", "logs.example:514"),
    ],
)
def test_where_syslogd_is(text: str, address: str) -> None:
    assert syslog_address(text, Path("/srv/blog")) == address


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("logs.example", "'logs.example' has no port number after a ':'"),
        ("127.0.0.1:0", "'127.0.0.1:0' has port 0, to which nothing can be sent"),
        ("udp://127.0.0.1:514", "'udp://127.0.0.1:514' has a '/', where only host and port belong"),
        ("unix:", "'unix:' names no path"),
    ],
)
def test_where_no_syslogd_can_be(text: str, told: str) -> None:
    with pytest.raises(ValueError, match="write") as caught:
        syslog_address(text, Path("/srv/blog"))
    assert str(caught.value) == f"{told}; {RIGHT_SYSLOG}"


def test_a_path_is_measured_once_it_is_absolute() -> None:
    base = Path("/" + "d" * 100)
    with pytest.raises(ValueError, match="has a path of 109 bytes"):
        absolute_bind("unix:app.skt", base)
    with pytest.raises(ValueError, match="has a path of 109 bytes"):
        absolute_endpoint("ipc://app.ipc", base)


@given(st.text() | st.from_regex(r"(unix:)?\[?[0-9a-f:.*/-]*\]?:[0-9]*", fullmatch=True))
@example("unix:\ud800")
@example("/run/app.sock")
@example("/\0")
@example("/" + "x" * 107)
def test_any_text_is_a_bind_or_is_refused(text: str) -> None:
    try:
        address = parse_bind(text)
    except ValueError as error:
        told = str(error)
    else:
        assert parse_bind(str(address)) == address
        return
    if told.endswith(f"write unix:{text}"):
        parse_bind(f"unix:{text}")
    else:
        assert told.endswith(RIGHT_BIND)


@given(st.text() | st.from_regex(r"(tcp|ipc)://\[?[0-9a-f:.*/-]*\]?:[0-9]*", fullmatch=True))
def test_any_text_is_an_endpoint_or_is_refused(text: str) -> None:
    try:
        check_endpoint(text)
    except ValueError as error:
        told = str(error)
    else:
        assert text.startswith(("tcp://", "ipc://"))
        return
    assert told.endswith(RIGHT_ENDPOINT)


@pytest.mark.parametrize(
    ("text", "peer"),
    [
        ("unix", "unix"),
        ("*", "*"),
        ("none", "none"),
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1/32", "127.0.0.1"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.0.0.0/255.0.0.0", "10.0.0.0/8"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("0:0:0::1", "::1"),
        ("2001:DB8::/32", "2001:db8::/32"),
    ],
)
def test_peers_that_may_be_trusted(text: str, peer: str) -> None:
    assert trusted_peer(text, Path("/")) == peer


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.0.0.1,::1", "127.0.0.1:80", "[::1]", "10.0.0.0/33", "10.0.0", "Unix", "fe80::1%eth0"]
)
def test_peers_that_are_none(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        trusted_peer(text, Path("/"))
    assert str(caught.value) == f"{text!r} is neither an IP address nor a network; {RIGHT_PEER}"


def test_an_address_with_the_mask_of_its_network_is_no_network() -> None:
    with pytest.raises(ValueError, match=r"write 10.1.0.0/16, or 10.1.2.3 alone"):
        trusted_peer("10.1.2.3/16", Path("/"))


@given(st.text() | st.from_regex(r"[0-9a-f:.*/]*", fullmatch=True))
def test_any_text_is_a_peer_to_be_trusted_or_is_refused(text: str) -> None:
    try:
        peer = trusted_peer(text, Path("/"))
    except ValueError:
        return
    assert trusted_peer(peer, Path("/")) == peer
    Trust([peer])

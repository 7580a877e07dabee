"""What is a host, and SERVER_NAME and SERVER_PORT from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgid.protocol.host import MAX_HOST, is_host, split_host


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("example.org", ("example.org", "80")),
        ("example.org:8000", ("example.org", "8000")),
        ("example.org:", ("example.org", "80")),
        ("EXAMPLE.org:0", ("EXAMPLE.org", "0")),
        ("example.org:65535", ("example.org", "65535")),
        ("127.0.0.1:6767", ("127.0.0.1", "6767")),
        ("[::1]", ("[::1]", "80")),
        ("[::1]:8000", ("[::1]", "8000")),
        ("[2001:DB8::ffff:192.0.2.1]:1", ("[2001:DB8::ffff:192.0.2.1]", "1")),
        ("under_score", ("under_score", "80")),
        ("a" * 255, ("a" * 255, "80")),
    ],
)
def test_splits(host: str, expected: tuple[str, str]) -> None:
    assert is_host(host)
    assert split_host(host, "80") == expected


@pytest.mark.parametrize("host", ["", "[v1.x:y]", "[vF.a~b]:80", "%41", "a%20b.example:1"])
def test_what_is_legal_and_of_no_use_gives_the_unknown_one(host: str) -> None:
    assert is_host(host)
    assert split_host(host, "443") == ("localhost", "443")


@pytest.mark.parametrize(
    "host",
    [
        ":80",
        "::1",
        "[]",
        "[::1",
        "[::1]x",
        "[:::1]",
        "[1.2.3.4]",
        "[1::2::3]",
        "[fe80::1%25eth0]",
        "[v.x]",
        "[v1.]",
        "a b",
        "not a host",
        "a, b",
        "user@example.org",
        "example.org/path",
        "example.org?q",
        "http://example.org",
        "example.org:80:80",
        "example.org:http",
        "example.org:-1",
        "example.org:65536",
        "example.org:100000",
        "example.org\n",
        "ex\xe4mple",
        "a\tb",
        'a"b',
        "a\\b",
        "<a>",
        "%4",
        "%zz",
        "a" * 256,
        "a" * (MAX_HOST + 1),
    ],
)
def test_what_is_no_host(host: str) -> None:
    assert not is_host(host)
    assert split_host(host, "443") == ("localhost", "443")


@given(st.text(alphabet=st.characters(max_codepoint=255)) | st.text("a.1:[]%v-", max_size=20))
def test_whatever_comes_there_is_a_name_and_a_port(host: str) -> None:
    name, port = split_host(host, "80")
    assert name
    assert port.isascii()
    assert int(port) <= 65535
    assert (name, port) == ("localhost", "80") or host.startswith(name)
    assert is_host(host) or (name, port) == ("localhost", "80")

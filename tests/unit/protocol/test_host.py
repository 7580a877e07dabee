"""SERVER_NAME and SERVER_PORT from a Host header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgid.protocol.host import split_host


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
    assert split_host(host, "80") == expected


@pytest.mark.parametrize(
    "host",
    [
        "",
        ":80",
        "::1",
        "[]",
        "[::1",
        "[::1]x",
        "[fe80::1%25eth0]",
        "[v1.x]",
        "a b",
        "user@example.org",
        "example.org/path",
        "example.org:80:80",
        "example.org:http",
        "example.org:-1",
        "example.org:65536",
        "example.org:100000",
        "example.org\n",
        "ex\xe4mple",
        "%41",
        "a" * 256,
    ],
)
def test_what_is_no_host_gives_the_unknown_one(host: str) -> None:
    assert split_host(host, "443") == ("localhost", "443")


@given(st.text(alphabet=st.characters(max_codepoint=255)))
def test_whatever_comes_there_is_a_name_and_a_port(host: str) -> None:
    name, port = split_host(host, "80")
    assert name
    assert port.isascii()
    assert int(port) <= 65535
    assert (name, port) == ("localhost", "80") or host.startswith(name)

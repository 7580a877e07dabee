"""Which peers are believed."""

import pytest

from wsgid.protocol.trust import Trust


@pytest.mark.parametrize(
    ("peers", "trusted", "others"),
    [
        (["127.0.0.1"], ["127.0.0.1", "::ffff:127.0.0.1"], ["127.0.0.2", "::1", ""]),
        (["10.0.0.0/8", "192.0.2.7"], ["10.255.0.1", "192.0.2.7"], ["11.0.0.1", "192.0.2.8", "::a00:1"]),
        (["2001:db8::/32"], ["2001:db8::1", "2001:DB8:0::1"], ["2001:db9::1", "10.0.0.1", ""]),
        (["::1"], ["::1", "0:0:0:0:0:0:0:1"], ["::2", "127.0.0.1"]),
        (["fe80::/10"], ["fe80::1%eth0"], ["::1"]),
        (["::ffff:0:0/96"], ["::ffff:192.0.2.1"], ["192.0.2.1"]),
        (["unix"], [""], ["127.0.0.1", "::1"]),
        (["*"], ["", "192.0.2.1", "::1"], []),
        (["none"], [], ["", "127.0.0.1", "::1"]),
        (["none", "127.0.0.1"], ["127.0.0.1"], ["", "::1"]),
        ([], [], ["", "127.0.0.1", "::1"]),
    ],
)
def test_who_is_trusted(peers: list[str], trusted: list[str], others: list[str]) -> None:
    trusts = Trust(peers).trusts
    assert [peer for peer in trusted if not trusts(peer)] == []
    assert [peer for peer in others if trusts(peer)] == []


@pytest.mark.parametrize("peer", ["", "localhost", "10.0.0.1/8", "unix:", "127.0.0.1:80", "[::1]"])
def test_anything_else_is_an_error(peer: str) -> None:
    with pytest.raises(ValueError):
        Trust([peer])

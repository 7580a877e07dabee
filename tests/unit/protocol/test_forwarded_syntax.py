"""Lists from the right, elements of RFC 7239, addresses."""

import ipaddress
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgid.protocol.forwarded_syntax import MAX_ITEMS, address, elements, items, pairs

text = st.text(st.characters(max_codepoint=0xFF, exclude_characters="\r\n\0"), max_size=30)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([], []),
        ([""], []),
        (["a"], ["a"]),
        (["a, b ,\tc"], ["c", "b", "a"]),
        (["a, b", "c"], ["c", "b", "a"]),
        ([",a,, ,b,"], ["b", "a"]),
        (['"a,b"'], ['b"', '"a']),
        ([", ".join(map(str, range(MAX_ITEMS + 1)))], [str(number) for number in range(MAX_ITEMS, 0, -1)]),
        ([*map(str, range(MAX_ITEMS + 1))], [str(number) for number in range(MAX_ITEMS, 0, -1)]),
    ],
)
def test_items(lines: list[str], found: list[str]) -> None:
    assert list(items(lines)) == found


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([], []),
        (["for=a;by=b"], ["for=a;by=b"]),
        (["for=a, for=b", "for=c"], ["for=c", "for=b", "for=a"]),
        ([' for="a,b" ,, for=c'], ["for=c", 'for="a,b"']),
        ([r'x="a\",b", for=c'], ["for=c", r'x="a\",b"']),
        ([r'x="a\\", for=c'], ["for=c", r'x="a\\"']),
        ([r'for=b;x="a\\";y="b", for=c'], ["for=c", r'for=b;x="a\\";y="b"']),
        # Quotes that are never closed, and some that never were opened.
        (['for="a, for=b'], ["for=b", 'for="a']),
        (['for="a, x="b"'], ['x="b"', 'for="a']),
        (['for=a", for=b'], ["for=b", 'for=a"']),
        (['for=a, x"y, for=b'], ["for=b", 'for=a, x"y']),
        (['for=a, "', "for=b"], ["for=b", 'for=a, "']),
    ],
)
def test_elements(lines: list[str], found: list[str]) -> None:
    assert list(elements(lines)) == found


@given(st.lists(text, max_size=3), text, st.lists(text, max_size=2))
def test_what_the_peer_wrote_is_read_whatever_stands_before_it(
    before: list[str], same_line: str, odd: list[str]
) -> None:
    last = 'for="[2001:db8::1]:80";host="a,b \\" \\\\";proto=https'
    assert next(elements([*before, f"{same_line}, {last}"])) == last
    assert next(elements([*before, *odd, last])) == last
    assert next(items([*before, f"{same_line}, 192.0.2.1"])) == "192.0.2.1"


@given(st.lists(st.text('a=,;" \\', max_size=40), max_size=3))
def test_nothing_is_lost_or_made_up(lines: list[str]) -> None:
    for line in lines:
        found = list(elements([line]))
        assert len(found) <= MAX_ITEMS
        if line.count(",") < MAX_ITEMS:
            assert "".join(reversed(found)).replace(",", "").replace(" ", "") == line.replace(",", "").replace(" ", "")
    assert len(list(items(lines))) <= MAX_ITEMS


SHORTEST = 0.002
"""Seconds: what takes less is not measured well."""


@pytest.mark.parametrize("filling", [",", '"', '\\"', '",', "a,", 'a="b",', ' , "', "\\", " ", "; "])
def test_a_flood_takes_time_in_proportion(filling: str) -> None:
    """And not by the square of its length, eight times as much again."""
    few, many = (taken(filling * (size // len(filling))) for size in (32 * 1024, 256 * 1024))
    assert many < 24 * max(few, SHORTEST)


def taken(flood: str) -> float:
    """Seconds of the processor, at least."""
    return min(_taken(flood) for _ in range(3))


def _taken(flood: str) -> float:
    begun = time.process_time()
    for line in (flood, f"a=b;{flood}@"):
        for found in (*elements([line]), *items([line])):
            pairs(found)
    return time.process_time() - begun


@pytest.mark.parametrize(
    ("element", "found"),
    [
        ("", {}),
        ("for=a", {"for": "a"}),
        ("For=a;PROTO=https;", {"for": "a", "proto": "https"}),
        (' ;for=a ; ;by="b" ', {"for": "a", "by": "b"}),
        (r'for="_a\"b\\c,;="', {"for": '_a"b\\c,;='}),
        ('for=""', {"for": ""}),
        ("for", None),
        ("=a", None),
        ("for=", None),
        ("for= a", None),
        ("for =a", None),
        ("for=a b", None),
        ("for=a:80", None),
        ("for=[::1]", None),
        ('for="a', None),
        ('for=a"', None),
        ('for="a"b', None),
        ('for="a\\"', None),
        ("for=a;for=b", None),
        ("for=a;For=a", None),
        ("f\xf6r=a", None),
    ],
)
def test_pairs(element: str, found: dict[str, str] | None) -> None:
    assert pairs(element) == found


@pytest.mark.parametrize(
    ("node", "found"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("192.0.2.1:_port", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:80", "2001:db8::1"),
        ("2001:db8:0:0:0:0:0:80", "2001:db8::80"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:80", "192.0.2.1"),
        ("unix:", ""),
        ("", None),
        ("unknown", None),
        ("_hidden", None),
        ("localhost", None),
        ("192.0.2", None),
        ("192.0.2.256", None),
        ("192.0.2.01", None),
        ("192.0.2.1:", None),
        ("192.0.2.1:123456", None),
        ("192.0.2.1 ", None),
        ("[192.0.2.1]", None),
        ("[::1", None),
        ("::1]", None),
        ("[::1]80", None),
        ("::1::2", None),
        ("fe80::1%eth0", None),
        ("\u0661\u0662\u0663.0.0.1", None),
        ("1" * 1000, None),
    ],
)
def test_addresses(node: str, found: str | None) -> None:
    assert address(node) == found


@given(st.ip_addresses(), st.integers(0, 65535))
def test_every_address_is_read_in_each_of_its_spellings(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int
) -> None:
    spelled = str(ip) if ip.version == 4 else f"[{ip}]"
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    for node in (str(ip), ip.exploded, spelled, f"{spelled}:{port}"):
        assert address(node) == str(mapped or ip)


@given(text | st.text("0123456789.:[]_af", max_size=50))
def test_anything_is_an_address_or_none(node: str) -> None:
    found = address(node)
    assert not found or str(ipaddress.ip_address(found)) == found

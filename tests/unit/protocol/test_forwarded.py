"""What is believed of what a trusted front end says of its client."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.protocol.forwarded_rules import (
    ALL_TRUSTED,
    FORWARDED,
    ORIGIN,
    X_FORWARDED,
    check_no_client_changes_it,
    check_sense,
)
from wsgid.protocol.forwarded import FrontEnds, Origin, Told, as_told
from wsgid.protocol.forwarded_syntax import MAX_ITEMS
from wsgid.protocol.values import Header

CLIENT, OTHER = "192.0.2.1", "198.51.100.1"


def by_for(*lines: str, front_ends: FrontEnds = X_FORWARDED) -> Told | None:
    return front_ends.told([("host", "a"), *(("x-forwarded-for", line) for line in lines)])


def by_forwarded(*lines: str) -> Told | None:
    return FORWARDED.told([*(("forwarded", line) for line in lines), ("host", "a")])


@pytest.mark.parametrize("front_ends", [X_FORWARDED, FORWARDED])
def test_one_that_says_nothing(front_ends: FrontEnds) -> None:
    assert front_ends.told([("host", "a"), ("x-forwarded", "1"), ("x_forwarded_for", CLIENT)]) is None


def test_only_one_way_of_saying_it_is_believed() -> None:
    both = [("forwarded", f"for={CLIENT}"), ("x-forwarded-for", OTHER)]
    assert X_FORWARDED.told(both) == Told(OTHER)
    assert FORWARDED.told(both) == Told(CLIENT)
    assert X_FORWARDED.told(both[:1]) is None
    assert FORWARDED.told(both[1:]) is None


class TestXForwardedFor:
    @pytest.mark.parametrize(
        "lines",
        [
            [CLIENT],
            [f"{CLIENT}:4711"],
            [f"{OTHER}, {CLIENT}"],
            [OTHER, CLIENT],
            [f"{CLIENT}, 10.0.0.1"],
            [f"{CLIENT}, 10.0.0.2", "10.0.0.1:80,", ""],
            [f"{OTHER}, {CLIENT},10.0.0.1, unix:"],
            [f'garbage "\\, {CLIENT}'],
            [f"10.0.0.9, {CLIENT}"],
        ],
    )
    def test_the_client_is_the_first_from_the_right_that_is_not_trusted(self, lines: list[str]) -> None:
        assert by_for(*lines) == Told(CLIENT)

    def test_among_trusted_ones_it_is_the_first_of_all(self) -> None:
        assert by_for("10.0.0.3, 10.0.0.2, 10.0.0.1") == Told("10.0.0.3")
        assert by_for(f"{CLIENT}, {OTHER}", front_ends=ALL_TRUSTED) == Told(CLIENT)
        assert by_for("unix:, 10.0.0.1") == Told("")

    @pytest.mark.parametrize(
        "garbage", ["unknown", "_hidden", "a.example", "192.0.2.1, 192.0.2.1 x", "1.2.3", '"', "[]"]
    )
    def test_what_cannot_be_read_ends_it(self, garbage: str) -> None:
        told = by_for(f"{CLIENT}, {garbage}, 10.0.0.1")
        assert told is not None
        assert told.remote_addr == "10.0.0.1"
        assert told.doubts == [f"{garbage.rpartition(', ')[2]!r} is not an address"]
        told = by_for(f"{CLIENT}, {garbage}")
        assert told is not None
        assert told.remote_addr is None

    def test_ipv6(self) -> None:
        for spelled in ("2001:db8::1", "[2001:DB8::1]", "[2001:db8::1]:4711"):
            assert by_for(f"{OTHER}, {spelled}") == Told("2001:db8::1")
        assert by_for("::ffff:10.0.0.1", f"{CLIENT}, [::ffff:10.0.0.1]:80") == Told(CLIENT)

    def test_so_many_hops_and_no_more(self) -> None:
        proxies = [f"10.0.0.{number}" for number in range(MAX_ITEMS)]
        assert by_for(", ".join([CLIENT, *proxies[1:]])) == Told(CLIENT)
        assert by_for(", ".join([CLIENT, *proxies])) == Told(proxies[0])


class TestXForwardedProtoAndHost:
    @pytest.mark.parametrize("value", ["https", "HTTPS", "http, https", " https ", "https,"])
    def test_the_scheme(self, value: str) -> None:
        assert X_FORWARDED.told([("x-forwarded-proto", value)]) == Told(scheme="https")

    @pytest.mark.parametrize("value", ["shop.example:8443", "evil.example, shop.example:8443"])
    def test_the_host(self, value: str) -> None:
        assert X_FORWARDED.told([("x-forwarded-host", value)]) == Told(host="shop.example:8443")
        headers = [("x-forwarded-host", "evil.example"), ("x-forwarded-host", value)]
        assert X_FORWARDED.told(headers) == Told(host="shop.example:8443")

    @pytest.mark.parametrize("value", ["ftp", "https on", "wss", "http://", '"https"'])
    def test_another_scheme_is_not_believed(self, value: str) -> None:
        told = X_FORWARDED.told([("x-forwarded-proto", value), ("x-forwarded-for", CLIENT)])
        assert told == Told(CLIENT, doubts=[f"{value!r} is neither http nor https"])

    @pytest.mark.parametrize("value", ["not a host", "a:b", '"a"', "a/b", ":80"])
    def test_what_is_no_host_is_not_believed(self, value: str) -> None:
        told = X_FORWARDED.told([("x-forwarded-host", value), ("x-forwarded-proto", "https")])
        assert told == Told(scheme="https", doubts=[f"{value!r} is not a host"])

    @pytest.mark.parametrize("value", ["", " ", ","])
    def test_an_empty_one_says_nothing(self, value: str) -> None:
        names = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host")
        assert X_FORWARDED.told([(name, value) for name in names]) == Told()


class TestForwarded:
    @pytest.mark.parametrize(
        ("lines", "told"),
        [
            ([f"for={CLIENT}"], Told(CLIENT)),
            ([f'For="{CLIENT}:4711";Proto=HTTPS;Host=shop.example;by=_us'], Told(CLIENT, "https", "shop.example")),
            (['for="[2001:db8::1]:80";host="shop.example:8443"'], Told("2001:db8::1", host="shop.example:8443")),
            ([f"for={OTHER};proto=http, for={CLIENT};proto=https"], Told(CLIENT, "https")),
            ([f"for={CLIENT};proto=https;host=a, for=10.0.0.1;proto=http;host=b"], Told(CLIENT, "https", "a")),
            ([f"for={CLIENT};proto=https", "for=10.0.0.1;proto=http;host=b"], Told(CLIENT, "https", "b")),
            (["proto=https;host=a"], Told(None, "https", "a")),
            # Who comes before an unknown one wrote what it liked.
            ([f"for={CLIENT};host=evil, for=unknown;proto=https"], Told(None, "https")),
            ([f"for={CLIENT};host=evil, for=_hidden, for=10.0.0.1"], Told("10.0.0.1")),
            ([f"for={CLIENT};host=evil, proto=https"], Told(None, "https")),
            # A client's own, before which its front end has put none.
            ([f'for=10.0.0.9;host=evil;x=", for={CLIENT}'], Told(CLIENT)),
            (['for="10.0.0.9', f"for={CLIENT};host=a"], Told(CLIENT, host="a")),
        ],
    )
    def test_the_hop_next_to_the_client_is_believed(self, lines: list[str], told: Told) -> None:
        assert by_forwarded(*lines) == told

    @pytest.mark.parametrize(
        ("element", "doubt"),
        [
            ("garbage", "'garbage' is not an element of Forwarded"),
            ("for=1.2.3.4:80", "'for=1.2.3.4:80' is not an element of Forwarded"),
            ("for=a.example", "'a.example' is not an address"),
            ('for="[::1"', "'[::1' is not an address"),
            (f"for={CLIENT};for={OTHER}", f"'for={CLIENT};for={OTHER}' is not an element of Forwarded"),
        ],
    )
    def test_what_cannot_be_read_ends_it(self, element: str, doubt: str) -> None:
        assert by_forwarded(f"for={CLIENT};host=evil, {element}, for=10.0.0.1") == Told("10.0.0.1", doubts=[doubt])
        assert by_forwarded(f"for={CLIENT};host=evil, {element}") == Told(doubts=[doubt])

    def test_a_host_that_is_none_does_not_hide_who_asks_for_it(self) -> None:
        """A front end may write down whatever Host its client sent."""
        told = by_forwarded(f'for={CLIENT};host="not a host";proto=gopher')
        assert told == Told(CLIENT, doubts=["'gopher' is neither http nor https", "'not a host' is not a host"])


@pytest.mark.parametrize("front_ends", [X_FORWARDED, FORWARDED])
def test_the_id_of_the_request(front_ends: FrontEnds) -> None:
    assert front_ends.told([("x-request-id", "abc-1")]) == Told(request_id="abc-1")
    assert front_ends.told([("x-request-id", "a b")]) == Told(doubts=["'a b' is not a request id"])
    twice = [("x-request-id", "a"), ("x-request-id", "b")]
    assert front_ends.told(twice) == Told(doubts=["'a,b' is not a request id"])


@pytest.mark.parametrize(
    ("told", "headers", "origin", "host"),
    [
        (Told(), [("host", "a:81")], ORIGIN, "a:81"),
        (Told(CLIENT), [("host", "a:81")], Origin(CLIENT, "", "http", "127.0.0.1", "8000"), "a:81"),
        (Told(""), [("host", "a:81")], Origin("", "", "http", "127.0.0.1", "8000"), "a:81"),
        (Told(scheme="https"), [("host", "a")], Origin("10.0.0.1", "4711", "https", "a", "443"), "a"),
        (Told(scheme="http"), [("host", "a:81")], Origin("10.0.0.1", "4711", "http", "a", "81"), "a:81"),
        (Told(host="b"), [("host", "a:81")], Origin("10.0.0.1", "4711", "http", "b", "80"), "b"),
        (Told(CLIENT, "https", "b:82"), [("host", "a:81")], Origin(CLIENT, "", "https", "b", "82"), "b:82"),
        (Told(host="b"), [], Origin("10.0.0.1", "4711", "http", "b", "80"), "b"),
        (Told(scheme="https"), [], Origin("10.0.0.1", "4711", "https", "127.0.0.1", "8000"), None),
    ],
)
def test_what_is_believed_takes_the_place_of_the_connections(
    told: Told, headers: list[Header], origin: Origin, host: str | None
) -> None:
    given_headers = [("x-a", "1"), *headers, ("x-a", "2")]
    result, kept = as_told(ORIGIN, given_headers, told)
    assert result == origin
    assert [value for name, value in kept if name == "host"] == ([] if host is None else [host])
    assert [header for header in kept if header[0] != "host"] == [("x-a", "1"), ("x-a", "2")]


# Properties.

text = st.text(st.characters(max_codepoint=0xFF, exclude_characters="\r\n\0"), max_size=40)
trusted_hops = st.ip_addresses(network="10.0.0.0/8").map(str)
clients = st.ip_addresses().filter(lambda ip: not X_FORWARDED.trusts(str(ip))).map(str)


@given(st.lists(text, max_size=3), text, clients, st.lists(trusted_hops, max_size=5))
def test_a_client_cannot_change_what_is_told_of_it(
    own_lines: list[str], same_line: str, client: str, proxies: list[str]
) -> None:
    check_no_client_changes_it(own_lines, same_line, client, proxies)


names = st.sampled_from(["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded", "host", "x"])
pieces = st.sampled_from(
    ["for=", "10.0.0.1", CLIENT, "::1", "[", "]", '"', "\\", ",", ";", "proto=", "https", "host=a", " "]
)


@given(
    st.lists(st.tuples(names, text | st.lists(pieces, max_size=12).map("".join)), max_size=6),
    st.sampled_from([X_FORWARDED, FORWARDED, ALL_TRUSTED]),
)
def test_whatever_is_believed_makes_sense(headers: list[Header], front_ends: FrontEnds) -> None:
    check_sense(headers, front_ends)

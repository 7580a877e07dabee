"""What must hold of what a front end is believed, whatever it or its client says."""

import ipaddress

from wsgid.protocol.forwarded import FrontEnds, Origin, as_told
from wsgid.protocol.host import is_host
from wsgid.protocol.request_id import is_request_id
from wsgid.protocol.values import Header

PROXIES = ("10.0.0.0/8", "unix")

X_FORWARDED = FrontEnds(PROXIES, "x-forwarded")
FORWARDED = FrontEnds(PROXIES, "forwarded")
ALL_TRUSTED = FrontEnds(["*"], "x-forwarded")

ORIGIN = Origin("10.0.0.1", "4711", "http", "127.0.0.1", "8000")


def check_sense(headers: list[Header], front_ends: FrontEnds) -> None:
    """Whatever is believed makes sense."""
    told = front_ends.told(headers)
    if told is None:
        return
    assert not told.remote_addr or str(ipaddress.ip_address(told.remote_addr)) == told.remote_addr
    assert told.scheme in (None, "http", "https")
    assert told.host is None or (told.host and is_host(told.host))
    assert told.request_id is None or is_request_id(told.request_id)
    origin, kept = as_told(ORIGIN, headers, told)
    assert origin.server_name
    assert origin.server_port.isdigit()
    assert [header for header in kept if header[0] != "host"] == [header for header in headers if header[0] != "host"]


def check_no_client_changes_it(own_lines: list[str], same_line: str, client: str, proxies: list[str]) -> None:
    """Whatever a client sends, its own address comes after that; all who pass the request on are trusted. They add to
    its last line, and after the first of them in lines of their own, or in the same."""
    expected = str(getattr(ipaddress.ip_address(client), "ipv4_mapped", None) or client)
    plain = [client, *proxies]
    quoted = [f'for="{f"[{hop}]" if ":" in hop else hop}";host="shop.example"' for hop in plain]
    for several_lines in (False, True):
        first, *rest = plain if several_lines else [", ".join(plain)]
        told = X_FORWARDED.told([("x-forwarded-for", line) for line in (*own_lines, f"{same_line}, {first}", *rest)])
        assert told is not None
        assert told.remote_addr == expected
        first, *rest = quoted if several_lines else [", ".join(quoted)]
        told = FORWARDED.told([("forwarded", line) for line in (*own_lines, f"{same_line}, {first}", *rest)])
        assert told is not None
        assert (told.remote_addr, told.scheme, told.host) == (expected, None, "shop.example")

"""What a trusted front end says of its client: address, scheme and host, and how it calls the request.

Of the client it speaks in one of two ways. A front end that sets the headers of one passes those of the other on as its
client sent them, so only one may be believed (``--forwarded-headers``). In both the hops stand in order, the peer's own
word last: they are followed from there as long as each was written by somebody who is trusted. What cannot be read is
not believed, and nothing that stands before it.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from wsgid.protocol.forwarded_syntax import address, elements, items, pairs
from wsgid.protocol.host import is_host, split_host
from wsgid.protocol.request_id import REQUEST_ID, doubt, is_request_id
from wsgid.protocol.trust import Trust
from wsgid.protocol.values import Header

MAX_SHOWN: Final = 80
"""Characters of what could not be read, for the log."""

FOR, PROTO, HOST, FORWARDED = "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded"

_PORTS: Final = {"http": "80", "https": "443"}


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where a request came from and went to, as CGI has it. At first that is the connection's; then, perhaps, what a
    front end told."""

    remote_addr: str
    remote_port: str
    scheme: str
    server_name: str
    server_port: str


class Told(msgspec.Struct, gc=False):
    """None: nothing that can be believed."""

    remote_addr: str | None = None
    scheme: str | None = None
    host: str | None = None
    request_id: str | None = None
    doubts: list[str] = []
    """What was not believed, in words, for the log."""

    def take_scheme(self, value: str) -> None:
        if value.lower() in _PORTS:
            self.scheme = value.lower()
        else:
            self.doubts.append(f"{value[:MAX_SHOWN]!r} is neither http nor https")

    def take_host(self, value: str) -> None:
        if value and is_host(value):
            self.host = value
        else:
            self.doubts.append(f"{value[:MAX_SHOWN]!r} is not a host")

    def take_request_id(self, values: list[str]) -> None:
        if len(values) == 1 and is_request_id(values[0]):
            self.request_id = values[0]
        elif values:
            self.doubts.append(doubt(",".join(values)))

    def take_address(self, node: str) -> str | None:
        found = address(node)
        if found is None:
            self.doubts.append(f"{node[:MAX_SHOWN]!r} is not an address")
        else:
            self.remote_addr = found
        return found


class FrontEnds:
    """Who is trusted, and which headers are believed. `trusts` is `Trust`'s."""

    def __init__(self, trusted: Iterable[str], headers: str) -> None:
        """`trusted` as for `Trust`; `headers` is ``x-forwarded`` or ``forwarded``."""
        self.trusts = Trust(trusted).trusts
        self._names, self._read = _WAYS[headers]

    def told(self, headers: Sequence[Header]) -> Told | None:
        """By a peer that is trusted, with these headers; None when none of them is about its client or the request."""
        names = self._names
        for name, _ in headers:  # which costs less than a list of them: mostly there is none
            if name in names:
                break
        else:
            return None
        said = [header for header in headers if header[0] in names]
        told = self._read(said, self.trusts)
        told.take_request_id(_values(said, REQUEST_ID))
        return told


Trusts = Callable[[str], bool]


def _x_forwarded(said: list[Header], trusts: Trusts) -> Told:
    told = Told()
    for hop in items(_values(said, FOR)):
        found = told.take_address(hop)
        if found is None or not trusts(found):
            break
    # Some front ends add their own to a list of what they were sent (Apache, to X-Forwarded-Host).
    if scheme := next(items(_values(said, PROTO)), None):
        told.take_scheme(scheme)
    if host := next(items(_values(said, HOST)), None):
        told.take_host(host)
    return told


def _forwarded(said: list[Header], trusts: Trusts) -> Told:
    told = Told()
    for element in elements(_values(said, FORWARDED)):
        found = pairs(element)
        if found is None:
            told.doubts.append(f"{element[-MAX_SHOWN:]!r} is not an element of Forwarded")
            break
        # Each hop says what it was asked for itself: the one next to the client knows what that asked for.
        if "proto" in found:
            told.take_scheme(found["proto"])
        if "host" in found:
            told.take_host(found["host"])
        # Without an address, or with "unknown" or a made-up name for one, nobody knows who wrote what comes before.
        node = found.get("for", "unknown")
        if node.lower() == "unknown" or node.startswith("_"):
            break
        hop = told.take_address(node)
        if hop is None or not trusts(hop):
            break
    return told


_WAYS: Final[dict[str, tuple[frozenset[str], Callable[[list[Header], Trusts], Told]]]] = {
    "x-forwarded": (frozenset({FOR, PROTO, HOST, REQUEST_ID}), _x_forwarded),
    "forwarded": (frozenset({FORWARDED, REQUEST_ID}), _forwarded),
}


def _values(said: list[Header], name: str) -> list[str]:
    return [value for each, value in said if each == name]


def as_told(origin: Origin, headers: list[Header], told: Told) -> tuple[Origin, list[Header]]:
    """The origin and the headers of a request, with what is believed of it in their place.

    A host that is told takes the place of Host. When host or scheme are told, the connection's own address is not what
    the client asked for, so SERVER_NAME and SERVER_PORT are Host's.
    """
    addr, port = (origin.remote_addr, origin.remote_port) if told.remote_addr is None else (told.remote_addr, "")
    scheme = told.scheme or origin.scheme
    name_and_port = origin.server_name, origin.server_port
    if told.host is not None:
        headers = [("host", told.host), *(header for header in headers if header[0] != "host")]
    if told.host is not None or told.scheme is not None:
        asked = next((value for name, value in headers if name == "host"), "")
        if asked:
            name_and_port = split_host(asked, _PORTS[scheme])
    return Origin(addr, port, scheme, *name_and_port), headers

"""The grammar of ``X-Forwarded-For`` and of ``Forwarded`` (RFC 7239): lists, elements, pairs, addresses.

Lists are read from their right ends. What stands there was written by the peer itself; what stands before it may be a
client's, who can leave a quote open, and must not change by that how the rest is read.
"""

import functools
import ipaddress
import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

MAX_ITEMS: Final = 32
"""Of a list that are looked at, from the right: more front ends than anybody has in a row, and few enough for each
request."""

MAX_NODE: Final = 100
"""Characters of an address with brackets, zone and port, or with a port that is hidden behind a name."""

_BLANKS: Final = " \t"
_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"

_PAIR: Final = re.compile(rf'[ \t]*+(?:({_TOKEN})=(?:({_TOKEN})|"((?:[^"\\]|\\.)*+)"))?[ \t]*+(?:;|$)', re.DOTALL)
"""Blanks are given back to nobody: a header full of them would be gone through once for each of them."""

_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)

_LAST_ELEMENT_BACKWARDS: Final = re.compile(r'(?:[^",]++|"(?:[^"]++|"\\)*+")*+')
"""Up to the comma before it. Read from the right, a quote within a string is one that a backslash follows."""

_NODE: Final = re.compile(
    r"(?:([0-9.]{7,15})|\[([0-9A-Fa-f:.]{2,45})\])(?::(?:[0-9]{1,5}|_[A-Za-z0-9._-]+))?|([0-9A-Fa-f:.]{2,45})"
)

UNIX_PEER: Final = "unix:"
"""What nginx calls a client of its own UNIX sockets."""


def items(lines: list[str]) -> Iterator[str]:
    """Of a plain list that may be spread over several header lines, the last one first."""
    return _some(item for line in reversed(lines) for item in reversed(line.rsplit(",", MAX_ITEMS)))


def elements(lines: list[str]) -> Iterator[str]:
    """The same of a list whose items may have quoted strings. From where nothing can be read, the rest of the line is
    one item, which `pairs` does not understand."""
    return _some(element for line in reversed(lines) for element in _elements_of(line))


def _some(found: Iterator[str]) -> Iterator[str]:
    """Empty ones are none (RFC 9110 section 5.6.1), but a flood of them is not looked through."""
    return (item for item in (piece.strip(_BLANKS) for piece in islice(found, MAX_ITEMS)) if item)


def _elements_of(line: str) -> Iterator[str]:
    backwards = line[::-1]
    start = 0
    while start <= len(backwards):
        end = _end_of_element(backwards, start)
        yield backwards[start:end][::-1]
        start = end + 1


def _end_of_element(backwards: str, start: int) -> int:
    found = _LAST_ELEMENT_BACKWARDS.match(backwards, start)
    end = found.end() if found is not None else start
    return end if backwards[end : end + 1] in ("", ",") else len(backwards)


def pairs(element: str) -> dict[str, str] | None:
    """The pairs of an element, with names in lower case and strings without their quotes; None when it is none, or has
    a name twice (RFC 7239 section 4)."""
    found: dict[str, str] = {}
    position = 0
    while position < len(element):
        pair = _PAIR.match(element, position)
        if pair is None:
            return None
        name, token, quoted = pair.groups()
        if name is not None:
            if name.lower() in found:
                return None
            found[name.lower()] = token if quoted is None else _ESCAPED.sub(r"\1", quoted)
        position = pair.end()
    return found


def address(node: str) -> str | None:
    """The IP address of a node, in its usual spelling and without a port; ``""`` for `UNIX_PEER`; None for what is no
    address.

    IPv6 addresses may be without their brackets, as in X-Forwarded-For; they then have no port.
    """
    if node == UNIX_PEER:
        return ""
    return _address(node) if len(node) <= MAX_NODE else None


@functools.lru_cache(maxsize=1024)
def _address(node: str) -> str | None:
    match = _NODE.fullmatch(node)
    if match is None:
        return None
    try:
        found = ipaddress.ip_address(match[1] or match[2] or match[3])
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)  # from a front end with one socket for both
    if match[2] and found.version == 4:
        return None
    return str(found)

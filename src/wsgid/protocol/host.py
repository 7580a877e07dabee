"""What a Host header names: whether that is a host at all, and SERVER_NAME and SERVER_PORT from it."""

import functools
import ipaddress
import re
from typing import Final

UNKNOWN: Final = "localhost"
"""The name when there is none: WSGI wants one that is never empty (PEP 3333, "environ Variables")."""

NOT_A_HOST: Final = "a Host that is not a host name or address"
"""Why a request is refused, on both edges."""

MAX_NAME: Final = 255
"""Bytes of a registered name (RFC 3986 section 3.2.2)."""
MAX_PORT: Final = 65535
MAX_HOST: Final = MAX_NAME + len(f":{MAX_PORT}")
"""Looked at before anything is remembered: clients choose these texts."""

_CHARACTER: Final = r"[A-Za-z0-9._~!$&'()*+,;=-]"
_HOST: Final = re.compile(
    rf"(\[[0-9A-Fa-f:.]{{2,45}}\]|\[[vV][0-9A-Fa-f]+\.(?:{_CHARACTER}|:)+\]|(?:{_CHARACTER}|%[0-9A-Fa-f]{{2}})+)"
    r"(?::([0-9]{0,5}))?"
)
"""An IPv6 address or what RFC 3986 calls IPvFuture, in brackets; an IPv4 address or a name; perhaps a port."""


def is_host(value: str) -> bool:
    """Whether a request may have this Host; with any other one it gets 400 (RFC 9112 section 3.2).

    An empty one is legal where the target has no authority (RFC 9110 section 7.2), and is what some clients send. A
    port without a host is not: a URI of ``http`` without a host is invalid (RFC 9110 section 4.2.1).
    """
    return not value or (len(value) <= MAX_HOST and _parse(value) is not None)


def split_host(value: str, default_port: str) -> tuple[str, str]:
    """Name and port, as CGI's SERVER_NAME and SERVER_PORT (RFC 3875, sections 4.1.14 and 4.1.15).

    ``[::1]:8000`` gives ``("[::1]", "8000")``: with its brackets, as RFC 3875 writes it and as PEP 3333's URL
    reconstruction needs it. A missing or empty port is ``default_port``. A name that is empty, or legal and of no use,
    gives ``("localhost", default_port)``; its text is in HTTP_HOST all the same.
    """
    name, port = (_parse(value) if value and len(value) <= MAX_HOST else None) or ("", "")
    return (name, port or default_port) if name else (UNKNOWN, default_port)


@functools.lru_cache(maxsize=256)
def _parse(value: str) -> tuple[str, str] | None:
    """Name and port, each ``""`` when there is none that is of use; None for what is no host."""
    match = _HOST.fullmatch(value)
    if match is None:
        return None
    name, port = match.groups(default="")
    if len(name) > MAX_NAME or int(port or 0) > MAX_PORT:
        return None
    if name[:2] in ("[v", "[V") or "%" in name:
        return "", port  # nobody has defined an IPvFuture, and nothing resolves names with encoded characters
    return (name, port) if name[0] != "[" or _is_ipv6(name[1:-1]) else None


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True

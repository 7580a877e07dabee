"""Addresses as people write them: where to listen, the ZeroMQ endpoints, the peers that are trusted.

Only the text is judged here, no name is resolved and no socket opened: that is the work of whoever listens or
connects, at its own time. Every ValueError repeats the text, says what is wrong with it and shows a right one.
"""

import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path

from wsgid.protocol.trust import ANYBODY, NOBODY, UNIX

MAX_PORT = 65535
MAX_UNIX_PATH = 107
"""Bytes: ``sun_path`` is 108 on Linux and ends with a zero byte, see unix(7)."""
MAX_HOST = 253
"""Characters of a host name in text, RFC 1035 section 2.3.4 less the length bytes."""

RIGHT_BIND = "write 127.0.0.1:8000, [::1]:8000 or unix:/run/app.sock"
RIGHT_SYSLOG = "write unix:/dev/log, or 192.0.2.1:514 for UDP"
RIGHT_PEER = "write 192.0.2.1, 10.0.0.0/8, 2001:db8::/32, unix, * or none, and the option again for each further one"
RIGHT_ENDPOINT = "write tcp://127.0.0.1:9999 or ipc:///run/app.ipc, as in Mongrel2's configuration"

_UNIX = "unix:"
# An underscore is no part of a host name by RFC 952, but container networks resolve names that have one.
_HOST_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_DIGITS_AND_DOTS = re.compile(r"[0-9.]+")
_PORT = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class TcpAddress:
    host: str
    """A host name, an IPv4 or an IPv6 address, the last without its brackets."""
    port: int
    """0 lets the system choose one."""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixAddress:
    path: str

    def __str__(self) -> str:
        return _UNIX + self.path


def parse_bind(text: str) -> TcpAddress | UnixAddress:
    """``HOST:PORT``, ``[IPV6]:PORT`` or ``unix:PATH``. Raises ValueError."""
    try:
        if text.startswith(_UNIX):
            return UnixAddress(_checked_path(text.removeprefix(_UNIX)))
        host, port = _host_and_port(text, nameless="every interface is 0.0.0.0 or [::]")
    except ValueError as error:
        raise ValueError(f"{text!r:.200} {error}; {_right_bind(text)}") from None
    return TcpAddress(host, port)


def _right_bind(text: str) -> str:
    """A path alone was meant as a socket's, if it can be one."""
    can_be = text.startswith("/") and text.isprintable() and len(os.fsencode(text)) <= MAX_UNIX_PATH
    return f"write {_UNIX}{text}" if can_be else RIGHT_BIND


def check_endpoint(text: str) -> None:
    """A ZeroMQ endpoint to connect to, by zmq_tcp(7) or zmq_ipc(7). Raises ValueError."""
    scheme, _, rest = text.partition("://")
    try:
        if scheme == "tcp":
            _, port = _host_and_port(rest, nameless="Mongrel2 is connected to, so its machine must be named")
            if port == 0:
                raise ValueError("has port 0, which cannot be connected to")
        elif scheme == "ipc":
            if _checked_path(rest) == "*":
                raise ValueError("has a wildcard, which cannot be connected to")
        else:
            raise ValueError("begins with neither tcp:// nor ipc://")
    except ValueError as error:
        raise ValueError(f"{text!r:.200} {error}; {RIGHT_ENDPOINT}") from None


def absolute_bind(text: str, base: Path) -> str:
    """The same address in its normal spelling, a relative path taken from the folder ``base``. Raises ValueError."""
    address = parse_bind(text)
    if isinstance(address, UnixAddress):
        address = parse_bind(f"{_UNIX}{base / address.path}")
    return str(address)


def syslog_address(text: str, base: Path) -> str:
    """Where syslogd listens, as `parse_bind` reads it; a path may stand alone. Raises ValueError."""
    try:
        address = parse_bind(absolute_bind(f"{_UNIX}{text}" if text.startswith("/") else text, base))
    except ValueError as error:
        raise ValueError(f"{str(error).removesuffix(RIGHT_BIND)}{RIGHT_SYSLOG}") from None
    if isinstance(address, TcpAddress) and address.port == 0:
        raise ValueError(f"{text!r:.200} has port 0, to which nothing can be sent; {RIGHT_SYSLOG}")
    return str(address)


def absolute_endpoint(text: str, base: Path) -> str:
    """The same endpoint, a relative path of an ``ipc://`` taken from the folder ``base``. Raises ValueError."""
    check_endpoint(text)
    path = text.removeprefix("ipc://")
    if path == text or path.startswith("@"):  # tcp, or a name in Linux's abstract namespace, which has no folders
        return text
    absolute = f"ipc://{base / path}"
    check_endpoint(absolute)
    return absolute


def trusted_peer(text: str, base: Path) -> str:
    """An IP address, a network, or one of the words of `wsgid.protocol.trust`, in its normal spelling. Raises
    ValueError."""
    if text in (UNIX, ANYBODY, NOBODY):
        return text
    try:
        interface = ipaddress.ip_interface(text)
    except ValueError:
        interface = None
    if interface is None or "%" in text:  # with a zone: which interface it is says nothing about trust
        raise ValueError(f"{text!r:.200} is neither an IP address nor a network; {RIGHT_PEER}")
    network = interface.network
    if network.num_addresses == 1:
        return str(interface.ip)
    if interface.ip != network.network_address:
        raise ValueError(f"{text!r:.200} has more bits than its network: write {network}, or {interface.ip} alone")
    return str(network)


def _host_and_port(text: str, nameless: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if "/" in text:
        raise ValueError("has a '/', where only host and port belong")
    if not colon or not _PORT.fullmatch(port):
        raise ValueError("has no port number after a ':'")
    if int(port) > MAX_PORT:
        raise ValueError(f"has port {port}, the highest is {MAX_PORT}")
    if host in ("", "*"):
        raise ValueError(f"names no host: {nameless}")
    return _checked_host(host), int(port)


def _checked_host(host: str) -> str:
    if host.startswith("[") and host.endswith("]"):
        return _valid(ipaddress.IPv6Address, host[1:-1], "IPv6")
    if ":" in host:
        raise ValueError("has more than one ':': an IPv6 address is written in brackets")
    if _DIGITS_AND_DOTS.fullmatch(host):
        return _valid(ipaddress.IPv4Address, host, "IPv4")
    if not _HOST_NAME.fullmatch(host) or len(host) > MAX_HOST:
        raise ValueError(f"has {host!r:.80}, which is no host name")
    return host


def _valid(kind: type[ipaddress.IPv4Address | ipaddress.IPv6Address], text: str, version: str) -> str:
    try:
        return str(kind(text))
    except ValueError:
        raise ValueError(f"has {text!r:.80}, which is no {version} address") from None


def _checked_path(path: str) -> str:
    if not path:
        raise ValueError("names no path")
    if "\0" in path:
        raise ValueError("has a zero byte in its path")
    length = len(os.fsencode(path))
    if length > MAX_UNIX_PATH:
        raise ValueError(f"has a path of {length} bytes, a socket's is at most {MAX_UNIX_PATH}")
    return path

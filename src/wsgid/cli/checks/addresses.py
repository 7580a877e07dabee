"""Are the addresses free at which we listen, and reachable to which we connect?"""

import socket
from collections.abc import Collection

from wsgid.addresses import TcpAddress, UnixAddress, parse_bind
from wsgid.cli.checks.findings import Finding, error, ok, refusal, warning
from wsgid.config import Config
from wsgid.logs.syslog import Syslog
from wsgid.master.errors import CannotStart
from wsgid.master.listeners import look_at_unix, try_tcp

SUBJECT = "addresses"

REACH_TIME = 2.0
"""Seconds for Mongrel2's end to accept; another machine in the same data centre needs milliseconds."""


def tcp_binds(binds: Collection[str], served: Collection[str], option: str = "--bind") -> list[Finding]:
    """With the rights that the daemon begins with. ``served``: addresses of our own daemons that run now."""
    addresses = {f"{option} {each}": parse_bind(each) for each in binds}
    return [_tcp(asked, each, served) for asked, each in addresses.items() if isinstance(each, TcpAddress)]


def unix_binds(binds: Collection[str], served: Collection[str], option: str = "--bind") -> list[Finding]:
    """As the user that the daemon becomes."""
    addresses = {f"{option} {each}": parse_bind(each) for each in binds}
    return [_unix(asked, each, served) for asked, each in addresses.items() if isinstance(each, UnixAddress)]


def endpoints(option: str, told: Collection[str]) -> list[Finding]:
    """As the user that the daemon becomes. That Mongrel2 does not run yet is no error: wsgid waits for it."""
    return [_endpoint(option, each) for each in told]


def syslog(config: Config) -> list[Finding]:
    """With the rights that the daemon begins with: it opens the socket before it drops them."""
    if config.syslog is None:
        return []
    asked = f"--syslog {config.syslog}"
    try:
        problem = Syslog(config.syslog, config.syslog_facility, config.syslog_tag).problem()
    except socket.gaierror as failed:
        return [
            error(SUBJECT, f"{asked}: {failed.strerror}", "compare the name with that of the host, or give its address")
        ]
    if problem:
        remedy = "start syslogd, or compare the path with its own; what is logged until it is there is lost"
        return [warning(SUBJECT, f"{asked}: nobody listens now: {problem}", remedy)]
    return [ok(SUBJECT, f"{asked}: datagrams can be sent there")]


def _tcp(asked: str, address: TcpAddress, served: Collection[str]) -> Finding:
    try:
        try_tcp(asked, address)
    except CannotStart as error:
        if ours := [each for each in served if _is_at(each, address)]:
            return ok(SUBJECT, f"{asked}: served by a daemon of this folder just now ({ours[0]})")
        return refusal(SUBJECT, error)
    return ok(SUBJECT, f"{asked}: free")


def _is_at(url: str, address: TcpAddress) -> bool:
    """A daemon tells its address in digits; a name may stand for that."""
    if address.port == 0 or not url.endswith(f":{address.port}"):
        return False
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return any(url == f"http://{TcpAddress(str(place[0]), address.port)}" for *_, place in found)


def _unix(asked: str, address: UnixAddress, served: Collection[str]) -> Finding:
    try:
        look_at_unix(asked, address.path)
    except CannotStart as error:
        if str(address) in served:
            return ok(SUBJECT, f"{asked}: served by a daemon of this folder just now")
        return refusal(SUBJECT, error)
    return ok(SUBJECT, f"{asked}: free")


def _endpoint(option: str, text: str) -> Finding:
    reason = _why_unreachable(text)
    if reason is None:
        return ok(SUBJECT, f"{option} {text}: somebody listens there")
    return warning(
        SUBJECT,
        f"{option} {text}: cannot be reached now: {reason}",
        "start Mongrel2, or compare the address with its configuration: --recv is its send_spec, --send its recv_spec; "
        "wsgid keeps trying",
    )


def _why_unreachable(text: str) -> str | None:
    scheme, _, rest = text.partition("://")
    try:
        if scheme == "tcp":
            address = parse_bind(rest)
            assert isinstance(address, TcpAddress)
            socket.create_connection((address.host, address.port), REACH_TIME).close()
        else:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                probe.settimeout(REACH_TIME)
                probe.connect("\0" + rest[1:] if rest.startswith("@") else rest)
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return None

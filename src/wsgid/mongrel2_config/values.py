"""What stands in a configuration of Mongrel2, by the names that its own tables have."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

JSON: Final = "json"
TNETSTRING: Final = "tnetstring"

DEFAULT_CONTROL_PORT: Final = "ipc://run/control"
"""What Mongrel2 opens where neither the server nor a setting names one."""


@dataclass(frozen=True, slots=True)
class Handler:
    """``send_spec`` is wsgid's ``--recv``, ``recv_spec`` its ``--send``."""

    send_spec: str
    send_ident: str
    recv_spec: str
    recv_ident: str
    protocol: str = JSON
    raw_payload: int = 0


@dataclass(frozen=True, slots=True)
class Directory:
    """Files that Mongrel2 serves by itself."""

    base: str
    """As Mongrel2 sees it; ends with ``/``."""
    index_file: str
    default_ctype: str
    """Of files whose extension is not known."""
    cache_ttl: int = 0
    """Seconds for which a file is not looked at again."""


@dataclass(frozen=True, slots=True)
class Proxy:
    addr: str
    port: int


Target: TypeAlias = "Handler | Directory | Proxy"


@dataclass(frozen=True, slots=True)
class Route:
    path: str
    """What requests begin with, up to its first ``(``; from there on a pattern."""
    target: Target


@dataclass(frozen=True, slots=True)
class Host:
    name: str
    matching: str
    """The end of the Host headers that it serves."""
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class Module:
    """A filter, or what Mongrel2 calls an xrequest: a file that it loads."""

    name: str
    settings: str
    """A tnetstring."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    uuid: str
    name: str
    bind_addr: str
    port: int
    default_host: str
    """The name of one of the hosts: it gets what no other one does."""
    hosts: tuple[Host, ...]
    chroot: str = ""
    access_log: str
    error_log: str
    pid_file: str
    control_port: str = ""
    use_ssl: bool = False
    filters: tuple[Module, ...] = ()
    xrequests: tuple[Module, ...] = ()

    def routes(self) -> Iterator[tuple[Host, Route]]:
        return ((host, route) for host in self.hosts for route in host.routes)

    def handlers(self) -> list[Handler]:
        """Each once, in the order of the routes."""
        targets = (route.target for _, route in self.routes())
        return list(dict.fromkeys(target for target in targets if isinstance(target, Handler)))


@dataclass(frozen=True, slots=True)
class Configuration:
    servers: tuple[Server, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    """Of all servers. In their order: see `wsgid.cli.mongrel2.rules`."""
    mime_types: Mapping[str, str] = field(default_factory=dict)
    """By the extension, with its dot."""

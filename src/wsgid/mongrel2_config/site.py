"""The configuration that Mongrel2 needs for one application: what ``wsgid mongrel2 init`` writes."""

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Final

from wsgid.mongrel2_config.mime_types import mime_types
from wsgid.mongrel2_config.values import TNETSTRING, Configuration, Directory, Handler, Host, Route, Server, Target

LOGS, RUN, UPLOADS, CERTIFICATES = "logs", "run", "uploads", "certificates"
"""Folders below the one that is Mongrel2's."""

PID_FILE, CONTROL_SOCKET = f"{RUN}/mongrel2.pid", f"{RUN}/control"
REQUESTS, ANSWERS = f"{RUN}/requests", f"{RUN}/answers"
ACCESS_LOG, ERROR_LOG = f"{LOGS}/access.log", f"{LOGS}/error.log"

BUFFER_SIZE: Final = 16384
"""Bytes of request line and headers together. Mongrel2's own 4096 turn a browser away that has collected cookies."""

CONTENT_LENGTH: Final = 20480
"""Bytes of a body that comes within its message, as Mongrel2 has it; never below the buffer's size."""

READ_RETRIES: Final = 100
"""Pieces in which a request's head may come, and two. Mongrel2's own 5 turn slow clients away."""

OWN_SETTINGS: Final[Mapping[str, str]] = {
    "server.daemonize": "0",
    "download.flow_control": "1",
    "limits.buffer_size": str(BUFFER_SIZE),
    "limits.content_length": str(CONTENT_LENGTH),
    "limits.client_read_retries": str(READ_RETRIES),
}
"""The reaper stays on, as it is: wsgid tells it of requests that take long, and it ends clients that fell silent."""

_NO_IDENT = re.compile(r"[^A-Za-z0-9-]+")
"""Mongrel2's grammar of what names a server in messages."""


@dataclass(frozen=True, slots=True)
class StaticFiles:
    url: str
    """``/static/``: begins and ends with a slash."""
    path: PurePosixPath
    """Absolute, as we see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """All paths are as we see them, and absolute."""

    name: str
    """By `ident`: of the server, and both idents of its handler."""
    folder: PurePosixPath
    """Mongrel2's own."""
    chroot: bool
    """Is it Mongrel2's root directory, too?"""
    bind_addr: str
    port: int
    hosts: tuple[str, ...]
    """At least one: the first gets what is meant for no other."""
    recv: str
    """wsgid's ``--recv``."""
    send: str
    script_name: str = ""
    """Where the application lies: ``/shop``, or nothing."""
    static: tuple[StaticFiles, ...] = ()
    stream_uploads: bool = False
    """Uploads come in messages, instead of files."""
    tls: bool = False

    def seen(self, path: PurePosixPath) -> str:
        """As Mongrel2 sees it. Raises ValueError for what it cannot see."""
        if not self.chroot:
            return str(path)
        if not path.is_relative_to(self.folder):
            raise ValueError(f"{path} lies outside of {self.folder}")
        return f"/{path.relative_to(self.folder)}"

    def endpoint(self, text: str) -> str:
        """As Mongrel2 sees it. In a chroot relative, so that it is the same where Mongrel2, not started by root, runs
        without one. Raises ValueError for what it cannot see."""
        path = text.removeprefix("ipc://")
        if path == text or path.startswith("@"):
            return text
        return f"ipc://{self.seen(PurePosixPath(path)).lstrip('/')}" if self.chroot else text


def ident(text: str) -> str:
    """The nearest that Mongrel2 takes for a name."""
    return _NO_IDENT.sub("-", text).strip("-") or "wsgid"


def configuration(site: Site) -> Configuration:
    """Raises ValueError for a path that Mongrel2 cannot see."""
    return Configuration((_server(site),), _settings(site), mime_types())


def with_site(before: Configuration, server: Server, site: Site) -> Configuration:
    """The same with this site's hosts on one of its servers, in the place of those of the same name. Raises ValueError
    for a path that Mongrel2 cannot see."""
    routes = tuple(_routes(site))
    others = (host for host in server.hosts if host.name not in site.hosts)
    changed = replace(server, hosts=(*others, *(Host(name, name, routes) for name in site.hosts)))
    return replace(before, servers=tuple(changed if each is server else each for each in before.servers))


def free_ident(text: str, targets: Iterable[Target]) -> str:
    """The nearest name that neither begins an ident of these handlers nor is begun by one: ZeroMQ sends a message to
    everybody whose ident it begins with."""
    taken = {word for each in targets if isinstance(each, Handler) for word in (each.send_ident, each.recv_ident)}
    name = ident(text)
    candidates = itertools.chain([name], (f"{number}-{name}" for number in itertools.count(2)))
    return next(each for each in candidates if not any(_overlap(each, word) for word in taken if word))


def _overlap(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def guards(urls: Collection[str]) -> list[str]:
    """Routes that keep the proper prefixes of these routes for whoever has ``/``.

    Mongrel2 gives ``/s``, too, to the longer route ``/static/``, which has no such file: 404. Only a route of its own
    for each of them helps. The empty group tells wsgid that it is no script name.
    """
    prefixes = dict.fromkeys(url[:end] for url in urls for end in range(2, len(url)))
    return [f"{prefix}()(.*)" for prefix in prefixes if prefix not in urls]


def _server(site: Site) -> Server:
    routes = tuple(_routes(site))
    folder = site.folder
    return Server(
        uuid=site.name,
        name=site.name,
        bind_addr=site.bind_addr,
        port=site.port,
        default_host=site.hosts[0],
        hosts=tuple(Host(name, name, routes) for name in site.hosts),
        chroot=str(folder) if site.chroot else "",
        access_log=site.seen(folder / ACCESS_LOG),
        error_log=site.seen(folder / ERROR_LOG),
        pid_file=site.seen(folder / PID_FILE),
        control_port=site.endpoint(f"ipc://{folder / CONTROL_SOCKET}"),
        use_ssl=site.tls,
    )


def _routes(site: Site) -> Iterator[Route]:
    handler = Handler(site.endpoint(site.recv), site.name, site.endpoint(site.send), site.name, TNETSTRING)
    yield Route(site.script_name or "/", handler)
    for each in site.static:
        base = site.seen(each.path).rstrip("/") + "/"
        yield Route(each.url, Directory(base, "index.html", "application/octet-stream"))
    if not site.script_name:
        yield from (Route(path, handler) for path in guards([each.url for each in site.static]))


def _settings(site: Site) -> dict[str, str]:
    settings = dict(OWN_SETTINGS)
    if site.stream_uploads:
        settings["upload.stream"] = "1"
    else:
        settings["upload.temp_store"] = site.seen(site.folder / UPLOADS) + "/upload.XXXXXX"
    if site.tls:
        settings["certdir"] = site.seen(site.folder / CERTIFICATES) + "/"
    return settings

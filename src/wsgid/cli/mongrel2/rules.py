"""What is wrong with a configuration of Mongrel2, whoever its handlers are for. Values only: no file is looked at.

Each rule stands for something that was seen to happen with Debian's 1.12.2 (docs/mongrel2.md).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations

from wsgid.cli.checks.findings import Finding, error, warning
from wsgid.mongrel2_config.site import BUFFER_SIZE, CONTENT_LENGTH, READ_RETRIES, guards, ident
from wsgid.mongrel2_config.values import JSON, TNETSTRING, Configuration, Directory, Handler, Host, Server
from wsgid.options import nearest

DEFAULTS: Mapping[str, int] = {
    "limits.buffer_size": 4096,
    "limits.content_length": 20480,
    "limits.client_read_retries": 5,
    "limits.min_ping": 120,
    "limits.min_read_rate": 300,
    "limits.min_write_rate": 300,
    "limits.kill_limit": 2,
    "limits.tick_timer": 10,
    "download.flow_control": 0,
    "upload.stream": 0,
    "server.daemonize": 1,
    "no_clobber_xff": 0,
}
"""Of numbers, where nothing is set."""

KNOWN = (
    *DEFAULTS,
    *("limits.header_count", "limits.handler_targets", "limits.url_path", "limits.host_name", "limits.dir_max_path"),
    *("limits.dir_send_buffer", "limits.mime_ext_len", "limits.connection_stack_size", "limits.handler_stack"),
    *("limits.fdtask_stack", "limits.proxy_read_retries", "limits.proxy_read_retry_warn", "upload.temp_store"),
    *("upload.temp_store_mode", "request.relaxed", "superpoll.max_fd", "superpoll.hot_dividend", "zeromq.threads"),
    *("net.tcp_keepalive", "disable.access_logging", "control_port", "certdir", "ssl_ciphers", "ssl.ca_chain"),
    *("ssl.verify_optional", "ssl.verify_required"),
)

_NUMBER = re.compile(r"-?[0-9]+")

_IDENT = re.compile(r"[A-Za-z0-9-]+")
"""What names a handler or a server in messages, by Mongrel2's grammar."""

FEWEST_RETRIES = 20
"""Of reads of a request's head: fewer, and a slow client gets 400."""

SETTINGS, ROUTES, HANDLERS, UPLOADS, SERVER, TLS = "settings", "routes", "handlers", "uploads", "server", "tls"
"""Subjects of findings."""


def findings(configuration: Configuration, server: Server) -> Iterator[Finding]:
    yield from _keys(configuration.settings)
    settings = Settings(configuration.settings)
    yield from _not_numbers(configuration.settings)
    yield from _sizes(settings)
    yield from _reaper(settings)
    yield from _uploads(configuration.settings, settings)
    yield from _answers(settings)
    yield from _server(server, configuration.settings, settings)
    yield from _handlers(server.handlers())
    for host in server.hosts:
        yield from _routes(host)


class Settings:
    """Numbers, as C's atoi would have them, or their defaults."""

    def __init__(self, told: Mapping[str, str]) -> None:
        self._told = told

    def __getitem__(self, key: str) -> int:
        text = str(self._told.get(key, DEFAULTS[key]))
        return int(text) if _NUMBER.fullmatch(text) else 0


def _keys(told: Mapping[str, str]) -> Iterator[Finding]:
    loaded: set[str] = set()
    for key, value in told.items():
        if key[: len(value)] in loaded:
            yield error(
                SETTINGS,
                f"Mongrel2 does not start: it takes {key} for {key[: len(value)]}, since it looks at only as many "
                f"letters of a key as its value has ({len(value)})",
                f"put {key} before {key[: len(value)]}, or write its value longer or shorter",
            )
        loaded.add(key)
        if key not in KNOWN:
            yield warning(SETTINGS, f"Mongrel2 knows no setting {key}, and ignores it{nearest(key, KNOWN)}")


def _not_numbers(told: Mapping[str, str]) -> Iterator[Finding]:
    for key in DEFAULTS:
        if key in told and not _NUMBER.fullmatch(told[key]):
            yield error(SETTINGS, f"{key} is {told[key]!r}, which Mongrel2 takes for 0", "write a number")


def _sizes(settings: Settings) -> Iterator[Finding]:
    length, buffer = settings["limits.content_length"], settings["limits.buffer_size"]
    if length == 0:
        yield error(
            UPLOADS,
            "with limits.content_length=0 Mongrel2 hangs at the first upload, and does not even stop",
            f"set it to {CONTENT_LENGTH}",
        )
    elif buffer > length:
        yield error(
            UPLOADS,
            f"limits.buffer_size ({buffer}) is above limits.content_length ({length}): some uploads stall forever",
            f"raise limits.content_length to {max(buffer, CONTENT_LENGTH)}",
        )
    if buffer < 2 * DEFAULTS["limits.buffer_size"]:
        yield warning(
            SETTINGS,
            f"a request of more than {buffer} bytes of headers gets 400: cookies alone may be longer",
            f"set limits.buffer_size to {BUFFER_SIZE}",
        )
    if settings["limits.client_read_retries"] < FEWEST_RETRIES:
        pieces = settings["limits.client_read_retries"] - 2
        yield warning(
            SETTINGS,
            f"a request whose head comes in more than {pieces} pieces, as of slow clients, gets 400",
            f"set limits.client_read_retries to {READ_RETRIES}",
        )


def _reaper(settings: Settings) -> Iterator[Finding]:
    limits = ("limits.min_ping", "limits.min_read_rate", "limits.min_write_rate")
    off = [key for key in limits if settings[key] == 0]
    if settings["limits.kill_limit"] <= 0:
        yield error(
            SETTINGS, "with limits.kill_limit=0 the reaper ends every connection", "leave limits.kill_limit away"
        )
    elif off or settings["limits.kill_limit"] > DEFAULTS["limits.kill_limit"]:
        which = f"{off[0]}=0" if off else f"limits.kill_limit={settings['limits.kill_limit']}"
        yield warning(
            SETTINGS,
            f"the reaper is off ({which}): clients of requests that were lost with a daemon wait for ever",
            "leave it on: wsgid tells it of requests that take long",
        )
    elif settings["limits.min_ping"] <= settings["limits.tick_timer"]:
        yield warning(
            SETTINGS,
            f"the reaper ends requests after {settings['limits.min_ping']} s (limits.min_ping)",
            f"leave it at {DEFAULTS['limits.min_ping']}, which wsgid lengthens for requests that are served",
        )


def _uploads(told: Mapping[str, str], settings: Settings) -> Iterator[Finding]:
    store, mode = told.get("upload.temp_store", ""), told.get("upload.temp_store_mode", "")
    if settings["upload.stream"]:
        if store:
            yield warning(UPLOADS, "upload.temp_store has no effect beside upload.stream", "remove one of them")
        return
    if not store:
        length = settings["limits.content_length"]
        yield warning(
            UPLOADS,
            f"bodies above {length} bytes, and all chunked ones, get 413: there is no place for them",
            "set upload.temp_store to /FOLDER/upload.XXXXXX, or upload.stream to 1",
        )
    elif not store.endswith("XXXXXX"):
        yield error(UPLOADS, f"every upload fails: upload.temp_store {store} does not end in XXXXXX", "let it end so")
    if store and mode and not _is_octal(mode):
        yield error(
            UPLOADS,
            f"upload.temp_store_mode {mode} is not what it looks like: without a zero in front it is a decimal number",
            "write 0600, or 0640 for a common group",
        )


def _is_octal(mode: str) -> bool:
    return mode.startswith("0") and len(mode) > 1 and set(mode) <= set("01234567")


def _answers(settings: Settings) -> Iterator[Finding]:
    if not settings["download.flow_control"]:
        yield warning(
            SETTINGS,
            "download.flow_control is off: a client that reads slowly may be cut off in a large answer",
            "set it to 1, unless several daemons share a handler",
        )
    if settings["no_clobber_xff"]:
        yield warning(
            SETTINGS,
            "no_clobber_xff is on: clients choose their own X-Forwarded-For",
            "remove it, unless another front end stands before Mongrel2",
        )


def _server(server: Server, told: Mapping[str, str], settings: Settings) -> Iterator[Finding]:
    names = [host.name for host in server.hosts]
    if server.default_host not in names:
        yield error(
            SERVER,
            f"Mongrel2 does not start: default_host is {server.default_host!r}, and no host has that name",
            f"name one of: {', '.join(names) or 'there is none yet'}",
        )
    if settings["server.daemonize"]:
        yield warning(
            SERVER,
            "with a chroot it detaches, which nobody who watches it expects" if server.chroot else "it may detach",
            "set server.daemonize to 0",
        )
    if server.use_ssl and not told.get("certdir", "").endswith("/"):
        what = "does not end with a slash" if told.get("certdir") else "is not set"
        yield error(TLS, f"use_ssl is on, but certdir {what}: Mongrel2 does not start", "set it to /FOLDER/")
    for each in server.xrequests:
        if each.name.endswith("sendfile.so"):
            yield error(
                SERVER,
                "Mongrel2 does not start: Debian's sendfile.so cannot be loaded",
                "remove it: wsgi.file_wrapper is quick without it",
            )


def _handlers(handlers: Iterable[Handler]) -> Iterator[Finding]:
    for each in handlers:
        yield from _handler(each)
    for one, other in combinations(handlers, 2):
        yield from _two_handlers(one, other)


def _handler(each: Handler) -> Iterator[Finding]:
    if not each.send_ident:
        yield error(HANDLERS, f"the handler at {each.send_spec} has an empty send_ident", "give it a name of its own")
    for what, text in (("send_ident", each.send_ident), ("recv_ident", each.recv_ident)):
        if text and not _IDENT.fullmatch(text):
            yield error(
                HANDLERS,
                f"the {what} {text!r} has other characters than letters, digits and -: its messages cannot be read",
                f"write {ident(text)}",
            )
    if not each.recv_ident:
        yield warning(
            HANDLERS,
            f"the handler at {each.send_spec} has an empty recv_ident: it takes everybody's answers",
            f"set it to its send_ident, {each.send_ident}",
        )
    if each.protocol not in (JSON, TNETSTRING):
        yield error(HANDLERS, f"{each.protocol!r} is no protocol: Mongrel2 takes it for json", f"write {TNETSTRING}")
    elif each.protocol == JSON:
        yield warning(
            HANDLERS,
            f"the handler at {each.send_spec} speaks JSON, which is slower, and not always valid",
            f"set its protocol to {TNETSTRING}",
        )
    if each.send_spec == each.recv_spec:
        yield error(HANDLERS, f"send_spec and recv_spec are the same: {each.send_spec}", "take two addresses")


def _two_handlers(one: Handler, other: Handler) -> Iterator[Finding]:
    if (one.send_spec, one.recv_spec) == (other.send_spec, other.recv_spec):
        yield error(
            HANDLERS,
            f"two handlers at {one.send_spec} differ: the idents and the protocol of the first count for both",
            "write one, and use it in all routes",
        )
        return
    for address in {one.send_spec, one.recv_spec} & {other.send_spec, other.recv_spec}:
        yield error(HANDLERS, f"two handlers open {address}: one of them gets 404", "give each its own two addresses")
    if one.send_ident == other.send_ident:
        yield error(
            HANDLERS,
            f"two handlers have the send_ident {one.send_ident!r}: requests of one may be taken for the other's",
            "give each its own",
        )
    short, long = sorted((one.recv_ident, other.recv_ident), key=len)
    if short and long.startswith(short):
        yield warning(
            HANDLERS,
            f"the recv_ident {long!r} begins with another one, {short!r}, which so gets its answers, too",
            "let none begin with another",
        )


def _routes(host: Host) -> Iterator[Finding]:
    literals = {route.path.partition("(")[0]: route for route in host.routes}
    for literal, route in literals.items():
        if isinstance(route.target, Directory) and not route.target.base.endswith("/"):
            yield error(
                ROUTES,
                f"Mongrel2 does not start: the folder of {route.path}, {route.target.base}, does not end with a slash",
                f"write {route.target.base}/",
            )
        above = [each for each in literals if literal.startswith(each) and each != literal]
        if not above or literals[max(above, key=len)].target == route.target:
            continue
        taken = [each.partition("(")[0] for each in guards([literal]) if each.partition("(")[0] not in literals]
        taken = [each for each in taken if len(each) > len(max(above, key=len))]
        if taken:
            yield warning(
                ROUTES,
                f"{host.name}: the route {route.path} also gets requests for {_shown(taken)}, which begin it",
                f"give each a route of its own to the handler, such as {taken[0]}()(.*)",
            )


def _shown(paths: list[str]) -> str:
    return paths[0] if len(paths) == 1 else f"{paths[0]} to {paths[-1]}"

"""Do a configuration of Mongrel2 and the options of wsgid go together? Values only: no file is looked at."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from wsgid.cli.checks.findings import Finding, error, ok, warning
from wsgid.cli.mongrel2.rules import HANDLERS, SERVER, SETTINGS, UPLOADS
from wsgid.config import Config
from wsgid.mongrel2_config.values import Handler, Server
from wsgid.mongrel2_config.whereabouts import Whereabouts

_WILDCARDS = ("*", "0.0.0.0", "[::]")
"""Hosts that Mongrel2 may open and nobody can connect to."""
_LOOPBACK = "127.0.0.1"


def findings(server: Server, told: Mapping[str, str], config: Config, where: Whereabouts) -> Iterator[Finding]:
    """``told``: Mongrel2's settings."""
    yield from _addresses(server, config, where)
    yield from _chroot(server, told, config)
    yield from _shared(told, config)
    yield from _script_name(server, config, where)


def _addresses(server: Server, config: Config, where: Whereabouts) -> Iterator[Finding]:
    handlers = {(where.endpoint(each.send_spec), where.endpoint(each.recv_spec)): each for each in server.handlers()}
    if not config.recv:
        remedies = [f"wsgid config --recv {send_spec} --send {recv_spec}" for send_spec, recv_spec in handlers]
        remedy = remedies[0] if remedies else "give one of its routes a handler"
        yield error(HANDLERS, "wsgid has no --recv and --send: it takes nothing from Mongrel2", remedy)
        return
    served: set[Handler] = set()
    for recv, send in zip(config.recv, config.send, strict=True):
        found = _found(recv, send, handlers)
        if isinstance(found, Finding):
            yield found
        else:
            served.add(found)
            yield ok(HANDLERS, f"{recv} and {send} are those of the handler {found.send_ident}")
    for each in server.handlers():
        if each not in served:
            yield warning(
                HANDLERS,
                f"this app folder does not serve the handler {each.send_ident} ({each.send_spec})",
                "let another daemon do so: its requests wait for ever otherwise",
            )


def _found(recv: str, send: str, handlers: Mapping[tuple[str, str], Handler]) -> Handler | Finding:
    for (send_spec, recv_spec), handler in handlers.items():
        if _same(recv, send_spec) and _same(send, recv_spec):
            return handler
    for send_spec, recv_spec in handlers:
        if _same(recv, recv_spec) and _same(send, send_spec):
            return error(
                HANDLERS,
                f"--recv and --send are swapped: {recv} is Mongrel2's recv_spec, and wsgid's --send",
                f"wsgid config --recv {send} --send {recv}",
            )
    for send_spec, recv_spec in handlers:
        if _same(recv, send_spec):
            return error(
                HANDLERS,
                f"answers go to {send}, and the handler takes them at {recv_spec}",
                f"wsgid config --recv {recv} --send {recv_spec}",
            )
    known = ", ".join(f"--recv {send_spec} --send {recv_spec}" for send_spec, recv_spec in handlers) or "none"
    return error(HANDLERS, f"no handler of Mongrel2 sends to {recv}", f"there is: {known}")


def _same(ours: str, theirs: str) -> bool:
    """Is what we connect to what Mongrel2 opens?"""
    ours, theirs = (each.replace("//localhost:", f"//{_LOOPBACK}:") for each in (ours, theirs))
    if ours == theirs:
        return True
    opened, _, port = theirs.removeprefix("tcp://").rpartition(":")
    return theirs.startswith("tcp://") and opened in _WILDCARDS and ours.endswith(f":{port}")


def _chroot(server: Server, told: Mapping[str, str], config: Config) -> Iterator[Finding]:
    store = told.get("upload.temp_store", "")
    if not store or told.get("upload.stream") == "1":
        return
    ours, theirs = config.mongrel2_chroot, server.chroot
    if theirs and Path(theirs).resolve() == Path("/"):
        return  # to be changed there, not here: see `wsgid.cli.mongrel2.trust`
    if theirs and ours is None:
        yield error(
            UPLOADS,
            f"Mongrel2 runs in {theirs}, so that its {store} is {theirs}{store} to wsgid, which does not know",
            f"wsgid config --mongrel2-chroot {theirs}",
        )
    elif not theirs and ours is not None and store.startswith("/"):
        yield error(
            UPLOADS,
            f"wsgid looks for uploads below {ours}, and Mongrel2 has no chroot",
            "wsgid config --unset mongrel2_chroot",
        )
    elif theirs and ours is not None and ours.resolve() != Path(theirs).resolve():
        yield error(
            UPLOADS,
            f"wsgid looks for uploads below {ours}, and Mongrel2 runs in {theirs}",
            f"wsgid config --mongrel2-chroot {theirs}",
        )


def _shared(told: Mapping[str, str], config: Config) -> Iterator[Finding]:
    for key in ("upload.stream", "download.flow_control"):
        if config.shared_handler and told.get(key, "0") not in ("", "0"):
            yield error(
                SETTINGS,
                f"with --shared-handler nobody gets along with {key}: such requests get 501",
                f"remove {key}, or give each daemon a handler of its own and leave --shared-handler away",
            )


def _script_name(server: Server, config: Config, where: Whereabouts) -> Iterator[Finding]:
    if not config.script_name:
        return
    routes = {
        route.path.partition("(")[0].rstrip("/")
        for _, route in server.routes()
        if isinstance(route.target, Handler) and _is_ours(route.target, config, where)
    }
    if routes and config.script_name not in routes:
        yield warning(
            SERVER,
            f"--script-name {config.script_name} counts for HTTP; here the application lies at "
            f"{', '.join(sorted(each or '/' for each in routes))}",
            f"give it the route {config.script_name}",
        )


def _is_ours(handler: Handler, config: Config, where: Whereabouts) -> bool:
    return any(_same(recv, where.endpoint(handler.send_spec)) for recv in config.recv)

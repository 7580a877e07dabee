"""``wsgid mongrel2 check``: compares a configuration of Mongrel2, and a running one, with our options."""

import os
from collections.abc import Iterator
from pathlib import Path

from wsgid.cli.check import tell
from wsgid.cli.checks.findings import Finding, error, ok, refusal, warning
from wsgid.cli.complaints import CannotDo
from wsgid.cli.mongrel2 import agreement, rules, trust
from wsgid.cli.mongrel2.control_port import ControlPort, NotRunning, Row, Unanswered
from wsgid.cli.mongrel2.own_files import daemons_user
from wsgid.cli.mongrel2.place import config_file, read, server
from wsgid.cli.mongrel2.rules import HANDLERS, ROUTES, SERVER, TLS, UPLOADS
from wsgid.cli.mongrel2.wanted import not_a_pair, not_free
from wsgid.config import Config
from wsgid.config_sources import ConfigError, load
from wsgid.interfaces.commands import CommandOptions
from wsgid.master.rights import ROOT
from wsgid.mongrel2_config.values import Configuration, Directory, Server
from wsgid.mongrel2_config.whereabouts import Whereabouts

RUNNING = "running"

IPC = "ipc://"

WRITE_AND_SEARCH = 0o3
"""Of one of the three digits of a mode."""


def check(options: CommandOptions) -> int:
    """Returns the exit code."""
    return tell(list(_all(options)), as_json=options.json)


def _all(options: CommandOptions) -> Iterator[Finding]:
    try:
        config = load(options.told, os.environ).config
    except ConfigError as wrong:
        yield from (refusal("options", each) for each in wrong.errors)
        return
    file = config_file(config.app_path, options.config)
    try:
        configuration = read(file)
        chosen = server(configuration, file, options.server)
    except CannotDo as wrong:
        yield refusal(SERVER, wrong)
        return
    where = Whereabouts(chosen, file.parent)
    yield from rules.findings(configuration, chosen)
    yield from agreement.findings(chosen, configuration.settings, config, where)
    if chosen.chroot:
        yield from (error(SERVER, text, remedy) for text, remedy in trust.doubts(file, where.cwd))
    yield from _files(configuration, chosen, config, where)
    yield from _running(configuration, chosen, where)


def _files(configuration: Configuration, chosen: Server, config: Config, where: Whereabouts) -> Iterator[Finding]:
    for what, path in (
        ("error_log", where.error_log),
        ("access_log", where.access_log),
        ("pid_file", where.pid_file),
    ):
        if not os.path.isdir(path.parent):
            yield error(
                SERVER, f"Mongrel2 does not start: its {what} is to be in {path.parent}, which is no folder", "make it"
            )
    yield from _sockets(configuration, chosen, config, where)
    static = {(each.path, each.target.base) for _, each in chosen.routes() if isinstance(each.target, Directory)}
    for url, base in sorted(static):
        if not os.path.isdir(folder := where.path(base)):
            yield warning(ROUTES, f"{url} gets 404: {folder} is no folder", "make it, and fill it")
    if store := configuration.settings.get("upload.temp_store"):
        yield from _store(where.path(store).parent, configuration, chosen, config)
    if chosen.use_ssl and (directory := configuration.settings.get("certdir")):
        # Mongrel2 1.12.2 puts the chroot before it, although it reads them before it goes there.
        pair = [where.path(f"{directory}{chosen.uuid}.{suffix}") for suffix in ("crt", "key")]
        for path in pair:
            if not os.path.exists(path):
                yield error(TLS, f"Mongrel2 does not start: {path} is not there", "put the PEM file there")
        if all(os.access(path, os.R_OK) for path in pair) and (problem := not_a_pair(*pair)):
            yield error(TLS, f"Mongrel2 does not serve: {problem}", "put the two there that belong together")


def _sockets(configuration: Configuration, chosen: Server, config: Config, where: Whereabouts) -> Iterator[Finding]:
    """Where one cannot be opened, Mongrel2 starts all the same, and nobody hears of its requests."""
    specs = [spec for each in chosen.handlers() for spec in (each.send_spec, each.recv_spec)]
    endpoints = [*map(where.endpoint, specs), where.control_port(configuration)]
    paths = (each.removeprefix(IPC) for each in endpoints if each.startswith(IPC) and not each.startswith(f"{IPC}@"))
    for folder in dict.fromkeys(Path(each).parent for each in paths):
        if not folder.is_dir():
            yield error(HANDLERS, f"no socket can be opened in {folder}, which is no folder", "make it")
        elif not _may_write(folder, chosen, config, where):
            yield error(HANDLERS, f"Mongrel2's user may not make sockets in {folder}", "give that user the folder")


def _may_write(folder: Path, chosen: Server, config: Config, where: Whereabouts) -> bool:
    daemon = daemons_user(config)
    if chosen.chroot and where.cwd.is_dir():
        owner = os.stat(where.cwd)
        uid, groups = owner.st_uid, {owner.st_gid}
    elif daemon is not None:
        uid, groups = daemon.uid, {daemon.gid, *daemon.groups}
    else:
        uid, groups = os.geteuid(), {os.getegid(), *os.getgroups()}
    found = os.stat(folder)
    shift = 6 if found.st_uid == uid else 3 if found.st_gid in groups else 0
    return uid == ROOT or (found.st_mode >> shift) & WRITE_AND_SEARCH == WRITE_AND_SEARCH


def _store(folder: Path, configuration: Configuration, chosen: Server, config: Config) -> Iterator[Finding]:
    try:
        found = os.stat(folder)
    except OSError as wrong:
        yield error(UPLOADS, f"every upload fails: {folder}: {wrong.strerror}", "make the folder, for Mongrel2's user")
        return
    daemon = daemons_user(config)
    ours = os.geteuid() if daemon is None else daemon.uid
    theirs = os.stat(chosen.chroot).st_uid if chosen.chroot and os.path.isdir(chosen.chroot) else found.st_uid
    private = configuration.settings.get("upload.temp_store_mode", "0600") == "0600"
    if private and ours not in (theirs, ROOT):
        yield error(
            UPLOADS,
            f"uploads in {folder} will be user {theirs}'s alone, and wsgid, user {ours}, cannot read them",
            "run both as one user, or set upload.temp_store_mode to 0640 and give both a common group",
        )
    else:
        yield ok(UPLOADS, f"go to files in {folder}")


def _running(configuration: Configuration, chosen: Server, where: Whereabouts) -> Iterator[Finding]:
    try:
        [told] = ControlPort(where.control_port(configuration)).ask("info")
    except NotRunning:
        if problem := not_free(chosen.bind_addr, chosen.port):
            yield error(RUNNING, f"port {chosen.port} cannot be opened: {problem}", "stop that, or choose another port")
        else:
            yield ok(RUNNING, "it does not run; its port is free")
    except Unanswered as wrong:
        yield warning(RUNNING, str(wrong))
    else:
        yield from _changed(told, chosen)


def _changed(told: Row, chosen: Server) -> Iterator[Finding]:
    """Mongrel2 reads its configuration once. Of its settings and routes it does not tell."""
    now = {
        "uuid": chosen.uuid,
        "port": chosen.port,
        "bind_addr": chosen.bind_addr,
        "chroot": chosen.chroot,
        "default_hostname": chosen.default_host,
    }
    for name, value in now.items():
        if told.get(name) != value:
            yield warning(
                RUNNING,
                f"it was started with {name} {told.get(name)!r}, and the file now has {value!r}",
                "start it anew: it reads its configuration only then",
            )
    yield ok(RUNNING, f"it runs, as {told.get('uuid')} on port {told.get('port')}")

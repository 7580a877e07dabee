"""``wsgid mongrel2 add``: one more site for a Mongrel2 that has one already."""

import os
import shlex
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from wsgid.app import WsgidApp
from wsgid.cli.complaints import EXIT_REFUSED, CannotDo, complain
from wsgid.cli.mongrel2 import app_side, own_files, wanted
from wsgid.cli.mongrel2.init import folder_options, routes_as_text
from wsgid.cli.mongrel2.place import config_file, read, server
from wsgid.config import Config
from wsgid.interfaces.commands import CommandOptions
from wsgid.master.rights import ROOT, Identity
from wsgid.mongrel2_config.site import Site, free_ident, with_site
from wsgid.mongrel2_config.values import Server
from wsgid.mongrel2_config.whereabouts import Whereabouts


def add(options: CommandOptions) -> int:
    """Returns the exit code. Raises CannotDo."""
    if not options.config or not options.host:
        raise CannotDo("name Mongrel2's file by --config, and the new site by --host", exit_code=EXIT_REFUSED)
    config, _ = app_side.options_of(options)
    app = WsgidApp(config.app_path)
    file = config_file(config.app_path, options.config)
    before = read(file)
    chosen = server(before, file, options.server)
    _check_hosts(chosen, options)
    identity = own_files.daemons_user(config)
    files, notes = app_side.static_files(options, config, identity)
    site = replace(_site(options, config, chosen, Whereabouts(chosen, file.parent)), static=tuple(files))
    _check_users(site, identity, file)
    own_files.replace(file, lambda: with_site(before, chosen, site))
    app_side.save_addresses(site, app)
    print("\n".join(_report(site, file, app, options)))
    complain(notes)
    return 0


def _check_hosts(chosen: Server, options: CommandOptions) -> None:
    taken = sorted({host.name for host in chosen.hosts} & set(options.host))
    if taken and not options.force:
        raise CannotDo(f"{chosen.uuid} has the host {taken[0]} already: --force replaces its routes")


def _site(options: CommandOptions, config: Config, chosen: Server, where: Whereabouts) -> Site:
    """Raises CannotDo."""
    staying = [host for host in chosen.hosts if host.name not in options.host]
    name = free_ident(config.app_path.name, (route.target for host in staying for route in host.routes))
    run = where.pid_file.parent
    recv, send = wanted.endpoints(options, config, run / f"{name}-requests", run / f"{name}-answers")
    return Site(
        name=name,
        folder=PurePosixPath(where.cwd),
        chroot=bool(chosen.chroot),
        bind_addr=chosen.bind_addr,
        port=chosen.port,
        hosts=tuple(dict.fromkeys(options.host)),
        recv=recv,
        send=send,
        script_name=config.script_name,
    )


def _check_users(site: Site, daemon: Identity | None, file: Path) -> None:
    """Mongrel2's sockets are open to its own user only, and to root. Raises CannotDo."""
    ours = os.geteuid() if daemon is None else daemon.uid
    theirs = os.stat(site.folder if site.chroot else file.parent).st_uid
    if site.recv.startswith("ipc://") and ours not in (theirs, ROOT):
        raise CannotDo(
            f"Mongrel2 is user {theirs}'s, and this app folder user {ours}'s, who cannot reach its sockets: name TCP "
            "addresses, such as --recv tcp://127.0.0.1:7101 --send tcp://127.0.0.1:7102",
            exit_code=EXIT_REFUSED,
        )


def _report(site: Site, file: Path, app: WsgidApp, options: CommandOptions) -> Iterable[str]:
    yield f"{file}: {', '.join(site.hosts)}"
    yield from routes_as_text(site)
    yield f"{app.options_file}: the addresses, so that `wsgid` finds them"
    yield from ("", "Start Mongrel2 anew, for it reads its configuration only then, and wsgid:", "")
    yield f"  {shlex.join(['wsgid', *folder_options(options)])}"

"""``wsgid mongrel2 init``: a configuration of Mongrel2 for an app folder, and our own addresses to go with it."""

import os
import shlex
from collections.abc import Iterable
from pathlib import Path

from wsgid.app import WsgidApp
from wsgid.cli.complaints import CannotDo, complain
from wsgid.cli.mongrel2 import app_side, own_files, wanted
from wsgid.cli.mongrel2.place import config_file, own_folder
from wsgid.interfaces.commands import CommandOptions
from wsgid.master.rights import ROOT, Identity
from wsgid.mongrel2_config.site import UPLOADS, Site


def init(options: CommandOptions) -> int:
    """Returns the exit code. Raises CannotDo."""
    config, chroot = app_side.options_of(options)
    app = WsgidApp(config.app_path)
    file = config_file(app.path, options.config)
    if file.exists() and not options.force:
        raise CannotDo(f"{file} is there already: `wsgid mongrel2 check` examines it, --force replaces it")
    certificate = wanted.certificate(options)
    identity = own_files.daemons_user(config)
    files, notes = app_side.static_files(options, config, identity)
    site = wanted.site(options, config, chroot or own_folder(app), files, chroot=chroot is not None)
    wanted.check_free(site)
    own_files.write(site, file, certificate, identity)
    app_side.save_addresses(site, app)
    print("\n".join(_report(site, file, app, options)))
    complain([*notes, *_as_root(identity)])
    return 0


def routes_as_text(site: Site) -> Iterable[str]:
    yield f"  {site.script_name or '/'} the application, by {site.recv} and {site.send}"
    yield from (f"  {each.url} the files in {each.path}" for each in site.static)


def folder_options(options: CommandOptions) -> list[str]:
    """For a command that acts on the same app folder."""
    return ["--app-path", str(options.told["app_path"])] if "app_path" in options.told else []


def _as_root(identity: Identity | None) -> list[str]:
    if os.geteuid() != ROOT or identity is not None:
        return []
    return ["root owns the app folder, so Mongrel2 and wsgid would run as root: name somebody by wsgid config --user"]


def _report(site: Site, file: Path, app: WsgidApp, options: CommandOptions) -> Iterable[str]:
    scheme = "https" if site.tls else "http"
    host = f"[{site.bind_addr}]" if ":" in site.bind_addr else site.bind_addr
    yield f"{file}: Mongrel2 on {scheme}://{host}:{site.port}"
    yield from routes_as_text(site)
    yield f"  uploads {'in parts' if site.stream_uploads else f'in {site.folder / UPLOADS}'}"
    yield f"{app.options_file}: the addresses, so that `wsgid` finds them"
    folder = folder_options(options)
    named = ["--config", str(file)] if options.config else []
    yield from ("", "Start both:", "", f"  {shlex.join(['wsgid', 'mongrel2', 'run', *folder, *named])}")
    yield f"  {shlex.join(['wsgid', *folder])}"

"""``wsgid mongrel2 init``: a configuration of Mongrel2 for an app folder, and our own addresses to go with it."""

import os
import shlex
from collections.abc import Iterable
from pathlib import Path

from wsgid.app import WsgidApp
from wsgid.cli import saved_options
from wsgid.cli.complaints import EXIT_REFUSED, CannotDo, complain
from wsgid.cli.mongrel2 import own_files, static, wanted
from wsgid.cli.mongrel2.place import FILE, own_folder
from wsgid.config import Config
from wsgid.config_sources import ConfigError, load, read_saved
from wsgid.interfaces.commands import CommandOptions
from wsgid.master.rights import ROOT, Identity
from wsgid.mongrel2_config.site import UPLOADS, Site


def init(options: CommandOptions) -> int:
    """Returns the exit code. Raises CannotDo."""
    config, chroot = _load(options)
    app = WsgidApp(config.app_path)
    file = own_folder(app) / FILE
    if file.exists() and not options.force:
        raise CannotDo(f"{file} is there already: `wsgid mongrel2 check` examines it, --force replaces it")
    certificate = wanted.certificate(options)
    identity = own_files.daemons_user(config)
    named = static.named(options.static, Path.cwd())
    found, notes = ([], []) if options.no_static else static.of_django(config, identity)
    taken = {each.url for each in named}
    files = [*named, *(each for each in found if each.url not in taken)]
    site = wanted.site(options, config, chroot or own_folder(app), files, chroot=chroot is not None)
    wanted.check_free(site)
    own_files.write(site, app, certificate, identity)
    _save(site, app)
    print("\n".join(_report(site, app, options)))
    complain([*notes, *static.missing(files), *_as_root(identity)])
    return 0


def _load(options: CommandOptions) -> tuple[Config, Path | None]:
    """Also the directory for a chroot, which need not be there yet. Raises CannotDo."""
    told = dict(options.told)
    named = told.pop("mongrel2_chroot", None)
    try:
        config = load(told, os.environ).config
    except ConfigError as error:
        raise CannotDo(*error.errors, exit_code=EXIT_REFUSED) from None
    if not WsgidApp(config.app_path).is_valid():
        raise CannotDo(
            f"{config.app_path} is no app folder: `wsgid init` makes one, --app-path names another",
            exit_code=EXIT_REFUSED,
        )
    return config, Path(str(named)).absolute() if named else config.mongrel2_chroot


def _save(site: Site, app: WsgidApp) -> None:
    """Raises CannotDo."""
    with saved_options.alone(app.path):
        try:
            saved = read_saved(app.path)
        except ConfigError as error:
            raise CannotDo(*error.errors) from None
        saved |= {"recv": [site.recv], "send": [site.send]}
        saved.pop("mongrel2_chroot", None)
        if site.chroot:
            saved["mongrel2_chroot"] = str(site.folder)
        saved_options.write(app.path, saved)


def _as_root(identity: Identity | None) -> list[str]:
    if os.geteuid() != ROOT or identity is not None:
        return []
    return ["root owns the app folder, so Mongrel2 and wsgid would run as root: name somebody by wsgid config --user"]


def _report(site: Site, app: WsgidApp, options: CommandOptions) -> Iterable[str]:
    scheme = "https" if site.tls else "http"
    host = f"[{site.bind_addr}]" if ":" in site.bind_addr else site.bind_addr
    yield f"{own_folder(app) / FILE}: Mongrel2 on {scheme}://{host}:{site.port}"
    yield f"  {site.script_name or '/'} the application, by {site.recv} and {site.send}"
    yield from (f"  {each.url} the files in {each.path}" for each in site.static)
    yield f"  uploads {'in parts' if site.stream_uploads else f'in {site.folder / UPLOADS}'}"
    yield f"{app.options_file}: the addresses, so that `wsgid` finds them"
    folder = ["--app-path", str(options.told["app_path"])] if "app_path" in options.told else []
    yield from ("", "Start both:", "", f"  {shlex.join(['wsgid', 'mongrel2', 'run', *folder])}")
    yield f"  {shlex.join(['wsgid', *folder])}"

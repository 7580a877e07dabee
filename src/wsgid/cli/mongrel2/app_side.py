"""The app folder's side of a configuration of Mongrel2: its options, its static files, and the addresses it is told."""

import os
from collections.abc import Sequence
from pathlib import Path

from wsgid.app import WsgidApp
from wsgid.cli import saved_options
from wsgid.cli.complaints import EXIT_REFUSED, CannotDo
from wsgid.cli.mongrel2 import static
from wsgid.config import Config
from wsgid.config_sources import ConfigError, load, read_saved
from wsgid.interfaces.commands import CommandOptions
from wsgid.master.rights import Identity
from wsgid.mongrel2_config.site import Site, StaticFiles

CHROOT = "mongrel2_chroot"

NO_CHROOT = ("", "none")
"""What --mongrel2-chroot says to leave a saved one."""


def options_of(options: CommandOptions) -> tuple[Config, Path | None]:
    """Also the directory for a chroot, which need not be there yet. Raises CannotDo."""
    told = dict(options.told)
    named = told.pop(CHROOT, None)
    try:
        config = load(told, os.environ).config
    except ConfigError as error:
        raise CannotDo(*error.errors, exit_code=EXIT_REFUSED) from None
    if not WsgidApp(config.app_path).is_valid():
        raise CannotDo(
            f"{config.app_path} is no app folder: `wsgid init` makes one, --app-path names another",
            exit_code=EXIT_REFUSED,
        )
    if named is None:
        return config, config.mongrel2_chroot
    return config, Path(str(named)).absolute() if str(named) not in NO_CHROOT else None


def static_files(
    options: CommandOptions, config: Config, identity: Identity | None
) -> tuple[Sequence[StaticFiles], list[str]]:
    """Those that are named, Django's, and what is to be said of them. Raises CannotDo."""
    named = static.named(options.static, Path.cwd())
    found, notes = ([], []) if options.no_static else static.of_django(config, identity)
    taken = {each.url for each in named}
    files = [*named, *(each for each in found if each.url not in taken)]
    return files, [*notes, *static.missing(files)]


def save_addresses(site: Site, app: WsgidApp) -> None:
    """In wsgid.json. Raises CannotDo."""
    with saved_options.alone(app.path):
        try:
            saved = read_saved(app.path)
        except ConfigError as error:
            raise CannotDo(*error.errors) from None
        saved |= {"recv": [site.recv], "send": [site.send]}
        saved.pop(CHROOT, None)
        if site.chroot:
            saved[CHROOT] = str(site.folder)
        saved_options.write(app.path, saved)

"""Where the configuration of an app folder's Mongrel2 is, and which of its servers is meant."""

import os
from pathlib import Path

from wsgid.app import WsgidApp
from wsgid.cli.complaints import EXIT_REFUSED, CannotDo
from wsgid.mongrel2_config import database
from wsgid.mongrel2_config.values import Configuration, Server

FOLDER, FILE = "mongrel2", "config.sqlite"


def own_folder(app: WsgidApp) -> Path:
    """Mongrel2's, in the app folder."""
    return app.path / FOLDER


def config_file(app_path: Path, named: str | None) -> Path:
    """``named``: what --config says."""
    return Path(named).absolute() if named else own_folder(WsgidApp(app_path)) / FILE


def read(file: Path) -> Configuration:
    """Raises CannotDo."""
    if not os.path.exists(file):
        raise CannotDo(f"{file} is not there: `wsgid mongrel2 init` writes one, --config names another")
    try:
        return database.read(file)
    except database.DatabaseError as error:
        raise CannotDo(str(error)) from None


def server(configuration: Configuration, file: Path, uuid: str | None) -> Server:
    """The only one, or the one that is named. Raises CannotDo."""
    found = [each for each in configuration.servers if uuid in (None, each.uuid)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(each.uuid for each in configuration.servers) or "none"
    if uuid is None and found:
        raise CannotDo(f"{file} has several servers, name one by --server: {names}", exit_code=EXIT_REFUSED)
    which = "" if uuid is None else f" {uuid}"
    raise CannotDo(f"{file} has no server{which}; there is: {names}", exit_code=EXIT_REFUSED)

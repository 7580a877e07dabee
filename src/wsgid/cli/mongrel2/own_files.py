"""What Mongrel2 gets in the file system: its folders, its configuration, its certificate.

All of it belongs to the user who the daemon is, for Mongrel2 runs as that user as well: so the daemon can reach its
sockets, and open and remove the files of uploads.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from wsgid.app import OPEN_MODE, RUN_MODE, MakeFolder, WsgidApp, make_folder
from wsgid.cli.complaints import CannotDo
from wsgid.cli.mongrel2.place import FILE, own_folder
from wsgid.cli.mongrel2.wanted import Certificate
from wsgid.config import Config
from wsgid.master import rights
from wsgid.master.errors import CannotStart
from wsgid.master.rights import Identity
from wsgid.mongrel2_config import database
from wsgid.mongrel2_config.site import CERTIFICATES, LOGS, RUN, UPLOADS, Site, configuration
from wsgid.mongrel2_config.values import Configuration

PRIVATE = 0o600
"""Of certificates' keys."""


def daemons_user(config: Config) -> Identity | None:
    """Whom the daemon becomes; None when it stays who we are. Raises CannotDo."""
    try:
        return rights.find_identity(config.user, config.group, config.app_path)
    except CannotStart as error:
        raise CannotDo(str(error)) from None


def write(site: Site, app: WsgidApp, certificate: Certificate | None, identity: Identity | None) -> None:
    """``identity``: by `daemons_user`. Raises CannotDo."""
    made = _seen_by_mongrel2(lambda: configuration(site))
    with _made_as(identity) as make:
        _make_folders(site, app, make)
        if certificate is not None:
            _write_certificate(certificate, Path(site.folder, CERTIFICATES), site.name)
        database.write(own_folder(app) / FILE, made)


def replace(file: Path, make: Callable[[], Configuration]) -> None:
    """A configuration that is there, by the user whose folder it lies in. Raises CannotDo."""
    made = _seen_by_mongrel2(make)
    try:
        identity = rights.find_identity(None, None, file.parent)
    except CannotStart as error:
        raise CannotDo(str(error)) from None
    with _made_as(identity):
        database.write(file, made)


def _seen_by_mongrel2(make: Callable[[], Configuration]) -> Configuration:
    """Raises CannotDo."""
    try:
        return make()
    except ValueError as error:
        raise CannotDo(
            f"Mongrel2 has a root directory of its own, and what lies outside it cannot see: {error}. Move it, mount "
            "it in there (mount --bind), or do without --mongrel2-chroot"
        ) from None


def _make_folders(site: Site, app: WsgidApp, make: MakeFolder) -> None:
    """Raises OSError."""
    folder = Path(site.folder)
    wanted = {own_folder(app): OPEN_MODE, folder: OPEN_MODE, folder / LOGS: OPEN_MODE, folder / RUN: RUN_MODE}
    if not site.stream_uploads:
        wanted[folder / UPLOADS] = RUN_MODE
    if site.tls:
        wanted[folder / CERTIFICATES] = RUN_MODE
    for path, mode in wanted.items():
        if not path.is_dir():
            make(path, mode)


def _write_certificate(certificate: Certificate, folder: Path, name: str) -> None:
    """By the names under which Mongrel2 looks for them. Copies: its user may not read the originals. Raises OSError."""
    for content, suffix in ((certificate.cert, "crt"), (certificate.key, "key")):
        target = folder / f"{name}.{suffix}"
        target.unlink(missing_ok=True)
        with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE), "wb") as file:
            file.write(content)


@contextlib.contextmanager
def _made_as(identity: Identity | None) -> Iterator[MakeFolder]:
    """Within it, files are made as this user. Raises CannotDo, also for an OSError within."""
    try:
        if identity is None:
            yield make_folder
            return
        rights.join_groups(identity)
        with rights.files_of(identity):
            yield partial(rights.make_folder, identity=identity)
    except CannotStart as error:
        raise CannotDo(str(error)) from None
    except OSError as error:
        raise CannotDo(f"{error.filename} cannot be written: {error.strerror}") from None

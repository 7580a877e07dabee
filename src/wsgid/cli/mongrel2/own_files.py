"""What Mongrel2 gets in the file system: its folders, its configuration, its certificate.

All of it belongs to the user who the daemon is, for Mongrel2 runs as that user as well: so the daemon can reach its
sockets, and open and remove the files of uploads. Only a configuration with a chroot is root's (see
`wsgid.cli.mongrel2.trust`).
"""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from wsgid.app import OPEN_MODE, RUN_MODE, MakeFolder, make_folder
from wsgid.cli.complaints import CannotDo
from wsgid.cli.mongrel2 import trust
from wsgid.cli.mongrel2.wanted import Certificate
from wsgid.config import Config
from wsgid.master import rights
from wsgid.master.errors import CannotStart
from wsgid.master.rights import ROOT, Identity
from wsgid.mongrel2_config import database
from wsgid.mongrel2_config.site import CERTIFICATES, LOGS, RUN, UPLOADS, Site, configuration
from wsgid.mongrel2_config.values import Configuration

PRIVATE = 0o600
"""Of certificates' keys."""

READABLE = 0o644
"""Of root's configuration: `wsgid mongrel2 check` is for everybody."""


def daemons_user(config: Config) -> Identity | None:
    """Whom the daemon becomes; None when it stays who we are. Raises CannotDo."""
    try:
        return rights.find_identity(config.user, config.group, config.app_path)
    except CannotStart as error:
        raise CannotDo(str(error)) from None


def write(site: Site, file: Path, certificate: Certificate | None, identity: Identity | None) -> None:
    """``identity``: by `daemons_user`. Raises CannotDo."""
    made = _seen_by_mongrel2(lambda: configuration(site))
    if site.chroot and os.geteuid() == ROOT:
        _write_as_root(site, file, made, certificate, identity)
        return
    with _made_as(identity) as make:
        _make_folders([(file.parent, OPEN_MODE), *_folders(site)], make)
        _write_certificate(site, certificate)
        database.write(file, made)


def _write_as_root(
    site: Site, file: Path, made: Configuration, certificate: Certificate | None, identity: Identity | None
) -> None:
    """What Mongrel2 writes to is its user's; what root will believe is root's. Raises CannotDo."""
    if identity is None or identity.uid == ROOT:
        raise CannotDo(
            "Mongrel2 becomes the owner of its chroot, and by the app folder's owner that would be root: name somebody "
            "else by --user, and by wsgid config --user for the daemon"
        )
    _check_trust(file.parent if file.parent.is_dir() else file.parent.parent)
    with _made_as(None) as make:
        _make_folders([(file.parent, OPEN_MODE)], make)
    chroot = Path(site.folder)
    with _made_as(identity) as make:
        _make_folders([(chroot, OPEN_MODE)], make)
    _check_chroot(chroot, identity)
    with _made_as(identity) as make:
        _make_folders(_folders(site), make)
        _write_certificate(site, certificate)
    with _made_as(None):
        database.write(file, made)
        file.chmod(READABLE)


def _check_trust(folder: Path) -> None:
    """Raises CannotDo."""
    try:
        culprit = trust.changeable(folder, strictly=True)
    except OSError as error:
        raise CannotDo(f"{error.filename}: {error.strerror}") from None
    if culprit:
        raise CannotDo(
            f"root cannot trust what lies in {folder}: others than root may change {culprit}; write the configuration "
            "to another place, such as --config /etc/mongrel2-mysite.sqlite, or do without a chroot"
        )


def _check_chroot(chroot: Path, identity: Identity) -> None:
    """Raises CannotDo."""
    for text, remedy in trust.doubts_of_chroot(chroot):
        raise CannotDo(f"{text}: {remedy}")
    owner = os.stat(chroot).st_uid
    if owner != identity.uid:
        raise CannotDo(
            f"Mongrel2 would become user {owner}, who owns {chroot}, and the daemon is {identity}: give the chroot to "
            "that user (chown), or name its owner by --user"
        )


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


def _folders(site: Site) -> Iterator[tuple[Path, int]]:
    """Mongrel2's own, with their modes."""
    folder = Path(site.folder)
    yield from ((folder, OPEN_MODE), (folder / LOGS, OPEN_MODE), (folder / RUN, RUN_MODE))
    if not site.stream_uploads:
        yield folder / UPLOADS, RUN_MODE
    if site.tls:
        yield folder / CERTIFICATES, RUN_MODE


def _make_folders(wanted: Iterable[tuple[Path, int]], make: MakeFolder) -> None:
    """Raises OSError."""
    for path, mode in wanted:
        if not path.is_dir():
            make(path, mode)


def _write_certificate(site: Site, certificate: Certificate | None) -> None:
    """By the names under which Mongrel2 looks for them. Copies: its user may not read the originals. Raises OSError."""
    if certificate is None:
        return
    folder, name = Path(site.folder, CERTIFICATES), site.name
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

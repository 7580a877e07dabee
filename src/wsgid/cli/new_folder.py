"""Makes what an app folder lacks, and touches nothing that is there.

Root makes the code in a folder of its own as root: that the daemon cannot change its own code is the safer set-up. What
a daemon writes to is given to the user whom it will be. In a folder of somebody else's root does nothing by its own
rights: all is made as that user, so that a link which they have put there leads no further than they come themselves.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

from wsgid.app import OPEN_MODE, RUN_MODE, MakeFolder, WsgidApp, make_folder
from wsgid.cli.complaints import CannotDo
from wsgid.master import reach, rights
from wsgid.master.errors import CannotStart
from wsgid.master.rights import ROOT, Identity

MASK_OF_ROOT = 0o022
"""Others must be able to read what root makes here, whatever its own umask."""

PRIVATE, SHARED_WITH_GROUP = 0o600, 0o640


class NewFolder:
    """What is made is in `made`, what was there already and is wanted in `left`: paths in the app folder."""

    def __init__(self, app: WsgidApp, identity: Identity | None) -> None:
        """``identity``: whom root lets the daemon be, None for ourselves."""
        self.made: list[Path] = []
        self.left: list[Path] = []
        self._app = app
        self._identity = identity

    @property
    def is_roots(self) -> bool:
        """Is a daemon of this folder root's, all of it?"""
        return self._identity is None and os.geteuid() == ROOT

    def make_folder(self, path: Path) -> None:
        """One for code, with those above it. Raises OSError."""
        if path.is_dir():
            return
        if not path.parent.is_dir():
            self.make_folder(path.parent)
        with self._hands(path.parent):
            path.mkdir()
        self.made.append(path)

    def make_file(self, path: Path, content: bytes) -> None:
        """Unless something of that name is there. Raises OSError."""
        self._write(path, content, 0o666)

    def make_secret(self, path: Path, content: bytes) -> None:
        """As `make_file`; only the daemon's user can read it, beside its owner. Raises OSError."""
        self._write(path, content, PRIVATE)

    def make_folders_for_daemon(self, *own: Path) -> None:
        """``logs/``, ``run/`` and the like, and the application's ``own``. Raises OSError."""
        with self._of_the_daemon() as make:
            self._app.create_folders(make=make)
            for path in own:
                if not path.is_dir():
                    make(path, OPEN_MODE)
            if self._identity is not None:
                self._hand_over(own)

    def _hand_over(self, own: tuple[Path, ...]) -> None:
        """What root has made earlier, when it did not name a user yet."""
        assert self._identity is not None
        folders = (self._app.logsdir, self._app.master_piddir, self._app.worker_piddir, *own)
        for path, mode in [(self._app.rundir, RUN_MODE), *((each, OPEN_MODE) for each in folders)]:
            rights.hand_over_unused(path, mode, self._identity)

    @contextlib.contextmanager
    def _of_the_daemon(self) -> Iterator[MakeFolder]:
        if self._identity is None:
            yield partial(self._noted, make_folder)
            return
        with rights.files_of(self._identity):
            yield partial(self._noted, partial(rights.make_folder, identity=self._identity))

    def _noted(self, make: MakeFolder, path: Path, mode: int) -> None:
        make(path, mode)
        self.made.append(path)

    def _write(self, path: Path, content: bytes, mode: int) -> None:
        with self._hands(path.parent):
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
            except FileExistsError:
                self.left.append(path)
                return
            try:
                with open(descriptor, "wb") as file:
                    if mode == PRIVATE and self._identity is not None and os.fstat(descriptor).st_uid == ROOT:
                        os.fchown(descriptor, ROOT, self._identity.gid)
                        os.fchmod(descriptor, SHARED_WITH_GROUP)
                    if content.startswith(b"#!"):
                        os.fchmod(descriptor, os.fstat(descriptor).st_mode | stat.S_IXUSR)
                    file.write(content)
            except OSError:  # the disk is full: half a file would be taken for a whole one the next time
                os.unlink(path)
                raise
        self.made.append(path)

    def _hands(self, parent: Path) -> AbstractContextManager[None]:
        """By whose rights something is made in this folder."""
        if self._identity is None or self._is_roots(parent):
            return nullcontext()
        return rights.files_of(self._identity)

    def _is_roots(self, folder: Path) -> bool:
        """It, and all between it and what the app folder lies in."""
        inside = [each for each in (folder, *folder.parents) if each.is_relative_to(self._app.path)]
        return all(each.stat().st_uid == ROOT for each in (folder, *inside))


@contextlib.contextmanager
def made_by_us(app: WsgidApp, user: str | None, group: str | None) -> Iterator[NewFolder]:
    """As whom a start with this user and group would have it. Raises CannotDo, also for an OSError within."""
    is_root = os.geteuid() == ROOT
    mask = os.umask(MASK_OF_ROOT) if is_root else None
    try:
        identity = rights.find_identity(user, group, nearest_folder(app.path))
        if identity is not None:
            rights.join_groups(identity)
            _check_way(identity, app)
        yield NewFolder(app, identity)
    except CannotStart as error:
        raise CannotDo(str(error)) from None
    except OSError as error:
        raise CannotDo(f"{error.filename} cannot be made: {error.strerror}; {_cure(error, is_root)}") from None
    finally:
        if mask is not None:
            os.umask(mask)


def nearest_folder(path: Path) -> Path:
    """The folder itself, or the first one above it that is there."""
    return next(each for each in (path, *path.parents) if each.is_dir())


def _check_way(identity: Identity, app: WsgidApp) -> None:
    """Raises CannotDo."""
    nearest = nearest_folder(app.path)
    with rights.files_of(identity):
        shut = reach.barrier(str(nearest / app.path.name))
    if shut is not None:
        raise CannotDo(
            f"{shut} may not be searched by {identity}: let them through (chmod o+x), or name another folder"
        )


def _cure(error: OSError, is_root: bool) -> str:
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        return "a file, or a link that leads nowhere, is in its place: move it, or name another folder"
    if is_root:
        return "it is done as the user whose the folder is: let them, or name another folder"
    return "run this as the owner of the folder above it, or name another folder"

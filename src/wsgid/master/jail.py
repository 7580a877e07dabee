"""``--chroot``: the app folder becomes the root directory, in a mount namespace of the daemon's own.

A bare chroot(2) would leave the application without its interpreter, and root's way out of one is well known. Here the
master gives itself a private copy of the table of mounts (unshare(2)), mounts what the application must see into the
app folder (`jail_contents`), makes the folder the root (pivot_root(2)) and drops the old root, so that nothing leads
back. It does so before it forks: its children, and those that replace them, are born inside.

Mounts need directories to be mounted on. In the app folder these are made where they are missing, empty, and stay:
``dev``, ``etc``, ``lib``, ``tmp``, ``usr`` and the first parts of the paths of interpreter and app folder. Whatever
lies deeper is made in a small file system in memory mounted there. Root walks through folders that somebody else may
change meanwhile: each step is taken from the directory before it, and never over a symbolic link.

Inside, the app folder is also where it was outside: paths in options and settings that lie in it stay right.
"""

import logging
import os
import stat
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from wsgid.master import kernel, rights
from wsgid.master.errors import CannotStart
from wsgid.master.jail_contents import Sight, devices
from wsgid.master.rights import ROOT, Identity

OWN = ("app", "plugins", "logs", "pid", "run", "tmp")
"""Folders of the app folder that are never covered, even when they are empty."""

TEMPORARY = "tmp"
"""``/tmp`` inside. A folder on the disk and not in memory: big uploads go there."""

TEMPORARY_MODE = 0o700

LAST_STANDARD_DESCRIPTOR = 2

_WALK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_KEPT = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC | kernel.MS_NOATIME | kernel.MS_NODIRATIME
"""What a mount has of these its copy must have too, or the kernel may refuse it (mount_namespaces(7))."""

log = logging.getLogger("wsgid.master")


def close_directories() -> None:
    """What whoever started us has left open would lead out of the jail. To be called before we open any of our own.

    Raises CannotStart without ``/proc``.
    """
    try:
        opened = [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError as error:
        raise CannotStart(f"--chroot: /proc, which a jail is built by, cannot be read: {error.strerror}") from None
    for each in opened:
        if _is_directory(each):
            _close(each)


def enter(app_path: Path, sights: Iterable[Sight], identity: Identity | None) -> None:
    """For this process and all that it forks from now on. To be called as root, which it leaves as it is.

    Raises CannotStart. This process is then of no use for anything but to end.
    """
    mask = os.umask(0o022)  # others must get through what root makes here
    try:
        with kernel.files_as(ROOT, ROOT):
            _isolate()
            with Jail(app_path, identity) as jail:
                jail.furnish(sights)
                jail.lock()
    except OSError as error:
        raise CannotStart(
            f"--chroot: the jail cannot be made: {error.filename or app_path}: {error.strerror}"
        ) from None
    finally:
        os.umask(mask)


def _isolate() -> None:
    try:
        kernel.unshare(kernel.CLONE_NEWNS)
        kernel.mount("none", "/", kernel.MS_REC | kernel.MS_PRIVATE)
    except OSError as error:
        raise CannotStart(
            f"--chroot: the system does not let this process make a jail (unshare(2), mount(2): {error.strerror}): "
            "it takes the capability CAP_SYS_ADMIN, which containers do not have unless they are started with it "
            "(docker run --cap-add SYS_ADMIN); or leave --chroot away, for a container is a jail itself"
        ) from None


class Jail:
    """While it is being built."""

    def __init__(self, app_path: Path, identity: Identity | None) -> None:
        """Raises OSError."""
        self._path = app_path
        self._identity = identity
        self._closing = ExitStack()
        self._scaffolds: dict[int, str] = {}
        """Our file systems in memory, by their device numbers: the descriptor's path of each."""
        real = os.path.realpath(app_path)
        kernel.mount(real, real, kernel.MS_BIND | kernel.MS_REC)
        self._root = self._opened(os.open(real, _WALK | os.O_DIRECTORY))
        _restrict(self._root, kernel.MS_NOSUID | kernel.MS_NODEV)

    def __enter__(self) -> "Jail":
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def furnish(self, sights: Iterable[Sight]) -> None:
        """Mounts all that is seen inside. Raises OSError and CannotStart."""
        self._make_temporary()
        for each in sights:
            self._show(each, kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV)
        for each in devices():
            self._show(each, kernel.MS_NOSUID | kernel.MS_NOEXEC)
        self._share_memory()
        # Last, for it may lie within what is mounted above.
        for path in dict.fromkeys((str(self._path), os.path.realpath(self._path))):
            self._show(Sight(path, f"/proc/self/fd/{self._root}"), kernel.MS_NOSUID | kernel.MS_NODEV)
        for scaffold in self._scaffolds.values():
            _remount(scaffold, kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV)

    def lock(self) -> None:
        """Makes it the root, and forgets the old one. Raises OSError."""
        os.fchdir(self._root)
        # The old root is put onto the new one, which needs no directory for it, and taken away: see pivot_root(2).
        kernel.pivot_root(".", ".")
        kernel.unmount(".", kernel.MNT_DETACH)
        os.chdir("/")

    def _make_temporary(self) -> None:
        """Raises OSError and CannotStart."""
        if self._identity is None:
            self._make_directory(self._root, TEMPORARY, TEMPORARY_MODE)
            return
        folder = Path(_path_of(self._root), TEMPORARY)
        with rights.files_of(self._identity):
            try:
                rights.make_folder(folder, TEMPORARY_MODE, self._identity)
            except FileExistsError:
                rights.hand_over_unused(folder, TEMPORARY_MODE, self._identity)
            except PermissionError as error:
                raise CannotStart(
                    f"--chroot: {self._named(self._root, TEMPORARY)}, the application's /tmp, cannot be made for "
                    f"{self._identity}: {error.strerror}; make it, and give it to them (mkdir, chown)"
                ) from None

    def _share_memory(self) -> None:
        """Locks of multiprocessing live there: sem_open(3)."""
        parent, name = self._place("/dev/shm", is_directory=True)
        self._opened(_mount_memory(parent, name, 0o1777))

    def _show(self, sight: Sight, flags: int) -> None:
        parent, name = self._place(sight.path, is_directory=os.path.isdir(sight.source))
        target = self._opened(os.open(name, _WALK, dir_fd=parent))
        kernel.mount(sight.source, _path_of(target), kernel.MS_BIND)
        mounted = self._opened(os.open(name, _WALK, dir_fd=parent))
        _restrict(mounted, flags)

    def _place(self, path: str, is_directory: bool) -> tuple[int, str]:
        """Where to mount what will be seen at ``path``: the directory it is in, open, and its name."""
        *parents, name = Path(path).parts[1:]
        place = self._root
        for part in parents:
            place = self._step(place, part, path)
        if is_directory:
            self._make_directory(place, name, 0o755)
        elif not _exists(place, name):
            self._make_file(place, name, path)
        self._check_place(place, name, path)
        return place, name

    def _step(self, place: int, name: str, path: str) -> int:
        """Down into a directory, which is made when it is missing and covered when it is empty."""
        self._make_directory(place, name, 0o755)
        below = self._opened(os.open(name, _WALK, dir_fd=place))
        if not _is_directory(below):
            raise CannotStart(f"--chroot: {self._named(place, name)} must be a directory, {path} is needed there")
        covered = os.fstat(below).st_dev in self._scaffolds
        own = place == self._root and name in OWN
        if covered or own or os.listdir(_path_of(below)):
            return below
        scaffold = self._opened(_mount_memory(place, name, 0o755))
        self._scaffolds[os.fstat(scaffold).st_dev] = _path_of(scaffold)
        return scaffold

    def _check_place(self, place: int, name: str, path: str) -> None:
        found = os.open(name, _WALK, dir_fd=place)
        try:
            if os.path.samestat(os.fstat(found), os.fstat(self._root)):
                return  # the app folder at its own path, seen through what is mounted on its parents
            if stat.S_ISLNK(os.fstat(found).st_mode):
                raise CannotStart(
                    f"--chroot: {self._named(place, name)} is a symbolic link: {path} is to be seen there"
                )
            if _is_directory(found) and os.listdir(_path_of(found)):
                raise CannotStart(
                    f"--chroot: {self._named(place, name)} has files of its own, which {path} of this machine would "
                    "hide: rename it, or move the app folder"
                )
        finally:
            os.close(found)

    def _make_directory(self, place: int, name: str, mode: int) -> None:
        """Where it is missing. It is the user's own where they may have one, so that they can remove it, and else
        root's."""
        if _exists(place, name):
            return
        who = self._identity
        if who is not None and os.fstat(place).st_dev not in self._scaffolds:
            try:
                with kernel.files_as(who.uid, who.gid):
                    os.mkdir(name, mode, dir_fd=place)
            except PermissionError:
                log.debug("%s is made by root: %s may not", self._named(place, name), who)
            else:
                return
        os.mkdir(name, mode, dir_fd=place)

    def _make_file(self, place: int, name: str, path: str) -> None:
        if os.fstat(place).st_dev not in self._scaffolds:
            raise CannotStart(
                f"--chroot: {os.path.dirname(self._named(place, name))} has files of its own, but {path} of this "
                "machine is needed there: rename it, or move the app folder"
            )
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644, dir_fd=place))

    def _named(self, place: int, name: str) -> str:
        return os.path.join(os.readlink(_path_of(place)), name)

    def _opened(self, descriptor: int) -> int:
        self._closing.callback(os.close, descriptor)
        return descriptor


def _path_of(descriptor: int) -> str:
    return f"/proc/self/fd/{descriptor}"


def _exists(place: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=place, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _is_directory(descriptor: int) -> bool:
    try:
        return stat.S_ISDIR(os.fstat(descriptor).st_mode)
    except OSError:  # the one that the list itself was read by
        return False


def _close(descriptor: int) -> None:
    if descriptor > LAST_STANDARD_DESCRIPTOR:
        os.close(descriptor)
        return
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    os.dup2(nothing, descriptor)
    os.close(nothing)


def _mount_memory(place: int, name: str, mode: int) -> int:
    """A small file system in memory; gives its descriptor."""
    target = os.open(name, _WALK | os.O_DIRECTORY, dir_fd=place)
    try:
        flags = kernel.MS_NOSUID | kernel.MS_NODEV
        kernel.mount("tmpfs", _path_of(target), flags, kind="tmpfs", data=f"mode={mode:o}")
    finally:
        os.close(target)
    return os.open(name, _WALK | os.O_DIRECTORY, dir_fd=place)


def _restrict(descriptor: int, flags: int) -> None:
    """Of a mount just made. What it has of `_KEPT` stays."""
    _remount(_path_of(descriptor), flags | os.statvfs(_path_of(descriptor)).f_flag & _KEPT)


def _remount(path: str, flags: int) -> None:
    kernel.mount("none", path, kernel.MS_REMOUNT | kernel.MS_BIND | flags)

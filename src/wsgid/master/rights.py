"""Who the daemon becomes when root has started it, and how: ``--user``, ``--group``, or who owns the app folder.

Root is needed for ports below 1024 and for the chroot, then never again (`become`). What is made in the file system
before that is made as the user (`files_of`): a link that they may have put into their folder leads no further than
their own rights do. That is only for such moments, and not for the whole start: root may have to import modules
meanwhile that the user cannot read.
"""

import errno
import grp
import os
import pwd
import stat
from collections.abc import Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from wsgid.master import kernel
from wsgid.master.errors import CannotStart

ROOT = 0

MAX_ID = 2**32 - 2
"""The one above it means "unchanged" to the kernel, see setresuid(2)."""

NOWHERE = "/"
"""Home of a user that has none, and of every user in a jail."""


@dataclass(frozen=True, slots=True)
class Identity:
    uid: int
    gid: int
    groups: tuple[int, ...]
    """All of them, as the kernel shall have them."""
    name: str
    """``""`` for a number that no account has."""
    home: str

    def __str__(self) -> str:
        return f"user {self.name or self.uid}"


def find_identity(user: str | None, group: str | None, app_path: Path) -> Identity | None:
    """Whom the options and the app folder's owner make us; None to stay who we are.

    Raises CannotStart for an unknown name, and for one that this process may not become.
    """
    if os.geteuid() != ROOT:
        _check_ourselves(user, group)
        return None
    owner = app_path.stat()
    account = _account(user) if user else _entry(owner.st_uid)
    if account.uid == ROOT and group is None:
        return None
    gid = account.gid if user else owner.st_gid
    return _identity(account, _group(group) if group else gid)


def files_of(identity: Identity) -> AbstractContextManager[None]:
    """For root: files and folders are opened and made as this user. See `kernel.files_as`; after `join_groups`."""
    return kernel.files_as(identity.uid, identity.gid)


def join_groups(identity: Identity) -> None:
    """The supplementary ones: the user's instead of root's. Raises CannotStart."""
    try:
        os.setgroups(identity.groups)
        with files_of(identity):
            pass
    except OSError as error:
        raise _refused(identity, error) from None


def become(identity: Identity) -> None:
    """For good: no way leads back. Raises CannotStart."""
    try:
        os.setresgid(identity.gid, identity.gid, identity.gid)
        os.setresuid(identity.uid, identity.uid, identity.uid)
        if identity.uid != ROOT:
            kernel.give_up_capabilities()
            # Else py-spy, core dumps and the user's own ps would not work; nginx does the same. Nothing here is
            # worth hiding from that user: what root had in memory is the options.
            kernel.allow_looking_in()
    except OSError as error:
        raise _refused(identity, error) from None


def set_variables(identity: Identity, environ: MutableMapping[str, str], *, jailed: bool) -> None:
    """HOME, USER and LOGNAME, which programs go by, as login(1) sets them."""
    environ["HOME"] = NOWHERE if jailed else identity.home
    for variable in ("USER", "LOGNAME"):
        environ.pop(variable, None)
        if identity.name:
            environ[variable] = identity.name


def make_folder(path: Path, mode: int, identity: Identity) -> None:
    """Makes a folder that belongs to this user; within `files_of`.

    In a folder where only root may, root does, and hands it over: code that its own user cannot change is the safer
    set-up. Raises OSError, FileExistsError too.
    """
    try:
        path.mkdir(mode)
        path.chmod(mode)  # mkdir's mode is cut by the umask
    except PermissionError:
        with kernel.files_as(ROOT, ROOT):
            _hand_over(path, mode, identity)


def hand_over_unused(path: Path, mode: int, identity: Identity) -> None:
    """Gives this user a folder that root has made and nobody has used: an empty one of this very mode, in a folder of
    root's. Anything else stays as it is. Raises OSError."""
    with kernel.files_as(ROOT, ROOT), _folder_of_roots(path.parent) as parent:
        if parent is None or not stat.S_ISDIR(os.stat(path.name, dir_fd=parent, follow_symlinks=False).st_mode):
            return
        with _opened(path.name, parent) as folder:
            found = os.fstat(folder)
            if found.st_uid == ROOT and stat.S_IMODE(found.st_mode) == mode and not os.listdir(folder):
                _give(folder, mode, identity)


def _hand_over(path: Path, mode: int, identity: Identity) -> None:
    with _folder_of_roots(path.parent) as parent:
        if parent is None:
            raise PermissionError(
                errno.EACCES, "Permission denied, and only in a folder of root's could root help", str(path)
            )
        os.mkdir(path.name, 0o700, dir_fd=parent)
        with _opened(path.name, parent) as made:
            _give(made, mode, identity)


@contextmanager
def _folder_of_roots(path: Path) -> Iterator[int | None]:
    """Its descriptor. None for a folder of others: they might put another thing into the place of what root gives
    away."""
    folder = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield folder if os.fstat(folder).st_uid == ROOT else None
    finally:
        os.close(folder)


@contextmanager
def _opened(name: str, parent: int) -> Iterator[int]:
    folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        yield folder
    finally:
        os.close(folder)


def _give(folder: int, mode: int, identity: Identity) -> None:
    os.fchown(folder, identity.uid, identity.gid)
    os.fchmod(folder, mode)


@dataclass(frozen=True, slots=True)
class _Account:
    uid: int
    gid: int
    """Of a number that has no entry nobody knows the group: then the same number. Root's own would be a bad guess."""
    name: str
    home: str


def _check_ourselves(user: str | None, group: str | None) -> None:
    us, ours = os.geteuid(), os.getegid()
    if user and _account(user).uid != us:
        raise CannotStart(
            f"--user {user}: only root can become another user, and this process is that of user "
            f"{_entry(us).name or us}: start wsgid as root or as {user}, or leave --user away"
        )
    if group and _group(group) != ours:
        raise CannotStart(
            f"--group {group}: only root can choose another group, and this process has group {ours}: "
            "start wsgid as root, or leave --group away"
        )


def _identity(account: _Account, gid: int) -> Identity:
    groups = os.getgrouplist(account.name, gid) if account.name else [gid]
    return Identity(account.uid, gid, tuple(groups), account.name, account.home)


def _account(text: str) -> _Account:
    """Of ``--user``: a name first, then a number, as chown(1) does."""
    try:
        return _entry(pwd.getpwnam(text).pw_uid)
    except KeyError:
        return _entry(_number("--user", text, "user"))


def _entry(uid: int) -> _Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return _Account(uid, uid, "", NOWHERE)
    return _Account(uid, entry.pw_gid, entry.pw_name, entry.pw_dir or NOWHERE)


def _group(text: str) -> int:
    try:
        return grp.getgrnam(text).gr_gid
    except KeyError:
        return _number("--group", text, "group")


def _number(option: str, text: str, what: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise CannotStart(f"{option} {text}: this machine has no {what} of that name; make one, or give a number")
    if int(text) > MAX_ID:
        raise CannotStart(f"{option} {text}: the highest number of a {what} is {MAX_ID}")
    return int(text)


def _refused(identity: Identity, error: OSError) -> CannotStart:
    return CannotStart(
        f"this process is root's, but the system does not let it become {identity}: {error.strerror}; "
        "it takes the capabilities CAP_SETUID and CAP_SETGID: let it have them, or start it as that user"
    )

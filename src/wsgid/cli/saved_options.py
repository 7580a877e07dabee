"""``wsgid.json`` as a file: changed by one at a time, and for whoever reads it whole at any moment."""

import contextlib
import fcntl
import json
import os
import re
import secrets
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from wsgid.cli.complaints import CannotDo
from wsgid.config_sources import FILE

ROOT = 0

NEW_MODE = 0o666
"""Less the umask, as of any file."""

INDENT = 2
"""Blanks, unless the file has others."""

_INDENTED = re.compile(r'\s*\{\s*\n([ \t]+)"')


@contextlib.contextmanager
def alone(app_path: Path) -> Iterator[None]:
    """One change at a time. The lock is on the folder itself: the file is replaced, and another would be in the way.

    Raises CannotDo.
    """
    try:
        folder = os.open(app_path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise CannotDo(f"{app_path} cannot be opened: {error.strerror}") from None
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def write(app_path: Path, content: Mapping[str, object]) -> None:
    """Puts a new file into the place of the old one, with its mode and its owner. Raises CannotDo; the old one is then
    as it was."""
    file = _behind_links(app_path / FILE)
    try:
        _replace(file, _as_text(content, _indent(file)))
    except OSError as error:
        raise CannotDo(
            f"{file} cannot be written: {error.strerror}; run this as the owner of {file.parent}, or as root"
        ) from None


def _behind_links(path: Path) -> Path:
    """A link is often set to a file that several releases share, and stays. Raises CannotDo."""
    target = Path(os.path.realpath(path))
    if os.geteuid() == ROOT and path.is_symlink():
        owner = path.lstat().st_uid
        if owner != ROOT and not (target.exists() and target.stat().st_uid == owner):
            raise CannotDo(
                f"{path} is a link of user {owner} to a file of somebody else's, so root does not write there: name "
                "the folder of that file by --app-path, or do it as that user"
            )
    return target


def _as_text(content: Mapping[str, object], indent: int | str) -> bytes:
    try:
        return json.dumps(content, indent=indent, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # half of a surrogate pair, which only an escape can have brought there
        return json.dumps(content, indent=indent).encode() + b"\n"


def _indent(file: Path) -> int | str:
    try:
        found = _INDENTED.match(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return INDENT
    return found[1] if found else INDENT


def _replace(file: Path, data: bytes) -> None:
    """Raises OSError."""
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    name = f".{file.name}.{secrets.token_hex(4)}"
    try:
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder)
        try:
            with open(descriptor, "wb") as fresh:
                _take_after(file, folder, descriptor)
                fresh.write(data)
                fresh.flush()
                os.fsync(descriptor)
            os.rename(name, file.name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            os.unlink(name, dir_fd=folder)
            raise
        os.fsync(folder)
    finally:
        os.close(folder)


def _take_after(file: Path, folder: int, descriptor: int) -> None:
    """Mode and owner: of the old file, else the folder's owner where root makes the file."""
    try:
        old = os.stat(file.name, dir_fd=folder, follow_symlinks=False)
        mode = stat.S_IMODE(old.st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        old, mode = os.fstat(folder if os.geteuid() == ROOT else descriptor), NEW_MODE & ~mask
    ours = os.fstat(descriptor)
    if (ours.st_uid, ours.st_gid) != (old.st_uid, old.st_gid):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, mode)

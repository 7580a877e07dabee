"""May root believe a configuration with a chroot? Mongrel2 is started as root then, and gives that up by what it says.

Whoever can write the file, or put another one into its place, chooses the chroot, and so whom Mongrel2 becomes, which
files it serves, and the filters that it loads before: they would be root. The same holds for the chroot's own place.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from wsgid.master.rights import ROOT

OTHERS_WRITE, GROUP_WRITES = stat.S_IWOTH, stat.S_IWGRP


def doubts(file: Path, chroot: Path) -> Iterator[tuple[str, str]]:
    """What speaks against starting it as root, and the remedy."""
    try:
        if culprit := changeable(file):
            yield (
                f"root cannot trust {file}: others than root may change {culprit}",
                "as root, write it by wsgid mongrel2 init to a place where only root may, such as "
                "--config /etc/mongrel2-mysite.sqlite",
            )
        yield from doubts_of_chroot(chroot)
    except OSError as error:
        yield f"{error.filename}: {error.strerror}", "make it, as root"


def doubts_of_chroot(chroot: Path) -> Iterator[tuple[str, str]]:
    """Of a directory that is there. Raises OSError."""
    if os.stat(chroot).st_uid == ROOT:
        yield (
            f"Mongrel2 would stay root: it becomes the owner of its chroot, and that of {chroot} is root",
            "give it a directory of its own, which belongs to the daemon's user",
        )
    elif culprit := changeable(chroot, content=False):
        yield (
            f"root cannot trust the chroot {chroot}: others than root may change {culprit}",
            "take a directory in one where only root may write, such as /srv",
        )


def changeable(path: Path, *, content: bool = True, strictly: bool = False) -> Path | None:
    """What on the way to it others than root may change: a folder above it, a link, or, with ``content``, itself. None
    if nothing is so. ``strictly``: nobody else may add to this folder either. Raises OSError."""
    last = Path(os.path.realpath(path, strict=True))
    # In a sticky folder, as /tmp is, nobody replaces what is root's. It is no place for the thing itself, though:
    # SQLite believes a journal that lies beside its file.
    strict = {last} if strictly else {last.parent}
    for each in _way(path):
        if (each != last or content) and _others_may_write(os.lstat(each), sticky_counts=each not in strict):
            return each
    return None


def _others_may_write(found: os.stat_result, *, sticky_counts: bool) -> bool:
    if found.st_uid != ROOT:
        return True
    if stat.S_ISLNK(found.st_mode) or (sticky_counts and found.st_mode & stat.S_ISVTX):
        return False
    by_group = found.st_mode & GROUP_WRITES and found.st_gid != ROOT
    return bool(found.st_mode & OTHERS_WRITE or by_group)


def _way(path: Path) -> Iterator[Path]:
    """All that the kernel looks at on its way to what is there, links and where they lead included."""
    at = Path("/")
    yield at
    ahead = [*reversed(path.absolute().parts[1:])]
    while ahead:
        part = ahead.pop()
        at = at.parent if part == ".." else at / part
        yield at
        if at.is_symlink():
            target = Path(os.readlink(at))
            at = Path("/") if target.is_absolute() else at.parent
            ahead += [each for each in reversed(target.parts) if each != "/"]

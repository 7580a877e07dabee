"""The files of uploads that are ours to remove, noted for those who come after a killed dispatcher.

In the run directory, in ``uploads/``, there is a symbolic link to the file of each upload that has begun, until that
file has lost its name. The next dispatcher of the same master, or the next daemon on the app folder, removes what these
links point to, and nothing else: a store may be shared by several daemons, and what else lies in it is theirs.

Links, and not lines in a file: a link is made and removed at once or not at all, so that no kill leaves half a path;
there is nothing to parse, and nothing that grows with time. To make and remove one takes 22 µs on ext4 (two lines
appended to a file take 4), little beside an upload. Nothing is synced to the disk: this is for the death of processes.
"""

import errno
import logging
import os
import stat
from itertools import count

from wsgid.instances import DIRECTORY

UPLOADS = "uploads"
"""Name of the directory of links, inside the run directory."""

log = logging.getLogger("wsgid")


class UploadJournal:
    """Of one dispatcher."""

    __slots__ = ("_directory", "_numbers", "_silent")

    def __init__(self, run_dir: int) -> None:
        """`run_dir` is a descriptor of ``run/<master pid>/``. Removes first what an earlier dispatcher of the same
        master has left. Raises OSError."""
        clear(run_dir)
        try:
            os.mkdir(UPLOADS, 0o700, dir_fd=run_dir)
        except FileExistsError:
            pass  # the earlier dispatcher's
        self._directory = os.open(UPLOADS, DIRECTORY | os.O_NOFOLLOW, dir_fd=run_dir)
        self._numbers = count(1)
        self._silent = False

    def note(self, path: bytes) -> str:
        """Writes down the path of an upload's file, as it is seen from here; gives the name of the note.

        A disk that refuses is told in the log, once: the upload is served, and only a kill would leave its file.
        """
        name = str(next(self._numbers))
        try:
            os.symlink(path, name, dir_fd=self._directory)
        except OSError as error:
            if not self._silent:
                log.error("uploads cannot be noted in the run directory: %s; a kill would leave them behind", error)
            self._silent = True
        return name

    def strike(self, name: str) -> None:
        """The file has lost its name, or was never ours. In any thread."""
        try:
            os.unlink(name, dir_fd=self._directory)
        except FileNotFoundError:
            return  # the disk had refused it
        except OSError as error:
            log.error("the note of an upload stays behind in the run directory: %s", error)

    def close(self) -> None:
        os.close(self._directory)


def clear(run_dir: int) -> None:
    """Removes the files that a dispatcher which is dead now has noted, as far as they are there and plain files, and
    the notes. What cannot be removed is logged. `run_dir` is a descriptor of ``run/<master pid>/``."""
    try:
        directory = os.open(UPLOADS, DIRECTORY | os.O_NOFOLLOW, dir_fd=run_dir)
    except FileNotFoundError:
        return  # it had no Mongrel2
    except OSError as error:
        log.error("what uploads have left is not known: %s", error)
        return
    try:
        if not _is_ours(directory):
            log.error("the uploads noted in a dead daemon's run directory are left alone: others may write there")
            return
        for name in os.listdir(directory):
            _settle(name, directory)
    finally:
        os.close(directory)


def remove(path: bytes) -> bool:
    """Removes the file of an upload. False when it is not there, or is anything but a plain file with a full path, or
    may not be removed: the last two are logged, as the store fills up."""
    try:
        if not path.startswith(b"/"):
            raise _refusal("not a full path", path)
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise _refusal("not a plain file", path)
        os.unlink(path)
    except FileNotFoundError:
        return False  # Mongrel2 removes it itself when the client leaves in time
    except OSError as error:
        log.error(
            "an upload's file stays behind: %s: %s; remove it, and let our user write to its directory",
            os.fsdecode(path),
            error.strerror,
        )
        return False
    return True


def _is_ours(directory: int) -> bool:
    """Where somebody else could have put a link, whoever starts the next daemon would remove a file for them."""
    found = os.fstat(directory)
    return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _settle(name: str, directory: int) -> None:
    try:
        path = os.fsencode(os.readlink(name, dir_fd=directory))
        if remove(path):
            log.info("removed %s, which an upload had left", os.fsdecode(path))
        os.unlink(name, dir_fd=directory)
    except OSError as error:
        log.error("the note of an upload cannot be read or removed: %s", error)


def _refusal(why: str, path: bytes) -> OSError:
    return OSError(errno.EINVAL, why, os.fsdecode(path))

"""A body that Mongrel2 writes, or has written, to a file, which is ours to remove."""

import errno
import os
import stat
from collections.abc import Callable

from wsgid.dispatcher.disk import Disk
from wsgid.dispatcher.question import Question
from wsgid.upload_journal import UploadJournal, remove


class UploadFile:
    """Noted in the journal from the start of the upload until the file has lost its name.

    Opened, and at once unlinked, when it is its request's turn: from then on it lives as long as its descriptor. File
    I/O happens in a thread, but for the note, which must be there before anything else can happen.
    """

    __slots__ = ("_disk", "_journal", "_note", "_settled", "path", "question")

    def __init__(self, path: bytes, journal: UploadJournal, disk: Disk) -> None:
        """`path` as it is seen from here."""
        self.path = path
        self.question: Question | None = None
        self._journal = journal
        self._note = journal.note(path)
        self._disk = disk
        self._settled = False

    @property
    def error(self) -> OSError | None:
        return None  # whether it can be opened is not known before `finish`

    def finish(self, finished: Callable[[int | OSError], None]) -> None:
        """Calls back with a descriptor of the file, which has lost its name, or with the reason why there is none."""
        self._settled = True
        self._disk.run(self._open, lambda opened: finished(opened.result()))

    def explain(self, error: OSError) -> str:
        path = os.fsdecode(self.path)
        return f"Mongrel2's upload cannot be opened: {path}: {error.strerror}. {_remedy(self.path, error)}"

    def close(self) -> None:
        """Nobody wants it any more: it is removed, unless it is being opened."""
        self._close_question()
        if not self._settled:
            self._settled = True
            self._disk.start(self._remove)

    def forget(self) -> None:
        """Mongrel2 has removed it."""
        self._close_question()
        if not self._settled:
            self._settled = True
            self._journal.strike(self._note)

    def _close_question(self) -> None:
        if self.question is not None:
            self.question.close()

    # In a thread.

    def _open(self) -> int | OSError:
        opened = open_and_unlink(self.path)
        self._journal.strike(self._note)
        return opened

    def _remove(self) -> None:
        remove(self.path)
        self._journal.strike(self._note)


def open_and_unlink(path: bytes) -> int | OSError:
    """A descriptor of the file, or why it cannot be opened: also when it is anything but a plain file with a full path.

    A plain file is removed in either case.
    """
    if not path.startswith(b"/"):
        return OSError(errno.EINVAL, "not a full path", os.fsdecode(path))
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        remove(path)
        return error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return OSError(errno.EINVAL, "not a plain file", os.fsdecode(path))
    remove(path)
    return descriptor


def _remedy(path: bytes, error: OSError) -> str:
    if not path.startswith(b"/"):
        return (
            "Give Mongrel2 a full path as upload.temp_store, or name the directory that it runs in with "
            "--mongrel2-chroot"
        )
    if isinstance(error, PermissionError):
        return (
            "Run Mongrel2 and wsgid as the same user, or let this one read the files and write to their directory: "
            "upload.temp_store_mode=0640 and a common group"
        )
    return (
        "If Mongrel2 runs in a chroot, name that directory with --mongrel2-chroot; if it runs elsewhere, mount its "
        "upload.temp_store at the same path here"
    )

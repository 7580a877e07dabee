"""The app folder: where an application, its pid files, its logs and its options lie."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

OPEN_MODE = 0o755
"""Logs and pid files may be read by everybody, as those in /var/log and /run usually may."""

RUN_MODE = 0o700
"""Whoever can reach the sockets in ``run/`` can give the workers requests."""


_READ_ONLY = (errno.EROFS, errno.EACCES)

MakeFolder = Callable[[Path, int], None]
"""Makes a folder of this mode, whatever the umask; raises OSError, FileExistsError too."""


def make_folder(path: Path, mode: int) -> None:
    path.mkdir(mode)
    path.chmod(mode)  # mkdir's mode is cut by the umask


class WsgidApp:
    """One app folder. Nothing is read before it is asked for, and nothing is remembered."""

    def __init__(self, path: str | os.PathLike[str], run_dir: str | os.PathLike[str] | None = None) -> None:
        """``run_dir``: where sockets and pid files are kept instead, when the app folder must not be written to."""
        # Made absolute at once: a daemon changes its directory. Symbolic links stay as they are, so that
        # `current -> releases/7` may be pointed elsewhere while the daemon runs.
        self.path = Path(path).absolute()
        self._run_dir = Path(run_dir).absolute() if run_dir is not None else None

    def __repr__(self) -> str:
        return f"WsgidApp({str(self.path)!r})"

    @property
    def appdir(self) -> Path:
        """The application's code."""
        return self.path / "app"

    @property
    def pluginsdir(self) -> Path:
        return self.path / "plugins"

    @property
    def logsdir(self) -> Path:
        return self.path / "logs"

    @property
    def piddir(self) -> Path:
        return (self._run_dir or self.path) / "pid"

    @property
    def master_piddir(self) -> Path:
        return self.piddir / "master"

    @property
    def worker_piddir(self) -> Path:
        return self.piddir / "worker"

    @property
    def rundir(self) -> Path:
        """Sockets of the running daemons."""
        return self._run_dir or self.path / "run"

    @property
    def options_file(self) -> Path:
        """The saved options."""
        return self.path / "wsgid.json"

    def is_valid(self) -> bool:
        """Is this an app folder: a directory with an ``app/`` directory in it?"""
        return self.appdir.is_dir()

    def master_pids(self) -> list[int]:
        """The pids that have a file in ``pid/master/``, in ascending order; the processes may be dead."""
        return _pids(self.master_piddir)

    def worker_pids(self) -> list[int]:
        """The pids that have a file in ``pid/worker/``, in ascending order; the processes may be dead."""
        return _pids(self.worker_piddir)

    def create_folders(self, *, logs: bool = True, make: MakeFolder = make_folder) -> None:
        """Makes what a daemon writes to, where it is missing: ``logs/``, ``pid/master/``, ``pid/worker/``, ``run/``.

        Those that exist keep their mode. Without `logs`, when nobody logs there, an app folder that must not be written
        to may do without ``logs/``. Raises OSError, which names the folder.
        """
        try:
            _have_folder(self.logsdir, OPEN_MODE, make)
        except OSError as error:
            if logs or error.errno not in _READ_ONLY:
                raise
        _have_folder(self.rundir, RUN_MODE, make)  # first, for the others may lie in it
        for folder in (self.piddir, self.master_piddir, self.worker_piddir):
            _have_folder(folder, OPEN_MODE, make)


def _pids(folder: Path) -> list[int]:
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    stems = (name.removesuffix(".pid") for name in names if name.endswith(".pid"))
    return sorted(int(stem) for stem in stems if stem.isascii() and stem.isdigit())


def _have_folder(folder: Path, mode: int, make: MakeFolder) -> None:
    if folder.is_dir():  # looked at first: a file system that is read-only may say so sooner than that it exists
        return
    try:
        make(folder, mode)
    except FileExistsError:
        # Another daemon on this folder may be just as quick. A file of that name is an error all the same.
        if not folder.is_dir():
            raise

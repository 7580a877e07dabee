"""``--reload``: a child of the master that sees when the code changes on disk, and has the master restart the workers.

The master itself cannot watch: the package for it needs threads. That the new code may be broken is the business of the
restart, which then fails and leaves the old workers where they are; the next change tries again.
"""

import importlib.util
import logging
import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchfiles import Change

MISSING = "--reload needs watchfiles: pip install 'wsgid-server[reload]'"

CURE = (
    "if too many files are open or watched, raise fs.inotify.max_user_instances and fs.inotify.max_user_watches with "
    "sysctl, or set WATCHFILES_FORCE_POLLING=1"
)

EXIT_FAILED = 1

STEP = 100
"""Milliseconds between two looks, and how long it must be quiet after a change: editors write a file in several steps,
and a checkout writes many."""

LONGEST_GATHERING = 500
"""Milliseconds. The logs in the same folder change all the time under load, so it may never be quiet."""

MOST_NAMED = 3
"""Files, in the log."""

OURS = (("logs",), ("run",), ("pid",))
"""Paths within the app folder that the daemon itself writes into."""

OPTION_FILES = ("wsgid.json", "django.json")
"""A restart reads them again. Templates are not among what is watched: while developing, frameworks read them anew."""

JAIL = Path("/")

log = logging.getLogger("wsgid.master")


def check_watchfiles() -> str:
    """What to say to people when ``--reload`` is impossible; empty when it is not. Imports nothing."""
    return "" if importlib.util.find_spec("watchfiles") else MISSING


def watch(folder: Path, master: int, loader_dirs: Iterable[Path] = ()) -> int:
    """The life of the child; gives its exit code.

    Sends SIGHUP to ``master``, its parent, when code under the app folder ``folder`` or in one of ``loader_dirs`` has
    changed, and ends when that is gone.
    """
    try:
        for changed in _changes(folder, _elsewhere(folder, loader_dirs), master):
            if os.getppid() != master:
                break
            log.info("%s changed: restarting the workers", _named(changed))
            os.kill(master, signal.SIGHUP)
    except (OSError, RuntimeError) as error:  # the latter is the base of watchfiles' own, when inotify(7) is exhausted
        log.error("--reload: %s cannot be watched: %s; %s", folder, error, CURE)
        return EXIT_FAILED
    return 0


def _changes(folder: Path, elsewhere: Sequence[Path], master: int) -> Iterator[list[str]]:
    """Of each burst of changes, the paths, those within ``folder`` relative to it; ends when the master has."""
    # Here, because the master must not load it: it brings asyncio along.
    import watchfiles

    told = False
    for changes in watchfiles.watch(
        *_watched(folder),
        *elsewhere,
        watch_filter=Filter(folder, elsewhere),
        debounce=LONGEST_GATHERING,
        step=STEP,
        rust_timeout=STEP,
        yield_on_timeout=True,  # the first time it says that it has begun to watch
        stop_event=Orphaned(master),
        ignore_permission_denied=True,  # what we cannot read we cannot import either
    ):
        if not told:
            log.info("--reload: watching the code in %s", folder)
            told = True
        if changes:
            yield sorted(_called(Path(path), folder) for _, path in changes)


def _called(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def _elsewhere(folder: Path, loader_dirs: Iterable[Path]) -> list[Path]:
    """Those of them that are not watched as part of the app folder."""
    real = [each.resolve() for each in loader_dirs]
    return [each for each in real if folder == JAIL or not each.is_relative_to(folder.resolve())]


def _watched(folder: Path) -> list[Path]:
    """Under ``--chroot`` the app folder is the root directory, and has the interpreter and all libraries below it: to
    watch those takes many seconds and thousands of watches."""
    if folder != JAIL:
        return [folder]
    return [each for each in (folder / "app", folder / "plugins") if each.is_dir()]


class Filter:
    """Which changes matter, as watchfiles asks for it."""

    def __init__(self, folder: Path, elsewhere: Iterable[Path] = ()) -> None:
        from watchfiles import DefaultFilter

        self._folder = folder
        self._elsewhere = tuple(elsewhere)
        self._default = DefaultFilter()
        """Leaves out what tools keep: ``__pycache__``, ``.git``, ``.venv``, swap files of editors and more."""

    def __call__(self, change: "Change", path: str) -> bool:
        place = next((each for each in self._elsewhere if Path(path).is_relative_to(each)), self._folder)
        within = Path(path).relative_to(place)
        # By the path within the folder: that the app folder itself is in a .venv says nothing.
        ours = place == self._folder and within.parts[:1] in OURS
        if ours or not self._default(change, str(within)):
            return False
        return within.suffix == ".py" or str(within) in OPTION_FILES or self._is_new_code(change, path)

    def _is_new_code(self, change: "Change", path: str) -> bool:
        """A folder that came with its files in it, as by ``mv``: of the files nothing is heard (inotify(7))."""
        return change.raw_str() == "added" and any(Path(path).rglob("*.py"))


@dataclass(frozen=True, slots=True)
class Orphaned:
    """An event, as watchfiles knows them: the master has ended."""

    master: int

    def is_set(self) -> bool:
        return os.getppid() != self.master


def _named(paths: Iterable[str]) -> str:
    named = list(paths)
    more = len(named) - MOST_NAMED
    return ", ".join(named[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")

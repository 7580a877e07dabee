"""Loads plug-ins from folders and entry points: each source wholly or not at all, and all others nevertheless."""

import importlib
import logging
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from wsgid.plugins import registry
from wsgid.plugins.entry_points import installed
from wsgid.plugins.registry import Held, Registry
from wsgid.plugins.report import Failure, Loaded, LoadReport, failure
from wsgid.plugins.sources import File, Folder, Source, folder_at, forget

PathText = str | os.PathLike[str]


def set_plugin_dirs(*dirs: PathText | Iterable[PathText]) -> None:
    """Where `load_plugins` looks from now on, instead of what was set before. Takes paths, or lists of them."""
    paths: list[Path] = []
    for each in dirs:
        paths += [Path(each)] if isinstance(each, str | os.PathLike) else map(Path, each)
    target = registry.current()
    # Made absolute at once: a daemon changes its directory.
    with target.loading:
        target.folders = tuple(dict.fromkeys(_folder(target, path.absolute()) for path in paths))


def load_plugins(logger: logging.Logger | None = None, *, entry_point_group: str | None = None) -> LoadReport:
    """Imports what lies in the folders that were set, and what is installed under the group of entry points.

    In alphabetical order across all folders, by file names without ``.py``, names of packages and names of entry
    points; equal ones in the order of the folders. A folder's own ``__init__.py`` comes before all that. Names that
    begin with ``_`` or ``.`` are passed over.

    What has been loaded before is not loaded again, and is in the report; what has failed before is tried again. Raises
    nothing that a plug-in raises, except KeyboardInterrupt: failures are in the report, and as errors in the log.
    """
    target = registry.current()
    with target.loading, target.holding() as held:
        importlib.invalidate_caches()  # files may have come since Python listed a folder
        packages, files, unreadable = _search(target.folders)
        others: list[Source] = [*files, *(installed(entry_point_group) if entry_point_group else ())]
        load = _Load(target, [*packages, *sorted(others, key=lambda each: each.name)], held)
        outcomes = [*unreadable, *map(load.take, load.sources)]
    report = LoadReport(
        tuple(each for each in outcomes if isinstance(each, Loaded)),
        tuple(each for each in outcomes if isinstance(each, Failure)),
    )
    if logger is not None:
        _log(report, logger)
    return report


def _folder(target: Registry, path: Path) -> Folder:
    real = os.path.realpath(path)
    if real not in target.known_folders:
        target.known_folders[real] = folder_at(path)
    return target.known_folders[real]


def _search(folders: Iterable[Folder]) -> tuple[list[Folder], list[File], list[Failure]]:
    """The folders with code of their own, the files (once each, whatever links to them), and what is unreadable."""
    packages: list[Folder] = []
    files: dict[str, File] = {}
    failed: list[Failure] = []
    for folder in folders:
        try:
            for file in folder.files():
                files.setdefault(os.path.realpath(file.path), file)
            if folder.init.is_file():
                packages.append(folder)
        except OSError as error:
            failed.append(failure(folder, error))
    return packages, list(files.values()), failed


class _Load:
    """One call of `load_plugins`.

    A source's plug-ins are held back until all of it has been imported. What one source imports of another one waits
    for that one's turn, so that the order is not changed by it.
    """

    def __init__(self, target: Registry, sources: Sequence[Source], held: list[Held]) -> None:
        self.sources = sources
        self._modules_before = frozenset(sys.modules)
        self._target = target
        self._held = held

    def take(self, source: Source) -> Loaded | Failure:
        try:
            source.load()
            self._target.admit([replace(each.registration, source=source) for each in self._mine(source)])
        except BaseException as error:  # other people's code has run, and scripts leave by sys.exit()
            self._forget(self._mine(source))
            if isinstance(error, KeyboardInterrupt):
                raise
            return failure(source, error)
        finally:
            self._held[:] = self._not_mine(source)
        return Loaded(source, tuple(each for each in self._target.registrations if each.source == source))

    def _mine(self, source: Source) -> list[Held]:
        return [each for each in self._held if self._owner(each, source) == source and not each.is_gone]

    def _not_mine(self, source: Source) -> list[Held]:
        return [each for each in self._held if self._owner(each, source) != source]

    def _owner(self, held: Held, current: Source) -> Source:
        """What is nobody's comes from a module that the source has imported, and goes with that source."""
        return next((each for each in self.sources if each.owns(held.registration)), current)

    def _forget(self, held: Iterable[Held]) -> None:
        """The next one to import what has come with this source runs it, and the plug-ins in it register again."""
        for name in {each.module_name for each in held} - self._modules_before:
            forget(name)


def _log(report: LoadReport, logger: logging.Logger) -> None:
    for loaded in report.loaded:
        names = ", ".join(each.plugin.__qualname__ for each in loaded.plugins)
        logger.debug("plug-ins of %s: %s", loaded.source, names or "none")
    for failed in report.failed:
        logger.error("plug-ins of %s cannot be loaded: %s\n%s", failed.source, failed.reason, failed.traceback)

"""Which plug-ins an app folder has: in its ``plugins/``, in each ``--loader-dir``, and what pip has installed.

Whoever loads plug-ins does it here, a worker as well as a command, so that all find the same ones in the same order.
"""

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from wsgid.app import WsgidApp
from wsgid.loaders.importing import put_first
from wsgid.plugins import LoadReport, load_plugins, set_plugin_dirs

ENTRY_POINTS = "wsgid.plugins"
"""The group under which distributions name their modules with plug-ins."""


def plugin_folders(app_path: Path, loader_dirs: Iterable[Path]) -> list[Path]:
    """Those that are there, each once: of two files that are called alike, the one in the first of them comes first.

    ``plugins/`` counts only in an app folder: a command may be called in any other.
    """
    app = WsgidApp(app_path)
    found: list[Path] = []
    # os.path, for Path.is_dir raises where a folder on the way may not be searched.
    for each in (app.pluginsdir, *loader_dirs) if os.path.isdir(app.appdir) else loader_dirs:
        # Asked of the system, for in a jail a folder has two paths.
        if os.path.isdir(each) and not any(each.samefile(other) for other in found):
            found.append(each)
    return found


def load_all(app_path: Path, loader_dirs: Iterable[Path], logger: logging.Logger | None = None) -> LoadReport:
    """Loads them, or what has come since and what failed the last time; ``app/`` becomes the first folder on
    ``sys.path``, for plug-ins may use the application's code.

    Raises nothing that a plug-in raises, except KeyboardInterrupt: failures are in the report, and as errors in the
    log.
    """
    put_first(WsgidApp(app_path).appdir)
    set_plugin_dirs(plugin_folders(app_path, loader_dirs))
    return load_plugins(logger, entry_point_group=ENTRY_POINTS)

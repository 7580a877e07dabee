"""Can the user whom the daemon has become read the interpreter, the packages and the application?

A daemon that finds out later fails in strange ways: a package that cannot be looked into is imported as an empty one
(PEP 420, namespace packages).
"""

import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("wsgid", "msgspec", "httptools", "uvloop", "zmq")
"""What the processes import themselves."""


@dataclass(frozen=True, slots=True)
class Needed:
    what: str
    """In words: ``the interpreter``."""
    path: str


def needed(app_path: Path) -> list[Needed]:
    """To be asked before the user changes, for afterwards some of it might not be found any more."""
    found = [Needed("the interpreter", os.path.realpath(sys.executable))]
    found += [Needed("the standard library", os.path.dirname(os.__file__))]
    found += [Needed("the standard library", each) for each in sys.path if each.endswith("lib-dynload")]
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        found += [Needed(f"the package {package}", each) for each in (spec and spec.submodule_search_locations) or ()]
    return [*found, Needed("the application", str(app_path / "app"))]


def site_folders() -> list[str]:
    return [each for each in sys.path if each.endswith(("site-packages", "dist-packages")) and os.path.isdir(each)]


def obstacle(wanted: Iterable[Needed]) -> str | None:
    """The first of them that this process cannot read, in words, with the folder on the way that keeps it from that."""
    for each in wanted:
        if reason := _reason(each.path):
            return f"{each.what} ({each.path}) cannot be read: {reason}"
    return None


def barrier(path: str) -> str | None:
    """The first folder on the way there that may not be searched, by whoever files are opened as just now.

    Unlike access(2), which goes by the real user, this holds within `kernel.files_as`.
    """
    for folder in reversed(Path(path).parents):
        try:
            os.stat(f"{folder}/.")
        except PermissionError:
            return str(folder)
        except OSError:
            return None  # it is not there: something else is wrong
    return None


def closed_packages(folders: Iterable[str]) -> Iterator[str]:
    """What is installed in these folders and cannot be read: somebody's umask was 077 when it was installed."""
    for folder in folders:
        if _reason(folder) is None:
            paths = (os.path.join(folder, name) for name in sorted(os.listdir(folder)))
            yield from (path for path in paths if os.path.exists(path) and not os.access(path, _bits(path)))


def _reason(path: str) -> str | None:
    for folder in reversed(Path(path).parents):
        if not os.access(folder, os.X_OK):
            return f"{folder} {_shut(folder, 'may not be searched')}"
    return None if os.access(path, _bits(path)) else f"it {_shut(Path(path), 'may not be read')}"


def _bits(path: str) -> int:
    return os.R_OK | os.X_OK if os.path.isdir(path) else os.R_OK


def _shut(path: Path, forbidden: str) -> str:
    return forbidden if path.exists() else "is not there"

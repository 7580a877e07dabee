"""Where plug-ins come from: folders, and the files in them.

A folder is not put on ``sys.path``: its files would hide modules of their names from the whole program, and those of
the next folder. Instead each folder is a package under a name of its own, whether it has an ``__init__.py`` or not, and
Python imports the files as modules of that package: once each, and ``from . import`` works between them.
"""

import importlib
import itertools
import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from wsgid.plugins.errors import PluginError
from wsgid.plugins.registry import Registration

INIT = "__init__.py"

PRIVATE = ("_", ".")
"""How the names begin of what is in a folder and is not loaded: code that files share, and what editors leave."""


class Source(ABC):
    """What can be loaded. As text it is what people call it: a path, or an entry point and its distribution."""

    name: str
    """What the alphabetical order goes by."""

    @abstractmethod
    def load(self) -> None:
        """Imports it, if it has not been imported yet. Raises whatever its code raises."""

    @abstractmethod
    def owns(self, registration: Registration) -> bool:
        """Is the plug-in one of this source, whoever has imported it first?"""

    @abstractmethod
    def has_file(self, file: str) -> bool:
        """Is this file of code one of its own?"""


@dataclass(frozen=True, slots=True)
class Folder(Source):
    """A folder of plug-ins. Loading it runs its ``__init__.py``."""

    name: str
    path: Path
    package: str
    """The name by which Python knows it."""

    def __str__(self) -> str:
        return str(self.path)

    @property
    def init(self) -> Path:
        return self.path / INIT

    def load(self) -> None:
        if getattr(sys.modules.get(self.package), "__file__", None) is not None:
            return
        spec = spec_from_file_location(self.package, self.init, submodule_search_locations=[str(self.path)])
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[self.package] = module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[self.package]
            raise

    def owns(self, registration: Registration) -> bool:
        return registration.plugin.__module__ == self.package

    def has_file(self, file: str) -> bool:
        return Path(file) == self.init

    def provide(self) -> None:
        """Makes it a package that is empty, where it is none yet, or where its ``__init__.py`` has failed."""
        if self.package not in sys.modules:
            spec = ModuleSpec(self.package, loader=None, is_package=True)
            spec.submodule_search_locations = [str(self.path)]
            sys.modules[self.package] = module_from_spec(spec)

    def files(self) -> Iterator["File"]:
        """Its files and the packages in it. Raises OSError."""
        for path in sorted(self.path.iterdir()):
            if path.name.startswith(PRIVATE):
                continue
            if (path / INIT).is_file():
                yield File(self, path.name, path / INIT)
            elif path.suffix == ".py":
                yield File(self, path.stem, path)


@dataclass(frozen=True, slots=True)
class File(Source):
    """A file in a folder of plug-ins, or a package there, which is its ``__init__.py``."""

    folder: Folder
    name: str
    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def module(self) -> str:
        return f"{self.folder.package}.{self.name}"

    def load(self) -> None:
        if "." in self.name:
            raise PluginError(f"{self.path}: Python takes no dot in the name of a module; rename the file")
        self.folder.provide()
        module = importlib.import_module(self.module)
        if module.__file__ != str(self.path):
            raise PluginError(f"{self.path}: {module.__file__} has the same name and hides it; rename one of them")

    def owns(self, registration: Registration) -> bool:
        return f"{registration.plugin.__module__}.".startswith(f"{self.module}.")

    def has_file(self, file: str) -> bool:
        return Path(file) == self.path or (self.path.name == INIT and Path(file).is_relative_to(self.path.parent))


def folder_at(path: Path) -> Folder:
    """A folder under a name that no other module has, and that no import statement can say: ``plugins@1``."""
    stem = re.sub(r"\W", "_", path.name)
    package = next(name for number in itertools.count(1) if (name := f"{stem}@{number}") not in sys.modules)
    folder = Folder(path.name, path, package)
    folder.provide()  # which takes the name
    return folder


def forget(module: str) -> None:
    """So that the next import of it runs it anew, also ``from . import``, which looks into the package first."""
    gone = sys.modules.pop(module)
    package, _, name = module.rpartition(".")
    parent = sys.modules.get(package)
    if getattr(parent, name, None) is gone:
        delattr(parent, name)

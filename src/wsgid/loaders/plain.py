"""An application in a plain ``wsgi.py``, ``app.py`` or ``main.py``, as Flask, Bottle, Falcon and Pyramid projects have.

Whether a file defines an application is read from its text: a ``main.py`` that is a script must not be run to find out.
"""

import ast
import importlib.util
import symtable
from pathlib import Path
from types import ModuleType
from wsgiref.types import WSGIApplication

from wsgid.loaders.callables import APPLICATION_NAMES, as_application
from wsgid.loaders.failure import LoadError
from wsgid.loaders.importing import import_named
from wsgid.loaders.interface import IExplainingLoader
from wsgid.plugins import Plugin

MODULES = ("wsgi", "app", "main")
"""In this order: ``wsgi.py`` is written for servers, ``main.py`` often for something else."""

ONE_OF = ", ".join(APPLICATION_NAMES)


class PlainLoader(Plugin, IExplainingLoader):
    """The first of MODULES, a file or a package, that defines one of the usual names."""

    def can_load(self, app_path: str) -> bool:
        return _find(Path(app_path)) is not None

    def load_app(self, app_path: str, app_full_name: str) -> WSGIApplication:
        name = _find(Path(app_path))
        if name is None:
            raise LoadError("\n".join(self.why_not(app_path)))
        module = import_named(name, "wsgid")
        attribute = _first_callable(module)
        return as_application(getattr(module, attribute), f"{name}:{attribute}")

    def why_not(self, app_path: str) -> list[str]:
        """One line for each place that was looked at."""
        return [_reason(Path(app_path), name) for name in MODULES]


def _find(app_path: Path) -> str | None:
    for name in MODULES:
        source = _source(app_path, name)
        if source is not None and _defines_application(source):
            return name
    return None


def _source(app_path: Path, name: str) -> Path | None:
    """Where Python would find the module: a package comes before a file of the same name."""
    app = app_path / "app"
    return next((file for file in (app / name / "__init__.py", app / f"{name}.py") if file.is_file()), None)


def _defines_application(source: Path) -> bool:
    """A file that cannot be read or compiled counts: loading it says what is wrong with it."""
    try:
        text = importlib.util.decode_source(source.read_bytes())
        tree = ast.parse(text)
        table = symtable.symtable(text, str(source), "exec")
    except (OSError, SyntaxError, ValueError):
        return True
    # `from project import *` may bring any name.
    if any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in tree.body):
        return True
    bound = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    return not bound.isdisjoint(APPLICATION_NAMES)


def _first_callable(module: ModuleType) -> str:
    """A name may stand for something else: `import app` in ``main.py`` is a module."""
    for name in APPLICATION_NAMES:
        if callable(getattr(module, name, None)):
            return name
    raise LoadError(f"{module.__file__} has nothing that can be called under any of the names {ONE_OF}")


def _reason(app_path: Path, name: str) -> str:
    source = _source(app_path, name)
    if source is None:
        return f"app/{name}.py: not there"
    return f"{source.relative_to(app_path)}: defines none of {ONE_OF}"

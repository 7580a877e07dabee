"""The application that ``--wsgi-app`` names."""

import importlib.util
import pkgutil
from types import ModuleType
from wsgiref.types import WSGIApplication

from wsgid.loaders.callables import as_application, call_factory
from wsgid.loaders.failure import LoadError
from wsgid.loaders.importing import import_named, nearest
from wsgid.loaders.interface import IAppLoader
from wsgid.loaders.target import parse_target
from wsgid.plugins import Plugin

OPTION = "--wsgi-app"


class NamedLoader(Plugin, IAppLoader):
    """Whatever the code is, once it is named."""

    def can_load(self, app_path: str) -> bool:
        """There has to be a name as well, which it is not told here."""
        return True

    def load_app(self, app_path: str, app_full_name: str) -> WSGIApplication:
        return load_named(app_full_name)


def load_named(app_full_name: str) -> WSGIApplication:
    """The application of this name, in one of the spellings of ``target``; a factory is called.

    Raises LoadError when the name leads nowhere or to something else, and whatever the application raises.
    """
    target = parse_target(app_full_name)
    if target.module:
        module, attributes = import_named(target.module, OPTION), target.names
    else:
        module, attributes = _split(target.names)
    found, path = _follow(module, attributes)
    if target.call is None:
        return as_application(found, path)
    return call_factory(found, path, target.call.args, target.call.kwargs)


def _split(names: tuple[str, ...]) -> tuple[ModuleType, tuple[str, ...]]:
    """The innermost module that the names lead to, and the rest of them; the last one is never a module."""
    module = import_named(names[0], OPTION)
    for depth, name in enumerate(names[1:-1], start=1):
        if not _has_submodule(module, name):
            return module, names[depth:]
        module = import_named(f"{module.__name__}.{name}", OPTION)
    return module, names[-1:]


def _follow(module: ModuleType, attributes: tuple[str, ...]) -> tuple[object, str]:
    """The object, and its name in the spelling with the colon."""
    found: object = module
    path = module.__name__
    for depth, name in enumerate(attributes):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise LoadError(_missing(found, path, name)) from None
        path += f"{'.' if depth else ':'}{name}"
    return found, path


def _missing(holder: object, path: str, name: str) -> str:
    if not isinstance(holder, ModuleType):
        return f"{path} has no attribute {name!r}{nearest(name, dir(holder))}"
    if _has_submodule(holder, name):
        return f"{path}.{name} is a module: name the application in it, for example {path}.{name}:application"
    inside = [module.name for module in pkgutil.iter_modules(getattr(holder, "__path__", []))]
    return f"the module {path} ({_file(holder)}) has no {name!r}{nearest(name, [*dir(holder), *inside])}"


def _has_submodule(module: ModuleType, name: str) -> bool:
    return hasattr(module, "__path__") and importlib.util.find_spec(f"{module.__name__}.{name}") is not None


def _file(module: ModuleType) -> str:
    return getattr(module, "__file__", None) or "without a file"

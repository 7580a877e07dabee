"""Importing the application's modules, and telling a wrong name from a module that fails."""

import difflib
import importlib
import pkgutil
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from wsgid.loaders.failure import LoadError


def put_first(folder: Path) -> None:
    """Makes the folder the first one in which Python looks for modules, and lists it once."""
    entry = str(folder)
    sys.path[:] = [entry, *(other for other in sys.path if other != entry)]


def import_named(name: str, asked_by: str) -> ModuleType:
    """Imports a module that the user named; ``asked_by`` says where: ``--wsgi-app``.

    Raises LoadError when there is no such module, and whatever the module raises.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if not is_missing(name, error):
            raise
        raise LoadError(missing_text(name, asked_by, error)) from None


def is_missing(name: str, error: ModuleNotFoundError) -> bool:
    """Is it this module (or a package it is in) that is missing, rather than one that it imports?"""
    return error.name is not None and f"{name}.".startswith(f"{error.name}.")


def missing_text(name: str, asked_by: str, error: ModuleNotFoundError) -> str:
    first = name.partition(".")[0]
    guess = ""
    if name.endswith(".py"):
        guess = "; a module is named without .py"
    elif error.name == first:
        guess = nearest(first, (module.name for module in pkgutil.iter_modules()))
    return f"{asked_by} names the module {name!r}, and there is no {error.name!r}, neither in app/ nor installed{guess}"


def nearest(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'application'?``, or nothing."""
    matches = difflib.get_close_matches(name, sorted(set(known)), n=3)
    return f"; did you mean {' or '.join(map(repr, matches))}?" if matches else ""

"""Is this object a WSGI application, or something that makes one?

An application is called with two positional arguments (PEP 3333, "The Application/Framework Side"), a factory with
none. The signature decides; where it allows both, or cannot be read (as with compiled code), the object is taken for
an application, for that is what most objects with the name are.
"""

import inspect
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, cast
from wsgiref.types import WSGIApplication

from wsgid.loaders.failure import LoadError

FACTORY_NAMES = ("create_app", "make_app")
"""Factories by custom, also when their optional arguments would allow a call with two."""

APPLICATION_NAMES = ("application", "app", *FACTORY_NAMES)
"""What an application is called when nobody said its name, most usual first."""


def as_application(candidate: object, name: str) -> WSGIApplication:
    """The application itself, or the one that the factory makes. ``name`` is how the user calls it.

    Raises LoadError when it is neither, and whatever the factory raises.
    """
    check_callable(candidate, name)
    with_none, with_two = _accepts(candidate, 0), _accepts(candidate, 2)
    by_custom = name.rpartition(":")[2].rpartition(".")[2] in FACTORY_NAMES
    if with_none and (by_custom or not with_two):
        return call_factory(candidate, name)
    if with_two and not by_custom:
        return cast(WSGIApplication, candidate)
    what = "a factory without any" if by_custom else "a WSGI application is called with two, a factory without any"
    raise LoadError(f"{name}{inspect.signature(cast(Any, candidate))} wants other arguments: {what}")


def call_factory(
    factory: object, name: str, args: Sequence[object] = (), kwargs: Mapping[str, object] | None = None
) -> WSGIApplication:
    """What the factory makes with these arguments.

    Raises LoadError when the arguments do not fit or the result is no application, and whatever the factory raises.
    """
    check_callable(factory, name)
    kwargs = kwargs or {}
    misfit = _misfit(factory, args, kwargs)
    if misfit is not None:
        raise LoadError(f"{name} cannot be called like this: {misfit}")
    made = cast(Any, factory)(*args, **kwargs)
    check_callable(made, f"what {name} returned")
    return cast(WSGIApplication, made)


def check_callable(candidate: object, name: str) -> None:
    """Raises LoadError when it cannot be a WSGI application, whatever its arguments."""
    if isinstance(candidate, ModuleType):
        module = candidate.__name__
        raise LoadError(f"{name} is a module: name the application in it, for example {module}:application")
    if not callable(candidate):
        raise LoadError(f"{name} is no application: it is of type {type(candidate).__qualname__} and cannot be called")
    if inspect.iscoroutinefunction(candidate) or inspect.iscoroutinefunction(type(candidate).__call__):
        raise LoadError(f"{name} is asynchronous, probably an ASGI application: wsgid serves WSGI applications")


def _accepts(candidate: object, count: int) -> bool:
    """Can it be called with so many positional arguments? What cannot be inspected is taken for an application."""
    try:
        inspect.signature(cast(Any, candidate))
    except (TypeError, ValueError):
        return count == 2
    return _misfit(candidate, (None,) * count, {}) is None


def _misfit(candidate: object, args: Sequence[object], kwargs: Mapping[str, object]) -> str | None:
    """Why it cannot be called with these arguments; None when it can, or when that cannot be known."""
    try:
        signature = inspect.signature(cast(Any, candidate))
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        return str(error)
    return None

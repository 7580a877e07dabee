"""Interfaces: classes that name what may be extended, by methods that are only declared.

A declaration is kept as a `Method`, a descriptor. So an interface needs no metaclass, which would keep plug-ins from
deriving from classes that have another one, those of abc for example.
"""

from collections.abc import Callable, Iterator
from functools import partial
from inspect import Signature
from types import FunctionType
from typing import Any, Self

from wsgid.plugins import places, registry
from wsgid.plugins.errors import PluginError
from wsgid.plugins.signatures import as_called

_DECLARING = (FunctionType, staticmethod, classmethod)


class Interface:
    """What may be extended. A class that derives from it declares methods; their bodies may be empty.

    Called on the interface itself, a method calls that method of every implementor, in their order, and returns a list
    of what they returned. What one of them raises passes to the caller, and those after it are not called. Arguments
    given by name are passed on by position, for implementors may name their parameters differently.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if is_interface(cls):
            _declare(cls)
        elif not any(map(_is_plugin, cls.__bases__)):
            place = places.of_class(cls)
            raise PluginError(f"{place}: {cls.__qualname__} says what it implements, but does not derive from Plugin")

    @classmethod
    def implementors(cls, filter_callback: Callable[[Self], object] | None = None) -> list[Self]:
        """The instance of each plug-in that implements this interface or one derived from it, in their order.

        With ``filter_callback`` those for which it returns something true. The list is the caller's own. May be called
        in any thread. Raises PluginError when a plug-in that the program itself defines cannot be constructed; those
        that `load_plugins` found are constructed there.
        """
        found = registry.current().implementors(cls)
        return found if filter_callback is None else [each for each in found if filter_callback(each)]


class Method:
    """A method as an interface declares it."""

    def __init__(self, interface: type[Interface], name: str, declared: Any) -> None:
        self.interface = interface
        self.name = name
        self.place = places.of_function(declared)
        self.signature = self._signature(declared)
        self.__doc__ = declared.__doc__
        self._declared = declared

    def __get__(self, instance: object, owner: type) -> Callable[..., Any]:
        if instance is None and is_interface(owner):
            return partial(self._call_every, owner)
        bound: Callable[..., Any] = self._declared.__get__(instance, owner)  # for super(), and an abstract base
        return bound

    def _signature(self, declared: Any) -> Signature:
        try:
            signature = as_called(declared, self.interface)
        except ValueError as error:
            raise PluginError(f"{self.place}: {error}; declare it as a static method") from None
        assert signature is not None, "only what is written in Python declares a method"
        return signature

    def _call_every(self, interface: type[Interface], /, *args: Any, **kwargs: Any) -> list[Any]:
        given = self.signature.bind(*args, **kwargs)  # a wrong call is told, also when nothing implements the interface
        return [getattr(each, self.name)(*given.args, **given.kwargs) for each in interface.implementors()]


def is_interface(cls: object) -> bool:
    """Is it a class that declares methods, and not one that has them? ``implements`` is what plug-ins have."""
    return isinstance(cls, type) and issubclass(cls, Interface) and cls is not Interface and not _is_plugin(cls)


def methods(interface: type[Interface]) -> Iterator[Method]:
    """All that it declares, also what it declares anew: callers of the interface that it derives from go by that one's
    declaration."""
    for cls in interface.__mro__:
        yield from (each for each in vars(cls).values() if isinstance(each, Method))


def _is_plugin(cls: type) -> bool:
    return hasattr(cls, "implements")


def _declare(interface: type[Interface]) -> None:
    for name, declared in list(vars(interface).items()):
        if isinstance(declared, _DECLARING) and not name.startswith("_"):
            setattr(interface, name, Method(interface, name, declared))

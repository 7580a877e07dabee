"""Plug-ins: a class that says which interfaces it implements is checked and registered when it is defined."""

import inspect
from collections.abc import Sequence
from typing import Any, ClassVar

from wsgid.plugins import places, registry
from wsgid.plugins.checks import check
from wsgid.plugins.errors import PluginError
from wsgid.plugins.interface import Interface, is_interface
from wsgid.plugins.places import Place
from wsgid.plugins.registry import Registration


class Plugin:
    """What extends a program. The class statement registers it, wholly or, with a PluginError, not at all.

    It names its interfaces in ``implements``, or derives from them, so that a type checker compares the methods::

        class Upper(Plugin):
            implements = [IWord]

        class Lower(Plugin, IWord): ...

    There is one instance of each class, made without arguments. A class that derives from a plug-in is a plug-in of its
    own. Not registered are classes without interfaces (``implements = []`` takes back what a base class names) and
    those with abstract methods of their own.
    """

    implements: ClassVar[Sequence[type[Interface]]] = ()
    """Interfaces, in a list or tuple."""

    order: ClassVar[int] = 0
    """Those with lower numbers come first; equal ones come as they were registered, files in alphabetical order."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        place = places.of_class(cls)
        interfaces = _interfaces(cls, place)
        if interfaces and not _is_abstract(cls):
            check(cls, interfaces, place)
            registry.current().register(Registration(cls, interfaces, cls.order, place))


def _interfaces(plugin: type[Plugin], place: Place) -> tuple[type[Interface], ...]:
    """Those that it names and those that it derives from, without those that others of them derive from."""
    named: object = plugin.implements
    if not isinstance(named, list | tuple):
        raise PluginError(f"{place}: {plugin.__qualname__}.implements is {named!r}, and must be a list of interfaces")
    for each in named:
        if not is_interface(each):
            raise PluginError(
                f"{place}: {plugin.__qualname__} implements {each!r}, which is no class derived from Interface"
            )
    found = dict.fromkeys([*named, *filter(is_interface, plugin.__mro__)])
    return tuple(each for each in found if not any(other is not each and issubclass(other, each) for other in found))


def _is_abstract(plugin: type[Plugin]) -> bool:
    """Has it abstract methods? Those of an interface do not count, for a `Method` is not marked so: one that is still
    there is a missing method.

    ``inspect.isabstract`` knows only classes of ABCMeta, and those not before their class statement is over.
    """
    members = (inspect.getattr_static(plugin, name, None) for name in dir(plugin))
    return any(getattr(each, "__isabstractmethod__", False) for each in members)

"""Does a plug-in have what its interfaces declare? Asked while its class is being defined, answered in words."""

import difflib
import inspect

from wsgid.plugins import places
from wsgid.plugins.errors import PluginError
from wsgid.plugins.interface import Interface, Method, methods
from wsgid.plugins.places import Place
from wsgid.plugins.signatures import as_called, counted, fits, is_method, shown


def check(plugin: type, interfaces: tuple[type[Interface], ...], place: Place) -> None:
    """Raises PluginError, which tells all that is wrong with the class, a line for each fault."""
    declarations = [declared for interface in interfaces for declared in methods(interface)]
    faults = [
        f"{fault}; expected is {_told(declared)}"
        for declared in declarations
        if (fault := _fault(plugin, declared, place)) is not None
    ]
    order = getattr(plugin, "order", 0)
    if not isinstance(order, int):
        faults.append(f"{place}: {plugin.__qualname__}.order is {order!r}, and must be a whole number")
    if faults:
        raise PluginError("\n".join(faults))


def _fault(plugin: type, declared: Method, place: Place) -> str | None:
    member = inspect.getattr_static(plugin, declared.name, None)
    where = places.of_function(member) or place
    named = f"{plugin.__qualname__}.{declared.name}"
    if member is None or isinstance(member, Method):  # the declaration itself, inherited
        return f"{place}: {_missing(plugin, declared)}"
    if not is_method(member):
        return f"{place}: {named} is a {type(member).__name__} and no method"
    try:
        taken = as_called(member, plugin)
    except ValueError:
        return f"{where}: {named}() has no parameter for self"
    if taken is None or fits(taken, declared.signature):
        return None
    return f"{where}: {named}{shown(taken)} does not take {counted(declared.signature)}, whatever the names"


def _missing(plugin: type, declared: Method) -> str:
    present = [name for name in dir(plugin) if not isinstance(inspect.getattr_static(plugin, name, None), Method)]
    similar = difflib.get_close_matches(declared.name, present, n=1)
    guess = f", but has {similar[0]}" if similar else ""
    return f"{plugin.__qualname__} has no method {declared.name}{guess}"


def _told(declared: Method) -> str:
    """``IFilter.process(message, environ) of /srv/filters.py, line 7``."""
    return f"{declared.interface.__qualname__}.{declared.name}{shown(declared.signature)} of {declared.place}"

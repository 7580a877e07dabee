"""An interface, and the text of files with plug-ins for it."""

from typing import Any

from wsgid.plugins import Interface

HEAD = "from tests.unit.plugins.greetings import IGreeting\nfrom wsgid.plugins import Plugin\n"


class IGreeting(Interface):
    def greet(self, name: str) -> Any: ...


def plugin(name: str, *, order: int | None = None, method: str = "greet(self, name)") -> str:
    """A class statement; its plug-in greets with its own name."""
    ordered = "" if order is None else f"    order = {order}\n"
    return f"class {name}(Plugin):\n    implements = [IGreeting]\n{ordered}    def {method}: return {name!r}\n"


def file(*names: str) -> str:
    return HEAD + "".join(map(plugin, names))


def greeters() -> list[str]:
    """Who greets, in their order."""
    return [type(each).__name__ for each in IGreeting.implementors()]

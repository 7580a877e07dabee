"""Plug-ins that pip has installed: distributions name their modules under an entry point group."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from wsgid.plugins.registry import Registration
from wsgid.plugins.sources import Source

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


@dataclass(frozen=True, slots=True)
class Installed(Source):
    """An entry point. Its value is a module, or a plug-in in one: the import is what registers."""

    name: str
    entry_point: EntryPoint

    def __str__(self) -> str:
        dist = self.entry_point.dist
        origin = f" of {dist.name} {dist.version}" if dist else ""
        return f"entry point {self.name} = {self.entry_point.value}{origin}"

    def load(self) -> None:
        self.entry_point.load()

    def owns(self, registration: Registration) -> bool:
        module, _, qualname = re.sub(r"[\s\[].*", "", self.entry_point.value).partition(":")
        plugin = registration.plugin
        return plugin.__module__ == module and qualname in ("", plugin.__qualname__)

    def has_file(self, file: str) -> bool:
        # Found anew, for what could not be imported is not in sys.modules.
        try:
            spec = find_spec(re.split(r"\W", self.entry_point.value, maxsplit=1)[0])
        except ValueError:  # there is no such name
            return False
        if spec is None:
            return False
        folders = spec.submodule_search_locations or ()
        return file == spec.origin or any(Path(file).is_relative_to(each) for each in folders)


def installed(group: str) -> list[Installed]:
    """In no order that matters."""
    from importlib.metadata import entry_points  # 20 ms, which programs without a group do not pay

    return [Installed(each.name, each) for each in entry_points(group=group)]

"""The registered plug-ins: the one place where the state of this package lives.

Readers do not wait for writers: what they see is a table that is never changed, only replaced as a whole.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar, cast

from wsgid.plugins.errors import PluginError
from wsgid.plugins.places import Place

if TYPE_CHECKING:
    from wsgid.plugins.interface import Interface
    from wsgid.plugins.sources import Folder, Source

T = TypeVar("T", bound="Interface")


@dataclass(frozen=True, slots=True)
class Registration:
    """A plug-in that has registered."""

    plugin: type
    interfaces: tuple[type[Interface], ...]
    order: int
    place: Place
    """Its class statement."""
    source: Source | None = None
    """What `load_plugins` was loading when it came; None: the program has defined or imported it itself."""

    @property
    def name(self) -> str:
        return f"{self.plugin.__module__}.{self.plugin.__qualname__}"

    def implements(self, interface: type[Interface]) -> bool:
        return any(issubclass(each, interface) for each in self.interfaces)

    def is_again(self, other: Registration) -> bool:
        """Is it the other one's class, defined once more? So it is after a reload, and when a decorator makes a class
        with slots out of the one it was given. What a function defines is new each time."""
        return self.name == other.name and "<locals>" not in self.name


class _Entry:
    """A registration in the table, with its instance from its first use on."""

    def __init__(self, registration: Registration) -> None:
        self.registration = registration
        self._instance: object = None
        # For each plug-in a lock of its own: constructing runs other people's code, which may wait for an import in
        # another thread, which in turn may be registering, or ask for other plug-ins.
        self._constructing = threading.RLock()

    @property
    def instance(self) -> object:
        """Raises PluginError."""
        with self._constructing:
            if self._instance is None:
                self._instance = _construct(self.registration)
            return self._instance


@dataclass(frozen=True, slots=True)
class _Table:
    """All entries in their order, and what was found in them."""

    entries: tuple[_Entry, ...] = ()
    implementors: dict[type, tuple[object, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Held:
    """A plug-in that has yet to be admitted."""

    registration: Registration
    module: ModuleType | None
    """In which it was defined."""

    @property
    def is_gone(self) -> bool:
        """Has the import of its module failed since? Somebody may have caught that error."""
        return self.module is not None and sys.modules.get(self.module_name) is not self.module

    @property
    def module_name(self) -> str:
        return self.registration.plugin.__module__


class _Thread(threading.local):
    held: list[Held] | None = None
    """While this thread loads plug-ins."""


class Registry:
    """Who implements what."""

    def __init__(self) -> None:
        self.folders: tuple[Folder, ...] = ()
        """Where `load_plugins` looks."""
        self.known_folders: dict[str, Folder] = {}
        """All that it has ever been told, by their real paths: what has been loaded keeps its name."""
        self.loading = threading.RLock()
        """One load at a time; a plug-in may itself load others."""
        self._table = _Table()
        self._changing = threading.Lock()
        self._thread = _Thread()

    @property
    def registrations(self) -> tuple[Registration, ...]:
        return tuple(each.registration for each in self._table.entries)

    def implementors(self, interface: type[T]) -> list[T]:
        table = self._table
        found = table.implementors.get(interface)
        if found is None:
            found = tuple(each.instance for each in table.entries if each.registration.implements(interface))
            table.implementors[interface] = found
        return cast(list[T], list(found))

    def register(self, registration: Registration) -> None:
        if self._thread.held is None:
            self._add([_Entry(registration)])
        else:
            self._thread.held.append(Held(registration, sys.modules.get(registration.plugin.__module__)))

    @contextmanager
    def holding(self) -> Iterator[list[Held]]:
        """What this thread registers meanwhile goes to the list: nobody sees it before it is admitted."""
        before = self._thread.held
        held: list[Held] = []
        self._thread.held = held
        try:
            yield held
        finally:
            self._thread.held = before

    def admit(self, registrations: Sequence[Registration]) -> None:
        """Constructs the plug-ins, then registers them all. Raises PluginError, and none is registered."""
        entries = _with((), map(_Entry, registrations))
        for each in entries:
            _ = each.instance
        self._add(entries)

    def _add(self, more: Iterable[_Entry]) -> None:
        with self._changing:
            entries = _with(self._table.entries, more)
            # Sorting keeps the order in which those of equal numbers came.
            self._table = _Table(tuple(sorted(entries, key=lambda each: each.registration.order)))


def _with(entries: Iterable[_Entry], more: Iterable[_Entry]) -> list[_Entry]:
    """What is defined once more takes its own place, and keeps its source."""
    found = list(entries)
    for new in more:
        at = next((index for index, old in enumerate(found) if new.registration.is_again(old.registration)), None)
        if at is None:
            found.append(new)
        else:
            source = new.registration.source or found[at].registration.source
            new.registration = replace(new.registration, source=source)
            found[at] = new
    return found


def _construct(registration: Registration) -> object:
    plugin = registration.plugin
    try:
        return plugin()
    # Whatever the plug-in's own code raises is to be told with its name.
    except Exception as error:
        told = f"{plugin.__qualname__}() raised {type(error).__qualname__}: {error}"
        raise PluginError(f"{registration.place}: {told}; plug-ins are constructed without arguments") from error


_current = Registry()


def current() -> Registry:
    """The registry of the process, or that of the innermost `isolated`."""
    return _current


def registered() -> tuple[Registration, ...]:
    """All plug-ins, in their order."""
    return _current.registrations


@contextmanager
def isolated() -> Iterator[Registry]:
    """A registry of its own, empty at first, for all threads of the process while the block lasts: for tests."""
    global _current
    before, _current = _current, Registry()
    try:
        yield _current
    finally:
        _current = before

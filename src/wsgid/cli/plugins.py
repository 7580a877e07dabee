"""``wsgid plugins``: which plug-ins an app folder has, and what is wrong with those that it lacks."""

import os
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from wsgid.cli.commands import commands
from wsgid.cli.complaints import EXIT_FAILED
from wsgid.cli.own_commands import is_ours
from wsgid.cli.plugin_commands import PluginCommands
from wsgid.config_sources import locate_plugins
from wsgid.filters import import_shipped
from wsgid.interfaces.commands import CommandOptions, ICommand
from wsgid.loaders import IAppLoader
from wsgid.loaders.load import loaders
from wsgid.plugin_sources import ENTRY_POINTS, plugin_folders
from wsgid.plugins import Interface, Registration, registered

MAX_TRACEBACK = 16
"""Lines that people are shown: what happened is at the end. ``--json`` has them all."""


@dataclass(frozen=True, slots=True)
class PluginSeen:
    name: str
    """Of its class."""
    implements: list[str]
    order: int
    file: str
    line: int
    """Of its class statement."""
    source: str | None
    """The file or entry point that it was loaded from; None: it comes with wsgid."""


@dataclass(frozen=True, slots=True)
class Failed:
    source: str
    reason: str
    traceback: str


@dataclass(frozen=True, slots=True)
class PluginList:
    app_path: str
    folders: list[str]
    entry_points: str
    """The group."""
    loaded: list[str]
    """Files and entry points, in the order of loading."""
    plugins: list[PluginSeen]
    asked: dict[str, list[str]]
    """Of each interface, the classes that implement it, in the order in which they are asked."""
    failed: list[Failed]
    unusable: list[str]
    """What could be loaded, and still cannot be used."""


def plugins(options: CommandOptions) -> int:
    """Returns the exit code."""
    named = {"app_path": str(options.app_path), "loader_dir": tuple(map(str, options.loader_dir))}
    place = locate_plugins(named, os.environ)
    import_shipped(place.filters)  # first, as in a worker
    found = PluginCommands(place)
    told = PluginList(
        app_path=str(place.app_path),
        folders=list(map(str, plugin_folders(place.app_path, place.loader_dirs))),
        entry_points=ENTRY_POINTS,
        loaded=[str(each.source) for each in found.report.loaded],
        plugins=list(map(_seen, registered())),
        asked=_asked(),
        failed=[Failed(str(each.source), each.reason, each.traceback) for each in found.report.failed],
        unusable=found.unusable,
    )
    if options.json:
        print(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
    else:
        print("\n".join(as_text(told)))
    return EXIT_FAILED if told.failed or told.unusable else 0


def as_text(told: PluginList) -> list[str]:
    """Lines for people."""
    places = [*told.folders, f"the entry points {told.entry_points}"]
    lines = [f"Plug-ins of {told.app_path}, from {' and '.join(places)}"]
    for source in told.loaded:
        lines += ["", source]
        lines += [f"  {_described(each)}" for each in told.plugins if each.source == source] or ["  no plug-in"]
    lines += ["", "In this order"]
    lines += [f"  {interface}: {', '.join(_shortened(names))}" for interface, names in told.asked.items()]
    for failed in told.failed:
        lines += ["", f"Cannot be loaded: {failed.reason}", *_traceback(failed)]
    lines += [line for each in told.unusable for line in ("", f"Cannot be used: {each}")]
    return lines


def _seen(each: Registration) -> PluginSeen:
    return PluginSeen(
        name=each.plugin.__qualname__,
        implements=[interface.__qualname__ for interface in each.interfaces],
        order=each.order,
        file=each.place.file,
        line=each.place.line,
        source=str(each.source) if each.source else None,
    )


def _asked() -> dict[str, list[str]]:
    """Of loaders and commands the order is not only plugnplay's: other people's loaders come first, our commands do."""
    commands = ICommand.implementors()
    found = {
        "IAppLoader": _names(loaders()),
        "ICommand": _names([*filter(is_ours, commands), *(each for each in commands if not is_ours(each))]),
    }
    for interface in dict.fromkeys(each for one in registered() for each in one.interfaces):
        if not issubclass(interface, IAppLoader | ICommand):
            found[interface.__qualname__] = _names(interface.implementors())
    return found


def _names(implementors: Iterable[Interface]) -> list[str]:
    return [type(each).__qualname__ for each in implementors]


def _shortened(names: Iterable[str]) -> list[str]:
    """Without each single command of ours: `wsgid --help` has them."""
    ours = [type(each).__qualname__ for each in commands()]
    others = [each for each in names if each not in ours]
    return others if others == names else ["those of wsgid", *others]


def _described(each: PluginSeen) -> str:
    order = f", order {each.order}" if each.order else ""
    return f"{each.name} ({each.file}, line {each.line}): {', '.join(each.implements)}{order}"


def _traceback(failed: Failed) -> list[str]:
    """Its last lines, unless it has nothing that is not in the reason."""
    lines = failed.traceback.splitlines()
    if failed.reason in failed.traceback:
        return []
    cut = ["..."] if len(lines) > MAX_TRACEBACK else []
    return [f"  {line}" for line in (*cut, *lines[-MAX_TRACEBACK:])]

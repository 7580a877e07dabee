"""plugnplay: a small plug-in system that works on its own, without the rest of wsgid (docs/plugnplay.md)."""

from importlib import import_module
from typing import TYPE_CHECKING

from wsgid.plugins.errors import PluginError
from wsgid.plugins.interface import Interface
from wsgid.plugins.places import Place
from wsgid.plugins.plugin import Plugin
from wsgid.plugins.registry import Registration, isolated, registered

if TYPE_CHECKING:
    from wsgid.plugins.loading import load_plugins, set_plugin_dirs
    from wsgid.plugins.report import Failure, Loaded, LoadReport
    from wsgid.plugins.sources import Source

__all__ = [
    "Failure",
    "Interface",
    "LoadReport",
    "Loaded",
    "Place",
    "Plugin",
    "PluginError",
    "Registration",
    "Source",
    "isolated",
    "load_plugins",
    "registered",
    "set_plugin_dirs",
]

_FOR_LOADING = {
    "Failure": "report",
    "LoadReport": "report",
    "Loaded": "report",
    "Source": "sources",
    "load_plugins": "loading",
    "set_plugin_dirs": "loading",
}
"""Imported when they are asked for: half of the time that the whole takes, which a command that loads nothing saves."""


def __getattr__(name: str) -> object:
    if name not in _FOR_LOADING:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_FOR_LOADING[name]}"), name)

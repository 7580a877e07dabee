"""plugnplay: a small plug-in system that works on its own, without the rest of wsgid (docs/plugnplay.md)."""

from wsgid.plugins.errors import PluginError
from wsgid.plugins.interface import Interface
from wsgid.plugins.loading import load_plugins, set_plugin_dirs
from wsgid.plugins.places import Place
from wsgid.plugins.plugin import Plugin
from wsgid.plugins.registry import Registration, isolated, registered
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

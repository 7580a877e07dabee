"""It works without the rest of wsgid: see also tests/unit/test_layers.py."""

import subprocess
import sys

import pytest

import wsgid.plugins


def test_nothing_else_of_wsgid_is_loaded() -> None:
    code = """
import sys
from wsgid.plugins import *
print(*(name for name in sys.modules if name.partition('.')[0] == 'wsgid'))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "wsgid.plugins.loading" in loaded
    assert {name for name in loaded if not f"{name}.".startswith("wsgid.plugins.")} == {"wsgid"}


def test_there_is_nothing_else() -> None:
    with pytest.raises(AttributeError, match=r"^module 'wsgid.plugins' has no attribute 'load_plugin'$"):
        wsgid.plugins.__getattr__("load_plugin")


def test_public_names() -> None:
    assert sorted(wsgid.plugins.__all__) == [
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

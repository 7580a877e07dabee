"""It works without the rest of wsgid: see also tests/unit/test_layers.py."""

import subprocess
import sys

import wsgid.plugins


def test_nothing_else_of_wsgid_is_loaded() -> None:
    code = "import sys, wsgid.plugins; print(*(name for name in sys.modules if name.partition('.')[0] == 'wsgid'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "wsgid.plugins.loading" in loaded
    assert {name for name in loaded if not f"{name}.".startswith("wsgid.plugins.")} == {"wsgid"}


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

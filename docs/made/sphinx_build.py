"""Runs Sphinx on the pages."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "build" / "site"


def run(builder: str, *settings: str) -> int:
    """Into the folder of build/site that is called as the builder is. The exit code: not 0 when there was a warning.

    ``settings`` are those of docs/conf.py, as ``name=value``.
    """
    # -E: what was read before would not be warned of again.
    command = [sys.executable, "-m", "sphinx", "-b", builder, "-E", "-n", "-W", "--keep-going", "-q", "-c", "docs"]
    changed = [word for each in settings for word in ("-D", each)]
    place = ["-d", str(BUILT / f"{builder}-doctrees"), ".", str(BUILT / builder)]
    return subprocess.run([*command, *changed, *place], cwd=ROOT, check=False).returncode

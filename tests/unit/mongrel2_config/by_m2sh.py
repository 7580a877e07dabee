"""Configurations as m2sh, Mongrel2's own tool, understands them."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.deadlines import seconds
from wsgid.mongrel2_config.database import read
from wsgid.mongrel2_config.values import Configuration


def loaded(text: str, folder: Path) -> Configuration:
    """What it makes of this text, by way of files in the folder. Raises AssertionError when it complains."""
    m2sh = shutil.which("m2sh")
    assert m2sh, "m2sh is not installed, which comes with Mongrel2: apt-get install mongrel2-core"
    (folder / "m2.conf").write_text(text)
    done = subprocess.run(
        [m2sh, "load", "-db", "config.sqlite", "-config", "m2.conf"],
        cwd=folder,
        env={**os.environ, "LOGNAME": "nobody"},  # it writes down who changed the configuration
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=seconds(),
        check=True,
    )
    assert b"error" not in done.stdout.lower(), done.stdout.decode()  # it exits with 0 all the same
    return read(folder / "config.sqlite")

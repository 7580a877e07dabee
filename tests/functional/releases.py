"""New code for tests/apps/ledger while it is served, sound or broken."""

import re
from pathlib import Path

LIBRARY = "a_library_that_is_not_installed"

MISSING = f"import {LIBRARY}\n"

HANGING = "import time\n\n\ndef wait_for_ever():\n    time.sleep(3600)\n\n\nwait_for_ever()\n"


def release(folder: Path, name: str, before: str = "") -> None:
    """Puts a new release of tests/apps/ledger on disk in one go, with some code before it."""
    code = folder / "app/wsgi.py"
    text = re.sub(r'^RELEASE = ".*"$', f'RELEASE = "{name}"', code.read_text(), flags=re.MULTILINE)
    assert f'RELEASE = "{name}"' in text
    new = folder / "app/wsgi.new"
    new.write_text(before + text)
    new.rename(code)

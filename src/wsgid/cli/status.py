"""``wsgid status``: which daemons of an app folder run, and what they are doing."""

from collections.abc import Mapping

import msgspec

from wsgid.cli.daemons import EXIT_STOPPED, folder, look_for
from wsgid.cli.folder_status import RUNNING, describe
from wsgid.cli.status_text import as_text

EXIT_NO_WORKERS = 4
"""A master, but no worker. The Linux Standard Base has "unknown" for it."""


def status(options: Mapping[str, object]) -> int:
    """Returns the exit code. Raises CannotDo."""
    app = folder(options)
    told = describe(look_for(options.get("pid"), app), app)
    if options.get("json"):
        print(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
    else:
        print("\n".join(as_text(told)))
    if told.status == RUNNING:
        return 0
    return EXIT_NO_WORKERS if told.daemons else EXIT_STOPPED

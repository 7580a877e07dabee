"""The command ``wsgid``: from the arguments to one function of this package and an exit code.

One file a command; `start` is what runs when no command is named. Everything heavy is imported by the process that
needs it, after its fork, so that ``wsgid --help`` is quick and the master stays small.
"""

import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from wsgid.cli.command_line import build
from wsgid.cli.complaints import complain
from wsgid.cli.start import start

__all__ = ["main"]

EXIT_INTERRUPTED = 130
"""What shells report for a command that SIGINT ended: 128 + 2."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs the command of these arguments (None: those of this process) and ends the process with its exit code."""
    try:
        # Not standalone: click would end the process in its own ways, and speak in another voice than we do.
        code = build(start).main(arguments, prog_name="wsgid", standalone_mode=False)
    except click.ClickException as error:
        complain([f"{error.format_message()} (see wsgid --help)"])
        code = error.exit_code
    except click.Abort:
        code = EXIT_INTERRUPTED
    sys.exit(code)

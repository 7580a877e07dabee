"""The command ``wsgid``: from the arguments to one function of this package and an exit code.

One file a command; `start` is what runs when no command is named. Everything heavy is imported by the process that
needs it, after its fork, so that ``wsgid --help`` is quick and the master stays small.
"""

import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from wsgid.cli.called_commands import own_command
from wsgid.cli.command_line import FurtherCommands, WsgidCommand, build
from wsgid.cli.commands import commands
from wsgid.cli.complaints import EXIT_INTERRUPTED, complain
from wsgid.cli.start import start

__all__ = ["command_line", "main"]


def command_line() -> WsgidCommand:
    """With all its commands."""
    whole = build(start, _plugin_commands)
    for each in commands():
        whole.add_command(own_command(each))
        whole.purposes[each.name] = each.purpose
    return whole


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs the command of these arguments (None: those of this process) and ends the process with its exit code."""
    try:
        # Not standalone: click would end the process in its own ways, and speak in another voice than we do.
        code = command_line().main(arguments, prog_name="wsgid", standalone_mode=False)
    except click.ClickException as error:
        complain([f"{error.format_message()} (see {_command_path(error)} --help)"])
        code = error.exit_code
    except click.Abort:
        code = EXIT_INTERRUPTED
    sys.exit(code)


def _plugin_commands(arguments: Sequence[str]) -> FurtherCommands:
    from wsgid.cli.plugin_commands import find

    return find(arguments)


def _command_path(error: click.ClickException) -> str:
    """``wsgid stop``, when that is the command that was not understood."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    return context.command_path if context else "wsgid"

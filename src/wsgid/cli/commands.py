"""The commands for a running daemon, as the command line knows them: names, options, help.

What they do is imported when they are called, so that ``wsgid --help`` and the daemon itself have nothing of it.
"""

from collections.abc import Callable, Mapping

import click

from wsgid.cli.command_line import given, parameter
from wsgid.cli.complaints import CannotDo, complain
from wsgid.config import OPTIONS

Run = Callable[[Mapping[str, object]], int]
"""Takes the options that were given, by name; returns an exit code. Raises CannotDo."""

SHARED = ("app_path", "run_dir")
"""Options of the main command that the others have, too."""


def _status(options: Mapping[str, object]) -> int:
    from wsgid.cli.status import status

    return status(options)


def _stop(options: Mapping[str, object]) -> int:
    from wsgid.cli.stop import stop

    return stop(options)


def _restart(options: Mapping[str, object]) -> int:
    from wsgid.cli.restart import restart

    return restart(options)


def commands() -> list[click.Command]:
    pid = click.Option(["pid", "--pid"], metavar="N", help="Only the daemon whose master has this process id.")
    return [
        _command(
            "status",
            _status,
            [pid, click.Option(["json", "--json"], is_flag=True, help="All that is known, as JSON.")],
            short_help="Show which daemons run, and what they are doing.",
            help="Show which daemons run on the app folder, and what they are doing.",
            epilog="Exit code: 0 running, 3 stopped, 4 when there is a master but no worker.",
        ),
        _command(
            "stop",
            _stop,
            [
                pid,
                _signal("Send this signal, a name or a number, to the master.  [default: TERM]"),
                click.Option(["no_wait", "--no-wait"], is_flag=True, help="Do not wait until they have ended."),
            ],
            short_help="Stop the daemons, and wait until they have ended.",
            help="Stop the daemons of the app folder: requests in progress are finished first, for up to their "
            "--graceful-timeout. A second stop, while the first is under way, ends them at once; Ctrl-C only ends the "
            "waiting.",
            epilog="Exit code: 0 stopped, also when nothing was running; 1 when one could not be stopped; 3 when --pid "
            "names none that runs.",
        ),
        _command(
            "restart",
            _restart,
            [pid, _signal("Send this signal to the workers instead: at TERM each finishes, leaves and is replaced.")],
            short_help="Replace the workers without losing a request.",
            help="Replace the workers, one at a time, by ones with the code and the options that are on disk now. No "
            "request is lost that takes no longer than --graceful-timeout. If the new code cannot be loaded the old "
            "goes on serving, and the reason is shown.",
            epilog="Exit code: 0 restarted, 1 when it failed, 3 when nothing was running.",
        ),
    ]


def _signal(help: str) -> click.Option:
    return click.Option(["send_signal", "--send-signal"], metavar="N", help=help)


def _command(
    name: str, run: Run, options: list[click.Option], *, short_help: str, help: str, epilog: str
) -> click.Command:
    @click.pass_context
    def callback(context: click.Context, /, **_values: object) -> int:
        try:
            return run(_of_main(context) | given(context))
        except CannotDo as error:
            complain(error.lines)
            return error.exit_code

    shared = (parameter(each) for each in OPTIONS if each.name in SHARED)
    params: list[click.Parameter] = [*options, *shared]
    return click.Command(name, callback=callback, params=params, short_help=short_help, help=help, epilog=epilog)


def _of_main(context: click.Context) -> dict[str, object]:
    """What stood in front of the command's name. Most options are for the start of a daemon: here they would be
    ignored, and whoever gave one expected something else."""
    options = given(context.parent) if context.parent else {}
    for each in OPTIONS:
        if each.name in options and each.name not in SHARED:
            context.fail(f"{each.flag} is for the start of a daemon, it means nothing to {context.info_name}")
    return options

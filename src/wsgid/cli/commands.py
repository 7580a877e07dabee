"""The commands that come with wsgid: plug-ins as other people's are, so that both are called in one way.

What they do is imported when they are called, so that ``wsgid --help`` and the daemon itself have nothing of it.
"""

from collections.abc import Sequence

from wsgid.cli import request_commands, setup_commands, top_command  # noqa: F401 - they are found by being there
from wsgid.cli.mongrel2 import commands as mongrel2_commands  # noqa: F401 - as well
from wsgid.cli.own_commands import JSON, PID, PLACES, OwnCommand, as_given, is_ours
from wsgid.core.parser import CommandLineOption
from wsgid.interfaces.commands import CommandOptions, ICommand


class Status(OwnCommand):
    """Show which daemons run, and what they are doing.

    Acts on the daemons of the app folder.

    Exit code: 0 running, 3 stopped, 4 when there is a master but no worker.
    """

    name = "status"

    def extra_options(self) -> Sequence[CommandLineOption]:
        return [PID, JSON]

    def run(self, options: CommandOptions, command_name: str) -> int:
        from wsgid.cli.status import status

        return status(as_given(options))


class Stop(OwnCommand):
    """Stop the daemons, and wait until they have ended.

    Acts on the daemons of the app folder: requests in progress are finished first, for up to their --graceful-timeout.
    A second stop, while the first is under way, ends them at once; Ctrl-C only ends the waiting.

    Exit code: 0 stopped, also when nothing was running; 1 when one could not be stopped; 3 when --pid names none that
    runs.
    """

    name = "stop"

    def extra_options(self) -> Sequence[CommandLineOption]:
        return [
            PID,
            _signal("Send this signal, a name or a number, to the master.  [default: TERM]"),
            CommandLineOption("no-wait", "Do not wait until they have ended.", bool),
        ]

    def run(self, options: CommandOptions, command_name: str) -> int:
        from wsgid.cli.stop import stop

        return stop(as_given(options))


class Restart(OwnCommand):
    """Replace the workers without losing a request.

    One at a time they are replaced by ones with the code and the options that are on disk now. No request is lost that
    takes no longer than --graceful-timeout. If the new code cannot be loaded the old goes on serving, and the reason
    is shown.

    Exit code: 0 restarted, 1 when it failed, 3 when nothing was running.
    """

    name = "restart"

    def extra_options(self) -> Sequence[CommandLineOption]:
        return [PID, _signal("Send this signal to the workers instead: at TERM each finishes, leaves and is replaced.")]

    def run(self, options: CommandOptions, command_name: str) -> int:
        from wsgid.cli.restart import restart

        return restart(as_given(options))


class Plugins(OwnCommand):
    """Show which plug-ins there are, and what is wrong with them.

    They are loaded for that, as a worker and the command line load them; no daemon need run.

    Exit code: 0 when all is well, 1 when one cannot be used.
    """

    name = "plugins"
    places = PLACES

    def extra_options(self) -> Sequence[CommandLineOption]:
        return [JSON]

    def run(self, options: CommandOptions, command_name: str) -> int:
        from wsgid.cli.plugins import plugins

        return plugins(options)


def commands() -> list[OwnCommand]:
    """Ours."""
    return [each for each in ICommand.implementors(is_ours) if isinstance(each, OwnCommand)]


def _signal(help: str) -> CommandLineOption:
    return CommandLineOption("send-signal", help, metavar="N")

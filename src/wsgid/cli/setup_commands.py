"""The commands that come before a daemon runs: they make an app folder and prepare it.

What they do is imported when they are called.
"""

from collections.abc import Sequence

from wsgid.cli.own_commands import OwnCommand
from wsgid.core.parser import CommandLineArgument, CommandLineOption
from wsgid.interfaces.commands import CommandOptions


class Init(OwnCommand):
    """Make an app folder, or complete one.

    Nothing that is there is changed. Root can name with --user and --group whom the daemon is to be: what it writes to
    is theirs then, and the names are saved.

    Exit code: 0 made, or nothing was missing; 1 when it cannot be made.
    """

    name = "init"
    places = ("app_path", "user", "group")
    makes_folder = True

    def extra_options(self) -> Sequence[CommandLineOption | CommandLineArgument]:
        return [
            CommandLineArgument("folder", "The app folder, in place of --app-path.", required=False),
            CommandLineOption(
                "example", "Put a small application into app/, to begin with.", choices=("flask", "django", "plain")
            ),
        ]

    def run(self, options: CommandOptions, command_name: str) -> int:
        from wsgid.cli.init import init

        return init(options)

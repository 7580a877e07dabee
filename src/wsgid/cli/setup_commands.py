"""The commands that come before a daemon runs: they make an app folder and prepare it.

What they do is imported when they are called.
"""

from collections.abc import Sequence

from wsgid.cli.help_text import SET_UP
from wsgid.cli.own_commands import EVERY_OPTION, JSON, OwnCommand
from wsgid.core.parser import CommandLineArgument, CommandLineOption
from wsgid.interfaces.commands import CommandOptions


class Init(OwnCommand):
    """Make an app folder, or complete one.

    Nothing that is there is changed. Root can name with --user and --group whom the daemon is to be: what it writes to
    is theirs then, and the names are saved.

    Exit code: 0 made, or nothing was missing; 1 when it cannot be made.
    """

    name = "init"
    purpose = SET_UP
    places = ("app_path", "user", "group")
    only_told = True

    def extra_options(self) -> Sequence[CommandLineOption | CommandLineArgument]:
        return [
            CommandLineArgument("folder", "The app folder, in place of --app-path.", required=False, path="dir"),
            CommandLineOption(
                "example", "Put a small application into app/, to begin with.", choices=("flask", "django", "plain")
            ),
        ]

    def run(self, options: CommandOptions, command_name: str) -> int:
        from wsgid.cli.init import init

        return init(options)


class Config(OwnCommand):
    """Save options in wsgid.json, or show where each has its value from.

    Takes every option of the main command (see wsgid --help-all) and saves what is given; without any it shows them
    all, also with what is wrong. A value that is none of its option is not saved; whether users, addresses and the
    application are there is found out by wsgid check. An option that may be repeated replaces the list that was saved.
    A relative path is saved so that it means the same.

    Exit code: 0 saved or shown, 1 when the file cannot be written, 2 when something is wrong with the options.
    """

    name = "config"
    purpose = SET_UP
    places = EVERY_OPTION
    only_told = True

    def extra_options(self) -> Sequence[CommandLineOption | CommandLineArgument]:
        return [
            CommandLineOption("unset", "Remove this key from wsgid.json. May be repeated.", list, metavar="KEY"),
            JSON,
        ]

    def run(self, options: CommandOptions, command_name: str) -> int:
        from wsgid.cli.config import config

        return config(options)


class Check(OwnCommand):
    """Find out whether a start would succeed, and what is not as it should be.

    Takes every option of the main command (see wsgid --help-all), and looks at options, rights, addresses, open files,
    plug-ins and the application, which is loaded in a process of its own, as the user that the daemon would be. Each
    finding comes with its remedy. Nothing is changed.

    Exit code: 0 when there is no error, warnings or not; 1 when there is one.
    """

    name = "check"
    purpose = SET_UP
    places = EVERY_OPTION
    only_told = True

    def extra_options(self) -> Sequence[CommandLineOption | CommandLineArgument]:
        return [JSON]

    def run(self, options: CommandOptions, command_name: str) -> int:
        from wsgid.cli.check import check

        return check(options)


class Completion(OwnCommand):
    """Print a script by which a shell completes what is typed behind wsgid.

    Bash: put `eval "$(wsgid completion bash)"` into ~/.bashrc. Zsh: the same with zsh, into ~/.zshrc. Fish:
    `wsgid completion fish > ~/.config/fish/completions/wsgid.fish`. Commands of plug-ins are left out: a shell that
    completes a word runs nobody else's code.

    Exit code: 0 printed, 2 for a shell that is not known.
    """

    name = "completion"
    purpose = SET_UP
    places = ()
    only_told = True

    def extra_options(self) -> Sequence[CommandLineOption | CommandLineArgument]:
        return [CommandLineArgument("shell", "bash, zsh or fish.", choices=("bash", "zsh", "fish"))]

    def run(self, options: CommandOptions, command_name: str) -> int:
        from wsgid.cli.completion import script

        print(script(options.shell))
        return 0

"""What the commands that come with wsgid are made of: plug-ins as other people's are, and those below them.

``wsgid request list`` is the subcommand ``list`` of the command ``request``, which does nothing by itself.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from wsgid.cli.complaints import EXIT_REFUSED, CannotDo
from wsgid.cli.help_text import OPERATE
from wsgid.config import OPTIONS
from wsgid.core.parser import CommandLineArgument, CommandLineOption
from wsgid.interfaces.commands import CommandOptions, ICommand
from wsgid.plugins import Plugin

PID: Final = CommandLineOption("pid", "Only the daemon whose master has this process id.", metavar="N")
JSON: Final = CommandLineOption("json", "All that is known, as JSON.", bool)

DAEMONS: Final = ("app_path", "run_dir")
"""Options of the main command that the others have, too: those that say where daemons are."""

PLACES: Final = (*DAEMONS, "loader_dir")
"""Those that say where plug-ins are, as well."""

EVERY_OPTION: Final = tuple(each.name for each in OPTIONS)
"""For commands that speak of a start; `CommandOptions.told` has what was given."""


class OwnCommand(Plugin, ICommand):
    """With one name."""

    name: ClassVar[str]
    places: ClassVar[tuple[str, ...]] = DAEMONS
    """Options of the main command that it has as well, by name."""
    purpose: ClassVar[str] = OPERATE
    """Under which heading `wsgid --help` has it."""
    only_told: ClassVar[bool] = False
    """It is called with `CommandOptions.told` and its own options alone, so that it can run where the folder is not
    there yet, or its options are wrong."""

    def command_name(self) -> str:
        return self.name

    def name_matches(self, command_name: str) -> bool:
        return command_name == self.name

    @abstractmethod
    def extra_options(self) -> Sequence[CommandLineOption | CommandLineArgument]: ...

    @abstractmethod
    def run(self, options: CommandOptions, command_name: str) -> int: ...


class Subcommand(ABC):
    """No plug-in: it is found by way of its `OwnGroup`."""

    name: ClassVar[str]
    places: ClassVar[tuple[str, ...]] = DAEMONS
    only_told: ClassVar[bool] = False

    @abstractmethod
    def extra_options(self) -> Sequence[CommandLineOption | CommandLineArgument]: ...

    @abstractmethod
    def run(self, options: CommandOptions, command_name: str) -> int: ...


class OwnGroup(OwnCommand):
    """A command that has commands of its own."""

    places = ()

    @abstractmethod
    def subcommands(self) -> Sequence[Subcommand]: ...

    def extra_options(self) -> Sequence[CommandLineOption | CommandLineArgument]:
        return []

    def run(self, options: CommandOptions, command_name: str) -> int:
        names = ", ".join(each.name for each in self.subcommands())
        raise CannotDo(f"{command_name} is to do what? One of: {names}", exit_code=EXIT_REFUSED)


def is_ours(command: object) -> bool:
    return isinstance(command, OwnCommand | Subcommand)


def as_given(options: CommandOptions) -> Mapping[str, object]:
    """As text, which is how they are given on a command line."""
    folders = {name: str(path) for name in ("app_path", "run_dir") if (path := getattr(options, name)) is not None}
    return {**{name: value for name, value in vars(options).items() if value and name != "told"}, **folders}

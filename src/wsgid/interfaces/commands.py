"""Commands: what ``wsgid NAME`` does (docs/plugins.md)."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

from wsgid.core.parser import CommandLineArgument, CommandLineOption
from wsgid.plugins import Interface


class CommandOptions(SimpleNamespace):
    """What a command is called with: these, and an attribute for each of its own options."""

    app_path: Path
    """The app folder, absolute."""
    run_dir: Path | None
    """``--run-dir``, absolute."""
    loader_dir: tuple[Path, ...]
    """``--loader-dir``, absolute."""
    told: Mapping[str, object]
    """Options of the main command that were given on the command line, by name, as they were written."""


class ICommand(Interface):
    """A command of wsgid's command line. Its class's docstring is its help, the first line also in ``wsgid --help``.

    It runs in a process of its own, with the rights of whoever calls it, whether or not a daemon runs.
    """

    @abstractmethod
    def command_name(self) -> str:
        """Its name in ``wsgid --help``: small letters and digits, with dashes between."""

    @abstractmethod
    def name_matches(self, command_name: str) -> object:
        """Is this what people may write to call it? It may have more names than the one."""

    @abstractmethod
    def run(self, options: CommandOptions, command_name: str) -> int | None:
        """Does it; ``command_name`` is what was written. Gives the exit code, None for 0."""

    @abstractmethod
    def extra_options(self) -> Sequence[CommandLineOption | CommandLineArgument] | None:
        """Its own options, and the arguments that it takes without a flag, in their order."""

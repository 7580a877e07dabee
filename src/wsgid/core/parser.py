"""Options and arguments of commands that are plug-ins."""

import re
from dataclasses import dataclass
from typing import Any

Kind = type[Any]

KINDS: tuple[Kind, ...] = (str, int, float, bool, list)

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_LETTER = re.compile(r"[A-Za-z]")


@dataclass(frozen=True, slots=True)
class CommandLineOption:
    """An option of a command, as its ``extra_options`` names it. Raises ValueError for what cannot be one.

    ``CommandLineOption("dry-run", type=bool)`` is ``--dry-run``, and ``options.dry_run`` when the command runs.
    """

    name: str
    """``dry-run``; dashes in front of it, and underscores in place of others, mean the same."""
    help: str = ""
    type: Kind = str
    """One of `KINDS`: what the value is turned into. A bool is a switch without a value, a list takes the values of an
    option that may be repeated."""
    default_value: Any = None
    """What the command gets when the option is not given; without one a bool is False and a list is empty."""
    shortname: str | None = None
    """One letter: ``d`` is ``-d``."""
    dest: str | None = None
    """The attribute, when it is not the name with underscores."""
    metavar: str | None = None
    """What stands for the value in the help: ``FILE``."""
    choices: tuple[str, ...] = ()
    """The only texts that there are to choose from, of a str."""
    path: str = ""
    """``file`` or ``dir`` for one that names such: shells complete it so. It is text all the same."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.flag.removeprefix("--")):
            raise ValueError(f"{self.name!r} cannot be the name of an option: letters and digits, with dashes between")
        if self.shortname is not None and not _LETTER.fullmatch(self.shortname.lstrip("-")):
            raise ValueError(f"{self.flag}: {self.shortname!r} is not one letter")
        if self.type not in KINDS:
            kinds = ", ".join(each.__name__ for each in KINDS)
            raise ValueError(f"{self.flag}: its type is {self.type!r}, and must be one of {kinds}")
        if self.choices and self.type is not str:
            raise ValueError(f"{self.flag}: only a str can have choices")
        _check_path(self.flag, self.path)
        if not self.attribute.isidentifier():
            raise ValueError(f"{self.flag}: {self.attribute!r} cannot be the name of an attribute")

    @property
    def flag(self) -> str:
        return "--" + self.name.lstrip("-").replace("_", "-")

    @property
    def short_flag(self) -> str | None:
        return f"-{self.shortname.lstrip('-')}" if self.shortname else None

    @property
    def attribute(self) -> str:
        return self.dest or self.flag.removeprefix("--").replace("-", "_")


@dataclass(frozen=True, slots=True)
class CommandLineArgument:
    """What a command takes without a flag: with ``CommandLineArgument("id")`` in its ``extra_options`` it is
    ``wsgid NAME ID``, and ``options.id`` has the text. Raises ValueError for what cannot be one.
    """

    name: str
    help: str = ""
    required: bool = True
    """Otherwise the command gets None when there is none."""
    many: bool = False
    """As many as there are, as a list. Only the last argument of a command may take many."""
    choices: tuple[str, ...] = ()
    """The only texts that there are to choose from."""
    path: str = ""
    """``file`` or ``dir`` for one that names such: shells complete it so. It is text all the same."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"{self.name!r} cannot be the name of an argument: letters and digits, with dashes between"
            )
        if not self.attribute.isidentifier():
            raise ValueError(f"{self.attribute!r} cannot be the name of an attribute")
        _check_path(self.name, self.path)

    @property
    def attribute(self) -> str:
        return self.name.replace("-", "_")

    @property
    def metavar(self) -> str:
        """As in manual pages: ``ID``, ``[ID]``, ``ID...``, ``[ID]...``."""
        word = self.name.upper() if self.required else f"[{self.name.upper()}]"
        return f"{word}..." if self.many else word


def _check_path(name: str, path: str) -> None:
    if path not in ("", "file", "dir"):
        raise ValueError(f"{name}: what it names is {path!r}, and must be 'file' or 'dir', or nothing of both")

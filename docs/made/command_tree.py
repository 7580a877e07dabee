"""The commands as the command line has them, taken from click: what the reference and the man page are made of."""

import inspect
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click

from wsgid.cli import command_line
from wsgid.config import OPTIONS

EXIT_CODE = "Exit code: "
"""What the paragraph about exit codes begins with, in the help of each command that has them."""

CODE_OR_FLAG = re.compile(r"`[^`]*`|(?<![\w-])--[a-z][a-z0-9-]*")

WORD = re.compile(r"[A-Z-]+")
"""The name of an argument, in capital letters."""

SHARED = {each.name for each in OPTIONS}
"""Options of the main command: they are explained once."""


@dataclass(frozen=True, slots=True)
class Row:
    """An option or an argument."""

    spelled: str
    help: str


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    """With the words in front of it: ``mongrel2 init``."""
    usage: str
    """What stands behind the name."""
    paragraphs: Sequence[str]
    exit_codes: str
    """Empty: 0, or 1 with the reason."""
    arguments: Sequence[Row]
    options: Sequence[Row]
    """Its own."""
    shared: Sequence[str]
    """The flags of those that it shares with the main command."""


def marked(text: str) -> str:
    """Markdown of a help text: the options in it look as they do elsewhere."""
    return CODE_OR_FLAG.sub(lambda found: found[0] if found[0].startswith("`") else f"`{found[0]}`", text)


def commands() -> list[Command]:
    """All of wsgid's own, in alphabetical order."""
    return list(_below(command_line(), ()))


def _below(group: click.Group, words: tuple[str, ...]) -> Iterator[Command]:
    for name, command in sorted(group.commands.items()):
        path = (*words, name)
        yield _command(command, path)
        if isinstance(command, click.Group):
            yield from _below(command, path)


def _command(command: click.Command, path: tuple[str, ...]) -> Command:
    told = [" ".join(each.split()) for each in inspect.cleandoc(command.help or "").split("\n\n")]
    own = [each for each in command.params if isinstance(each, click.Option) and each.name not in SHARED]
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    rows = [_argument(each, told) for each in arguments]
    apart = (EXIT_CODE, *(f"{WORD.findall(each.spelled)[0]}: " for each in rows))
    return Command(
        name=" ".join(path),
        usage=" ".join(
            ["COMMAND" if isinstance(command, click.Group) else "[OPTION]...", *(each.spelled for each in rows)]
        ),
        paragraphs=[each for each in told if not each.startswith(apart)],
        exit_codes="".join(each.removeprefix(EXIT_CODE) for each in told if each.startswith(EXIT_CODE)),
        arguments=rows,
        options=[_option(each) for each in own if not each.hidden],
        shared=[each.opts[0] for each in command.params if each.name in SHARED],
    )


def _argument(argument: click.Argument, told: Sequence[str]) -> Row:
    """With the paragraph of the help that is about it (`wsgid.cli.called_commands`)."""
    spelled = argument.make_metavar(click.Context(click.Command("wsgid")))
    start = f"{WORD.findall(spelled)[0]}: "
    return Row(spelled, "".join(each.removeprefix(start) for each in told if each.startswith(start)))


def _option(option: click.Option) -> Row:
    spellings = ", ".join([*option.opts, *option.secondary_opts])
    value = "" if option.is_flag else f" {option.metavar or option.type.name.upper()}"
    return Row(spellings + value, " ".join((option.help or "").split()))

"""The shape of the command line, made from the table of options by means of click.

click only takes the arguments apart. Values reach `wsgid.config_sources` as the text they are, so that every source is
judged by the same code, in the same words and all at once.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import click
from click.core import ParameterSource

from wsgid import __version__
from wsgid.cli import help_text
from wsgid.cli.complaints import complain
from wsgid.cli.completion import complete_value
from wsgid.config import OPTIONS
from wsgid.options import Option, nearest

Start = Callable[[Mapping[str, object]], int]
"""Takes the options that were given, by name; returns an exit code."""


class FurtherCommands(Protocol):
    """Commands that are looked for only when they are asked for, or when all are to be shown."""

    @property
    def commands(self) -> Mapping[str, click.Command]: ...

    @property
    def complaints(self) -> Sequence[str]:
        """What is wrong with those that are missing."""

    def named(self, word: str) -> click.Command | None: ...


FindFurther = Callable[[Sequence[str]], FurtherCommands]
"""Takes all arguments of the command line."""

ARGUMENTS, FURTHER = "wsgid.arguments", "wsgid.further"
"""Keys of the context's ``meta``."""


def build(start: Start, further: FindFurther | None = None) -> "WsgidCommand":
    """The command ``wsgid``, which calls ``start`` when no other command is named."""

    @click.pass_context
    def run(context: click.Context, /, **_values: object) -> int | None:
        return start(given(context)) if context.invoked_subcommand is None else None

    version = click.version_option(__version__, message="wsgid %(version)s", help="Show the version and exit.")
    command = WsgidCommand(
        "wsgid",
        callback=run,
        invoke_without_command=True,
        params=[*(parameter(each) for each in OPTIONS), help_text.help_all()],
        help="Serve a WSGI application as a daemon: by its own HTTP, behind Mongrel2, or both.",
        context_settings={"max_content_width": help_text.WIDTH},
    )
    command.find_further = further
    return version(command)


def given(context: click.Context) -> dict[str, object]:
    """What was written on the command line, without what click would fill in."""
    return {
        name: value
        for name, value in context.params.items()
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }


class WsgidCommand(click.Group):
    """A group that can stand alone, shows its options in groups, and has a word for those who guess."""

    find_further: FindFurther | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.purposes: dict[str, str] = {}
        """Of commands, by name: under which heading the help lists them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[ARGUMENTS] = tuple(args)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        further = self._further(ctx)
        return [*super().list_commands(ctx), *(sorted(further.commands) if further else ())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = super().get_command(ctx, cmd_name)
        if found is None and (further := self._further(ctx)):
            return further.named(cmd_name)
        return found

    def _further(self, ctx: click.Context) -> FurtherCommands | None:
        # A shell that completes a word waits, and shows what is printed: no moment for other people's code.
        if self.find_further is not None and FURTHER not in ctx.meta and not ctx.resilient_parsing:
            ctx.meta[FURTHER] = self.find_further(ctx.meta[ARGUMENTS])
        found: FurtherCommands | None = ctx.meta.get(FURTHER)
        return found

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        commands = " [command ...]" if self.list_commands(ctx) else ""
        formatter.write_usage(ctx.command_path, f"[options]{commands}")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        help_text.write_options(formatter, ctx, self.get_params(ctx))
        self.format_commands(ctx, formatter)
        help_text.write_end(formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        help_text.write_commands(formatter, self.commands, self.purposes)
        if further := self._further(ctx):
            found = [row for name in sorted(further.commands) for row in _rows(further.commands[name], ctx)]
            help_text.write(formatter, "Commands of plug-ins", found)
            complain(f"{each} (see wsgid plugins)" for each in further.complaints)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing:
            if further := self._further(ctx):
                complain(f"{each} (see wsgid plugins)" for each in further.complaints)
            ctx.fail(f"there is no command {args[0]!r}{_meant(args[0], self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)


def parameter(option: Option) -> click.Option:
    """As click shall have it: text, which others will judge."""
    if option.is_boolean:
        default = "  [default: on]" if option.default else ""  # that a switch is off goes without saying
        return click.Option([option.name, f"{option.flag}/{option.opposite}"], default=None, help=option.help + default)
    return click.Option(
        [option.name, option.flag],
        type=str,
        metavar=option.metavar,
        multiple=option.is_repeatable,
        shell_complete=lambda _context, _parameter, incomplete: complete_value(option, incomplete),
        help=f"{option.help}  [default: {option.default_text}]",
    )


def _rows(command: click.Command, context: click.Context) -> list[tuple[str, str]]:
    """For the list of commands: it, and below it the options that it does not share with the main command."""
    known = {each.name for each in OPTIONS}
    options = [each.get_help_record(context) for each in command.params if each.name not in known]
    return [
        (str(command.name), command.get_short_help_str(help_text.LINE)),
        *((f"  {each[0]}", each[1]) for each in options if each),
    ]


def _meant(word: str, commands: list[str]) -> str:
    """A hint at what one who wrote ``word`` in place of a command may have wanted."""
    if os.path.isdir(word):
        return f", did you mean --app-path={word}?"
    if "." in word or ":" in word:
        return f", did you mean --wsgi-app={word}?"
    word = word.lower().replace("_", "-")
    return nearest(word, commands) or nearest(word, [each.flag for each in OPTIONS], prefix="--")

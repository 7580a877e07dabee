"""Commands as click calls them: options from what `ICommand.extra_options` names, and what becomes of a failure."""

import inspect
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import click

from wsgid.cli.command_line import given, parameter
from wsgid.cli.complaints import EXIT_REFUSED, CannotDo, complain
from wsgid.cli.completion import PathText
from wsgid.cli.own_commands import EVERY_OPTION, PLACES, OwnCommand, OwnGroup, Subcommand, is_ours
from wsgid.config import OPTIONS
from wsgid.config_sources import ConfigError, locate, locate_plugins
from wsgid.core.parser import CommandLineArgument, CommandLineOption
from wsgid.interfaces.commands import CommandOptions

TYPES: dict[type, click.ParamType[Any]] = {str: click.STRING, list: click.STRING, int: click.INT, float: click.FLOAT}


class Runs(Protocol):
    """A command, ours or not."""

    def run(self, options: CommandOptions, command_name: str) -> int | None: ...


def own_command(command: OwnCommand | Subcommand) -> click.Command:
    """One that comes with wsgid."""
    made = as_click(command, command.name, command.extra_options(), command.places, only_told=command.only_told)
    if not isinstance(command, OwnGroup):
        return made
    members = {each.name: own_command(each) for each in command.subcommands()}
    return click.Group(
        made.name,
        commands=members,
        invoke_without_command=True,
        callback=_unless_one_of_its_own_follows(made.callback),
        help=made.help,
        short_help=made.short_help,
    )


def as_click(
    command: Runs,
    name: str,
    options: Sequence[CommandLineOption | CommandLineArgument],
    places: Sequence[str] = PLACES,
    *,
    only_told: bool = False,
) -> click.Command:
    """The command of this name that calls ``command``. ``options`` are its own, ``places`` those of the main command
    that it has as well, ``only_told`` says that it finds out itself what they come to.

    Raises ValueError when two of them cannot be told apart, or an argument that takes many is not the last.
    """

    @click.pass_context
    def callback(context: click.Context, /, **_values: object) -> int:
        try:
            return _run(command, _options(context, options, places, only_told), context.info_name or name)
        except CannotDo as error:
            complain(error.lines)
            return error.exit_code

    params: list[click.Parameter] = [*map(_own, options), *(parameter(each) for each in OPTIONS if each.name in places)]
    _check(params)
    help = inspect.cleandoc(type(command).__doc__ or "")
    short_help = " ".join(help.partition("\n\n")[0].split())
    return _Command(name, callback=callback, params=params, help=_with_arguments(help, options), short_help=short_help)


class _Command(click.Command):
    """Of one that takes all options of the main command the help shows only where the app folder is."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        params = self.get_params(ctx)
        all_options = {*EVERY_OPTION} if {*EVERY_OPTION} <= {each.name for each in params} else set()
        shown = [each for each in params if each.name not in all_options - {"app_path"}]
        rows = [row for each in shown if (row := each.get_help_record(ctx))]
        with formatter.section("Options"):
            formatter.write_dl(rows)


def _unless_one_of_its_own_follows(callback: Callable[..., int] | None) -> Callable[..., int | None]:
    @click.pass_context
    def run(context: click.Context, /) -> int | None:
        return context.invoke(callback) if callback and context.invoked_subcommand is None else None

    return run


def _with_arguments(help: str, options: Iterable[CommandLineOption | CommandLineArgument]) -> str:
    """click shows no help of arguments."""
    arguments = [each for each in options if isinstance(each, CommandLineArgument) and each.help]
    return "\n\n".join([help, *(f"{each.name.upper()}: {each.help}" for each in arguments)])


def _run(command: Runs, options: CommandOptions, name: str) -> int:
    """Its exit code. What one of other people's raises is told; from ours it would be a mistake of ours."""
    if is_ours(command):
        return command.run(options, name) or 0
    from wsgid.plugin_faults import fault, named, short_traceback

    try:
        code: object = command.run(options, name)
    except Exception as error:  # noqa: BLE001 - other people's code
        raise CannotDo(f"{name} failed: {fault(command, error)}", short_traceback(error)) from None
    if code is None or type(code) is int:
        return code or 0
    raise CannotDo(f"{name}: run() of {named(command)} returned {code!r:.80}, and must return an exit code or None")


def _options(
    context: click.Context,
    own: Iterable[CommandLineOption | CommandLineArgument],
    places: Sequence[str],
    only_told: bool,
) -> CommandOptions:
    """Raises CannotDo."""
    told = _of_main(context, places) | given(context)
    told = {name: value for name, value in told.items() if name in places}
    values = {each.attribute: _value(each, context.params[each.attribute]) for each in own}
    if only_told:
        return CommandOptions(told=told, **values)
    try:
        place = locate(told, os.environ)
        loader_dirs = locate_plugins(told, os.environ).loader_dirs if "loader_dir" in places else ()
    except ConfigError as error:
        raise CannotDo(*error.errors, exit_code=EXIT_REFUSED) from None
    return CommandOptions(app_path=place.app_path, run_dir=place.run_dir, loader_dir=loader_dirs, told=told, **values)


def _of_main(context: click.Context, places: Sequence[str]) -> dict[str, object]:
    """What stood in front of the command's name. Most options are for the start of a daemon: here they would be
    ignored, and whoever gave one expected something else."""
    options = given(context.find_root()) if context.parent else {}
    for each in OPTIONS:
        if each.name in options and each.name not in places:
            context.fail(f"{each.flag} is for the start of a daemon, it means nothing to {_words(context)}")
    return options


def _words(context: click.Context) -> str:
    """``request list``: the command's name as it is written behind ``wsgid``."""
    return context.command_path.partition(" ")[2]


def _own(option: CommandLineOption | CommandLineArgument) -> click.Parameter:
    if isinstance(option, CommandLineArgument):
        return click.Argument(
            [option.attribute],
            metavar=option.metavar,
            nargs=-1 if option.many else 1,
            required=option.required,
            type=_kind(option, str),
        )
    flags = [each for each in (option.flag, option.short_flag) if each]
    if option.type is bool:
        if option.default_value:
            flags[0] += f"/--no-{option.flag[2:]}"
        return click.Option(
            [option.attribute, *flags], is_flag=True, default=bool(option.default_value), help=option.help
        )
    return click.Option(
        [option.attribute, *flags],
        type=_kind(option, option.type),
        multiple=option.type is list,
        default=option.default_value,
        metavar=option.metavar or "|".join(option.choices) or None,
        help=option.help,
    )


def _kind(option: CommandLineOption | CommandLineArgument, kind: type[Any]) -> click.ParamType[Any]:
    if option.choices:
        return click.Choice(option.choices)
    return PathText(option.path) if option.path else TYPES[kind]


def _value(option: CommandLineOption | CommandLineArgument, value: Any) -> object:
    is_list = option.many if isinstance(option, CommandLineArgument) else option.type is list
    return list(value) if is_list else value


def _check(params: Iterable[click.Parameter]) -> None:
    """click itself takes the last of two that are called alike."""
    seen = {"help", "--help"}
    arguments = [each for each in params if isinstance(each, click.Argument)]
    if any(each.nargs == -1 for each in arguments[:-1]):
        raise ValueError("only the last argument may take many")
    for each in params:
        for spelling in dict.fromkeys((*each.opts, *each.secondary_opts, str(each.name))):
            if spelling in seen:
                raise ValueError(f"two options are called {spelling}")
            seen.add(spelling)

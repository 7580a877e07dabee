"""Commands as click calls them: options from what `ICommand.extra_options` names, and what becomes of a failure."""

import inspect
import os
from collections.abc import Iterable, Sequence
from typing import Any

import click

from wsgid.cli.command_line import given, parameter
from wsgid.cli.commands import PLACES, is_ours
from wsgid.cli.complaints import EXIT_REFUSED, CannotDo, complain
from wsgid.config import OPTIONS
from wsgid.config_sources import ConfigError, locate, locate_plugins
from wsgid.core.parser import CommandLineOption
from wsgid.interfaces.commands import CommandOptions, ICommand

TYPES: dict[type, click.ParamType[Any]] = {str: click.STRING, list: click.STRING, int: click.INT, float: click.FLOAT}


def as_click(
    command: ICommand, name: str, options: Sequence[CommandLineOption], places: Sequence[str] = PLACES
) -> click.Command:
    """The command of this name that calls ``command``. ``options`` are its own, ``places`` those of the main command
    that it has as well.

    Raises ValueError when two of them cannot be told apart.
    """

    @click.pass_context
    def callback(context: click.Context, /, **_values: object) -> int:
        try:
            return _run(command, _options(context, options, places), context.info_name or name)
        except CannotDo as error:
            complain(error.lines)
            return error.exit_code

    params: list[click.Parameter] = [*map(_own, options), *(parameter(each) for each in OPTIONS if each.name in places)]
    _check(params)
    help = inspect.cleandoc(type(command).__doc__ or "")
    short_help = " ".join(help.partition("\n\n")[0].split())
    return click.Command(name, callback=callback, params=params, help=help, short_help=short_help)


def _run(command: ICommand, options: CommandOptions, name: str) -> int:
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


def _options(context: click.Context, own: Iterable[CommandLineOption], places: Sequence[str]) -> CommandOptions:
    """Raises CannotDo."""
    told = _of_main(context, places) | given(context)
    told = {name: value for name, value in told.items() if name in places}
    try:
        place = locate(told, os.environ)
        loader_dirs = locate_plugins(told, os.environ).loader_dirs if "loader_dir" in places else ()
    except ConfigError as error:
        raise CannotDo(*error.errors, exit_code=EXIT_REFUSED) from None
    values = {each.attribute: _value(each, context.params[each.attribute]) for each in own}
    return CommandOptions(app_path=place.app_path, run_dir=place.run_dir, loader_dir=loader_dirs, **values)


def _of_main(context: click.Context, places: Sequence[str]) -> dict[str, object]:
    """What stood in front of the command's name. Most options are for the start of a daemon: here they would be
    ignored, and whoever gave one expected something else."""
    options = given(context.parent) if context.parent else {}
    for each in OPTIONS:
        if each.name in options and each.name not in places:
            context.fail(f"{each.flag} is for the start of a daemon, it means nothing to {context.info_name}")
    return options


def _own(option: CommandLineOption) -> click.Option:
    flags = [each for each in (option.flag, option.short_flag) if each]
    if option.type is bool:
        if option.default_value:
            flags[0] += f"/--no-{option.flag[2:]}"
        return click.Option(
            [option.attribute, *flags], is_flag=True, default=bool(option.default_value), help=option.help
        )
    return click.Option(
        [option.attribute, *flags],
        type=TYPES[option.type],
        multiple=option.type is list,
        default=option.default_value,
        metavar=option.metavar,
        help=option.help,
    )


def _value(option: CommandLineOption, value: Any) -> object:
    return list(value) if option.type is list else value


def _check(params: Iterable[click.Parameter]) -> None:
    """click itself takes the last of two that are called alike."""
    seen = {"help", "--help"}
    for each in params:
        for spelling in (*each.opts, *each.secondary_opts, str(each.name)):
            if spelling in seen:
                raise ValueError(f"two options are called {spelling}")
            seen.add(spelling)

"""Commands that are plug-ins of the app folder: found only when somebody asks for one, or for all that there are.

The folder is named by options of the very command line that cannot be understood without its commands, so these few
options are looked for first, wherever they stand.
"""

import os
import re
import sys
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from pathlib import Path

import click

from wsgid.cli.called_commands import as_click
from wsgid.cli.command_line import given, parameter
from wsgid.cli.commands import commands
from wsgid.cli.own_commands import PLACES, is_ours
from wsgid.config import OPTIONS
from wsgid.config_sources import ConfigError, PluginPlace, locate_plugins
from wsgid.core.parser import CommandLineArgument, CommandLineOption
from wsgid.interfaces.commands import ICommand
from wsgid.plugin_faults import fault, named
from wsgid.plugin_sources import load_all, plugin_folders
from wsgid.plugins import LoadReport

ROOT = 0

NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")


class PluginCommands:
    """Those of one app folder, which are loaded for it into this process."""

    def __init__(self, place: PluginPlace | ConfigError) -> None:
        """Of a place that is not known there are none."""
        self.commands: dict[str, click.Command] = {}
        """By their names."""
        self.report = LoadReport((), ())
        self.unusable: list[str] = []
        """Of what could be loaded, or not even that, why it cannot be used: a line for people each."""
        self._found: list[tuple[ICommand, click.Command]] = []
        if isinstance(place, ConfigError):
            self.unusable += place.errors
            return
        if reason := _mistrust(plugin_folders(place.app_path, place.loader_dirs)):
            self.unusable.append(reason)
            return
        self.report = _load(place)
        self._take(ICommand.implementors(lambda each: not is_ours(each)))

    @property
    def complaints(self) -> list[str]:
        return [*(each.reason for each in self.report.failed), *self.unusable]

    def named(self, word: str) -> click.Command | None:
        """The command that people call so."""
        if word in self.commands:
            return self.commands[word]
        return next((click_command for command, click_command in self._found if self._matches(command, word)), None)

    def _take(self, found: Iterable[ICommand]) -> None:
        for each in found:
            try:
                self._add(each)
            except CannotUse as error:
                self.unusable.append(str(error))
            except (Exception, SystemExit) as error:  # noqa: BLE001 - other people's code has run
                self.unusable.append(fault(each, error))

    def _add(self, command: ICommand) -> None:
        """Raises CannotUse, and whatever the command's own code raises."""
        name: object = command.command_name()
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise CannotUse(command, f"its command_name() is {name!r:.80}: letters and digits, with dashes between")
        if any(each.name_matches(name) for each in commands()):
            raise CannotUse(command, f"{name} is a command that comes with wsgid, which stays what it is")
        if name in self.commands:
            raise CannotUse(command, f"another plug-in has the name {name} already")
        options = _options_of(command)
        try:
            made = as_click(command, name, options)
        except ValueError as error:
            raise CannotUse(command, f"its extra_options() cannot be had: {error}") from None
        self.commands[name] = made
        self._found.append((command, made))

    def _matches(self, command: ICommand, word: str) -> bool:
        try:
            return bool(command.name_matches(word))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - other people's code has run
            self.unusable.append(fault(command, error))
            return False


class CannotUse(Exception):
    """A command that could be loaded, and still cannot be used."""

    def __init__(self, command: ICommand, reason: str) -> None:
        super().__init__(f"{named(command)}: {reason}")


def find(arguments: Sequence[str]) -> PluginCommands:
    """Those that the arguments of a command line lead to."""
    try:
        return PluginCommands(locate_plugins(_places_in(arguments), os.environ))
    except ConfigError as error:
        return PluginCommands(error)


def _load(place: PluginPlace) -> LoadReport:
    """What the plug-ins print goes to standard error."""
    os.environ.update(place.envs)
    with redirect_stdout(sys.stderr):
        return load_all(place.app_path, place.loader_dirs)


def _places_in(arguments: Sequence[str]) -> dict[str, object]:
    """The options that say where plug-ins are. Nothing when the line is wrong, which will be told in its turn."""
    search = click.Command(
        "wsgid",
        params=[parameter(each) for each in OPTIONS if each.name in PLACES],
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
    try:
        with search.make_context("wsgid", list(arguments)) as context:
            return given(context)
    except click.UsageError:
        return {}


def _mistrust(folders: Iterable[Path]) -> str:
    """Why root must not run what lies there; empty when there is no reason. A daemon that root starts becomes the owner
    of the app folder before it runs any code of it; a slip of the keyboard must not do more."""
    if os.geteuid() == ROOT:
        for each in folders:
            if (owner := each.stat().st_uid) != ROOT:
                return f"{each} is not root's, so root does not load its plug-ins: run this as user {owner}"
    return ""


def _options_of(command: ICommand) -> list[CommandLineOption | CommandLineArgument]:
    """Raises CannotUse, and whatever its code raises."""
    told: object = command.extra_options()
    if told is None:
        return []
    if not isinstance(told, list | tuple) or not all(
        isinstance(each, CommandLineOption | CommandLineArgument) for each in told
    ):
        raise CannotUse(
            command,
            f"its extra_options() are {told!r:.80}, and must be a list of CommandLineOption and CommandLineArgument",
        )
    return list(told)

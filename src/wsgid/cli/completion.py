"""What a shell asks for when somebody presses Tab behind ``wsgid``: by click's protocol, an environment variable.

Only names and the choices there are, files and folders are left to the shell; nothing is loaded and nothing is printed.
"""

import grp
import pwd
from collections.abc import Iterable
from typing import Any

import click
from click.shell_completion import CompletionItem, ShellComplete, get_completion_class

from wsgid.filters import SHIPPED
from wsgid.options import DIRECTORIES, DIRECTORY, Option

PROGRAM, VARIABLE = "wsgid", "_WSGID_COMPLETE"
"""The variable as click derives it from the program's name."""


class PathText(click.ParamType[Any]):
    """Text that names a file or a folder."""

    def __init__(self, kind: str) -> None:
        """``file`` or ``dir``."""
        self.name = kind

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(incomplete, type=self.name)]


def complete_value(option: Option, incomplete: str) -> list[CompletionItem]:
    """Values of an option of the main command that may be meant."""
    if option.kind in (DIRECTORY, DIRECTORIES):
        return [CompletionItem(incomplete, type="dir")]
    return [CompletionItem(each) for each in _choices(option) if each.startswith(incomplete)]


def script(shell: str) -> str:
    """The one that this shell is to run: ``bash``, ``zsh`` or ``fish``."""
    found = get_completion_class(shell)
    assert found is not None, shell
    # Not its own source(): that asks the bash of this machine for its version, which need not be the one that runs it.
    return ShellComplete.source(found(click.Group(PROGRAM), {}, PROGRAM, VARIABLE))


def _choices(option: Option) -> Iterable[str]:
    if option.name == "user":
        return sorted(each.pw_name for each in pwd.getpwall())
    if option.name == "group":
        return sorted(each.gr_name for each in grp.getgrall())
    if option.name == "filter":
        return SHIPPED
    # `x-forwarded|forwarded`, `on|off`: the choices are how the value is called.
    return option.kind.metavar.split("|") if "|" in option.kind.metavar else ()

"""What `wsgid --help` shows: the options that most people need, the commands by their purpose, examples.

`wsgid --help-all` shows every option, in the groups of the table.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence

import click

from wsgid.config import OPTIONS

COMMON = (
    "app_path",
    "wsgi_app",
    "bind",
    "recv",
    "send",
    "workers",
    "threads",
    "timeout",
    "reload",
    "no_daemon",
    "stdout",
    "user",
)
"""Those that a first daemon, one for development and one in production are started with."""

SET_UP, OPERATE = "Set up", "Operate"
"""Purposes of commands, in this order; one that is under no other is for operating."""

WIDTH = 100
"""Characters of a line, on a terminal that has them: longer ones are hard to read."""

LEFT = 30
"""Characters, at most, of what stands on the left; beside something longer the text begins on the next line."""

LINE = 70
"""Characters of what a command's help begins with that are shown in the list of commands."""

SOURCES = (
    "Every option can also be set in the environment (--wsgi-app as WSGID_WSGI_APP; commas between the values of "
    "one that may be repeated) and in wsgid.json in the app folder (as wsgi_app). The command line wins over the "
    "environment, and that over the file."
)

EXAMPLES = (
    ("wsgid init mysite --example flask", "an app folder with an application to begin with"),
    ("wsgid --app-path mysite --workers 4", "start the daemon"),
    ("wsgid --no-daemon --stdout --reload", "develop: in the foreground, with new code as it is saved"),
    ("wsgid check && wsgid restart", "take over new code and options, if all is well"),
)

ALL = "wsgid.all-options"
"""Key of the context's ``meta``: `--help-all` was given."""


def help_all() -> click.Option:
    """``--help-all``."""

    def show(context: click.Context, _: click.Parameter, value: bool) -> None:
        if value and not context.resilient_parsing:
            context.meta[ALL] = True
            click.echo(context.get_help(), color=context.color)
            context.exit()

    return click.Option(
        ["--help-all"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help=f"Show all {len(OPTIONS)} options and exit.",
    )


def write_options(formatter: click.HelpFormatter, context: click.Context, params: Iterable[click.Parameter]) -> None:
    records = {str(each.name): row for each in params if (row := each.get_help_record(context))}
    every = [(each, records.pop(each.name)) for each in OPTIONS]
    if context.meta.get(ALL):
        for group, options in itertools.groupby(every, key=lambda each: each[0].group):
            write(formatter, group, [record for _, record in options])
    else:
        common = {option.name: record for option, record in every}
        write(formatter, "Common options", [common[name] for name in COMMON])
    write(formatter, "Other options", list(records.values()))


def write_commands(
    formatter: click.HelpFormatter, commands: Mapping[str, click.Command], purposes: Mapping[str, str]
) -> None:
    rows = [(purposes.get(name, OPERATE), (name, commands[name].get_short_help_str(LINE))) for name in sorted(commands)]
    for purpose in dict.fromkeys((SET_UP, OPERATE, *(each for each, _ in rows))):
        write(formatter, purpose, [row for each, row in rows if each == purpose])


def write_end(formatter: click.HelpFormatter) -> None:
    write(formatter, "Examples", EXAMPLES, widest=max(len(command) for command, _ in EXAMPLES))
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(SOURCES)
        formatter.write_paragraph()
        formatter.write_text("`wsgid COMMAND --help` tells more of a command.")


def write(formatter: click.HelpFormatter, title: str, rows: Sequence[tuple[str, str]], widest: int = LEFT) -> None:
    """A section, unless it is empty; ``widest`` is for the left column, beside which nothing is to stand otherwise."""
    if rows:
        with formatter.section(title):
            formatter.write_dl(rows, col_max=widest)

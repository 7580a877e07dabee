"""docs/command-reference.md: each command with its options and exit codes, as the command line has them."""

from collections.abc import Iterable, Sequence

from docs.made.command_tree import Command, Row, commands, marked

from wsgid.config import OPTIONS

HEAD = """\
<!-- Made by scripts/docs from the commands in src/wsgid/cli: change those, not this. -->

# Commands

`wsgid` alone starts a daemon; its options are in [options.md](options.md). What these commands print, and when to use
them, is told in [commands.md](commands.md). Commands of plug-ins come on top of them ([plugins.md](plugins.md)).

The exit code is 0 when a command has done what it was told, 1 when it could not, 2 when it was not understood, and 130
after Ctrl-C, unless it says otherwise.
"""


def page() -> str:
    found = commands()
    return "\n".join([HEAD, *_contents(found), *map(_section, found)])


def _contents(found: Iterable[Command]) -> list[str]:
    rows = [f"| [`wsgid {each.name}`](#{_anchor(each)}) | {each.paragraphs[0]} |" for each in found]
    return ["| command | what it does |", "| --- | --- |", *rows, ""]


def _anchor(command: Command) -> str:
    return f"wsgid {command.name}".replace(" ", "-")


def _section(command: Command) -> str:
    parts = [f"## `wsgid {command.name}`\n", f"    wsgid {command.name} {command.usage}\n"]
    parts += [f"{marked(each)}\n" for each in command.paragraphs]
    parts += [_table("argument", command.arguments), _table("option", command.options)]
    if command.shared:
        parts.append(f"{_shared(command.shared)}\n")
    if command.exit_codes:
        parts.append(f"Exit code: {marked(command.exit_codes)}\n")
    return "\n".join(part for part in parts if part)


def _table(what: str, rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    lines = [f"| `{_cell(each.spelled)}` | {_cell(marked(each.help))} |" for each in rows]
    return "\n".join([f"| {what} | |", "| --- | --- |", *lines]) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _shared(flags: Sequence[str]) -> str:
    if len(flags) > len(OPTIONS) // 2:
        return "Also the [options](options.md) of a start."
    *first, last = (f"`{each}`" for each in flags)
    return f"Also {', '.join(first)} and {last}, as for the start." if first else f"Also {last}, as for the start."

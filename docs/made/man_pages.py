"""docs/man/: the sources of ``wsgid(1)`` and ``wsgid.json(5)``, from the table of options and the commands.

They are Markdown as the other pages are, so that Sphinx makes both man pages and pages of the site of them.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator

from docs.made.command_tree import Command, commands, marked

from wsgid.config import OPTIONS
from wsgid.config_sources import ENVS, FILE, OWN_PREFIX
from wsgid.options import Option

COMMAND_PAGE, FILE_PAGE = "docs/man/wsgid.1", "docs/man/wsgid.json.5"

MAN_PAGES: list[tuple[str, str, str, list[str], str]] = [
    (COMMAND_PAGE, "wsgid", "turns any WSGI application into a daemon", [], "1"),
    (FILE_PAGE, "wsgid.json", "saved options of a wsgid daemon", [], "5"),
]
"""As Sphinx wants them: document, name, description, authors, section."""

MADE = "<!-- Made by scripts/docs from src/wsgid/config.py and the commands in src/wsgid/cli: change those. -->\n"

COMMAND_HEAD = f"""\
{MADE}
# wsgid(1)

## Synopsis

**wsgid** [*OPTION*]...

**wsgid** *COMMAND* [*OPTION*]...

## Description

**wsgid** without a command starts a daemon for the WSGI application in the folder that `--app-path` names: a master, a
dispatcher and `--workers` processes that run the application. It detaches when the application is loaded and its
addresses are open, or says on the terminal why not. It serves HTTP (`--bind`), requests of the Mongrel2 web server
(`--recv`, `--send`), or both. The commands act on the daemons of an app folder.

Each option can be given on the command line, in the environment as `WSGID_...` and in `{FILE}` in the app folder; the
first of these that has it wins. See wsgid.json(5).

## Options
"""

COMMAND_TAIL = """\
## Signals

To the master:

`TERM`, `INT`
: Stop: requests in progress finish, for up to `--graceful-timeout`. A second one: at once.

`QUIT`
: Stop at once.

`HUP`
: Restart: new workers, one at a time, with the code and options that are on disk now.

`USR1`
: Open the log files anew.

`TTIN`, `TTOU`
: One worker more, one fewer.

To a worker, `TERM` makes it finish its request and leave; a new one comes.

## Files

`app/`
: The application's code, put on `sys.path`.

`plugins/`
: Plug-ins.

`logs/wsgid.log`, `logs/access.log`
: The main log, and a line for each request.

`pid/master/`, `pid/worker/`
: A file *PID*.pid for each process.

`run/`
: Sockets of the running daemon.

`wsgid.json`
: Saved options: wsgid.json(5).

`django.json`
: Settings merged into those of a Django project.

All of them are in the app folder.

## Exit status

`0`
: Done; also of a daemon that was stopped in order.

`1`
: It could not be done: the application cannot be loaded, the address is taken. The reason is on the standard error.

`2`
: The command line, the environment or `wsgid.json` was not understood.

`130`
: Ended by Ctrl-C.

Commands that have others say so above.

## See also

wsgid.json(5), systemd.service(5), m2sh(1)
"""

FILE_HEAD = f"""\
{MADE}
# wsgid.json(5)

## Description

`{FILE}` in the app folder holds options of the daemon, one JSON object of keys and values. What is given on the command
line or in the environment wins over it. A start reads it, and so does a restart; a key marked "(start)" can only be
changed by a new start, and a restart names it when it has changed.

Numbers and booleans may be written as texts, `"4"` and `"true"`. A key that may be repeated takes a list or one text.
`null` counts as not set. Relative paths start from the app folder. A key that is not listed here is an error.

## Example

```json
{{
    "workers": 4,
    "bind": ["127.0.0.1:8000", "unix:/run/mysite/http.sock"],
    "timeout": 30,
    "{ENVS}": {{"DJANGO_SETTINGS_MODULE": "shop.settings"}}
}}
```

## Keys
"""

FILE_TAIL = f"""\
### Other keys

`{ENVS}`
: An object of texts: environment variables for the application.

`{OWN_PREFIX}...`
: Your own keys: wsgid passes over all that begin so.

## See also

wsgid(1)
"""


def command_page() -> str:
    listed = [f"### Command {each.name}\n\n{_told(each)}" for each in commands()]
    return "\n".join([COMMAND_HEAD, *_grouped(_option), "## Commands\n", *listed, COMMAND_TAIL])


def file_page() -> str:
    return "\n".join([FILE_HEAD, *_grouped(_key), FILE_TAIL])


def _grouped(item: Callable[[Option], str]) -> Iterator[str]:
    for group, options in itertools.groupby(OPTIONS, key=lambda each: each.group):
        yield f"### {group}\n"
        yield from map(item, options)


def _option(option: Option) -> str:
    spelled = f"`{option.flag}`, `{option.opposite}`" if option.is_boolean else f"`{option.flag} {option.metavar}`"
    return _item(spelled, marked(f"{option.help} Default: {option.default_text}."))


def _key(option: Option) -> str:
    start = " (start)" if option.fixed else ""
    text = f"{option.help} It is {option.allowed}. Default: {option.default_text}."
    return _item(f"`{option.name}`{start}", marked(text))


def _item(term: str, text: str) -> str:
    return f"{term}\n: {text}\n"


def _told(command: Command) -> str:
    rows = [*command.arguments, *command.options]
    parts = [f"**wsgid {command.name}** {_usage(command.usage)}\n"]
    parts += [f"{marked(each)}\n" for each in command.paragraphs]
    parts += [_item(f"`{each.spelled}`", marked(each.help) or "See above.") for each in rows]
    parts += [f"Exit code: {marked(command.exit_codes)}\n"] if command.exit_codes else []
    return "\n".join(parts)


def _usage(usage: str) -> str:
    return " ".join(_words(usage.split()))


def _words(words: Iterable[str]) -> Iterator[str]:
    for word in words:
        yield word.replace("[", "\\[").replace("OPTION", "*OPTION*")

"""``wsgid init``: makes an app folder, or completes one.

The examples are files in ``examples/`` beside this module, as they are to be in the app folder.
"""

import importlib.util
import json
import os
import secrets
import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wsgid.app import WsgidApp
from wsgid.cli.complaints import EXIT_REFUSED, CannotDo
from wsgid.cli.new_folder import NewFolder, made_by_us
from wsgid.config_sources import ConfigError, NewPlace, locate_new
from wsgid.interfaces.commands import CommandOptions

SOURCES = Path(__file__).parent / "examples"

WORKERS = 2
"""What a new wsgid.json has: enough that one request that takes long does not hold up the others."""

SECRET = "secret-key"
DATA = "data"
IGNORED = ("data/", "logs/", "pid/", "run/", "secret-key", "static/")
"""What belongs to the machine, for a folder that is kept in git as a whole."""

MAX_NAMED = 5


@dataclass(frozen=True, slots=True)
class Example:
    name: str
    package: str | None
    """What has to be installed for it."""

    @property
    def files(self) -> list[Path]:
        """Relative to the app folder."""
        folder = SOURCES / self.name
        # pip compiles what it installs.
        found = (each.relative_to(folder) for each in folder.rglob("*") if each.is_file() and each.suffix != ".pyc")
        return sorted(found)

    @property
    def is_installed(self) -> bool:
        return self.package is None or importlib.util.find_spec(self.package.lower()) is not None


EXAMPLES = {
    each.name: each for each in (Example("flask", "Flask"), Example("django", "Django"), Example("plain", None))
}


def init(options: CommandOptions) -> int:
    """Returns the exit code. Raises CannotDo."""
    place = _place(options)
    app = WsgidApp(place.app_path)
    example = EXAMPLES[options.example] if options.example else None
    if example is not None:
        _check_room(example, app)
    with made_by_us(app, place.user, place.group) as new:
        _make(new, app, place, example)
    print("\n".join(_report(new, app)))
    print("\n".join(_what_next(app, new, options, example)))
    return 0


def _place(options: CommandOptions) -> NewPlace:
    told = dict(options.told)
    if options.folder is not None:
        if not options.folder.strip():
            raise CannotDo("the folder's name is empty: a variable of the shell may be unset", exit_code=EXIT_REFUSED)
        if "app_path" in told:
            raise CannotDo("the folder is named twice, by itself and by --app-path", exit_code=EXIT_REFUSED)
        told["app_path"] = options.folder
    try:
        return locate_new(told, os.environ)
    except ConfigError as error:
        raise CannotDo(*error.errors, exit_code=EXIT_REFUSED) from None


def _check_room(example: Example, app: WsgidApp) -> None:
    """An example beside an application of somebody's own would be served in its place. Raises CannotDo."""
    ours = {each.parts[1] for each in example.files if each.parts[0] == "app"} | {"__pycache__"}
    others = sorted(each.name for each in app.appdir.iterdir() if each.name not in ours) if app.is_valid() else []
    if others:
        raise CannotDo(
            f"{app.appdir} has code already ({_named(others)}), so no example is put there: leave --example away, or "
            "name another folder"
        )


def _make(new: NewFolder, app: WsgidApp, place: NewPlace, example: Example | None) -> None:
    """Raises OSError."""
    for folder in (app.path, app.appdir, app.pluginsdir):
        new.make_folder(folder)
    is_django = example is not None and example.name == "django"
    new.make_folders_for_daemon(*([app.path / DATA] if is_django else []))
    new.make_file(app.options_file, _saved(place))
    for each in example.files if example else ():
        new.make_folder((app.path / each).parent)
        new.make_file(app.path / each, (SOURCES / str(example and example.name) / each).read_bytes())
    if is_django:
        new.make_secret(app.path / SECRET, secrets.token_urlsafe(48).encode() + b"\n")
        new.make_file(app.path / ".gitignore", "".join(f"/{each}\n" for each in IGNORED).encode())


def _saved(place: NewPlace) -> bytes:
    rights = {"user": place.user, "group": place.group}
    options = {"workers": WORKERS} | {name: value for name, value in rights.items() if value is not None}
    return json.dumps(options, indent=2).encode() + b"\n"


def _report(new: NewFolder, app: WsgidApp) -> list[str]:
    if not new.made:
        return [f"{app.path} has all that it needs already, and stays as it is"]
    lines = [f"{app.path}, made:", *(f"  {_inside(each, app)}" for each in new.made if each != app.path)]
    if new.left:
        lines += ["There already, and left as they are:", *(f"  {_inside(each, app)}" for each in new.left)]
    return lines


def _inside(path: Path, app: WsgidApp) -> str:
    name = os.path.relpath(path, app.path) if path.is_relative_to(app.path) else str(path)
    return f"{name}/" if path.is_dir() else name


def _what_next(app: WsgidApp, new: NewFolder, options: CommandOptions, example: Example | None) -> list[str]:
    lines = [""]
    if example is not None and not example.is_installed:
        install = shlex.join([sys.executable, "-m", "pip", "install", str(example.package)])
        lines += [f"{example.package} is not installed for this Python. Install it:", "", f"  {install}", ""]
    if new.is_roots:
        lines += ["Started by root, this runs as root, for root owns the folder: name another user by --user.", ""]
    has_code = any(app.appdir.iterdir())
    words = "Start it:" if has_code else f"Put the application's code into {app.appdir}, then start it:"
    return [*lines, words, "", f"  {shlex.join(_start(app, new, options))}"]


def _start(app: WsgidApp, new: NewFolder, options: CommandOptions) -> Sequence[str]:
    """The command, with what was given here and is not saved."""
    folder = options.folder or options.told.get("app_path")
    command = ["wsgid", *(["--app-path", str(folder)] if folder else [])]
    if app.options_file in new.left:
        command += [part for name in ("user", "group") for part in _given(name, options)]
    return command


def _given(name: str, options: CommandOptions) -> Iterable[str]:
    return (f"--{name}", str(options.told[name])) if name in options.told else ()


def _named(names: Sequence[str]) -> str:
    return ", ".join([*names[:MAX_NAMED], *(["..."] if len(names) > MAX_NAMED else [])])

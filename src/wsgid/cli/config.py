"""``wsgid config``: saves options in ``wsgid.json``, or shows which options there are, and where they come from."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from wsgid.cli import option_table, saved_options
from wsgid.cli.complaints import EXIT_REFUSED, CannotDo, complain
from wsgid.config import OPTIONS
from wsgid.config_sources import ENVS, FILE, ConfigError, faults_of, named_app_path, read_saved
from wsgid.interfaces.commands import CommandOptions
from wsgid.options import BOOLEAN, DIRECTORIES, DIRECTORY, LIST, NUMBER, SECONDS, SWITCH, Option, nearest, shown

FOLDER = "app_path"
"""Says which file it is, so it is not in it."""

_BY_NAME = {each.name: each for each in OPTIONS}

_UNIX, _IPC, _ABSTRACT = "unix:", "ipc://", "@"


def config(options: CommandOptions) -> int:
    """Returns the exit code. Raises CannotDo."""
    told = dict(options.told)
    folder = {FOLDER: told.pop(FOLDER)} if FOLDER in told else {}
    if not (told or options.unset):
        return option_table.show(folder, as_json=options.json)
    if options.json:
        raise CannotDo("--json is for showing the options, and not for saving some", exit_code=EXIT_REFUSED)
    app_path = _folder(folder)
    with saved_options.alone(app_path):
        before = _read(app_path)
        after = _changed(before, told, [_key(each, before, told) for each in options.unset], app_path)
        _judge(before, after, app_path)
        if after != before:
            saved_options.write(app_path, after)
    print("\n".join(_report(before, after, app_path)))
    complain(_overridden(told))
    return 0


def _folder(told: Mapping[str, object]) -> Path:
    try:
        app_path = named_app_path(told, os.environ)
    except ConfigError as error:
        raise CannotDo(*error.errors, exit_code=EXIT_REFUSED) from None
    if not ((app_path / "app").is_dir() or (app_path / FILE).exists()):
        raise CannotDo(
            f"{app_path} is no app folder: there is neither {app_path / 'app'} nor {FILE}; make one with `wsgid init`, "
            "or name another with --app-path",
            exit_code=EXIT_REFUSED,
        )
    return app_path


def _read(app_path: Path) -> dict[str, object]:
    try:
        return read_saved(app_path)
    except ConfigError as error:
        raise CannotDo(*error.errors, "so nothing is changed: put it right first", exit_code=EXIT_REFUSED) from None


def _key(text: str, before: Mapping[str, object], told: Mapping[str, object]) -> str:
    """What --unset names, however it is spelled. Raises CannotDo."""
    key = text if text in before else text.lstrip("-").replace("-", "_")
    if key not in before and key not in (*_BY_NAME, ENVS):
        hint = nearest(key, [*before, *_BY_NAME])
        raise CannotDo(f"--unset: {shown(text)} is no option, nor is it in {FILE}{hint}", exit_code=EXIT_REFUSED)
    if key in told:
        raise CannotDo(f"{_BY_NAME[key].flag} is given, and also to be unset: say one of both", exit_code=EXIT_REFUSED)
    return key


def _changed(
    before: Mapping[str, object], told: Mapping[str, object], unset: Sequence[str], app_path: Path
) -> dict[str, object]:
    """The new content of the file, its keys in their order. Raises CannotDo for values that are wrong."""
    after = {key: value for key, value in before.items() if key not in unset}
    jailed = _is_on(told.get("chroot", after.get("chroot", False)))
    errors: list[str] = []
    for name, value in told.items():
        option = _BY_NAME[name]
        if jailed and name == "loader_dir" and isinstance(value, tuple):
            after[name] = list(value)  # paths in the jail, wherever this is called
            continue
        try:
            after[name] = _to_save(option, option.read(value, Path.cwd()), value, app_path)
        except ValueError as error:
            errors.append(f"{option.flag}: {error}")
    if errors:
        raise CannotDo(*errors, exit_code=EXIT_REFUSED)
    return after


def _is_on(value: object) -> bool:
    try:
        return bool(BOOLEAN.read(value, Path()))
    except ValueError:
        return False


def _to_save(option: Option, value: object, told: object, app_path: Path) -> object:
    """As JSON has it: numbers and booleans are such, and text stays as it was written."""
    if option.kind in (BOOLEAN, NUMBER, SWITCH):
        return value
    if option.kind is SECONDS and isinstance(value, float):
        return int(value) if value.is_integer() else value
    if option.kind is DIRECTORY:
        return _from_folder(str(told), app_path)
    if option.kind in (DIRECTORIES, LIST):
        items = (told,) if isinstance(told, str) else tuple(map(str, told)) if isinstance(told, tuple) else ()
        place = _from_folder if option.kind is DIRECTORIES else _address
        return [place(each, app_path) for each in items]
    return _address(str(told), app_path) if option.each else told


def _address(text: str, app_path: Path) -> str:
    """Of --bind, --recv, --send and --syslog: their sockets are files, too."""
    for scheme in (_UNIX, _IPC):
        path = text.removeprefix(scheme)
        if path != text and not path.startswith(_ABSTRACT):
            return scheme + _from_folder(path, app_path)
    return text


def _from_folder(path: str, app_path: Path) -> str:
    """A path that means in the file, where paths start from the app folder, what it means here."""
    if os.path.isabs(path):
        return path
    absolute = Path(os.path.normpath(Path.cwd() / path))
    return str(absolute.relative_to(app_path) if absolute.is_relative_to(app_path) else Path.cwd() / path)


def _judge(before: Mapping[str, object], after: Mapping[str, object], app_path: Path) -> None:
    """Raises CannotDo when a start would refuse what is new in it; of what was wrong before it is only told."""
    known = faults_of(before, app_path)
    faults = faults_of(after, app_path)
    if fresh := [each for each in faults if each not in known]:
        raise CannotDo(*fresh, "so nothing is saved", exit_code=EXIT_REFUSED)
    complain(f"{each} (and was so before)" for each in faults)


def _report(before: Mapping[str, object], after: Mapping[str, object], app_path: Path) -> list[str]:
    changed = [
        key for key in {**before, **after} if before.get(key) != after.get(key) or (key in before) != (key in after)
    ]
    if not changed:
        return [f"{app_path / FILE} says so already, and stays as it is"]
    lines = [f"{app_path / FILE}", *(f"  {key}: {_was(key, before)} -> {_was(key, after)}" for key in changed)]
    fixed = [_BY_NAME[key].flag for key in changed if key in _BY_NAME and _BY_NAME[key].fixed]
    if len(fixed) < len(changed):
        lines.append("A running daemon goes by it after `wsgid restart`.")
    if fixed:
        lines.append(f"No restart changes {', '.join(fixed)}: `wsgid stop`, then start it again.")
    return lines


def _was(key: str, content: Mapping[str, object]) -> str:
    """Of environment variables only the names: their values are often secret."""
    if key not in content:
        return "(not set)"
    value = content[key]
    return ", ".join(value) if key == ENVS and isinstance(value, dict) else json.dumps(value, ensure_ascii=False)


def _overridden(told: Mapping[str, object]) -> list[str]:
    variables = [_BY_NAME[name].variable for name in told]
    return [f"{each} is set in the environment here, and wins over it" for each in variables if os.environ.get(each)]

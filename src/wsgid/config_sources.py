"""Where the values of options come from: the command line, the environment, ``wsgid.json``, the default.

`load` merges them. The first of these sources that has a value wins.
"""

import enum
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wsgid.config import DEFAULT_BIND, OPTIONS, Config
from wsgid.config_conflicts import conflicts
from wsgid.options import VARIABLE_PREFIX, Option, nearest, shown

FILE = "wsgid.json"
ENVS = "envs"
OWN_PREFIX = "x_"
"""Keys of ``wsgid.json`` that begin so are the user's own."""

WRONG = "wrong"
"""In place of a `Source`."""

_BY_NAME = {each.name: each for each in OPTIONS}
_BY_VARIABLE = {each.variable: each for each in OPTIONS}
_APP_PATH, _RUN_DIR = _BY_NAME["app_path"], _BY_NAME["run_dir"]
_LOADER_DIR, _CHROOT, _FILTER = _BY_NAME["loader_dir"], _BY_NAME["chroot"], _BY_NAME["filter"]
_USER, _GROUP = _BY_NAME["user"], _BY_NAME["group"]


class Source(enum.StrEnum):
    """In the order of precedence."""

    COMMAND_LINE = "command line"
    ENVIRONMENT = "environment"
    FILE = "wsgid.json"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Loaded:
    config: Config
    sources: dict[str, str]
    """Of each option, by name: a `Source`; `WRONG` only by `load_in_part`."""
    warnings: list[str]
    """For the log: what was ignored, and why."""


class ConfigError(Exception):
    """All that is wrong with the options: one sentence each, which names source, option and value."""

    def __init__(self, errors: Iterable[str]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(self.errors))


def load(command_line: Mapping[str, object], environ: Mapping[str, str], cwd: Path | None = None) -> Loaded:
    """The options, from all their sources.

    ``command_line`` holds, by option name, only what was given there: text, True or False for a boolean, a tuple of
    text for a repeatable option. Relative paths are taken from ``cwd`` (None: the current directory), those in
    ``wsgid.json`` from the app folder. The only effects are to read ``wsgid.json`` and to see whether named directories
    exist; so a restart can call it again, with the ``cwd`` of the start. Raises ConfigError.
    """
    merged = _merged(command_line, environ, cwd)
    if merged.errors:
        raise ConfigError(merged.errors)
    return merged.loaded()


def load_in_part(
    command_line: Mapping[str, object], environ: Mapping[str, str], cwd: Path | None = None
) -> tuple[Loaded, list[str]]:
    """As `load`, for one who wants to see what there is: an option whose value is wrong has its default, and `WRONG` as
    its source. Also all that `load` would say. Raises ConfigError when there is no app folder."""
    merged = _merged(command_line, environ, cwd)
    if "app_path" not in merged.values:
        raise ConfigError(merged.errors)
    for each in OPTIONS:
        if each.name not in merged.values:
            merged.values[each.name], merged.sources[each.name] = each.default, WRONG
    return merged.loaded(), merged.errors


@dataclass(frozen=True, slots=True)
class _Merged:
    values: dict[str, Any]
    """Without those that are wrong."""
    sources: dict[str, str]
    warnings: list[str]
    errors: list[str]

    def loaded(self) -> Loaded:
        values = self.values
        if not (values["bind"] or values["recv"]):
            values["bind"] = (DEFAULT_BIND,)
        return Loaded(Config(**values), self.sources, self.warnings)


def _merged(command_line: Mapping[str, object], environ: Mapping[str, str], cwd: Path | None) -> _Merged:
    errors: list[str] = []
    warnings: list[str] = []
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    layers = _first_layers(command_line, environ, cwd, warnings)
    _choose_app_path(layers, values, sources, errors)
    if app_path := values.get("app_path"):
        saved = _read_file(app_path / FILE, errors)
        values[ENVS] = _pop_envs(saved, app_path / FILE, errors)
        _drop_app_path(saved, app_path, warnings)
        layers.append(_Layer(Source.FILE, app_path, _known(saved, app_path / FILE, errors)))
    for each in OPTIONS:
        if each not in (_APP_PATH, _LOADER_DIR):
            _choose(each, layers, values, sources, errors)
    _choose_loader_dirs(layers, values, sources, errors)
    errors += conflicts(values, sources)
    return _Merged(values, sources, warnings, errors)


@dataclass(frozen=True, slots=True)
class Place:
    """Where daemons are to be found."""

    app_path: Path
    run_dir: Path | None
    warnings: list[str]
    """What could not be read, and may have named another place."""


def locate(command_line: Mapping[str, object], environ: Mapping[str, str], cwd: Path | None = None) -> Place:
    """As `load`, but only ``app_path`` and ``run_dir``: a daemon can be stopped whatever has become wrong with the
    other options. Raises ConfigError."""
    errors: list[str] = []
    unread: list[str] = []
    values: dict[str, Any] = {}
    layers = _first_layers(command_line, environ, cwd, [])
    _choose_app_path(layers, values, {}, errors)
    if app_path := values.get("app_path"):
        saved = _read_file(app_path / FILE, unread)
        layers.append(_Layer(Source.FILE, app_path, _known(saved, app_path / FILE, [])))
        _choose(_RUN_DIR, layers, values, {}, errors)
    if errors:
        raise ConfigError(errors)
    return Place(values["app_path"], values["run_dir"], unread)


@dataclass(frozen=True, slots=True)
class NewPlace:
    """Where an app folder is, or is to be, and who its daemons shall be."""

    app_path: Path
    user: str | None
    group: str | None


def locate_new(command_line: Mapping[str, object], environ: Mapping[str, str], cwd: Path | None = None) -> NewPlace:
    """As `load`, but only this, and of a folder that need not be there. Raises ConfigError."""
    errors: list[str] = []
    values: dict[str, Any] = {}
    layers = _first_layers(command_line, environ, cwd, [])
    app_path = _named_app_path(layers)
    saved = _read_file(app_path / FILE, errors) if app_path.is_dir() else {}
    layers.append(_Layer(Source.FILE, app_path, _known(saved, app_path / FILE, [])))
    for each in (_USER, _GROUP):
        _choose(each, layers, values, {}, errors)
    if errors:
        raise ConfigError(errors)
    return NewPlace(app_path, values["user"], values["group"])


def named_app_path(command_line: Mapping[str, object], environ: Mapping[str, str], cwd: Path | None = None) -> Path:
    """The app folder, which need not be there. Raises ConfigError."""
    return _named_app_path(_first_layers(command_line, environ, cwd, []))


def read_saved(app_path: Path) -> dict[str, object]:
    """What ``wsgid.json`` holds, unjudged; nothing when it is not there. Raises ConfigError when it cannot be read."""
    errors: list[str] = []
    saved = _read_file(app_path / FILE, errors)
    if errors:
        raise ConfigError(errors)
    return saved


def unknown_keys(saved: Mapping[str, object]) -> list[str]:
    return [key for key in saved if key not in _BY_NAME and key != ENVS and not key.startswith(OWN_PREFIX)]


def faults_of(saved: Mapping[str, object], app_path: Path) -> list[str]:
    """What `load` would say of a ``wsgid.json`` that holds this, if there were no other source."""
    errors: list[str] = []
    values: dict[str, Any] = {"app_path": app_path}
    sources: dict[str, str] = {}
    rest = dict(saved)
    _pop_envs(rest, app_path / FILE, errors)
    _drop_app_path(rest, app_path, [])
    layer = _Layer(Source.FILE, app_path, _known(rest, app_path / FILE, errors))
    for each in OPTIONS:
        if each not in (_APP_PATH, _LOADER_DIR):
            _choose(each, [layer], values, sources, errors)
    _choose_loader_dirs([layer], values, sources, errors)
    errors += conflicts(values, sources)
    return errors


@dataclass(frozen=True, slots=True)
class PluginPlace:
    """Where an app folder's plug-ins are to be found, and what they find in their environment."""

    app_path: Path
    loader_dirs: tuple[Path, ...]
    filters: tuple[str, ...]
    """Those of ours that are switched on."""
    envs: Mapping[str, str]


def locate_plugins(
    command_line: Mapping[str, object], environ: Mapping[str, str], cwd: Path | None = None
) -> PluginPlace:
    """As `load`, but only what has to do with plug-ins. Raises ConfigError."""
    errors: list[str] = []
    values: dict[str, Any] = {}
    layers = _first_layers(command_line, environ, cwd, [])
    _choose_app_path(layers, values, {}, errors)
    if app_path := values.get("app_path"):
        saved = _read_file(app_path / FILE, errors)
        values[ENVS] = _pop_envs(saved, app_path / FILE, errors)
        layers.append(_Layer(Source.FILE, app_path, _known(saved, app_path / FILE, [])))
        for each in (_CHROOT, _FILTER):
            _choose(each, layers, values, {}, errors)
        _choose_loader_dirs(layers, values, {}, errors)
    if errors:
        raise ConfigError(errors)
    return PluginPlace(values["app_path"], values["loader_dir"], values["filter"], values[ENVS])


@dataclass(frozen=True, slots=True)
class _Layer:
    """What one source says."""

    source: Source
    base: Path
    """Where relative paths start."""
    values: Mapping[str, object]

    def place(self, option: Option) -> str:
        """Where people find the value."""
        match self.source:
            case Source.ENVIRONMENT:
                return option.variable
            case Source.FILE:
                return f"{self.base / FILE}: {option.name}"
            case _:
                return option.flag

    def seen_from_inside(self, option: Option, app_path: Path) -> "_Layer":
        """The same for an option that names folders in the app folder, which is ``/`` there. It is also where it is
        outside, so its full path is right as well."""
        told = self.values.get(option.name)
        if told is None:
            return self
        named = (told,) if isinstance(told, str) else told
        inside = tuple(_below(each, app_path) for each in named) if isinstance(named, list | tuple) else named
        return replace(self, base=app_path, values={**self.values, option.name: inside})


def _first_layers(
    command_line: Mapping[str, object], environ: Mapping[str, str], cwd: Path | None, warnings: list[str]
) -> list[_Layer]:
    """The sources that are known before the app folder is. Raises ConfigError."""
    start = cwd or _current_directory()
    return [
        _Layer(Source.COMMAND_LINE, start, command_line),
        _Layer(Source.ENVIRONMENT, start, _from_environment(environ, warnings)),
    ]


def _named_app_path(layers: Sequence[_Layer]) -> Path:
    told = next((each.values["app_path"] for each in layers if each.values.get("app_path")), ".")
    return layers[0].base / str(told)


def _choose_app_path(layers: list[_Layer], values: dict[str, Any], sources: dict[str, str], errors: list[str]) -> None:
    default = _Layer(Source.DEFAULT, layers[0].base, {"app_path": "."})
    _choose(_APP_PATH, [*layers, default], values, sources, errors)


def _choose_loader_dirs(
    layers: Iterable[_Layer], values: dict[str, Any], sources: dict[str, str], errors: list[str]
) -> None:
    """With ``--chroot`` they are named as they are seen from inside."""
    if values.get("chroot") and "app_path" in values:
        layers = [each.seen_from_inside(_LOADER_DIR, values["app_path"]) for each in layers]
    _choose(_LOADER_DIR, layers, values, sources, errors)


def _choose(
    option: Option, layers: Iterable[_Layer], values: dict[str, Any], sources: dict[str, str], errors: list[str]
) -> None:
    """Takes the value from the first layer that has one. What is overridden is not judged: it does no harm."""
    for layer in layers:
        if option.name in layer.values:
            sources[option.name] = layer.source
            try:
                values[option.name] = option.read(layer.values[option.name], layer.base)
            except ValueError as error:
                errors.append(f"{layer.place(option)}: {error}")
            return
    values[option.name], sources[option.name] = option.default, Source.DEFAULT


def _below(path: object, app_path: Path) -> object:
    if not isinstance(path, str) or Path(path).is_relative_to(app_path):
        return path
    return path.lstrip("/")


def _current_directory() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise ConfigError(["the current directory has been removed: change to one that exists"]) from None


def _from_environment(environ: Mapping[str, str], warnings: list[str]) -> dict[str, object]:
    """An empty variable counts as not set: shells and composition files pass on unset ones like that."""
    values: dict[str, object] = {}
    for variable, text in sorted(environ.items()):
        option = _BY_VARIABLE.get(variable)
        if option is None:
            if variable.startswith(VARIABLE_PREFIX):
                # Not an error: orchestrators inject names such as WSGID_PORT_8000_TCP for a service called wsgid.
                hint = nearest(variable, _BY_VARIABLE, VARIABLE_PREFIX)
                warnings.append(f"{variable} in the environment is no option{hint}; ignored")
        elif text.strip():
            values[option.name] = _split(text) if option.is_repeatable else text
    return values


def _split(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def _read_file(path: Path, errors: list[str]) -> dict[str, object]:
    """What the file holds; nothing when it is not there or wrong."""
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"), object_pairs_hook=_unrepeated)
    except FileNotFoundError:
        return {}
    except OSError as error:
        errors.append(f"{path} cannot be read: {error.strerror}")
    except json.JSONDecodeError as error:
        errors.append(f"{path}, line {error.lineno}, column {error.colno}: not valid JSON: {error.msg}")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
        errors.append(f"{path}, line {line}, column {column}: not valid JSON: not UTF-8")
    except RecursionError:
        errors.append(f"{path}: not valid JSON: nested too deeply")
    except ValueError as error:
        errors.append(f"{path}: {error}")
    else:
        if isinstance(content, dict):
            return content
        errors.append(f'{path} must hold one JSON object, such as {{"workers": 4}}, but is {shown(content)}')
    return {}


def _unrepeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """json itself would quietly take the last of two equal keys."""
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f"the key {shown(key)} is given twice")
    return dict(pairs)


def _known(saved: Mapping[str, object], path: Path, errors: list[str]) -> dict[str, object]:
    """The options among the keys, without those that are null and so say nothing.

    Any other key is a slip of the pen, unless it is marked as the user's own.
    """
    for key in unknown_keys(saved):
        hint = nearest(key.replace("-", "_"), [*_BY_NAME, ENVS])
        errors.append(f"{path}: {shown(key)} is no option{hint}; keys of your own begin with {OWN_PREFIX}")
    return {key: value for key, value in saved.items() if key in _BY_NAME and value is not None}


def _drop_app_path(saved: dict[str, object], app_path: Path, warnings: list[str]) -> None:
    """The file is found by the app path, so it cannot move it. The same path again is just redundant."""
    told = saved.pop("app_path", None)
    if told is not None and not (isinstance(told, str) and (app_path / told).resolve() == app_path.resolve()):
        warnings.append(f"{app_path / FILE}: app_path is {shown(told)}, but the file is in {app_path}; ignored")


def _pop_envs(saved: dict[str, object], path: Path, errors: list[str]) -> dict[str, str]:
    envs = saved.pop(ENVS, None)
    if envs is None:
        return {}
    if not isinstance(envs, dict):
        errors.append(f'{path}: {ENVS}: {shown(envs)} is not an object of texts, such as {{"LANG": "C.UTF-8"}}')
        return {}
    for name, value in envs.items():
        if not isinstance(value, str):
            errors.append(f"{path}: {ENVS}: {name} is {shown(value)}, which is not a text: write it in quotes")
        elif not _can_be_set(name, value):
            errors.append(
                f"{path}: {ENVS}: {shown(name)} cannot be set to {shown(value)}: a name must be there, without '=', "
                "and neither may have a zero byte or half a surrogate pair"
            )
    return envs


def _can_be_set(name: str, value: str) -> bool:
    try:
        os.fsencode(name + value)
    except UnicodeEncodeError:
        return False
    return bool(name) and "=" not in name and "\0" not in name + value

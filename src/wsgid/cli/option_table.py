"""``wsgid config`` without options: every option, its value, and where that comes from."""

import itertools
import os
import shlex
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec

from wsgid.cli.complaints import EXIT_REFUSED, CannotDo, complain
from wsgid.config import OPTIONS
from wsgid.config_sources import (
    FILE,
    WRONG,
    ConfigError,
    Loaded,
    Source,
    load_in_part,
    read_saved,
    unknown_keys,
)
from wsgid.options import Option


def show(told: Mapping[str, object], *, as_json: bool) -> int:
    """``told``: the app folder, if it was named. Returns the exit code. Raises CannotDo."""
    try:
        loaded, faults = load_in_part(told, os.environ)
    except ConfigError as error:
        raise CannotDo(*error.errors, exit_code=EXIT_REFUSED) from None
    if as_json:
        data = _as_data(loaded) | {"faults": faults}
        print(msgspec.json.format(msgspec.json.encode(data, enc_hook=str), indent=2).decode())
    else:
        print("\n".join(_as_table(loaded)), flush=True)
    complain([*loaded.warnings, *faults, *_remedies(loaded.config.app_path)])
    return EXIT_REFUSED if faults else 0


def _remedies(app_path: Path) -> list[str]:
    try:
        unknown = unknown_keys(read_saved(app_path))
    except ConfigError:
        return []  # it is among the faults
    return [f"{shlex.join(['wsgid', 'config', '--unset', key])} removes it from {app_path / FILE}" for key in unknown]


def _as_data(loaded: Loaded) -> dict[str, Any]:
    """Of environment variables for the application only the names: their values are often secret."""
    values = {each.name: getattr(loaded.config, each.name) for each in fields(loaded.config)}
    options = {
        each.name: {
            "value": None if loaded.sources[each.name] == WRONG else values[each.name],
            "source": loaded.sources[each.name],
            "fixed": each.fixed,
        }
        for each in OPTIONS
    }
    file = loaded.config.app_path / FILE
    return {"file": str(file) if file.exists() else None, "options": options, "envs": sorted(loaded.config.envs)}


def _as_table(loaded: Loaded) -> list[str]:
    rows = [(each, _value(each, loaded), _source(each, loaded)) for each in OPTIONS]
    left = max(len(each.name) for each in OPTIONS)
    middle = max(len(source) for _, _, source in rows)
    lines = []
    for group, members in itertools.groupby(rows, key=lambda row: row[0].group):
        lines += ["", group]
        lines += [f"  {each.name:<{left}}  {source:<{middle}}  {value}" for each, value, source in members]
    if loaded.config.envs:
        lines += ["", "Environment of the application", *(f"  {name}" for name in sorted(loaded.config.envs))]
    return [f"Options of {loaded.config.app_path}", *lines]


def _value(option: Option, loaded: Loaded) -> str:
    value = getattr(loaded.config, option.name)
    if loaded.sources[option.name] == WRONG:
        return "(see what is told of it)"
    if loaded.sources[option.name] == Source.DEFAULT and option.name != "app_path":
        return option.default_text
    return option.kind.show(value) if value not in (None, ()) else "none"


def _source(option: Option, loaded: Loaded) -> str:
    source = loaded.sources[option.name]
    return option.variable if source == Source.ENVIRONMENT else source

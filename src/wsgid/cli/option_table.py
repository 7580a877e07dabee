"""``wsgid config`` without options: every option, its value, and where that comes from."""

import itertools
import os
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import msgspec

from wsgid.cli.complaints import EXIT_REFUSED, CannotDo, complain
from wsgid.config import OPTIONS
from wsgid.config_sources import FILE, ConfigError, Loaded, Source, load
from wsgid.options import Option


def show(told: Mapping[str, object], *, as_json: bool) -> int:
    """``told``: the app folder, if it was named. Returns the exit code. Raises CannotDo."""
    try:
        loaded = load(told, os.environ)
    except ConfigError as error:
        raise CannotDo(*error.errors, exit_code=EXIT_REFUSED) from None
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(_as_data(loaded), enc_hook=str), indent=2).decode())
    else:
        print("\n".join(_as_table(loaded)))
    complain(loaded.warnings)
    return 0


def _as_data(loaded: Loaded) -> dict[str, Any]:
    """Of environment variables for the application only the names: their values are often secret."""
    values = {each.name: getattr(loaded.config, each.name) for each in fields(loaded.config)}
    options = {
        each.name: {"value": values[each.name], "source": loaded.sources[each.name], "fixed": each.fixed}
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
    if loaded.sources[option.name] == Source.DEFAULT and option.name != "app_path":
        return option.default_text
    return option.kind.show(value) if value not in (None, ()) else "none"


def _source(option: Option, loaded: Loaded) -> str:
    source = loaded.sources[option.name]
    return option.variable if source == Source.ENVIRONMENT else source

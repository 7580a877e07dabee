"""``django.json``: settings of Django that belong to the machine and not to the project."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path

from wsgid.loaders.failure import LoadError

FILE_NAME = "django.json"


def read_extra_settings(app_path: Path) -> dict[str, object]:
    """The settings in the app folder's ``django.json``; empty when there is no such file.

    Raises LoadError, with line and column, when it cannot be understood; OSError when it cannot be read.
    """
    try:
        text = (app_path / FILE_NAME).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise LoadError(f"{FILE_NAME}: byte {error.start + 1} is not UTF-8; save the file as UTF-8") from None
    try:
        extra = json.loads(text)
    except json.JSONDecodeError as error:
        raise LoadError(f"{FILE_NAME}, line {error.lineno}, column {error.colno}: {error.msg}") from None
    if not isinstance(extra, dict):
        raise LoadError(f'{FILE_NAME}: an object is wanted, as in {{"DEBUG": false}}, and it holds {_kind(extra)}')
    for key in extra:
        _check(key)
    return extra


def merge_settings(current: Mapping[str, object], extra: Mapping[str, object]) -> dict[str, object]:
    """The new values of the keys in ``extra``.

    A key that is not there yet is created, a value of another type is replaced; dict, list and tuple are joined, one
    level deep: inside a dict the values of ``extra`` win, to a list or a tuple they are appended, and it keeps its
    type. Neither argument is changed.
    """
    return {key: _join(current[key], value) if key in current else value for key, value in extra.items()}


def _join(current: object, value: object) -> object:
    if isinstance(current, dict) and isinstance(value, dict):
        joined = copy.copy(current)  # rather than a new dict: it may be an OrderedDict
        joined.update(value)
        return joined
    # JSON knows no tuples.
    if isinstance(current, list) and isinstance(value, list):
        return [*current, *value]
    if isinstance(current, tuple) and isinstance(value, list):
        return (*current, *value)
    return value


def _check(key: str) -> None:
    # django.conf.Settings takes the names for which str.isupper() is true and passes over the others in silence.
    if not key.isupper():
        raise LoadError(f"{FILE_NAME}: Django ignores settings that are not in upper case; {key!r}: {_remedy(key)}")


def _remedy(key: str) -> str:
    return f"write {key.upper()!r}" if key.upper().isupper() else "remove it"


def _kind(value: object) -> str:
    kinds = {list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")

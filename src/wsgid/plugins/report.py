"""What has come of a load, as data: what was loaded, what failed and why."""

import importlib
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wsgid.plugins.errors import PluginError
from wsgid.plugins.places import Place, is_own
from wsgid.plugins.registry import Registration
from wsgid.plugins.sources import File, Source

MACHINERY = ("<frozen importlib", str(Path(importlib.__file__).parent))
"""How the files begin that are Python's own part in an import."""

_Link = tuple[BaseException, traceback.TracebackException]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A source that could be loaded, and what it has registered: nothing, if there is no plug-in in it."""

    source: Source
    plugins: tuple[Registration, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """A source that could not be loaded. None of its plug-ins is registered."""

    source: Source
    reason: str
    """File, line and what is wrong. Mostly one line; a plug-in that lacks several methods has a line for each."""
    traceback: str
    """As Python prints it, without the lines that are the same for every plug-in."""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """In the order of loading."""

    loaded: tuple[Loaded, ...]
    failed: tuple[Failure, ...]


def failure(source: Source, error: BaseException) -> Failure:
    return Failure(source, _reason(source, error), _traceback(error))


def _reason(source: Source, error: BaseException) -> str:
    if isinstance(error, PluginError):
        return str(error)
    told = f"{_place(source, error)}: {type(error).__qualname__}"
    first = _message(error).strip().partition("\n")[0]
    return f"{told}: {first}{_advice(source, error)}" if first else told


def _message(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return error.msg  # str() of it repeats file and line
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - a class of the plug-in's own may do anything
        return "(no text, for its __str__() failed)"


def _place(source: Source, error: BaseException) -> Place | Source:
    """The innermost line of the source's own; the source itself where there is none."""
    # A file that cannot be compiled has no frame of its own.
    if isinstance(error, SyntaxError) and error.filename and error.lineno and Path(error.filename).is_file():
        return Place(error.filename, error.lineno)
    frames = [Place(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    return next((each for each in reversed(frames) if source.has_file(each.file)), source)


def _advice(source: Source, error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and isinstance(source, File) and error.name:
        folder = source.path.parent
        if (folder / error.name).is_dir() or (folder / f"{error.name}.py").is_file():
            return f"; it lies beside this file: write `from . import {error.name}`"
    return ""


def _traceback(error: BaseException) -> str:
    told = traceback.TracebackException.from_exception(error)
    for link, its in _links(error, told):
        kept = [frame for frame in its.stack if not _leads_there(frame.filename)]
        # These say in words where it is. All else that is only ours is a fault of ours, and stays.
        if kept or isinstance(link, PluginError | SyntaxError):
            its.stack[:] = kept
    return "".join(told.format()).rstrip()


def _leads_there(file: str) -> bool:
    return is_own(file) or file.startswith(MACHINERY)


def _links(error: BaseException, told: traceback.TracebackException) -> Iterator[_Link]:
    """It, and all that it was raised from or after, as far as that is told."""
    yield error, told
    for cause, its in ((error.__cause__, told.__cause__), (error.__context__, told.__context__)):
        if cause is not None and its is not None:
            yield from _links(cause, its)

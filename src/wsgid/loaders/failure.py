"""Says why an application cannot be loaded, to the person who started it.

Of a traceback through importlib, a framework and the application, that person needs first the one line of the
application it happened in: the innermost frame inside the app folder. All the rest follows below it.
"""

import importlib
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

OWN = Path(__file__).parents[1]
"""Our own package."""

MACHINERY = ("<frozen importlib", importlib.__file__)
"""How the files begin that are Python's own part in an import."""

INSTALLED = {"site-packages", "dist-packages"}
"""An environment may lie inside the app folder: its packages are not the application."""

CODE = ("app", "plugins")
"""Folders of the app folder with code that is the user's. The app folder itself may be ``/`` (``--chroot``), which all
the rest of Python is in, too."""


class LoadError(Exception):
    """The application cannot be loaded. The text is for people: what, where, what to do.

    When the application raised, that exception is the ``__cause__``.
    """


def describe_failure(error: BaseException, app_path: Path) -> str:
    """The text for the terminal: one line that says it all, what to do if we know it, the traceback if there is one.

    ``error`` is a LoadError, or what the application itself raised.
    """
    said = isinstance(error, LoadError)
    cause = error.__cause__ if said else error
    text = f"cannot load the application: {error if said else summary(error, app_path)}"
    if cause is None:
        return text
    return f"{text}\n\n{_traceback(cause, app_path)}"


def summary(error: BaseException, app_path: Path) -> str:
    """``app/wsgi.py, line 3: ModuleNotFoundError: No module named 'flask'``, and a second line with what to do."""
    blamed, place = error, None
    for link in _chain(error):
        place = _place(link, app_path)
        if place is not None:
            blamed = link
            break
    said = f"{place}: {_in_words(blamed)}" if place else _in_words(blamed)
    advice = _advice(blamed)
    return f"{said}\n{advice}" if advice else said


def shown(file: Path, app_path: Path) -> str:
    """The file as a person calls it: ``app/wsgi.py`` inside the app folder, the whole path elsewhere."""
    inside = _inside(file, app_path)
    return str(inside or file)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, then what it was raised from, and so on. A framework may wrap what the application raised."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _place(error: BaseException, app_path: Path) -> str | None:
    """File and line in the app folder, if the exception passed through it."""
    # A file that cannot be compiled has no frame of its own.
    if isinstance(error, SyntaxError) and error.filename is not None and Path(error.filename).is_file():
        return f"{shown(Path(error.filename), app_path)}, line {error.lineno}"
    place = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        inside = _inside(Path(frame.f_code.co_filename), app_path)
        if inside is not None:
            place = f"{inside}, line {line}"
    return place


def _inside(file: Path, app_path: Path) -> Path | None:
    """The file's path relative to the app folder; None when it is neither the user's code nor a file of the folder
    itself."""
    for folder in (app_path.absolute(), app_path.resolve()):
        if file.is_relative_to(folder):
            inside = file.relative_to(folder)
            ours = len(inside.parts) == 1 or inside.parts[0] in CODE
            return inside if ours and not INSTALLED.intersection(inside.parts) else None
    return None


def _traceback(error: BaseException, app_path: Path) -> str:
    """From the application's first line on: what leads there, of ours, of a framework or of Python's, is the same for
    every application. One that did not get there begins below our own lines."""
    told = traceback.TracebackException.from_exception(error)
    for link in _links(told):
        _shorten(link, app_path)
    return "".join(told.format()).rstrip()


def _links(told: traceback.TracebackException) -> Iterator[traceback.TracebackException]:
    """It, and all that it was raised from or after, as far as they are told."""
    waiting = [told]
    while waiting:
        link = waiting.pop()
        yield link
        waiting += [each for each in (link.__cause__, link.__context__) if each is not None]


def _shorten(told: traceback.TracebackException, app_path: Path) -> None:
    files = [frame.filename for frame in told.stack]
    start = next((depth for depth, file in enumerate(files) if _inside(Path(file), app_path) is not None), None)
    if start is None:
        # A SyntaxError names its file itself. All else that is only ours is a fault of ours, and stays.
        none_left = len(files) if getattr(told, "filename", None) else 0
        start = next((depth for depth, file in enumerate(files) if not _leads_there(file)), none_left)
    del told.stack[:start]


def _leads_there(file: str) -> bool:
    return file.startswith(MACHINERY) or Path(file).is_relative_to(OWN)


def _in_words(error: BaseException) -> str:
    # str() of a SyntaxError repeats the file and the line.
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    name = type(error).__qualname__
    return f"{name}: {text.splitlines()[0]}" if text.strip() else name


def _advice(error: BaseException) -> str | None:
    if isinstance(error, ModuleNotFoundError):
        return f"It is neither in app/ nor installed for {sys.executable}: install it there, or correct the import."
    if isinstance(error, SystemExit):
        return (
            "The application ended the process while it was being loaded. "
            'What runs a server or a command belongs under `if __name__ == "__main__":`.'
        )
    if isinstance(error, SyntaxError):
        return f"This is Python {sys.version_info.major}.{sys.version_info.minor}; correct that line."
    return None

"""What a plug-in raised when it was called, in words for its author: which plug-in it was, the file and the line."""

from pathlib import Path
from traceback import TracebackException, walk_tb

from wsgid.plugins import Place, Registration, registered

OURS = str(Path(__file__).parent) + "/"
"""How the paths of our own code begin: that a plug-in was called by us says nothing."""


def registration_of(plugin: object) -> Registration:
    """Of a registered plug-in, by its instance."""
    return next(each for each in registered() if each.plugin is type(plugin))


def named(plugin: object) -> str:
    """``Greeting (/srv/mysite/plugins/greeting.py, line 5)``: where its class statement is."""
    return f"{type(plugin).__qualname__} ({registration_of(plugin).place})"


def fault(plugin: object, error: BaseException) -> str:
    """``/srv/mysite/plugins/greeting.py, line 9: KeyError: 'x'``: the innermost line of the plug-in's own."""
    text = _text(error)
    kind = type(error).__qualname__
    return f"{place_of(plugin, error)}: {kind}: {text}" if text else f"{place_of(plugin, error)}: {kind}"


def place_of(plugin: object, error: BaseException) -> Place:
    """Where in the plug-in's own code it happened; its class statement where none of that was running."""
    own = registration_of(plugin)
    frames = (Place(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__))
    inside = [each for each in frames if _has(own, each.file)]
    return inside[-1] if inside else own.place


def short_traceback(error: BaseException) -> str:
    """As Python prints it, from the first line on that is not ours."""
    told = TracebackException.from_exception(error)
    outside = (depth for depth, frame in enumerate(told.stack) if not frame.filename.startswith(OURS))
    del told.stack[: next(outside, 0)]
    return "".join(told.format()).rstrip()


def _has(own: Registration, file: str) -> bool:
    return file == own.place.file or (own.source is not None and own.source.has_file(file))


def _text(error: BaseException) -> str:
    try:
        return str(error).strip().partition("\n")[0]
    except Exception:  # noqa: BLE001 - a class of the plug-in's own may do anything
        return "(no text, for its __str__() failed)"

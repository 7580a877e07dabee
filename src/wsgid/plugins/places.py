"""Where in the code something is: what every message to the author of a plug-in begins with."""

import inspect
import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

OWN = Path(__file__).parent
"""Our own code, which is never to blame."""

MAKERS = ("__new__", "__init_subclass__")
"""Functions of metaclasses and base classes that lie between a class statement and us."""


@dataclass(frozen=True, slots=True)
class Place:
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}"


def is_own(file: str) -> bool:
    return Path(file).is_relative_to(OWN)


def of_class(cls: type) -> Place:
    """Where the class is being defined: to be called while its ``class`` statement runs.

    ``inspect.getsourcelines`` would parse the whole file, and finds nothing for a class that a decorator or a loop
    makes; classes know their own line only from Python 3.13 on (``__firstlineno__``).
    """
    outside = _frames_outside()
    nearest = next(outside)
    # A decorator that makes the class anew may lie between the statement and us.
    candidates = itertools.chain([nearest], outside)
    frame = next((each for each in candidates if each.f_globals.get("__name__") == cls.__module__), nearest)
    return Place(frame.f_code.co_filename, frame.f_lineno)


def of_function(member: object) -> Place | None:
    """Where a function or method is defined, below its decorators; None for what is not written in Python."""
    function = getattr(member, "__func__", member)  # of a staticmethod or classmethod
    code = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
    return None if code is None else Place(code.co_filename, code.co_firstlineno)


def _frames_outside() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if not is_own(frame.f_code.co_filename) and frame.f_code.co_name not in MAKERS:
            yield frame
        frame = frame.f_back

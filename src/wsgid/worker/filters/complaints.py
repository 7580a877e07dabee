"""What the log is told of filters: the same thing once a minute, and not for each request."""

import logging
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

from wsgid.logs import about
from wsgid.plugin_faults import short_traceback
from wsgid.plugins import registered
from wsgid.worker.filters.returned import Unusable

log = logging.getLogger(__name__)

INTERVAL: Final = 60.0
"""Seconds in which one kind of complaint is made once."""

MAX_KINDS: Final = 1024
"""Kinds that are remembered; the one that was told the longest ago is forgotten. Filters have few ways to fail, but
code that is generated has many lines."""


class Complaints:
    """Used by all threads: at worst two tell the same."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: OrderedDict[Hashable, _Told] = OrderedDict()

    def failed(self, plugin: object, method: str, request_id: str, error: BaseException) -> None:
        """A filter has raised this, or what it returned is Unusable."""
        again = self._again((type(plugin), type(error), _line(error)))
        if again is None:
            return
        named = f"request {request_id}: the filter {_named(plugin)}"
        if isinstance(error, Unusable):
            log.error("%s returned %s. %s%s", named, error, error.INSTEAD, again, extra=about(request_id))
        else:
            extra = about(request_id, traceback=short_traceback(error))
            log.error("%s failed in %s(), and has changed nothing%s", named, method, again, extra=extra)

    def passed_by(self, plugin: object, request_id: str, why: str) -> None:
        """The filter wanted the body of an answer that could not wait for it."""
        again = self._again((type(plugin), why))
        if again is not None:
            named = _named(plugin)
            log.info(
                "request %s: the answer passes the filter %s by: %s. What it changes is lost%s",
                request_id,
                named,
                why,
                again,
                extra=about(request_id),
            )

    def _again(self, kind: Hashable) -> str | None:
        """None: it has just been told. Else what to add about those that have not been."""
        now = self._clock()
        last = self._told.get(kind)
        if last is not None and now - last.at < INTERVAL:
            last.untold += 1
            return None
        self._told.pop(kind, None)  # not move_to_end(), which fails where another thread has just pushed it out
        self._told[kind] = _Told(now)
        if len(self._told) > MAX_KINDS:
            self._told.popitem(last=False)
        return f" ({last.untold} more since this was last told)" if last is not None and last.untold else ""


class _Told:
    """When something was last told, and how often it has not been since."""

    __slots__ = ("at", "untold")

    def __init__(self, at: float) -> None:
        self.at = at
        self.untold = 0


def _named(plugin: object) -> str:
    """``AddPid (/srv/mysite/plugins/pid.py, line 7)``."""
    name = type(plugin).__qualname__
    place = next((each.place for each in registered() if each.plugin is type(plugin)), None)
    return f"{name} ({place})" if place else name


def _line(error: BaseException) -> tuple[str, int] | None:
    """The innermost. Of what is Unusable it is the check that was not passed: the words may be new for each request."""
    line = None
    for frame, number in traceback.walk_tb(error.__traceback__):
        line = (frame.f_code.co_filename, number)
    return line

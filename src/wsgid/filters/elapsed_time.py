"""``--filter elapsed-time``: how long the application took, in X-Elapsed-Time of each answer and in the log.

From just before the application is called until the head of its answer goes out: to the end where the answer is given
as a whole, to the first part where it is generated.
"""

import time
from typing import Any, ClassVar, Final, final
from weakref import WeakKeyDictionary

from wsgid.core import Message, Plugin, log
from wsgid.interfaces.filters import Headers, IPostRequestFilter, IPreRequestFilter
from wsgid.logs import about

OUTERMOST: Final = 1000
"""The clock starts behind all other pre filters, and stops before all other post filters (as its negative): what they
take is not the application's time."""

_began: WeakKeyDictionary[Message, float] = WeakKeyDictionary()
"""Of the requests that are in the application, by `time.perf_counter`."""


@final
class Start(Plugin, IPreRequestFilter):
    order: ClassVar = OUTERMOST

    def process(self, m2message: Message, environ: dict[str, Any]) -> None:
        _began[m2message] = time.perf_counter()


@final
class Stop(Plugin, IPostRequestFilter):
    order: ClassVar = -OUTERMOST
    needs_body = False

    def process(
        self, m2message: Message, status: str, headers: list[tuple[str, str]], body: bytes | None
    ) -> tuple[str, Headers, bytes | None]:
        elapsed = _elapsed(m2message)
        _tell(m2message.request_id, elapsed, status)
        return status, [*headers, ("X-Elapsed-Time", elapsed)], body

    def exception(self, m2message: Message, e: BaseException) -> None:
        if m2message in _began:  # else another pre filter has ended the request before the application was called
            elapsed, kind = _elapsed(m2message), type(e).__name__
            _tell(m2message.request_id, elapsed, kind)


def _tell(request_id: str, elapsed: str, end: str) -> None:
    log.info("request %s: the application took %s s: %s", request_id, elapsed, end, extra=about(request_id))


def _elapsed(message: Message) -> str:
    """Seconds, to the microsecond."""
    return f"{time.perf_counter() - _began.pop(message):.6f}"

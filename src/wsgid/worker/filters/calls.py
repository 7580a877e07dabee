"""Calls the post filters of one request: each of them once, by one of its methods, in their order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from wsgid.core.message import Message
from wsgid.interfaces.filters import IPostRequestFilter
from wsgid.protocol.values import Head
from wsgid.worker.errors import RequestTimeout
from wsgid.worker.filters.complaints import Complaints
from wsgid.worker.filters.returned import judge
from wsgid.worker.interrupt import Interruptible

PASSES: Final = (SystemExit, KeyboardInterrupt, RequestTimeout)
"""What is no failure of the filter: the request ends by it, as if the application had raised it."""

Call = Callable[..., Any]
"""Calls what it is given first with the rest."""


@dataclass(frozen=True, slots=True, eq=False)
class PostFilter:
    """A plug-in, and what must be known of it for each request."""

    plugin: IPostRequestFilter
    needs_body: bool

    @classmethod
    def of(cls, plugin: IPostRequestFilter) -> Self:
        # It need not derive from its interface: `implements` is enough.
        return cls(plugin, bool(getattr(plugin, "needs_body", IPostRequestFilter.needs_body)))


class Calls:
    """Those who have not been called yet are waiting."""

    __slots__ = ("_complaints", "_inside", "_message", "_to_head", "waiting")

    def __init__(
        self, filters: Sequence[PostFilter], message: Message, inside: Interruptible, complaints: Complaints
    ) -> None:
        self.waiting = filters
        self._message = message
        self._inside = inside
        self._complaints = complaints
        self._to_head = message.headers["METHOD"] == "HEAD"

    def whole(self, head: Head, body: bytes) -> tuple[Head, bytes]:
        """All filters, with all of the answer; gives it as it is behind them. Raises PASSES."""
        for each in self._all():
            head, changed = self._process(self._inside.call, each, head, body, body if each.needs_body else None)
            body = body if changed is None else changed
        return head, body

    def head_only(self, head: Head, call: Call) -> Head:
        """Those that do not need the body, before it is sent. Raises PASSES."""
        chosen = [each for each in self.waiting if not each.needs_body]
        self.waiting = [each for each in self.waiting if each.needs_body]
        for each in chosen:
            head, _ = self._process(call, each, head, None, None)
        return head

    def late(self, head: Head, why: str) -> None:
        """The others, behind an answer that could not wait for them. Raises PASSES."""
        for each in self._all():
            self._complaints.passed_by(each.plugin, self._message.request_id, why)
            self._process(self._inside.call, each, head, None, None)

    def failed(self, error: BaseException) -> None:
        """Those who have not been called hear of it. Raises nothing: nobody is left who could be told."""
        for each in self._all():
            try:
                self._inside.call(each.plugin.exception, self._message, error, also_late=True)
            except BaseException as fault:  # noqa: BLE001  # other people's code
                self._complaints.failed(each.plugin, "exception", self._message.request_id, fault)

    def _all(self) -> Sequence[PostFilter]:
        """Nobody is waiting any more."""
        waiting, self.waiting = self.waiting, ()
        return waiting

    def _process(
        self, call: Call, each: PostFilter, head: Head, body: bytes | None, given: bytes | None
    ) -> tuple[Head, bytes | None]:
        """Head and body as this filter leaves them."""
        try:
            returned = call(each.plugin.process, self._message, head.status, head.headers.copy(), given)
            return judge(returned, head, body, took_body=given is not None, to_head=self._to_head)
        except PASSES:
            self.waiting = ()  # the application has not failed, so nobody is to hear of an exception
            raise
        except BaseException as fault:  # noqa: BLE001  # other people's code
            self._complaints.failed(each.plugin, "process", self._message.request_id, fault)
            return head, body

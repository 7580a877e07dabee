"""The upload filters of a worker, and the whole story of one question to them."""

import logging
from collections.abc import Sequence
from typing import Self

from wsgid.channel import frames
from wsgid.channel.frames import Answer
from wsgid.core.message import STARTED, Message
from wsgid.interfaces.filters import IUploadFilter
from wsgid.logs import about
from wsgid.protocol.http_answer import written
from wsgid.protocol.values import Request
from wsgid.worker.errors import RequestTimeout
from wsgid.worker.filters.complaints import Complaints
from wsgid.worker.filters.verdict import Refusal, refusal
from wsgid.worker.in_hand import InHand
from wsgid.worker.interrupt import Interruptible
from wsgid.worker.response import named

log = logging.getLogger(__name__)


class UploadFilters:
    """Those that are registered, in their order."""

    def __init__(self, filters: Sequence[IUploadFilter], complaints: Complaints) -> None:
        self._filters = tuple(filters)
        self._complaints = complaints

    @classmethod
    def registered(cls) -> Self:
        """Raises PluginError for a plug-in of the application's own modules that cannot be constructed."""
        return cls(IUploadFilter.implementors(), Complaints())

    def __bool__(self) -> bool:
        """There are any."""
        return bool(self._filters)

    def answer(self, request: Request, in_hand: InHand) -> bytes:
        """What the dispatcher is told of the upload that this request has begun."""
        held = in_hand.take(request.key, request.id)
        try:
            refused = self._refusal(request, held)
        except RequestTimeout:
            log.info("%s: an upload filter was interrupted", named(request), extra=about(request.id))
            refused = None  # the dispatcher has not waited for it
        finally:
            in_hand.release(request.key)
        if refused is None:
            return frames.ADMITTED
        head, body = refused
        return frames.answer(Answer(written(head), body, done=True))

    def _refusal(self, request: Request, inside: Interruptible) -> Refusal | None:
        """By the first that refuses it. Raises RequestTimeout."""
        message = Message.of(request, STARTED)
        for each in self._filters:
            try:
                refused = refusal(inside.call(each.accept, message))
            except RequestTimeout:
                raise
            except BaseException as fault:  # noqa: BLE001  # other people's code; SystemExit too, as in an application
                self._complaints.failed(each, "accept", request.id, fault)
            else:
                if refused is not None:
                    return refused
        return None

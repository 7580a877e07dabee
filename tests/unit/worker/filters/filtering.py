"""Filters that note how they are called, and a bench that serves through them."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from tests.unit.main_log import text_of
from tests.unit.worker.serving import Bench
from wsgid.core.message import Message
from wsgid.interfaces.filters import IPostRequestFilter, IPreRequestFilter, IUploadFilter
from wsgid.plugins import Plugin, isolated
from wsgid.worker.filters import Filters
from wsgid.worker.filters.admission import UploadFilters

Process = Callable[[str, list[Any], Any], Any]

LOG = "wsgid.worker.filters.complaints"


class Post:
    """A post filter that does what it is told."""

    def __init__(
        self,
        process: Process = lambda status, headers, body: (status, headers, body),
        *,
        needs_body: bool = True,
        exception: Callable[[BaseException], object] = lambda error: None,
    ) -> None:
        self.needs_body = needs_body
        self.called: list[Any] = []
        """For each call what it was given: (status, headers, body), or the exception."""
        self._process = process
        self._exception = exception

    def process(self, message: Message, status: str, headers: list[Any], body: Any) -> Any:
        self.called.append((status, headers.copy(), body))
        return self._process(status, headers, body)

    def exception(self, message: Message, e: BaseException) -> None:
        self.called.append(e)
        self._exception(e)


def adding(name: str, value: object = "yes", *, needs_body: bool = True) -> Post:
    return Post(lambda status, headers, body: (status, [*headers, (name, value)], body), needs_body=needs_body)


def registered(pre: Sequence[Callable[..., object]] = (), post: Sequence[Post] = ()) -> Filters | None:
    """Plug-ins that call these, as a worker has them."""
    with isolated():
        for function in pre:
            _pre_plugin(function)
        for each in post:
            _post_plugin(each)
        return Filters.registered()


def upload_filters(*accept: Callable[[Message], object]) -> UploadFilters:
    """Plug-ins that call these, as a worker has them."""
    with isolated():
        for function in accept:
            _upload_plugin(function)
        return UploadFilters.registered()


def _upload_plugin(function: Callable[[Message], object]) -> None:
    class Guard(Plugin):
        implements = (IUploadFilter,)

        def accept(self, message: Message) -> object:
            return function(message)


def filter_by(bench: Bench, *post: Post, pre: Sequence[Callable[..., object]] = ()) -> None:
    """From now on the bench serves through these."""
    bench.filters = registered(pre, post)
    if bench.filters is not None:
        bench.filters.start()


def complaints(caplog: Any) -> list[str]:
    """What the log was told of filters."""
    return [text_of(each) for each in caplog.records if each.name == LOG and each.levelno >= logging.INFO]


def _pre_plugin(function: Callable[..., object]) -> None:
    class Pre(Plugin, IPreRequestFilter):
        def process(self, m2message: Message, environ: dict[str, Any]) -> object:
            return function(m2message, environ)


def _post_plugin(told: Post) -> None:
    class After(Plugin):
        implements = [IPostRequestFilter]
        needs_body = told.needs_body

        def process(self, m2message: Message, status: str, headers: list[Any], body: Any) -> Any:
            return told.process(m2message, status, headers, body)

        def exception(self, m2message: Message, e: BaseException) -> None:
            told.exception(m2message, e)

"""The request filters of a worker, and how a request passes through them."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Self
from wsgiref.types import StartResponse, WSGIApplication

from wsgid.core.message import Message
from wsgid.interfaces.filters import IPostRequestFilter, IPreRequestFilter
from wsgid.protocol.values import Request
from wsgid.worker.body import rewind
from wsgid.worker.environ import Environ
from wsgid.worker.filters.calls import PASSES, Calls, PostFilter
from wsgid.worker.filters.collecting import Collecting
from wsgid.worker.filters.complaints import Complaints
from wsgid.worker.filters.patience import Patience
from wsgid.worker.interrupt import Interruptible
from wsgid.worker.outlet import Outlet


class Filters:
    """Those that are registered, in their order."""

    def __init__(
        self, pre: Sequence[IPreRequestFilter], post: Sequence[IPostRequestFilter], complaints: Complaints
    ) -> None:
        self._pre = tuple(pre)
        self._post = tuple(map(PostFilter.of, post))
        self._complaints = complaints
        self._patience = Patience() if any(each.needs_body for each in self._post) else None

    @classmethod
    def registered(cls) -> Self | None:
        """None when there is none: a request then takes the way that it takes without this package.

        Raises PluginError for a plug-in of the application's own modules that cannot be constructed.
        """
        pre, post = IPreRequestFilter.implementors(), IPostRequestFilter.implementors()
        return cls(pre, post, Complaints()) if pre or post else None

    def start(self) -> None:
        """Starts what watches the time, if there is a need for it."""
        if self._patience is not None:
            self._patience.start()

    def around(
        self, application: WSGIApplication, request: Request, outlet: Outlet, inside: Interruptible
    ) -> tuple[WSGIApplication, Outlet]:
        """The application behind the pre filters, and the outlet behind the post filters, of one request."""
        message = Message.of(request)
        if self._pre:
            application = partial(self._prepared, application, message, inside)
        if self._post:
            calls = Calls(self._post, message, inside, self._complaints)
            outlet = Collecting(outlet, calls, inside, self._patience)
        return application, outlet

    def _prepared(
        self,
        application: WSGIApplication,
        message: Message,
        inside: Interruptible,
        environ: Environ,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        """The application, called with the environ as the pre filters leave it; itself the application's code to
        ``inside``."""
        body = environ["wsgi.input"]
        for each in self._pre:
            changed = environ.copy()
            try:
                each.process(message, changed)
            except PASSES:
                raise
            except BaseException as fault:  # noqa: BLE001  # other people's code
                inside.leave()
                rewind(body)
                self._complaints.failed(each, "process", message.request_id, fault)
                inside.enter()
            else:
                environ = changed
        return application(environ, start_response)

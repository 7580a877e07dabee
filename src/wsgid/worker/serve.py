"""The whole story of one request: environ, call, answer, close."""

import logging
from collections.abc import Callable, Iterable, Iterator
from types import GeneratorType
from typing import Any, Final
from wsgiref.types import WSGIApplication

from wsgid.logs import about, enable_again
from wsgid.protocol.values import Request
from wsgid.worker.body import open_body
from wsgid.worker.checks import shown
from wsgid.worker.environ import Environ, build_environ
from wsgid.worker.errors import ClientGone, DispatcherGone, RequestTimeout, UnusableAnswer
from wsgid.worker.file_wrapper import FileWrapper
from wsgid.worker.filters import Filters
from wsgid.worker.in_hand import InHand
from wsgid.worker.interrupt import Interruptible
from wsgid.worker.outlet import Outlet
from wsgid.worker.response import Response, named
from wsgid.worker.wsgi_errors import ErrorsStream

log = logging.getLogger(__name__)

IN_MEMORY: Final = (list, tuple)
"""Not classes derived from them, whose iterator may be code of the application."""

EXHAUSTED: Final = object()
"""What an iterable that has ended gives."""


def serve(
    application: WSGIApplication,
    request: Request,
    descriptor: int | None,
    outlet: Outlet,
    template: Environ,
    in_hand: InHand,
    filters: Filters | None,
) -> None:
    """Serves one request; whatever the application does, its answer ends, and it is closed.

    Takes over ``descriptor``, the file with the body. Raises DispatcherGone when the channel ends meanwhile.
    """
    body, close_body = open_body(request, descriptor)
    held = in_hand.take(request.key, request.id)
    errors = ErrorsStream(request.id)
    if filters is not None:
        application, outlet = filters.around(application, request, outlet, held)
    response = Response(request, outlet, held)
    try:
        environ = build_environ(template, request, body, errors, held.client_gone)
        _answer(application, environ, request, response, held)
        if not response.done:
            outlet.done()
    except DispatcherGone:
        told = "%s: the dispatcher died before the answer had ended, which is dropped"
        log.warning(told, named(request), extra=about(request.id))
        raise
    finally:
        errors.flush()
        close_body()
        in_hand.release(request.key)
        if log.disabled:  # as all of ours are then
            enable_again()


def _answer(
    application: WSGIApplication, environ: Environ, request: Request, response: Response, inside: Interruptible
) -> None:
    """Calls the application and sends what it gives.

    The answer's end goes out before ``close()``: frameworks do their work after the answer there, and no client waits
    for it. Only what runs by ``inside`` can be interrupted.
    """
    close: Callable[[], object] | None = None
    try:
        result: Any = inside.call(application, environ, response.start_response)
        close = getattr(result, "close", None)
        if close is None and type(result) in IN_MEMORY:
            response.whole(result)
        elif not (type(result) is FileWrapper and response.from_file(result)):
            # Closing a generator that has ended does nothing: the slot is free with the answer's last byte.
            response.stream(_parts(result, inside), done=close is None or type(result) is GeneratorType)
    except DispatcherGone:
        raise
    except ClientGone as error:
        log.info("%s: its client has left, the answer is given up", named(request), extra=about(request.id))
        response.fail(error)
    except RequestTimeout as error:
        told = "%s: the application was interrupted, the answer is given up"
        log.info(told, named(request), extra=about(request.id))
        response.fail(error)
    except BaseException as error:  # noqa: BLE001  # whatever comes out of the application
        # SystemExit too. gunicorn lets it end the worker; but then a view that calls sys.exit() lets every visitor who
        # finds it stop a process, and with threads the requests beside it. Nobody has asked this process to end.
        _log_failure(request, error)
        response.fail(error)
    finally:
        if close is not None:
            _close(close, request, inside)


def _parts(result: Any, inside: Interruptible) -> Iterator[object]:
    """What the application returned, if it can be a body. Raises UnusableAnswer."""
    if isinstance(result, str | bytes):
        remedy = "[body]" if isinstance(result, bytes) else "[text.encode('utf-8')]"
        given = f"{shown(result)}, which would be sent character by character"
    elif result is None or not (hasattr(result, "__iter__") or hasattr(result, "__getitem__")):
        remedy, given = "a list such as [body]; is a 'return' missing?", shown(result)
    else:
        return _iterated(result, inside)
    raise UnusableAnswer(
        f"PEP 3333: an application must return an iterable of bytes; it returned {given}; return {remedy}"
    )


def _iterated(result: Iterable[object], inside: Interruptible) -> Iterator[object]:
    parts = inside.call(iter, result)
    while (part := inside.call(next, parts, EXHAUSTED)) is not EXHAUSTED:
        yield part


def _close(close: Callable[[], object], request: Request, inside: Interruptible) -> None:
    try:
        inside.call(close, also_late=True)
    except RequestTimeout:
        log.info("%s: close() was interrupted", named(request), extra=about(request.id))
    except BaseException as error:  # whatever comes out of the application; its answer is out
        enable_again()
        log.error("%s: close() failed, after the answer", named(request), exc_info=error, extra=about(request.id))


def _log_failure(request: Request, error: BaseException) -> None:
    enable_again()  # the application may have configured its logging only now
    if isinstance(error, UnusableAnswer):
        log.error("%s: %s", named(request), error, extra=about(request.id))
    else:
        log.error("%s: the application failed", named(request), exc_info=error, extra=about(request.id))

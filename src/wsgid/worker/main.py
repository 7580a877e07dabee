"""A worker process from its birth to its end."""

import faulthandler
import gc
import logging
import os
import threading
from functools import partial
from typing import Final
from wsgiref.types import WSGIApplication

from wsgid import logs
from wsgid.config import Config
from wsgid.filters import import_shipped
from wsgid.loaders import describe_failure, load_application
from wsgid.plugin_sources import load_all
from wsgid.plugins import LoadReport
from wsgid.posts import EXIT_LOAD_FAILED, WorkerPost
from wsgid.worker import signals
from wsgid.worker.control import Control
from wsgid.worker.environ import environ_template
from wsgid.worker.filters import Filters
from wsgid.worker.filters.admission import UploadFilters
from wsgid.worker.forked import disown_after_fork
from wsgid.worker.in_hand import InHand
from wsgid.worker.signals import SignalPipe
from wsgid.worker.take import Taker

log = logging.getLogger(__name__)

EXIT_LEFT: Final = 0

LAST_MARGIN: Final = 3.0
"""Seconds beyond the graceful timeout until a worker without a master ends itself. The dispatcher, if there is one,
kills it two seconds earlier, and logs what it was at."""


def run(post: WorkerPost) -> int:
    """The whole life of a worker, in a process just forked; the exit code.

    EXIT_LOAD_FAILED with the reason on ``post.report`` when the application cannot be loaded; EXIT_LEFT when the
    process left as it was asked to, or because the master is gone.
    """
    pipe = signals.at_birth(post.stacks)
    logs.print_by_lines()
    try:
        application, _ = load(post.config)
        filters, upload_filters = Filters.registered(), UploadFilters.registered()
    except BaseException as error:  # noqa: BLE001  # a module may well end in sys.exit(): it has not been loaded then
        logs.enable_again()
        reason = describe_failure(error, post.config.app_path)
        log.error("%s", reason)
        _report(post.report, reason)
        return EXIT_LOAD_FAILED
    logs.enable_again()
    os.close(post.report)
    log.info("the application is loaded")
    # What is there now stays: the collector need not look at it again and again, nor write to its pages.
    gc.collect()
    gc.freeze()
    _serve(post, application, filters, upload_filters, pipe)
    log.info("left")
    return EXIT_LEFT


def load(config: Config) -> tuple[WSGIApplication, LoadReport]:
    """Plug-ins before the application, which may have some among its own modules. Raises LoadError, and whatever else
    a plug-in or the application raises that is no Exception."""
    os.environ.update(config.envs)
    os.chdir(config.app_path)
    import_shipped(config.filter)
    report = load_all(config.app_path, config.loader_dir, log)
    unusable = [each.reason for each in report.failed]
    application = load_application(config.app_path, wsgi_app=config.wsgi_app, django=config.django, unusable=unusable)
    return application, report


def _report(descriptor: int, text: str) -> None:
    """All of it, to the master; it may be longer than a pipe holds."""
    try:
        with open(descriptor, "wb") as pipe:
            pipe.write(text.encode(errors="backslashreplace"))
    except BrokenPipeError:
        log.warning("the master is gone, nobody hears why the application cannot be loaded")


def _last_limit(post: WorkerPost) -> None:
    """Without a master nobody ends a process that does not leave. A thread in C does, whatever holds ours up.

    Where one of them holds the interpreter lock this is not even reached: the dispatcher has to end the process.
    """
    faulthandler.dump_traceback_later(post.config.graceful_timeout + LAST_MARGIN, exit=True, file=post.stacks)


def _serve(
    post: WorkerPost,
    application: WSGIApplication,
    filters: Filters | None,
    upload_filters: UploadFilters,
    pipe: SignalPipe,
) -> None:
    in_hand = InHand()
    threads = post.config.threads
    signals.when_loaded(pipe)
    reopen_log = partial(logs.reopen, post.config)
    control = Control(
        post.run_path, threads, post.lifeline, pipe.reader, in_hand, reopen_log, partial(_last_limit, post)
    )
    template = environ_template(threads=threads)
    taker = Taker(application, template, filters, upload_filters, in_hand, post.run_path, threads, control.leaving)

    def close_sockets() -> None:
        control.close()
        taker.close()

    disown_after_fork(close_sockets, pipe)
    control.start()
    if filters is not None:
        filters.start()
    # The dispatcher should be able to say that a client has left from the first request on.
    control.called.wait()
    # Daemons, as only the main thread's end by a fault of ours must not wait for them.
    others = [
        threading.Thread(target=taker.take_requests, args=(number,), name=f"channel-{number}", daemon=True)
        for number in range(1, threads)
    ]
    for thread in others:
        thread.start()
    taker.take_requests(0)
    for thread in others:
        thread.join()

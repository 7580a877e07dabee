"""A worker process from its birth to its end."""

import gc
import logging
import os
import signal
import sys
import threading
from types import FrameType
from typing import Final
from wsgiref.types import WSGIApplication

from wsgid.config import Config
from wsgid.loaders import describe_failure, load_application
from wsgid.logs import enable_again, print_by_lines
from wsgid.posts import EXIT_LOAD_FAILED, WorkerPost
from wsgid.worker.control import Control
from wsgid.worker.departed import Departed
from wsgid.worker.environ import environ_template
from wsgid.worker.forked import disown_after_fork
from wsgid.worker.take import Taker

log = logging.getLogger(__name__)

EXIT_LEFT: Final = 0


def run(post: WorkerPost) -> int:
    """The whole life of a worker, in a process just forked; the exit code.

    EXIT_LOAD_FAILED with the reason on ``post.report`` when the application cannot be loaded; EXIT_LEFT when the
    process left as it was asked to, or because the master is gone. SIGTERM ends it by the default action until the
    application is loaded, and lets it finish its requests afterwards.
    """
    _leave_ctrl_c_to_the_master()
    print_by_lines()
    try:
        application = _load(post.config)
    except BaseException as error:  # noqa: BLE001  # a module may well end in sys.exit(): it has not been loaded then
        enable_again()
        reason = describe_failure(error, post.config.app_path)
        log.error("%s", reason)
        _report(post.report, reason)
        return EXIT_LOAD_FAILED
    enable_again()
    os.close(post.report)
    log.info("the application is loaded")
    # What is there now stays: the collector need not look at it again and again, nor write to its pages.
    gc.collect()
    gc.freeze()
    _serve(post, application)
    log.info("left")
    return EXIT_LEFT


def _leave_ctrl_c_to_the_master() -> None:
    """Ctrl-C reaches the whole process group; the master sees to it that requests are finished.

    A handler that does nothing, and not SIG_IGN: programs that the application starts would inherit that, and some
    (ffmpeg, say) are ended by SIGINT. With SA_RESTART no system call of a C library notices.
    """
    signal.signal(signal.SIGINT, _ignore)
    signal.siginterrupt(signal.SIGINT, False)
    # As in any Python process: a write to a connection that was closed is an OSError, not the end.
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def _ignore(signum: int, frame: FrameType | None) -> None:
    """A signal that means nothing here."""


def _load(config: Config) -> WSGIApplication:
    os.environ.update(config.envs)
    os.chdir(config.app_path)
    return load_application(config.app_path, wsgi_app=config.wsgi_app, django=config.django)


def _report(descriptor: int, text: str) -> None:
    """All of it, to the master; it may be longer than a pipe holds."""
    try:
        with open(descriptor, "wb") as pipe:
            pipe.write(text.encode(errors="backslashreplace"))
    except BrokenPipeError:
        log.warning("the master is gone, nobody hears why the application cannot be loaded")


def _serve(post: WorkerPost, application: WSGIApplication) -> None:
    departed = Departed()
    threads = post.config.threads
    signals, wakeup = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    _sigterm_to(wakeup)
    control = Control(post.run_path, threads, post.lifeline, signals, departed)
    template = environ_template(threads=threads, errors=sys.stderr)
    taker = Taker(application, template, departed, post.run_path, threads, control.leaving)

    def close_sockets() -> None:
        control.close()
        taker.close()

    disown_after_fork(close_sockets, wakeup)
    control.start()
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


def _sigterm_to(wakeup: int) -> None:
    """From now on SIGTERM is a byte written to this pipe.

    The C-level handler writes it at once, even when the main thread is deep in an extension module. The Python-level
    handler, which has to exist anyway, writes it again: an application may run an event loop in the main thread that
    takes the wakeup descriptor for itself (uvloop does).
    """

    def pass_on(signum: int, frame: FrameType | None) -> None:
        try:
            os.write(wakeup, bytes([signum]))
        except BlockingIOError:
            return  # full of signals that have not been read: the reader will be told all it needs to know

    signal.signal(signal.SIGTERM, pass_on)
    signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)

"""The signals of a worker, and what each of them does.

=========== ==================================================================================================
signal      does
=========== ==================================================================================================
SIGTERM     ends the process until the application is loaded; afterwards it finishes what it has, and leaves
SIGUSR1     the log is reopened, once the application is loaded
SIGINT      nothing: Ctrl-C reaches the whole process group, and the master sees to it that requests are finished
SIGPIPE     nothing, as in any Python process: a write to a connection that was closed is an OSError
DUMP_SIGNAL the stacks of all threads are written down, also while one of them holds the interpreter lock
SIGSEGV ... the same, then the process dies of it (SIGSEGV, SIGFPE, SIGABRT, SIGBUS, SIGILL)
=========== ==================================================================================================

An application may take SIGUSR1 or SIGTERM for itself: then its handler runs instead of ours. As long as it is one in
Python, and the wakeup descriptor is ours, we hear of the signal all the same.
"""

import faulthandler
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

from wsgid.posts import DUMP_SIGNAL

Handler = Callable[[int, FrameType | None], None]


@dataclass(frozen=True, slots=True)
class SignalPipe:
    """Where signals wait for the control thread, each as a byte."""

    reader: int
    wakeup: int
    """The end for writing; signal.set_wakeup_fd() is given it."""
    handler: Handler
    """What the signals have in Python that are heard here."""


def at_birth(stacks: int) -> SignalPipe:
    """Sets what holds before any code of the application has run. ``stacks`` is the descriptor of a file for them.

    The master puts what is in that file into the log, as one record that names the process. The text of faulthandler
    does not name the request: other lines do, and give the number of the thread.
    """
    faulthandler.enable(file=stacks, all_threads=True)
    # Not `chain`, which would have system calls of C libraries fail with EINTR.
    faulthandler.register(DUMP_SIGNAL, file=stacks, all_threads=True, chain=False)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    # A handler that does nothing, and not SIG_IGN: programs that the application starts would inherit that, and some
    # (ffmpeg, say) are ended by SIGINT.
    _take(signal.SIGINT, _ignore)
    reader, wakeup = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    pipe = SignalPipe(reader, wakeup, _writer_to(wakeup))
    _take(signal.SIGUSR1, pipe.handler)
    return pipe


def when_loaded(pipe: SignalPipe) -> None:
    """From now on SIGTERM is a byte in the pipe.

    The C-level handler of the interpreter writes it at once, even when the main thread is deep in an extension module.
    The Python-level handler, which has to exist anyway, writes it again: an application may run an event loop in the
    main thread that takes the wakeup descriptor for itself (uvloop does). Such an application hears the signal when its
    main thread comes back to Python. There is a gap that nothing here can close: a signal that comes after the
    interpreter has looked for one, and before the system call in which the main thread then waits, is heard when that
    call returns, which may be never. An event loop wakes up now and then.
    """
    # Without SA_RESTART: the call in which the main thread waits ends, and the handler in Python can run.
    signal.signal(signal.SIGTERM, pipe.handler)
    signal.set_wakeup_fd(pipe.wakeup, warn_on_full_buffer=False)


def _take(number: signal.Signals, handler: Handler) -> None:
    signal.signal(number, handler)
    # With SA_RESTART no system call of a C library notices.
    signal.siginterrupt(number, False)


def _ignore(number: int, frame: FrameType | None) -> None:
    """A signal that means nothing here."""


def _writer_to(wakeup: int) -> Handler:
    def write(number: int, frame: FrameType | None) -> None:
        try:
            os.write(wakeup, bytes([number]))
        except BlockingIOError:
            return  # full of signals that have not been read: the reader will be told all it needs to know

    return write

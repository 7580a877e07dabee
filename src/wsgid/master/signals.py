"""Signals as something to read: a handler of ours does nothing, the loop takes what came from a pipe.

Python's own C handler writes the number of each signal into the wake-up descriptor, so even one that arrives while the
loop is busy, or just before it waits, is neither lost nor handled in the middle of something.

SIGTTIN and SIGTTOU are another matter. To people they mean one worker more or fewer; but a terminal sends them to a job
in the background that reads from it, or writes to it (stty tostop). With a handler for SIGTTOU such a write would be
begun again for ever: the kernel refuses it each time, with the signal. So they are blocked, which the kernel takes for
leave to write, and fetched, and the kernel's own are told from people's: at those the process stops, as it would have.
Nobody is woken by a blocked signal: it waits for the next thing that happens, in a master with a dispatcher a quarter
of a second at most.
"""

import os
import signal
from collections.abc import Iterable
from signal import Signals
from types import FrameType, TracebackType
from typing import Self

from wsgid.posts import DUMP_SIGNAL

MANY_SIGNALS = 4096
"""Read at once. The kernel folds equal signals that are pending, so this many never wait."""


JOB_CONTROL = frozenset({Signals.SIGTTIN, Signals.SIGTTOU})

SI_USER = 0
"""sigaction(2): sent with kill(2). Other signals from processes have negative codes, the kernel's are greater."""


class SignalInbox:
    """While it is open, these signals do nothing but wait in it. Only one can be open, and only in the main thread."""

    def __init__(self, signals: Iterable[Signals]) -> None:
        self._signals = frozenset(signals)
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._reader, self._writer = os.fdopen(reader, "rb", 0), os.fdopen(writer, "wb", 0)
        handled = self._signals - JOB_CONTROL
        self._handlers = {each: signal.signal(each, _do_nothing) for each in handled}
        self._wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        # A mask inherited from whoever started us, or set until we were ready to listen, must not make us deaf.
        self._mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, handled)
        signal.pthread_sigmask(signal.SIG_BLOCK, self._signals & JOB_CONTROL)

    def fileno(self) -> int:
        """Readable when there is something to take."""
        return self._reader.fileno()

    def take(self) -> list[Signals]:
        """What has come since the last time, in order; those of `JOB_CONTROL` are the last. Never waits."""
        numbers = self._reader.read(MANY_SIGNALS) or b""
        taken = [Signals(number) for number in numbers if number in self._signals]
        while blocked := signal.sigtimedwait(self._signals & JOB_CONTROL, 0):
            if blocked.si_code <= SI_USER:
                taken.append(Signals(blocked.si_signo))
            else:
                os.kill(os.getpid(), signal.SIGSTOP)
        return taken

    def close(self) -> None:
        """In a forked child: lets go of the pipe, whose other holder is the parent. Handlers stay as they are."""
        self._reader.close()
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(self._wakeup)
        for each, handler in self._handlers.items():
            signal.signal(each, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        self.close()


def be_a_child() -> None:
    """In a process just forked: as if nobody had ever installed a handler, but for Ctrl-C and a closed terminal.

    A terminal sends SIGINT and SIGHUP to its whole process group. What to do about them is the master's to say, so the
    children hear nothing of them from their first moment on. Not by SIG_IGN: that would be inherited by the programs
    that an application starts.
    """
    signal.set_wakeup_fd(-1)
    for each in signal.valid_signals():
        if callable(signal.getsignal(each)):
            signal.signal(each, signal.SIG_DFL)
    for each in (signal.SIGINT, signal.SIGHUP):
        signal.signal(each, _do_nothing)
        signal.siginterrupt(each, False)
    # It would end a worker that has not come to faulthandler yet. Whoever hears it later gives it a handler, which no
    # program inherits.
    signal.signal(DUMP_SIGNAL, signal.SIG_IGN)


def _do_nothing(number: int, frame: FrameType | None) -> None:
    """Must be a function: only signals that have a handler in Python are written to the wake-up descriptor."""

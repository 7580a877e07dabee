"""What a process that the application forks, by multiprocessing for one, must not keep of ours.

It inherits the channels: as long as it lives the dispatcher would not see the worker's death. And it inherits SIGTERM
as a byte in the worker's pipe: ``Process.terminate()`` would end the worker and not the process; with SIGUSR1 it is the
same. (A program that it starts inherits neither: on exec descriptors are closed and handlers reset.)
"""

import os
import signal
import threading
from collections.abc import Callable
from typing import Final

from wsgid.worker.signals import SignalPipe

OURS: Final = (signal.SIGTERM, signal.SIGUSR1)
"""Signals that a worker hears by way of its pipe."""


def disown_after_fork(close_sockets: Callable[[], None], pipe: SignalPipe) -> None:
    """From now on a forked process has none of the sockets, and `OURS` end it as they do by default.

    What the application has put in the place of our handlers, or of our wakeup descriptor, is left alone.
    """
    of_thread = threading.local()

    # One that comes before the child has its own handlers waits until then.
    def before() -> None:
        of_thread.mask = signal.pthread_sigmask(signal.SIG_BLOCK, OURS)

    def after() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, of_thread.mask)

    def in_child() -> None:
        close_sockets()
        previous = signal.set_wakeup_fd(-1)
        if previous != pipe.wakeup:
            signal.set_wakeup_fd(previous)
        for each in OURS:
            if signal.getsignal(each) is pipe.handler:
                signal.signal(each, signal.SIG_DFL)
        after()

    os.register_at_fork(before=before, after_in_parent=after, after_in_child=in_child)

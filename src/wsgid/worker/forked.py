"""What a process that the application forks, by multiprocessing for one, must not keep of ours.

It inherits the channels: as long as it lives the dispatcher would not see the worker's death. And it inherits SIGTERM
as a byte in the worker's pipe: ``Process.terminate()`` would end the worker and not the process. (A program that it
starts inherits neither: on exec descriptors are closed and handlers reset.)
"""

import os
import signal
import threading
from collections.abc import Callable


def disown_after_fork(close_sockets: Callable[[], None], wakeup: int) -> None:
    """From now on a forked process has none of the sockets, and SIGTERM ends it.

    ``wakeup`` is the descriptor given to signal.set_wakeup_fd(). What the application has put in its place, or in that
    of the present handler, is left alone.
    """
    handler = signal.getsignal(signal.SIGTERM)
    of_thread = threading.local()

    # A SIGTERM that comes before the child has its own handler waits until then.
    def before() -> None:
        of_thread.mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def after() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, of_thread.mask)

    def in_child() -> None:
        close_sockets()
        previous = signal.set_wakeup_fd(-1)
        if previous != wakeup:
            signal.set_wakeup_fd(previous)
        if signal.getsignal(signal.SIGTERM) is handler:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        after()

    os.register_at_fork(before=before, after_in_parent=after, after_in_child=in_child)

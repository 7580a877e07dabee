"""What a process that the application forks, by multiprocessing for one, must not keep of ours.

It inherits the channels: as long as it lives the dispatcher would not see the worker's death. And it inherits SIGTERM
as a byte in the worker's pipe: ``Process.terminate()`` would end the worker and not the process. (A program that it
starts inherits neither: on exec descriptors are closed and handlers reset.)
"""

import os
import signal
from collections.abc import Callable


def disown_after_fork(close_sockets: Callable[[], None], signals: int) -> None:
    """From now on a forked process has none of the sockets, and SIGTERM ends it.

    ``signals`` is the wakeup descriptor. What the application has put in the place of either is left alone.
    """
    handler = signal.getsignal(signal.SIGTERM)

    def in_child() -> None:
        close_sockets()
        wakeup = signal.set_wakeup_fd(-1)
        if wakeup != signals:
            signal.set_wakeup_fd(wakeup)
        if signal.getsignal(signal.SIGTERM) is handler:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    os.register_at_fork(after_in_child=in_child)

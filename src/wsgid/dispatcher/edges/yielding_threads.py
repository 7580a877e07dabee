"""Threads that do not push others off a processor when they wake up: for ZeroMQ's, which wake for every message.

Linux runs a thread that wakes up before the one that woke it, more often than not. For ZeroMQ's thread, which only
passes on what we have just sent, that is the wrong order: we would be stopped in the midst of our work, for each
answer. Under SCHED_BATCH (sched(7)) a thread waits until a processor is free, and has the same share of it otherwise.
Where processors are idle nothing changes.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def yielding_threads() -> Iterator[None]:
    """Threads that are started in here run under SCHED_BATCH, unless somebody has given us another policy than the
    usual one. ZeroMQ has an option for it (ZMQ_THREAD_SCHED_POLICY), but ends the process where the kernel does not
    permit it (a sandbox); a policy is inherited, and without it nothing is lost but time."""
    usual, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    changed = usual == os.SCHED_OTHER and _permitted(os.SCHED_BATCH, parameters)
    try:
        yield
    finally:
        if changed:
            os.sched_setscheduler(0, usual, parameters)


def _permitted(policy: int, parameters: os.sched_param) -> bool:
    try:
        os.sched_setscheduler(0, policy, parameters)
    except OSError:
        return False
    return True

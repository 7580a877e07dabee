"""Workers that have outlived the master and do not leave: nobody but the dispatcher can end them then.

A worker with a request that never ends would stay for ever, and no later start would know of it. One that holds the
interpreter lock does not even hear that the master is gone.
"""

import logging
import os
from collections.abc import Iterable
from contextlib import suppress
from signal import SIGKILL

from wsgid.dispatcher.worker import Worker, described
from wsgid.dispatcher.workers import caller
from wsgid.logs import about

LEAVE_TIME = 1.0
"""Seconds beyond the graceful timeout that they have, as under a master: what the application does at exit takes time
as well."""

log = logging.getLogger("wsgid.dispatcher")


def any_left(workers: Iterable[Worker]) -> bool:
    return any(worker.connected for worker in workers)


def kill_those_left(workers: Iterable[Worker], now: float) -> None:
    for worker in workers:
        if worker.connected and _is_certain(worker):
            told = "worker %d has not left in time: killing it; it held %s"
            log.error(told, worker.pid, _held(worker, now), extra=about(worker=worker.pid))
            with suppress(ProcessLookupError):  # it has left at this very moment
                os.kill(worker.pid, SIGKILL)


def _is_certain(worker: Worker) -> bool:
    """The kernel says who has called. As long as that connection is open, its process has not ended: so nobody else
    has got its pid."""
    return worker.control is not None and caller(worker.control)[0] == worker.pid


def _held(worker: Worker, now: float) -> str:
    held = [slot.work for slot in worker.slots if slot.work is not None]
    return "; ".join(described(each, "not finished in time", now) for each in held) or "no request"

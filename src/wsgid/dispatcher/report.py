"""What ``wsgid status`` is told: a snapshot in the words of the control socket, cut to a size that is soon written."""

import heapq
import os
from collections.abc import Sequence, Set

from wsgid.channel.commands import MAX_NAMED, MAX_TEXT, Report, Served, WorkerReport, WorkerState
from wsgid.channel.counts import Counts
from wsgid.dispatcher.access_line import quoted
from wsgid.dispatcher.snapshot import RequestFacts, Snapshot, WorkerFacts


def report(snapshot: Snapshot, addresses: Sequence[str], counts: Counts, metrics: Sequence[str] = ()) -> Report:
    """Names the oldest requests, when there are too many of them."""
    held = [request for worker in snapshot.workers for request in worker.requests]
    named = {request.key for request in heapq.nlargest(MAX_NAMED, held, key=lambda each: each.age)}
    return Report(
        dispatcher=os.getpid(),
        addresses=list(addresses),
        draining=snapshot.draining,
        unfinished=snapshot.unfinished,
        queued=snapshot.queued,
        longest_wait=round(snapshot.longest_wait, 3),
        busy=snapshot.busy,
        workers=[_worker(each, named) for each in snapshot.workers],
        unnamed=len(held) - len(named),
        counts=counts,
        metrics=list(metrics),
    )


def _worker(worker: WorkerFacts, named: Set[str]) -> WorkerReport:
    return WorkerReport(
        pid=worker.pid,
        state=_state(worker),
        threads=worker.threads,
        busy=worker.busy,
        served=worker.served,
        serving=[_served(each) for each in worker.requests if each.key in named],
    )


def _state(worker: WorkerFacts) -> WorkerState:
    """The first that is true: a hung worker is leaving as well, a leaving one may be busy."""
    if worker.hung:
        return WorkerState.HUNG
    if worker.leaving:
        return WorkerState.LEAVING
    if worker.busy:
        return WorkerState.BUSY
    return WorkerState.READY if worker.ready else WorkerState.STARTING


def _served(request: RequestFacts) -> Served:
    return Served(
        id=request.id,
        method=shown(request.method),
        target=shown(request.target),
        client=shown(request.client),
        age=round(request.age, 3),
    )


def shown(text: str) -> str:
    """Printable, for clients write it and terminals obey what they are sent."""
    return quoted(text[:MAX_TEXT])[:MAX_TEXT]

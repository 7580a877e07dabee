"""What the dispatcher works on at a moment, for those who ask how it is."""

from collections.abc import Iterable
from dataclasses import dataclass

from wsgid.dispatcher.work import Work
from wsgid.dispatcher.worker import Worker


@dataclass(frozen=True, slots=True)
class RequestFacts:
    key: str
    id: str
    method: str
    target: str
    client: str
    """IP address; ``""`` when it came over a UNIX socket."""
    age: float
    """Seconds since it arrived."""


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    pid: int
    ready: bool
    leaving: bool
    hung: bool
    threads: int
    """Those that have called."""
    busy: int
    """Threads that serve a request."""
    served: int
    """Requests that it has finished."""
    requests: tuple[RequestFacts, ...]
    """In its hands. Also those whose clients have their answer, or are gone, while the application is not done."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    draining: bool
    unfinished: int
    """Requests that have arrived and not ended: queued, in the workers' hands, or behind another on a connection."""
    queued: int
    workers: tuple[WorkerFacts, ...]
    longest_wait: float
    """Seconds since the request at the front of the queue arrived; 0 when none waits."""

    @property
    def busy(self) -> int:
        return sum(worker.busy for worker in self.workers)


def facts_of(workers: Iterable[Worker], now: float) -> tuple[WorkerFacts, ...]:
    return tuple(_worker(each, now) for each in workers)


def _worker(worker: Worker, now: float) -> WorkerFacts:
    held = tuple(_request(slot.work, now) for slot in worker.slots if slot.work is not None)
    return WorkerFacts(
        pid=worker.pid,
        ready=worker.ready,
        leaving=worker.leaving,
        hung=worker.hung,
        threads=len(worker.slots),
        busy=worker.busy,
        served=worker.served,
        requests=held,
    )


def _request(work: Work, now: float) -> RequestFacts:
    request = work.request
    return RequestFacts(
        key=request.key,
        id=request.id,
        method=request.method,
        target=request.target,
        client=request.remote_addr,
        age=now - work.arrived,
    )

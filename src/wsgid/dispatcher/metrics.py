"""The table of metrics: what each is called, what it tells, and where its numbers come from.

docs/metrics.md is made of it as well. Names and units follow https://prometheus.io/docs/practices/naming/. Labels take
few values, and none that a client chooses: each is a time series for good.
"""

import platform
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from wsgid import __version__
from wsgid.channel.commands import Report, WorkerState
from wsgid.channel.counts import Histogram
from wsgid.channel.orders import Sizes

Sample = tuple[tuple[str, ...], float]
"""The values of the labels, and the number."""


@dataclass(frozen=True, slots=True)
class Facts:
    """At a moment."""

    report: Report
    sizes: Sizes | None
    """None when the master did not answer."""
    queue_size: int
    """``--queue-size``."""
    daemon_since: float
    """Seconds since the epoch."""
    dispatcher_deaths: int
    """Since then."""


@dataclass(frozen=True, slots=True)
class Metric:
    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    """In one sentence or two, without a line end."""
    samples: Callable[[Facts], Iterable[Sample]]
    """Of a histogram it gives none: see `histogram`."""
    labels: tuple[str, ...] = ()
    histogram: Callable[[Facts], Histogram] | None = None


# Where the numbers come from


def _one(number: Callable[[Facts], float]) -> Callable[[Facts], Iterable[Sample]]:
    return lambda facts: [((), number(facts))]


def _each(counted: Callable[[Facts], dict[str, int]]) -> Callable[[Facts], Iterable[Sample]]:
    """By one label."""
    return lambda facts: [((value,), number) for value, number in counted(facts).items()]


def _none(facts: Facts) -> Iterable[Sample]:
    return ()


def _build(facts: Facts) -> Iterable[Sample]:
    return [((__version__, platform.python_version()), 1)]


def _requests(facts: Facts) -> Iterable[Sample]:
    counted = facts.report.counts.requests
    return [((method, status), count) for method, of_it in counted.items() for status, count in of_it.items()]


def _workers(facts: Facts) -> dict[str, int]:
    states = [worker.state for worker in facts.report.workers]
    called = {worker.pid for worker in facts.report.workers}
    loading = len(facts.sizes.workers.keys() - called) if facts.sizes is not None else 0
    return {state: states.count(state) + (loading if state is WorkerState.STARTING else 0) for state in WorkerState}


def _threads(facts: Facts) -> dict[str, int]:
    """Of the workers that take requests or work on one."""
    serving = [each for each in facts.report.workers if each.state in (WorkerState.READY, WorkerState.BUSY)]
    others = [each for each in facts.report.workers if each not in serving]
    idle = sum(each.threads - each.busy for each in serving)
    return {"busy": sum(each.busy for each in (*serving, *others)), "idle": idle}


def _accepted(facts: Facts) -> Iterable[Sample]:
    return [((each.edge,), each.accepted) for each in facts.report.counts.edges if each.accepted is not None]


def _mongrel2(facts: Facts) -> Iterable[Sample]:
    return [((each.edge,), int(each.connected)) for each in facts.report.counts.edges if each.connected is not None]


def _turned_away(facts: Facts) -> Iterable[Sample]:
    return [((each.edge,), each.turned_away) for each in facts.report.counts.edges if each.turned_away is not None]


def _memory(facts: Facts) -> Iterable[Sample]:
    sizes = facts.sizes
    if sizes is None:
        return []
    of_workers = sum(sizes.workers.values())
    return [(("master",), sizes.master), (("dispatcher",), sizes.dispatcher), (("workers",), of_workers)]


def _largest_worker(facts: Facts) -> Iterable[Sample]:
    return [] if facts.sizes is None else [((), max(facts.sizes.workers.values(), default=0))]


QUESTIONS: Final[dict[str, tuple[Metric, ...]]] = {
    "Is it up?": (
        Metric("wsgid_build_info", "gauge", "Always 1; the labels tell what runs.", _build, ("version", "python")),
        Metric(
            "wsgid_start_time_seconds",
            "gauge",
            "When the daemon started, in seconds since the epoch.",
            _one(lambda facts: facts.daemon_since),
        ),
        Metric(
            "wsgid_dispatcher_uptime_seconds",
            "gauge",
            "For how long this dispatcher has run. With a new one the counters begin at zero.",
            _one(lambda facts: facts.report.counts.since),
        ),
        Metric(
            "wsgid_draining",
            "gauge",
            "1 while the daemon stops: it takes nothing new. Else 0.",
            _one(lambda facts: int(facts.report.draining)),
        ),
        Metric(
            "wsgid_mongrel2_connected",
            "gauge",
            "1 while this Mongrel2 is there and requests can come from it, else 0. Without Mongrel2 there is none.",
            _mongrel2,
            ("edge",),
        ),
        Metric(
            "wsgid_workers",
            "gauge",
            "Worker processes by state: starting (they load the application), ready (idle), busy, leaving (they finish "
            "what they have), hung (a request has reached --timeout).",
            _each(_workers),
            ("state",),
        ),
    ),
    "How busy is it?": (
        Metric(
            "wsgid_worker_threads",
            "gauge",
            "Threads of workers: busy with a request, or idle and ready for one. Each can serve one request at a time.",
            _each(_threads),
            ("state",),
        ),
        Metric(
            "wsgid_worker_threads_busy_seconds_total",
            "counter",
            "Time that threads of workers have spent on requests. Its rate is how many are busy on average.",
            _one(lambda facts: facts.report.counts.busy_seconds),
        ),
        Metric(
            "wsgid_requests_in_progress",
            "gauge",
            "Requests that have arrived and not ended: waiting, in a worker's hands, or their answer not yet taken.",
            _one(lambda facts: facts.report.unfinished),
        ),
        Metric(
            "wsgid_connections",
            "gauge",
            "Open connections of clients. Mongrel2 keeps its idle ones to itself: there it is those with a request.",
            lambda facts: [((each.edge,), each.open) for each in facts.report.counts.edges],
            ("edge",),
        ),
        Metric(
            "wsgid_connections_accepted_total",
            "counter",
            "Connections of HTTP clients that were let in.",
            _accepted,
            ("edge",),
        ),
        Metric(
            "wsgid_connections_turned_away_total",
            "counter",
            "Connections of HTTP clients that were one too many; they got 503, unread.",
            _turned_away,
            ("edge",),
        ),
    ),
    "What comes in, and how does it end?": (
        Metric(
            "wsgid_requests_total",
            "counter",
            "Requests that have ended, by method (those that are not usual are other) and class of the status. As in "
            "access.log, 499 is a client that left.",
            _requests,
            ("method", "status"),
        ),
        Metric(
            "wsgid_request_ends_total",
            "counter",
            "The same requests by how they ended: answered by the application, refused by wsgid, cut (the answer is "
            "not whole), left by the client, or killed (wsgid request kill).",
            _each(lambda facts: facts.report.counts.ends),
            ("end",),
        ),
        Metric(
            "wsgid_requests_refused_total",
            "counter",
            "Requests that wsgid refused, by the status that it gave: 502 a worker died, 503 queue full, waited too "
            "long or stopping, 504 --timeout, 4xx the client's own fault, as are 501 (no HTTP, such as TLS, a method "
            "that is not known, a WebSocket) and 505 (another version of HTTP).",
            _each(lambda facts: facts.report.counts.refused),
            ("code",),
        ),
        Metric(
            "wsgid_requests_redelivered_total",
            "counter",
            "Requests given to another worker since theirs had died.",
            _one(lambda facts: facts.report.counts.redelivered),
        ),
        Metric(
            "wsgid_request_body_bytes_total",
            "counter",
            "Bytes of request bodies that workers were given.",
            _one(lambda facts: facts.report.counts.bytes_in),
        ),
        Metric(
            "wsgid_response_body_bytes_total",
            "counter",
            "Bytes of answers' bodies that were handed over to clients.",
            _one(lambda facts: facts.report.counts.bytes_out),
        ),
        Metric(
            "wsgid_uploads_total",
            "counter",
            "Request bodies that were kept in files.",
            _one(lambda facts: facts.report.counts.uploads),
        ),
        Metric(
            "wsgid_uploads_asked_total",
            "counter",
            "Uploads about which the upload filters were asked.",
            _one(lambda facts: facts.report.counts.uploads_asked),
        ),
        Metric(
            "wsgid_uploads_refused_total",
            "counter",
            "Uploads that the upload filters refused.",
            _one(lambda facts: facts.report.counts.uploads_refused),
        ),
    ),
    "How long do requests wait?": (
        Metric(
            "wsgid_request_wait_seconds",
            "histogram",
            "From a request's arrival until a worker had it. Those that no worker had are not in it.",
            _none,
            histogram=lambda facts: facts.report.counts.wait,
        ),
        Metric(
            "wsgid_queue_length",
            "gauge",
            "Requests that wait for a worker.",
            _one(lambda facts: facts.report.queued),
        ),
        Metric(
            "wsgid_queue_limit",
            "gauge",
            "How many may wait (--queue-size); more are refused with 503.",
            _one(lambda facts: facts.queue_size),
        ),
        Metric(
            "wsgid_queue_oldest_wait_seconds",
            "gauge",
            "For how long the request at the front of the queue has waited; 0 when none waits.",
            _one(lambda facts: facts.report.longest_wait),
        ),
    ),
    "How long do they take?": (
        Metric(
            "wsgid_request_service_seconds",
            "histogram",
            "From when a worker had the request until the last byte of its answer was handed over.",
            _none,
            histogram=lambda facts: facts.report.counts.service,
        ),
    ),
    "Who died, and what was lost?": (
        Metric(
            "wsgid_worker_deaths_total",
            "counter",
            "Workers that have ended, by cause. Not by accident: max_requests, max_rss, restart, asked, killed.",
            _each(lambda facts: facts.report.counts.deaths),
            ("cause",),
        ),
        Metric(
            "wsgid_dispatcher_deaths_total",
            "counter",
            "Dispatchers that have died and were replaced since the daemon started, each with all connections it had. "
            "The only counter that goes on with a new dispatcher.",
            _one(lambda facts: facts.dispatcher_deaths),
        ),
        Metric(
            "wsgid_log_lines_lost_total",
            "counter",
            "Lines that could not be written (a full disk, a pipe that nobody reads) to access.log, or by the "
            "dispatcher to the main log.",
            _each(lambda facts: facts.report.counts.lost_lines),
            ("log",),
        ),
    ),
    "How much memory does it take?": (
        Metric(
            "wsgid_resident_memory_bytes",
            "gauge",
            "Memory in RAM (RSS) of the master, of the dispatcher, and of all workers together; what they share counts "
            "for each of them.",
            _memory,
            ("process",),
        ),
        Metric(
            "wsgid_worker_resident_memory_max_bytes",
            "gauge",
            "Memory in RAM (RSS) of the largest worker.",
            _largest_worker,
        ),
    ),
}
"""As people ask them; the dashboard in deploy/ has a row for each."""

METRICS: Final = tuple(metric for asked in QUESTIONS.values() for metric in asked)

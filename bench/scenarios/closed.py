"""Scenarios in which wrk asks for one page all the time: their cases, their figures, and who takes part."""

from collections.abc import Callable
from functools import partial

from tests.functional import clients

from bench.contender import NotMeasured, Running
from bench.contenders.ours import wsgid
from bench.contenders.peers import granian, gunicorn_gthread, gunicorn_sync, waitress
from bench.scenario import Case, Measured, Metric, Turn
from bench.wrk import load

WARM_UP = 1.0
"""Seconds, not counted."""

CONNECTIONS = (1, 8, 32, 256)
QUICK = 32

WSGID, THREADED, SYNC, GTHREAD, WAITRESS, GRANIAN = DIRECT = (
    wsgid(2),
    wsgid(2, 2),
    gunicorn_sync(2),
    gunicorn_gthread(2, 2),
    waitress(4),
    granian(2),
)
"""Over their own HTTP, with two worker processes each, and two threads where they have threads."""

METRICS = (
    Metric("rate", "requests/s"),
    Metric("p50", "p50, ms", "{:.2f}"),
    Metric("p99", "p99, ms", "{:.1f}"),
    Metric("errors", "errors"),
)


def case(connections: int, *, kept_alive: bool = True) -> Case:
    """Those with the usual number of connections, kept alive, are the quick subset."""
    many = f"{connections} connections" if connections > 1 else "1 connection"
    name = f"{many}, kept alive" if kept_alive else f"{many}, a new one for each request"
    return Case(name, partial(_measure, connections, kept_alive), quick=kept_alive and connections == QUICK)


def _measure(connections: int, kept_alive: bool, turn: Turn) -> Measured:
    found = load(turn.running.url, connections, turn.seconds, kept_alive=kept_alive)
    return Measured(found.requests, {"rate": found.rate, "p50": found.p50, "p99": found.p99, "errors": found.errors})


USUAL = case(QUICK)


def expecting(right: Callable[[bytes], bool]) -> Callable[[Running], None]:
    """Warms up with wrk, once the body of an answer has been found to be right. Raises NotMeasured."""

    def warm_up(running: Running) -> None:
        answer = clients.request(running.url)
        if answer.status != 200 or not right(answer.body):
            raise NotMeasured(f"{running.url} answers {answer.status} {answer.body[:200]!r}")
        load(running.url, QUICK, WARM_UP)

    return warm_up

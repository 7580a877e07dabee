"""Scenarios in which wrk asks for one page all the time: their cases, their figures, and who takes part."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from tests.functional import clients

from bench.contender import Application, Contender, NotMeasured, Running
from bench.contenders.fronted import nginx_granian, nginx_gunicorn_gthread, nginx_gunicorn_sync, nginx_uwsgi
from bench.contenders.ours import mongrel2_wsgid, nginx_wsgid, wsgid
from bench.contenders.peers import granian, gunicorn_gthread, gunicorn_sync, waitress
from bench.scenario import Case, Measured, Metric, Scenario, Turn
from bench.wrk import load

WARM_UP = 1.0
"""Seconds, not counted."""

FLOW_CONTROL = {"download.flow_control": "1"}

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
"""Over their own HTTP, with two worker processes each. gunicorn's gthread has two threads in each, as the second wsgid
has; waitress, which is one process, has as many in all."""

MONGREL2, FLOW_CONTROLLED, NGINX, NGINX_SYNC, NGINX_GTHREAD, NGINX_GRANIAN, NGINX_UNLOGGED, NGINX_UWSGI = FRONTED = (
    mongrel2_wsgid(2),
    mongrel2_wsgid(2, settings=FLOW_CONTROL, note="flow control"),
    nginx_wsgid(2),
    nginx_gunicorn_sync(2),
    nginx_gunicorn_gthread(2, 2),
    nginx_granian(2),
    nginx_granian(2, access_log=False),
    nginx_uwsgi(2),
)
"""Behind a web server, which writes an access log of its own: granian's users may do without its, which costs it a lot.
Flow control is what large answers take (docs/mongrel2.md)."""

IN_FRONT = (
    "nginx is what Debian makes of it, with a worker process for each core; it talks to the others over UNIX "
    "sockets, and keeps its connections to those that keep theirs. Both web servers write an access log."
)

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


def behind(scenario: Scenario, contenders: Sequence[Contender] = FRONTED) -> Scenario:
    """The same with front ends, and not a part of the quick subset."""
    return replace(
        scenario,
        name=f"{scenario.name}-front",
        title=f"{scenario.title}, behind a web server",
        words=f"{scenario.words} {IN_FRONT}",
        contenders=tuple(contenders),
        targets=(),
        quick=False,
    )


def page(
    name: str, title: str, words: str, application: Callable[[], Application], right: Callable[[bytes], bool]
) -> Scenario:
    """One page of an application that has something to do; only by name or with --full."""
    return Scenario(
        name=name,
        title=title,
        words=words,
        application=application,
        contenders=DIRECT,
        cases=tuple(map(case, CONNECTIONS)),
        metrics=METRICS,
        warm_up=expecting(right),
        quick=False,
    )


def expecting(right: Callable[[bytes], bool]) -> Callable[[Running], None]:
    """Warms up with wrk, once the body of an answer has been found to be right. Raises NotMeasured."""

    def warm_up(running: Running) -> None:
        answer = clients.request(running.url)
        if answer.status != 200 or not right(answer.body):
            raise NotMeasured(f"{running.url} answers {answer.status} {answer.body[:200]!r}")
        load(running.url, QUICK, WARM_UP)

    return warm_up

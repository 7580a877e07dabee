"""Hello world: what the servers themselves cost, at several numbers of connections, kept alive and not."""

from functools import partial

from tests.functional import clients
from tests.functional.daemon import APPLICATIONS

from bench.contender import Application, NotMeasured, Running
from bench.contenders.ours import wsgid
from bench.contenders.peers import granian, gunicorn_gthread, gunicorn_sync, waitress
from bench.scenario import Case, Measured, Metric, Scenario, Target, Turn
from bench.wrk import load

WARM_UP = 1.0
"""Seconds, not counted."""

CONNECTIONS = (1, 8, 32, 256)
QUICK = 32

GREETING = b"Hello, World!\n"


def warm_up(running: Running) -> None:
    """Raises NotMeasured."""
    answer = clients.request(running.url)
    if (answer.status, answer.body) != (200, GREETING):
        raise NotMeasured(f"{running.url} answers {answer.status} {answer.body[:200]!r}")
    load(running.url, QUICK, WARM_UP)


def measure(connections: int, kept_alive: bool, turn: Turn) -> Measured:
    found = load(turn.running.url, connections, turn.seconds, kept_alive=kept_alive)
    return Measured(found.requests, {"rate": found.rate, "p50": found.p50, "p99": found.p99, "errors": found.errors})


def name(connections: int, kept_alive: bool) -> str:
    many = f"{connections} connections" if connections > 1 else "1 connection"
    return f"{many}, kept alive" if kept_alive else f"{many}, a new one for each request"


CASES = tuple(
    Case(name(connections, kept_alive), partial(measure, connections, kept_alive), kept_alive and connections == QUICK)
    for kept_alive in (True, False)
    for connections in CONNECTIONS
)

USUAL = name(QUICK, kept_alive=True)

METRICS = (
    Metric("rate", "requests/s"),
    Metric("p50", "p50, ms", "{:.2f}"),
    Metric("p99", "p99, ms", "{:.1f}"),
    Metric("errors", "errors"),
)

WSGID, THREADED, SYNC, GTHREAD, WAITRESS, GRANIAN = (
    wsgid(2),
    wsgid(2, 2),
    gunicorn_sync(2),
    gunicorn_gthread(2, 2),
    waitress(4),
    granian(2),
)

DIRECT = Scenario(
    name="hello",
    title="Hello world",
    words="wrk asks for 14 bytes again and again, over so many connections at once: what is measured is the server.",
    application=lambda: Application(APPLICATIONS / "plain"),
    contenders=(WSGID, THREADED, SYNC, GTHREAD, WAITRESS, GRANIAN),
    cases=CASES,
    metrics=METRICS,
    targets=(
        Target("sync", USUAL, WSGID.name, "rate", 2.8, SYNC.name),
        Target("gthread", USUAL, WSGID.name, "rate", 1.8, GTHREAD.name),
        Target("waitress", USUAL, WSGID.name, "rate", 3.5, WAITRESS.name),
    ),
    warm_up=warm_up,
)

"""Three times as many requests as can be served: how many are served while their clients are still there?"""

from dataclasses import replace

from bench import wrk
from bench.contender import APPS, Application, NotMeasured
from bench.contenders.fronted import nginx_granian, nginx_gunicorn_gthread, nginx_gunicorn_sync, nginx_uwsgi
from bench.contenders.ours import mongrel2_wsgid, wsgid
from bench.contenders.peers import granian, gunicorn_gthread, gunicorn_sync, waitress
from bench.open_loop.outcome import Fate
from bench.open_loop.process import load
from bench.open_loop.schedule import Kind, Plan
from bench.scenario import Case, Measured, Metric, Scenario, Target, Turn
from bench.scenarios.closed import behind
from bench.scenarios.figures import FAILURES, failures, percentiles

TIMES = 3

PATIENCE = 1.0
"""Seconds after which a client leaves: that long a person's thought stays with what was asked for."""

SERVICE = "ms=10"

PLACES = 8

LEAST_CAPACITY = PLACES / 0.010 / 2
"""Requests a second. A server that reaches less, with clients enough for all places, leaves some of them idle:
gunicorn's gthread does when one worker has taken most of the connections. Three times that would be no overload."""

CONNECTIONS = 32
"""By which the capacity is measured: more than there are places, so that none of them is ever idle."""

LEAST = 0.90
"""Of the capacity that wsgid is to serve."""

QUEUE = ("--queue-size", "200")
"""What eight places serve in a quarter of a second, as docs/endings.md has it."""

CASE = f"{TIMES} times the capacity"

GOODPUT = Metric("goodput", "served, of the capacity", "{:.0%}")

AS_IT_COMES = wsgid(8)
BOUNDED = replace(wsgid(8, 1, *QUEUE), name=f"{AS_IT_COMES.name}, {' '.join(QUEUE)}")


def measure(turn: Turn) -> Measured:
    """Raises NotMeasured."""
    capacity = wrk.load(f"{turn.running.url}?{SERVICE}", CONNECTIONS, turn.seconds).rate
    if capacity < LEAST_CAPACITY:
        raise NotMeasured(
            f"it served {capacity:.0f} requests a second where {PLACES} places serve {2 * LEAST_CAPACITY:.0f}"
        )
    kind = Kind("any", f"/{{number}}?{SERVICE}", b"/{number}", rate=TIMES * capacity)
    found = load(Plan(turn.running.address, (kind,), turn.seconds, patience=PATIENCE))
    served = found.fates[Fate.SERVED] / turn.seconds
    told = {"capacity": capacity, "arriving": kind.rate, GOODPUT.key: served / capacity}
    return Measured(0, {**percentiles(found), **failures(found), **told})


OVERLOAD = Scenario(
    name="overload",
    title="Three times too much",
    words=(
        "Each request takes 10 ms, in which the application waits, and each server has eight places. How much it "
        f"serves is measured first, with {CONNECTIONS} clients that wait for their answers; then {TIMES} times as many "
        f"requests arrive, whose clients leave after {PATIENCE:.0f} second. What is served to those who have left is "
        "of no use, and not counted. The first row's queue is as long as such clients wait for (see "
        "[how requests end](endings.md)); the second has the one that wsgid comes with, which is meant for bursts."
    ),
    application=lambda: Application(APPS / "waiting"),
    contenders=(BOUNDED, AS_IT_COMES, gunicorn_sync(8), gunicorn_gthread(4, 2), waitress(8), granian(4, 2)),
    cases=(Case(CASE, measure),),
    metrics=(
        GOODPUT,
        Metric("capacity", "capacity/s"),
        Metric("arriving", "arriving/s"),
        Metric("p50", "p50 of the served, ms"),
        Metric("p99", "p99 of the served, ms"),
        *FAILURES[1:],
    ),
    targets=(Target("goodput", CASE, BOUNDED.name, GOODPUT.key, LEAST),),
    quick_rounds=1,
)

MONGREL2 = mongrel2_wsgid(8)
MONGREL2_BOUNDED = mongrel2_wsgid(8, 1, *QUEUE, note=" ".join(QUEUE))

BEHIND = replace(
    behind(
        OVERLOAD,
        (
            MONGREL2_BOUNDED,
            MONGREL2,
            nginx_gunicorn_sync(8),
            nginx_gunicorn_gthread(4, 2),
            nginx_granian(4, 2),
            nginx_uwsgi(8),
        ),
    ),
    targets=(Target("goodput", CASE, MONGREL2_BOUNDED.name, GOODPUT.key, LEAST),),
)

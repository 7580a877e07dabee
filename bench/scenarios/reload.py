"""New workers every two seconds, under load: whose requests fail?"""

import time
from dataclasses import replace

from bench.contender import APPS, Application, NotMeasured
from bench.contenders.fronted import nginx_uwsgi
from bench.contenders.ours import mongrel2_wsgid, wsgid
from bench.contenders.peers import granian, gunicorn_gthread, gunicorn_sync
from bench.open_loop.process import Arriving
from bench.open_loop.schedule import Kind, Plan
from bench.scenario import Case, Measured, Metric, Scenario, Target, Turn
from bench.scenarios.figures import FAILED, FAILURES, QUICK, failures

EVERY = 2.0
"""Seconds."""

LOOK = 0.1
"""Seconds between two looks at the workers."""

LEAST = 3
"""Reloads, however short the measurement."""

KINDS = (replace(QUICK, rate=50.0), Kind("working", "/{number}?ms=20", b"/{number}", rate=50.0))
"""Half of them take 20 ms: one of two workers is busy most of the time."""

CASE = f"a reload every {EVERY:.0f} seconds"

WSGID, THREADED, BEHIND_MONGREL2 = wsgid(2), wsgid(2, 4), mongrel2_wsgid(2)


def measure(turn: Turn) -> Measured:
    """Raises NotMeasured."""
    with Arriving(Plan(turn.running.address, KINDS, max(turn.seconds, LEAST * EVERY))) as arriving:
        reloads, workers = reload_until(turn, arriving)
        found = arriving.outcome()
    if not workers:
        raise NotMeasured(f"no new worker came of {reloads} reloads")
    told = {"requests": len(found.ended), "reloads": reloads, "workers": workers}
    return Measured(0, {**failures(found), **told})


def reload_until(turn: Turn, arriving: Arriving) -> tuple[int, int]:
    """How many reloads there were, and how many new workers. Raises NotMeasured."""
    assert turn.running.reload is not None, "only what can reload is compared here"
    begun, reloads, before = time.monotonic(), 0, set(turn.running.worker_pids())
    seen = set(before)
    while not arriving.over:
        if time.monotonic() >= begun + (reloads + 1) * EVERY:
            turn.running.reload()
            reloads += 1
        time.sleep(LOOK)
        seen.update(turn.running.worker_pids())
    return reloads, len(seen - before)


RELOAD = Scenario(
    name="reload",
    title="New workers under load",
    words=(
        f"{sum(kind.rate for kind in KINDS):.0f} requests a second, every other of which takes 20 ms, while the server "
        f"is told every {EVERY:.0f} seconds to load the application anew, as its manual has it: by SIGHUP. A kept "
        "connection that was closed instead of an answer is told apart: browsers ask again, many programs do not. "
        "waitress cannot reload."
    ),
    application=lambda: Application(APPS / "waiting"),
    contenders=(
        WSGID,
        THREADED,
        gunicorn_sync(2),
        gunicorn_gthread(2, 4),
        granian(2, 4),
        BEHIND_MONGREL2,
        nginx_uwsgi(2),
    ),
    cases=(Case(CASE, measure),),
    metrics=(*FAILURES, Metric("requests", "requests"), Metric("reloads", "reloads"), Metric("workers", "new workers")),
    targets=tuple(
        Target(f"failed {each.name}", CASE, each.name, FAILED.key, 0, at_most=True, every_round=True)
        for each in (WSGID, THREADED, BEHIND_MONGREL2)
    ),
    quick_rounds=1,
)

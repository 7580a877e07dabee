"""New workers every two seconds, under load: whose requests fail?"""

import time
from dataclasses import replace

from bench.contender import APPS, Application, NotMeasured
from bench.contenders.fronted import nginx_granian, nginx_gunicorn_gthread, nginx_gunicorn_sync, nginx_uwsgi
from bench.contenders.ours import mongrel2_wsgid, wsgid
from bench.contenders.peers import granian, gunicorn_gthread, gunicorn_sync
from bench.open_loop.process import Arriving
from bench.open_loop.schedule import Kind, Plan
from bench.scenario import Case, Measured, Metric, Scenario, Target, Turn
from bench.scenarios.closed import behind
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

WORKERS = 2

WSGID, THREADED, BEHIND_MONGREL2 = wsgid(WORKERS), wsgid(WORKERS, 4), mongrel2_wsgid(WORKERS)


def measure(turn: Turn) -> Measured:
    """Raises NotMeasured."""
    wanted = max(LEAST, int(turn.seconds / EVERY))
    # One interval more: the last one has as long as those before, though requests arrive a moment later than planned.
    with Arriving(Plan(turn.running.address, KINDS, (wanted + 1) * EVERY)) as arriving:
        reloads, workers = reload_until(turn, arriving, wanted)
        found = arriving.outcome()
    if not workers:
        raise NotMeasured(f"no new worker came of {reloads} reloads")
    told = {"requests": len(found.ended), "reloads": reloads, "workers": workers}
    return Measured(0, {**failures(found), **told})


def reload_until(turn: Turn, arriving: Arriving, wanted: int) -> tuple[int, int]:
    """How many reloads there were, of those that are wanted, and how many new workers."""
    assert turn.running.reload is not None, "only what can reload is compared here"
    begun, reloads, before = time.monotonic(), 0, set(turn.running.worker_pids())
    seen = set(before)
    while not arriving.over:
        if reloads < wanted and time.monotonic() >= begun + (reloads + 1) * EVERY:
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
        "connection that was closed instead of an answer is told apart: browsers ask again, many programs do not. A "
        "server that is not done with one reload may pass over the next: so the new workers are told that came. "
        "waitress cannot reload."
    ),
    application=lambda: Application(APPS / "waiting"),
    contenders=(
        WSGID,
        THREADED,
        gunicorn_sync(WORKERS),
        gunicorn_gthread(WORKERS, 4),
        granian(WORKERS, 4),
        BEHIND_MONGREL2,
        nginx_uwsgi(WORKERS),
    ),
    cases=(Case(CASE, measure),),
    metrics=(*FAILURES, Metric("requests", "requests"), Metric("reloads", "reloads"), Metric("workers", "new workers")),
    targets=tuple(
        target
        for each in (WSGID, THREADED, BEHIND_MONGREL2)
        for target in (
            Target(f"failed {each.name}", CASE, each.name, FAILED.key, 0, at_most=True, every_round=True),
            # Else none would have failed because nothing was done.
            Target(f"workers {each.name}", CASE, each.name, "workers", LEAST * WORKERS, every_round=True),
        )
    ),
    quick_rounds=1,
)

BEHIND = behind(
    RELOAD,
    (
        BEHIND_MONGREL2,
        nginx_gunicorn_sync(WORKERS),
        nginx_gunicorn_gthread(WORKERS, 4),
        nginx_granian(WORKERS, 4),
        nginx_uwsgi(WORKERS),
    ),
)
"""The targets for wsgid behind Mongrel2 are among the others'."""

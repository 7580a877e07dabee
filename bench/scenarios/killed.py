"""Workers that hold a request are killed, twice a second: whose requests fail?"""

import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.functional.daemon import APPLICATIONS
from tests.functional.ledger import Ledger
from tests.functional.shooter import Shooter

from bench.contender import Application, NotMeasured
from bench.contenders.fronted import nginx_granian, nginx_gunicorn_gthread, nginx_gunicorn_sync, nginx_uwsgi
from bench.contenders.ours import mongrel2_wsgid, wsgid
from bench.contenders.peers import granian, gunicorn_gthread, gunicorn_sync
from bench.open_loop.outcome import Fate, Outcome
from bench.open_loop.process import Arriving
from bench.open_loop.schedule import Kind, Plan
from bench.scenario import Case, Measured, Metric, Scenario, Target, Turn
from bench.scenarios.closed import behind
from bench.scenarios.figures import FAILURES, failures

EVERY = 0.5
"""Seconds."""

LOOK = 0.005
"""Seconds between two looks at who holds a request."""

WORKERS = 8

WORK = Kind("work", "/{number}?ms=50", b"GET {number} ", rate=80.0)
"""Of tests/apps/ledger. Four of eight workers are busy, on the average."""

TWICE = 2
"""Shots at one GET by which it may fail: wsgid gives it to a second worker, and to no third."""

CASE = f"SIGKILL every {EVERY} seconds"

UNDUE = Metric("undue", "failed, not shot twice")

WSGID, BEHIND_MONGREL2 = wsgid(WORKERS), mongrel2_wsgid(WORKERS)

PATH = Path(tempfile.gettempdir()) / f"bench-ledger-{os.getpid()}"
"""The ledger. Its name is in the application's environment, so it is the same for a whole run."""


def measure(turn: Turn) -> Measured:
    """Raises AssertionError, NotMeasured."""
    with ledger() as noted, Arriving(Plan(turn.running.address, (WORK,), turn.seconds)) as arriving:
        shooter = Shooter(noted, chase=False)
        shoot_until(arriving, shooter)
        found = arriving.outcome()
    if not shooter.shots:
        raise NotMeasured("no worker was shot")
    told = {"requests": len(found.ended), "shots": shooter.shots.total(), UNDUE.key: undue(found, shooter.shots)}
    return Measured(0, {**failures(found), **told})


@contextmanager
def ledger() -> Iterator[Ledger]:
    """An empty one: what is asked for until a server answers has no number."""
    PATH.unlink(missing_ok=True)
    try:
        yield Ledger(PATH)
    finally:
        PATH.unlink(missing_ok=True)


def shoot_until(arriving: Arriving, shooter: Shooter) -> None:
    following = time.monotonic()
    while not arriving.over:
        if time.monotonic() >= following and shooter.fire():
            following += EVERY
        time.sleep(LOOK)


def undue(outcome: Outcome, shots: Counter[str]) -> int:
    """How many failed that were not shot twice."""
    return sum(each.fate is not Fate.SERVED and shots[str(each.number)] < TWICE for each in outcome.ended)


KILLED = Scenario(
    name="killed",
    title="Workers that are killed",
    words=(
        f"{WORK.rate:.0f} GET requests a second that take 50 ms each, {WORKERS} workers; every {EVERY} seconds a "
        "worker that holds a request gets SIGKILL. The application notes what it has begun, so it is known how often "
        "each request was shot: wsgid gives a GET whose worker died to another one, once, so it may fail only when it "
        "was shot twice. waitress is one process, and nobody starts it anew."
    ),
    application=lambda: Application(APPLICATIONS / "ledger", Ledger(PATH).env),
    contenders=(
        WSGID,
        gunicorn_sync(WORKERS),
        gunicorn_gthread(WORKERS, 1),
        granian(WORKERS),
        BEHIND_MONGREL2,
    ),
    cases=(Case(CASE, measure),),
    metrics=(FAILURES[0], UNDUE, Metric("shots", "shots"), *FAILURES[1:], Metric("requests", "requests")),
    targets=tuple(
        Target(f"undue {each.name}", CASE, each.name, UNDUE.key, 0, at_most=True, every_round=True)
        for each in (WSGID, BEHIND_MONGREL2)
    ),
    quick_rounds=1,
)

BEHIND = behind(
    KILLED,
    (
        BEHIND_MONGREL2,
        nginx_gunicorn_sync(WORKERS),
        nginx_gunicorn_gthread(WORKERS, 1),
        nginx_granian(WORKERS),
        nginx_uwsgi(WORKERS),
    ),
)
"""The target for wsgid behind Mongrel2 is among the others'."""

"""Quick requests beside slow ones, of which a quarter of the places would be enough."""

from dataclasses import replace
from functools import partial

from bench.contender import APPS, Application
from bench.contenders.fronted import nginx_granian, nginx_gunicorn_gthread, nginx_gunicorn_sync, nginx_uwsgi
from bench.contenders.ours import mongrel2_wsgid, wsgid
from bench.contenders.peers import granian, gunicorn_gthread, gunicorn_sync, waitress
from bench.open_loop.schedule import Kind
from bench.scenario import Case, Scenario
from bench.scenarios.beside import METRICS, measure, nobody, targets
from bench.scenarios.closed import behind
from bench.scenarios.figures import QUICK

APART = 0.55
"""Seconds from one slow request to the next: with a second for each, never more than two are there, of eight places."""

SLOW = Kind("slow", "/{number}?ms=1000", b"/{number}", rate=1 / APART, even=True)

CASE = "200 quick requests a second"

WSGID, THREADED = wsgid(8), wsgid(4, 2)

MIXED = Scenario(
    name="mixed",
    title="Quick requests beside slow ones",
    words=(
        f"{QUICK.rate:.0f} quick requests a second arrive by chance, over 32 kept connections where the server keeps "
        f"them, and every {APART} seconds a request that takes a second (the application waits, it computes nothing): "
        "at most two at a time, and each server has eight places. A server that gives a request to a process or thread "
        "that is busy, while others are idle, is seen in the p99 of the quick ones. Times count from the planned "
        "arrival, and are of those that were served."
    ),
    application=lambda: Application(APPS / "waiting"),
    contenders=(WSGID, THREADED, gunicorn_sync(8), gunicorn_gthread(4, 2), waitress(8), granian(4, 2), granian(8)),
    cases=(Case(CASE, partial(measure, QUICK, (SLOW,), nobody)),),
    metrics=METRICS,
    targets=tuple(targets(CASE, (WSGID, THREADED))),
    quick_rounds=1,
)

BEHIND_MONGREL2 = mongrel2_wsgid(8)

FRONTED = (
    BEHIND_MONGREL2,
    nginx_gunicorn_sync(8),
    nginx_gunicorn_gthread(4, 2),
    nginx_granian(4, 2),
    nginx_granian(8),
    nginx_uwsgi(8),
)

BEHIND = replace(behind(MIXED, FRONTED), targets=tuple(targets(CASE, (BEHIND_MONGREL2,))))

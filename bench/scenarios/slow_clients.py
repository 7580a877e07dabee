"""Quick requests beside clients that read and send slowly."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from tests.functional.daemon import APPLICATIONS
from tests.functional.transfers import Transfers, generated, trickled, upload

from bench.contender import Application, Running
from bench.contenders.ours import wsgid
from bench.contenders.peers import granian, gunicorn_gthread, gunicorn_sync, waitress
from bench.open_loop.schedule import Kind
from bench.scenario import Case, Scenario
from bench.scenarios.beside import METRICS, measure, targets
from bench.scenarios.closed import behind
from bench.scenarios.mixed import BEHIND_MONGREL2, FRONTED

CROWD = 200

QUICK = Kind("quick", "/quick", b"quick\n", rate=200.0)
"""Of tests/apps/downloads."""

RATE = 16 * 1024.0
"""Bytes a second of each reader."""

PARTS = 32
"""For each reader, 2 MiB: longer than anything is measured."""

CRAWL = 1000.0
"""Bytes a second of an upload: twice what wsgid asks for at least."""

TRICKLE = 15.0
"""Bytes a second of a request that comes byte by byte: so its head is there within wsgid's ten seconds."""

BODY = 128 * 1024
"""Bytes."""

GATHERED = 2.0
"""Seconds in which all have come."""

CASE = f"beside {CROWD} slow clients"

WSGID, THREADED = wsgid(8), wsgid(4, 2)


@contextmanager
def crowd(running: Running) -> Iterator[None]:
    kinds = (
        generated(PARTS, rate=RATE),
        upload(BODY, rate=CRAWL),
        generated(PARTS, rate=RATE),
        trickled(BODY, TRICKLE),
    )
    transfers = [kinds[number % len(kinds)] for number in range(CROWD)]
    # They are stopped where they are at the end: half of them would go on for hours.
    with Transfers(running.address, transfers, apart=GATHERED / CROWD):
        time.sleep(GATHERED)
        yield


SLOW_CLIENTS = Scenario(
    name="slow-clients",
    title="Quick requests beside slow clients",
    words=(
        f"{CROWD} clients are slow: half of them read an answer of 2 MiB at 16 KiB/s, a quarter send a body of 128 KiB "
        f"at {CRAWL:.0f} bytes a second, and a quarter send all of their request byte by byte, {TRICKLE:.0f} a second. "
        f"Beside them {QUICK.rate:.0f} quick requests a second arrive as above. Each server has eight places."
    ),
    application=lambda: Application(APPLICATIONS / "downloads"),
    contenders=(WSGID, THREADED, gunicorn_sync(8), gunicorn_gthread(4, 2), waitress(8), granian(4, 2)),
    cases=(Case(CASE, partial(measure, QUICK, (), crowd)),),
    metrics=METRICS,
    targets=tuple(targets(CASE, (WSGID, THREADED))),
    quick_rounds=1,
)

BEHIND = replace(behind(SLOW_CLIENTS, FRONTED), targets=tuple(targets(CASE, (BEHIND_MONGREL2,))))

"""How long a server takes to start, and how much memory it has when nobody asks for anything."""

import statistics
import time

from bench.contender import Running
from bench.contenders.ours import mongrel2_wsgid
from bench.measure import memory, proportional
from bench.scenario import Case, Measured, Metric, Scenario, Turn
from bench.scenarios import django_page, hello
from bench.scenarios.closed import DIRECT
from bench.wrk import load

MIB = 1024 * 1024

SETTLE = 1.0
"""Seconds without requests before a look at the memory."""

USED_OVER = 32
"""Connections."""

METRICS = (
    Metric("start_up", "start-up, s", "{:.2f}"),
    Metric("idle", "idle, MiB", "{:.1f}"),
    Metric("worker", "each worker, MiB", "{:.1f}"),
)


def measure(turn: Turn) -> Measured:
    """Idle, but not unused: every worker has had requests."""
    time.sleep(SETTLE)
    workers = [proportional(pid) for pid in turn.running.worker_pids()]
    idle = memory(turn.running.processes())
    values = {"start_up": turn.start_up, "idle": idle / MIB, "worker": statistics.mean(workers) / MIB}
    return Measured(0, values)


def use(running: Running) -> None:
    """For a second, over as many connections as there may be workers and more."""
    load(running.url, USED_OVER, 1.0)


def scenario(name: str, title: str, served: Scenario) -> Scenario:
    return Scenario(
        name=name,
        title=title,
        words="From the command to the first answer, and the memory (PSS) a second after some load: of all processes "
        "together, and of a worker at the mean.",
        application=served.application,
        contenders=(*DIRECT, mongrel2_wsgid(2)),
        cases=(Case("idle", measure),),
        metrics=METRICS,
        warm_up=use,
        quick=False,
    )


HELLO = scenario("startup", "Start-up and idle memory, hello world", hello.OVER_HTTP)
DJANGO = scenario("startup-django", "Start-up and idle memory, Django", django_page.OVER_HTTP)

"""The parts of the long run: what is done to a daemon under load, and what is judged of it."""

import math
import os
import signal
from collections import Counter

from tests import proc
from tests.deadlines import seconds, wait_for
from tests.functional.hanging import OPTIONS
from tests.functional.load import CLIENTS, Load, complaints, mixed, other_than
from tests.functional.outage import AGAIN, LOST, QUICK_REAPER, REAPABLE, REAPED, time_without_service
from tests.functional.releases import HANGING, MISSING, release
from tests.functional.shooter import Shooter, judged

from bench.body_parts import FLOW_CONTROL, STREAM, crowd, generator, up, wrapped_file
from bench.part import Clock, Limits, Outcome, Part, Tell, access_lines
from bench.pressure import QUEUE_SIZE, hung, overload, threads
from bench.stage import HTTP, MONGREL2, Stage

WORK = 10
"""Milliseconds that each request takes, where it matters."""

CANNOT_BE_IMPORTED, HANGS_IN_IMPORT = 1, 3
"""Releases of each BATCH."""

BATCH = 8

START_TIMEOUT = 5
"""Seconds that the import of a release may take. A sound one takes some tenths, on a machine that does nothing else."""

DISPATCHERS = 10
"""Killed, and as many stopped."""

SAMPLES = 100
"""Looks at the dispatcher's memory and descriptors."""

WARM = 0.25
"""Of the requests: by then every buffer, cache and pool has its size."""

MOST_GROWTH = 0.05
"""Of the dispatcher's resident memory, from WARM to the end. Of 200,000 requests, 150,000 come then: with some 40 MB
that is 14 bytes for each, less than any Python object that could be left behind."""


def deaths(stage: Stage, limits: Limits, tell: Tell) -> Outcome:
    """Workers that hold a request are shot again and again."""
    shooter, clock = Shooter(stage.ledger), Clock(limits, tell)
    with Load(stage.address, mixed(WORK)) as load:
        while clock.goes_on():
            shooter.shoot(load)
    statuses = Counter(each.status for each in load.records)
    told = f"{shooter.shots.total():,} workers shot, {statuses[502]:,} requests got 502"
    return Outcome(load.records, told, judged(load, stage.ledger, shooter.shots) + access_lines(stage, load.records))


def restarts(stage: Stage, limits: Limits, tell: Tell) -> Outcome:
    """One release after the other; some cannot be imported, some are never done with it."""
    clock, ended, broken = Clock(limits, tell), Counter[str](), []
    code = stage.daemon.folder / "app/wsgi.py"
    sound = code.read_text()
    with Load(stage.address, mixed(WORK)) as load:
        while clock.goes_on():
            number = ended.total()
            before = {CANNOT_BE_IMPORTED: MISSING, HANGS_IN_IMPORT: HANGING}.get(number % BATCH, "")
            code.write_text(sound)
            release(stage.daemon.folder, f"{number}", before)
            outcome = stage.daemon.run("restart")
            ended[before] += 1
            if (outcome.code == 0) == bool(before):
                broken.append(f"restart {number} ended with {outcome.code}: {outcome.output}")
    broken += complaints(load) + [f"got {each.status}: {each}" for each in other_than(200, load.records)]
    broken += [f"request {number} ran {count} times" for number, count in stage.ledger.runs().items() if count != 1]
    told = (
        f"{ended.total():,} restarts, {ended[MISSING]:,} of them with code that fails, {ended[HANGING]:,} with code "
        "that hangs; only 200s"
    )
    return Outcome(load.records, told, broken + access_lines(stage, load.records))


def dispatchers(stage: Stage, limits: Limits, tell: Tell) -> Outcome:
    """The dispatcher is killed and stopped in turn."""
    longest, broken = 0.0, []
    before = _descriptors(stage)
    clients = CLIENTS if stage.edge == HTTP else REAPABLE
    with Load(stage.address, mixed(WORK), clients=clients) as load:
        for number in range(2 * DISPATCHERS):
            load.wait_for(10 * clients)
            how = (signal.SIGKILL, signal.SIGSTOP)[number % 2]
            if stage.edge == HTTP:
                longest = max(longest, time_without_service(stage.daemon, how))
            else:
                _end_dispatcher(stage, how)
            tell((number + 1) / (2 * DISPATCHERS))
    if longest > seconds(AGAIN):
        broken.append(f"new connections waited for {longest:.2f} s")
    ended = {0, 200} if stage.edge == HTTP else {0, 200, REAPED}
    broken += [f"{each}" for each in load.records if each.trouble not in LOST or each.status not in ended]
    wait_for(lambda: _descriptors(stage) == before, f"as many descriptors as before, {before}")
    lost = sum(bool(each.trouble) for each in load.records)
    told = f"{DISPATCHERS} dispatchers killed, {DISPATCHERS} stopped, {lost} requests lost with them"
    if stage.edge == HTTP:  # elsewhere a new connection's request may be lost as well, so it was not measured
        told += f"; served again after {longest:.2f} s at most"
    return Outcome(load.records, told, broken)


def _end_dispatcher(stage: Stage, how: signal.Signals) -> None:
    """Behind Mongrel2: what ZeroMQ has in flight to it is lost, also the first request of a new connection."""
    dispatcher = stage.daemon.dispatcher_pid
    os.kill(dispatcher, how)
    wait_for(lambda: not proc.alive(dispatcher), f"the dispatcher to end by {how.name}")


def _descriptors(stage: Stage) -> dict[int, int]:
    daemon = stage.daemon
    return {pid: len(proc.descriptors(pid)) for pid in (daemon.pid, *daemon.worker_pids)}


def flat(stage: Stage, limits: Limits, tell: Tell) -> Outcome:
    """Nothing happens but requests: the dispatcher's memory and descriptors stay as they are."""
    dispatcher, step = stage.daemon.dispatcher_pid, math.ceil(limits.requests / SAMPLES)
    before, memory = len(proc.descriptors(dispatcher)), []
    with Load(stage.address, mixed(), limit=limits.requests) as load:
        while len(load.records) < limits.requests:
            load.wait_for(min(step, limits.requests - len(load.records)))
            memory.append(proc.rss(dispatcher))
            tell(len(load.records) / limits.requests)
    broken = complaints(load) + [f"got {each.status}: {each}" for each in other_than(200, load.records)]
    wait_for(lambda: len(proc.descriptors(dispatcher)) == before, f"the dispatcher to have {before} descriptors again")
    warm, last = memory[int(len(memory) * WARM)], memory[-1]
    growth = last / warm - 1
    if growth > MOST_GROWTH:
        broken.append(f"the dispatcher has grown by {growth:.1%}: {', '.join(f'{each:,}' for each in memory)} bytes")
    told = f"dispatcher: {warm / 1e6:.1f} MB after a quarter, {last / 1e6:.1f} MB at the end; {before} descriptors"
    return Outcome(load.records, told, broken + access_lines(stage, load.records))


BODIES = "downloads"

MANY, FEW, ONE = ("--workers", "8"), ("--workers", "2"), ("--workers", "1")

PARTS = {
    "deaths": Part(deaths, MANY),
    "restarts": Part(restarts, (*MANY, "--start-timeout", str(START_TIMEOUT))),
    "dispatchers": Part(dispatchers, MANY, QUICK_REAPER),
    "overload": Part(overload, (*FEW, "--queue-size", str(QUEUE_SIZE))),
    "hung": Part(hung, (*MANY, *OPTIONS)),
    "threads": Part(threads, (*ONE, "--threads", "4", *OPTIONS)),
    "flat": Part(flat, FEW),
    "upload": Part(up, FEW, app=BODIES),
    "stream": Part(up, FEW, STREAM, app=BODIES, edges=(MONGREL2,)),
    "generator": Part(generator, FEW, FLOW_CONTROL, app=BODIES),
    "file": Part(wrapped_file, ONE, FLOW_CONTROL, app=BODIES),
    "crowd": Part(crowd, FEW, FLOW_CONTROL, app=BODIES),
}

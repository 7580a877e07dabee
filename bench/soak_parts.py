"""The parts of the long run: what is done to a daemon under load, and what is judged of it."""

import math
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests import proc
from tests.deadlines import seconds, wait_for
from tests.functional.load import CLIENTS, Load, complaints, mixed, other_than
from tests.functional.outage import AGAIN, LOST, QUICK_REAPER, REAPABLE, REAPED, time_without_service
from tests.functional.releases import MISSING, release
from tests.functional.shooter import Shooter, judged

from bench.stage import HTTP, Stage

WORK = 10
"""Milliseconds that each request takes, where it matters."""

BROKEN = 4
"""One release of so many cannot be imported."""

DISPATCHERS = 10
"""Killed, and as many stopped."""

SAMPLES = 100
"""Looks at the dispatcher's memory and descriptors."""

WARM = 0.25
"""Of the requests: by then every buffer, cache and pool has its size."""

MOST_GROWTH = 0.05
"""Of the dispatcher's resident memory, from WARM to the end. Of 200,000 requests, 150,000 come then: with some 40 MB
that is 14 bytes for each, less than any Python object that could be left behind."""

Tell = Callable[[float], None]
"""How much of the part is done, from 0 to 1."""


@dataclass(frozen=True)
class Limits:
    seconds: float
    requests: int


@dataclass(frozen=True)
class Outcome:
    load: Load
    told: str
    """What happened, in a few words."""
    broken: list[str]
    """Promises."""


@dataclass(frozen=True)
class Part:
    play: Callable[[Stage, Limits, Tell], Outcome]
    options: tuple[str, ...]
    """Of the daemon."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Of Mongrel2."""


class Clock:
    """Until when a part goes on."""

    def __init__(self, limits: Limits, tell: Tell) -> None:
        self._begun = time.monotonic()
        self._length = limits.seconds
        self._tell = tell

    def goes_on(self) -> bool:
        done = (time.monotonic() - self._begun) / self._length
        self._tell(done)
        return done < 1


def deaths(stage: Stage, limits: Limits, tell: Tell) -> Outcome:
    """Workers that hold a request are shot again and again."""
    shooter, clock = Shooter(stage.ledger), Clock(limits, tell)
    with Load(stage.address, mixed(WORK)) as load:
        while clock.goes_on():
            shooter.shoot(load)
    statuses = Counter(each.status for each in load.records)
    told = f"{shooter.shots.total():,} workers shot, {statuses[502]:,} requests got 502"
    return Outcome(load, told, judged(load, stage.ledger, shooter.shots) + _lines(stage, load))


def restarts(stage: Stage, limits: Limits, tell: Tell) -> Outcome:
    """One release after the other; some cannot be imported."""
    clock, asked, broken = Clock(limits, tell), 0, []
    code = stage.daemon.folder / "app/wsgi.py"
    sound = code.read_text()
    with Load(stage.address, mixed(WORK)) as load:
        while clock.goes_on():
            asked += 1
            code.write_text(sound)
            release(stage.daemon.folder, str(asked), MISSING if asked % BROKEN == 0 else "")
            outcome = stage.daemon.run("restart")
            if (outcome.code == 0) != (asked % BROKEN != 0):
                broken.append(f"restart {asked} ended with {outcome.code}: {outcome.output}")
    broken += complaints(load) + [f"got {each.status}: {each}" for each in other_than(200, load.records)]
    broken += [f"request {number} ran {count} times" for number, count in stage.ledger.runs().items() if count != 1]
    told = f"{asked:,} restarts, {asked // BROKEN:,} of them with code that fails; only 200s"
    return Outcome(load, told, broken + _lines(stage, load))


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
    return Outcome(load, told, broken)


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
    return Outcome(load, told, broken + _lines(stage, load))


def _lines(stage: Stage, load: Load) -> list[str]:
    """One line in the access log for each request."""
    path = stage.daemon.folder / "logs/access.log"

    def count() -> int:
        with open(path, "rb") as lines:
            return sum(1 for _ in lines)

    wait_for(lambda: count() >= len(load.records), "the last lines of the access log")
    return [] if count() == len(load.records) else [f"{count()} lines in the access log"]


MANY, FEW = ("--workers", "8"), ("--workers", "2")

PARTS = {
    "deaths": Part(deaths, MANY),
    "restarts": Part(restarts, MANY),
    "dispatchers": Part(dispatchers, MANY, QUICK_REAPER),
    "flat": Part(flat, FEW),
}

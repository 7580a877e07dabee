"""Parts of the long run in which the daemon is given more than it can do: too many clients, requests that never end."""

import statistics

from tests.deadlines import seconds, wait_for
from tests.functional.hanging import FUNCTIONS, LATE, TIMEOUT, assert_told_and_killed, is_stuck, stick
from tests.functional.load import Load, Record, complaints, mixed, other_than, same

from bench.part import Clock, Limits, Outcome, Tell, access_lines
from bench.stage import Stage

CROWD = 200
"""Clients, for two workers and a queue of QUEUE_SIZE."""

QUEUE_SIZE = 20

SERVICE = 0.050
"""Seconds that each of their requests takes."""

NEIGHBOURS = 3
"""Clients whose requests are served beside those that hang."""

NEIGHBOUR_WORK = 200
"""Milliseconds. A part of the time limit, so that each thread is at one when its neighbour is given up."""


def overload(stage: Stage, limits: Limits, tell: Tell) -> Outcome:
    """Many more clients than the workers can serve and the queue can hold; who is refused comes back later."""
    clock = Clock(limits, tell)
    crowd = same("POST", f"ms={SERVICE * 1000:.0f}")
    with Load(stage.address, crowd, clients=CROWD, patient=True) as load:
        while clock.goes_on():
            load.wait_for(1)
    refused = other_than(200, load.records)
    half = statistics.median(each.took for each in refused)
    broken = complaints(load) + [f"got {each.status}: {each}" for each in refused if each.status != 503]
    if stage.ledger.runs() != {str(each.number): 1 for each in load.records if each.status == 200}:
        broken.append("what ran is not what was served, each once")
    if half > SERVICE / 2:
        broken.append(f"half of those that were refused waited for more than {half:.3f} s")
    served = len(load.records) - len(refused)
    told = f"{served:,} served, {len(refused):,} refused, half of these within {half * 1000:.0f} ms"
    return Outcome(load.records, told, broken + access_lines(stage, load.records))


def hung(stage: Stage, limits: Limits, tell: Tell) -> Outcome:
    """Requests hang, one in each way at a time; those of other workers do not notice."""
    clock, stuck = Clock(limits, tell), list[Record]()
    with Load(stage.address, mixed(NEIGHBOUR_WORK), clients=NEIGHBOURS) as good:
        while clock.goes_on():
            stuck += _hang(stage, list(range(len(FUNCTIONS))))
    broken = complaints(good) + [f"got {each.status}: {each}" for each in other_than(200, good.records)]
    return _judged(stage, good, stuck, broken)


def threads(stage: Stage, limits: Limits, tell: Tell) -> Outcome:
    """A request hangs beside good ones in the other threads of its worker, which is the only one."""
    clock, stuck, locked = Clock(limits, tell), list[Record](), 0
    with Load(stage.address, mixed(NEIGHBOUR_WORK), clients=NEIGHBOURS) as good:
        while clock.goes_on():
            good.wait_for(NEIGHBOURS)
            way = len(stuck) % len(FUNCTIONS)
            stuck += _hang(stage, [way])
            locked += list(FUNCTIONS)[way] == "regex"
    late = other_than(200, good.records)
    broken = complaints(good) + [f"got {each.status}: {each}" for each in other_than(504, late)]
    if len(late) > NEIGHBOURS * locked:  # what runs beside the regular expression waits for the interpreter lock
        broken.append(f"{len(late)} neighbours got 504, {locked} times the interpreter lock was held")
    return _judged(stage, good, stuck, broken)


def _hang(stage: Stage, ways: list[int]) -> list[Record]:
    """One request for each of these ways (see `stick`); returns when their workers have been replaced. Raises
    AssertionError."""
    daemon, ledger = stage.daemon, stage.ledger
    before = len(daemon.worker_pids)
    with Load(stage.address, lambda index: stick(ways[index]), clients=len(ways), limit=len(ways)) as stuck:
        stuck.join()
    assert complaints(stuck) == []
    entries = [each for each in ledger.running() if is_stuck(each)]
    assert len(entries) == len(ways), f"{len(ways)} requests that hang were given to a worker {len(entries)} times"
    for entry in entries:
        assert_told_and_killed(daemon, entry)
        ledger.forget(entry.pid)
    wait_for(lambda: len(daemon.worker_pids) == before, "replacements")
    return stuck.records


def _judged(stage: Stage, good: Load, stuck: list[Record], broken: list[str]) -> Outcome:
    """All that hung got 504 in time."""
    latest = max(each.took for each in stuck)
    broken += [f"a request that hung got {each.status} after {each.took:.2f} s" for each in stuck if not _on_time(each)]
    late = sum(each.status == 504 for each in good.records)
    told = f"{len(stuck)} requests hung and got 504 after {latest:.2f} s at most"
    told += f", {late} of {len(good.records):,} neighbours with them" if late else f", {len(good.records):,} others 200"
    records = good.records + stuck
    return Outcome(records, told, broken + access_lines(stage, records))


def _on_time(stuck: Record) -> bool:
    return stuck.status == 504 and TIMEOUT <= stuck.took < TIMEOUT + seconds(LATE)

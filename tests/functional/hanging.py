"""Requests that never end, for tests/apps/ledger served with ``--timeout``; and what must be told and done of each."""

import re

from tests import proc
from tests.deadlines import wait_for
from tests.functional.daemon import ACCESS, Daemon
from tests.functional.ledger import Entry
from tests.functional.load import Asked

TIMEOUT = 1.0
"""Seconds, of ``--timeout``. Not stretched on a slow machine: the requests that are to end take milliseconds."""

LATE = 3.0
"""Seconds (before stretching) after the time limit within which the 504 must have come."""

RESPITE = 5.0
"""Seconds from the 504 until the worker is killed, whatever its other requests do."""

FUNCTIONS = {"sleep": "_sleep", "loop": "_loop", "regex": "_regex", "stubborn": "_stubborn"}
"""Of tests/apps/ledger: where requests get stuck."""

OPTIONS = ("--timeout", str(TIMEOUT))

STACK = r"(?:Current thread|Thread) 0x.+\(most recent call first\):\n(?:  File \".+\", line \d+ in .+\n)+"
"""As faulthandler writes that of one thread."""


def stick(number: int) -> Asked:
    """Each in another way; odd ones are POSTs."""
    return Asked("POST" if number % 2 else "GET", f"/stuck-{number}?stick={list(FUNCTIONS)[number]}")


def is_stuck(entry: Entry) -> bool:
    """It is one of those that `stick` makes."""
    return entry.number.startswith("stuck-")


def assert_told_and_killed(daemon: Daemon, stuck: Entry) -> None:
    """The log has the request and the stacks of its worker, which is gone."""
    how = list(FUNCTIONS)[int(stuck.number.removeprefix("stuck-"))]
    daemon.wait_for_log(f"{stuck.method} /{stuck.number}?stick={how}")
    daemon.wait_for_log(f" in {FUNCTIONS[how]}")
    wait_for(lambda: not proc.alive(stuck.pid), "the worker to be gone", RESPITE + LATE)
    wait_for(lambda: stuck.pid not in daemon.worker_pids, "the master to have noticed")
    [stacks] = stacks_of(daemon, stuck.pid)
    told = {each for each in FUNCTIONS.values() if f" in {each}\n" in stacks}
    # On a machine that is very busy the loop, which can be interrupted, may have been before its stacks were asked for.
    assert told == {FUNCTIONS[how]} or (how == "loop" and not told)


def stacks_of(daemon: Daemon, worker: int) -> list[str]:
    """Those of this worker that are in the log, each in one piece with nothing else in it."""
    found = []
    main_log = re.sub(rf"{ACCESS.pattern}\n", "", daemon.log, flags=re.MULTILINE)
    for record in re.split(r"^(?=\d{4}-)", main_log, flags=re.MULTILINE):
        heading, _, text = record.partition("\n")
        if heading.endswith(f"stacks of worker {worker}:"):
            found.append(re.sub(r"^    ", "", text, flags=re.MULTILINE))
            assert re.fullmatch(rf"{STACK}(?:\n{STACK})*", found[-1]), record
    return found

"""Kills workers while they hold a request, and knows which request it was.

A worker is stopped (SIGSTOP) before it is killed, so that what the ledger says of it still holds when it dies: the
request has begun, and nothing of an answer was sent.
"""

import os
import signal
from collections import Counter

from tests import proc
from tests.deadlines import wait_for
from tests.functional.ledger import Entry, Ledger
from tests.functional.load import Load, complaints

BETWEEN = 10
"""Requests that end from one shot to the next."""

CHASE = 3
"""One shot of so many is for the same GET as the one before, in the hands of the worker that got it next."""


class Shooter:
    def __init__(self, ledger: Ledger, *, chase: bool = True) -> None:
        """Without ``chase`` it takes whom it meets: other servers give no request to a second worker."""
        self.shots: Counter[str] = Counter()
        """How often each request was shot, by number."""
        self._ledger = ledger
        self._chase = chase
        self._last: Entry | None = None

    def shoot(self, load: Load) -> Entry:
        """Kills one worker; gives what it held. Raises AssertionError."""
        if self._chased() is None:
            load.wait_for(BETWEEN)
        return wait_for(self.fire, "a worker that holds a request")

    def fire(self) -> Entry | None:
        """Kills one worker, if one holds a request. Raises AssertionError."""
        entry = self._hold()
        if entry is None:
            return None
        os.kill(entry.pid, signal.SIGKILL)
        self._ledger.forget(entry.pid)
        self.shots[entry.number] += 1
        self._last = entry
        return entry

    def _hold(self) -> Entry | None:
        """Stops a worker that holds a request; one that was too quick goes on."""
        targets = self._targets()
        if not targets:
            return None
        entry = targets[0]
        os.kill(entry.pid, signal.SIGSTOP)
        wait_for(lambda: _stands_still(entry.pid), f"the worker {entry.pid} to stop")
        if entry in self._ledger.running():
            return entry
        os.kill(entry.pid, signal.SIGCONT)
        return None

    def _targets(self) -> list[Entry]:
        running, chased = self._ledger.running(), self._chased()
        return running if chased is None else [each for each in running if each.number == chased]

    def _chased(self) -> str | None:
        """The number of the GET that is to be shot again, unless it has got away meanwhile."""
        last = self._last
        if not self._chase or last is None or last.method != "GET" or last.attempt > 1 or self.shots.total() % CHASE:
            return None
        return None if last.number in self._ledger.ended else last.number


def _stands_still(pid: int) -> bool:
    found = proc.process(pid)
    assert found is not None, f"the worker {pid} died by itself"
    return found.state in "TZ"


def judged(load: Load, ledger: Ledger, shots: Counter[str]) -> list[str]:
    """What is wrong with how the requests of ``load`` ended, when exactly ``shots`` were fired: empty when all is well.

    A GET fails only if it was shot twice, a POST if it was shot once; what has failed got 502. No POST ran twice, and a
    GET only after a shot.
    """
    told, runs = complaints(load), ledger.runs()
    for each in load.records:
        shot = shots[str(each.number)]
        lives = 2 if each.method == "GET" else 1
        expected = 502 if shot >= lives else 200
        if each.status != expected and not each.trouble:
            told.append(f"{each.method} {each.number}: {each.status}, shot {shot} times")
        if runs[str(each.number)] != min(lives, shot + 1):
            told.append(f"{each.method} {each.number}: ran {runs[str(each.number)]} times, shot {shot} times")
    return told

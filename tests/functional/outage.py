"""The end of a dispatcher: how it is brought about, what it may cost, and how soon the next one serves."""

import os
import signal
import time

from tests import proc
from tests.deadlines import wait_for
from tests.functional.clients import Connection
from tests.functional.daemon import Daemon

AGAIN = 2.0
"""Seconds (before stretching) until a new connection has its answer."""

LOST = {"", "no answer", "cut"}
"""What may become of a request when the dispatcher dies: answered, or its connection ends."""

QUICK_REAPER = {
    "limits.tick_timer": "1",
    "limits.min_ping": "1",
    "limits.min_read_rate": "1000000000",
    "limits.min_write_rate": "1000000000",
}
"""Mongrel2 looks every second for clients of which it has heard nothing for more than a second, and ends them. Both
rates, which count towards it (``limits.kill_limit``), are out of reach: every client that waits so long is ended."""

REAPABLE = 4
"""Clients: with each look Mongrel2 ends only every other one of those it should (measured: of 32 clients 16, 8, 4, 2, 1
and 1, from second to second), as it takes them out of the list that it goes through."""

REAPED = 400
"""What some clients get from Mongrel2 as its reaper ends them: to it their connection has failed, and so has parsing
what they might have asked for next."""


def time_without_service(daemon: Daemon, how: signal.Signals) -> float:
    """Seconds from the end of this dispatcher until a new connection has its answer; it is dead then."""
    dispatcher = daemon.dispatcher_pid
    begun = time.monotonic()
    os.kill(dispatcher, how)
    wait_for(lambda: not _serves(dispatcher), f"the dispatcher to have got {how.name}")
    with Connection(daemon.address) as client:
        client.ask("/new")
        assert client.answer().status == 200
    took = time.monotonic() - begun
    assert not proc.alive(dispatcher)
    return took


def _serves(pid: int) -> bool:
    found = proc.process(pid)
    return found is not None and found.state not in "TZ"

"""Mongrel2 goes and comes back, or the dispatcher does: no answer may reach another's client, and every client ends.

Mongrel2 counts its connections from 1 again when it restarts."""

import os
import signal

import pytest

from tests.functional.clients import Connection, Cut
from tests.functional.conftest import MakeDaemon, MakeMongrel2
from tests.functional.full_queue import refused_one
from tests.functional.gate import Gates

HELD = 4
"""Requests in progress when Mongrel2 restarts: half of the workers are at them."""


@pytest.mark.parametrize("protocol", ["json", "tnetstring"])
def test_no_answer_crosses_a_restart(mongrel2: MakeMongrel2, serve: MakeDaemon, gates: Gates, protocol: str) -> None:
    server = mongrel2(protocol=protocol)
    daemon = serve("plain", *server.options, "--workers", str(2 * HELD), env=gates.env)
    clients = [Connection(server.address) for _ in range(HELD)]
    for number, old in enumerate(clients):
        _hold(old, gates, f"old-{number}")
    server.restart()
    for old in clients:
        old.close()
    new = [Connection(server.address) for _ in range(2 * HELD)]
    for number in range(HELD):
        _hold(new[number], gates, f"new-{number}")
    for number in range(HELD):
        gates.release(f"old-{number}", b"of the old one")
    # More are held at once than there are workers besides those of the old requests. So these have been given another,
    # and what they said to the old one has been through the dispatcher and, in order, before all that comes now.
    for number in range(HELD, 2 * HELD):
        _hold(new[number], gates, f"new-{number}")
    for number, client in enumerate(new):
        gates.release(f"new-{number}", b"of the new one, %d" % number)
        assert client.answer().body == b"of the new one, %d" % number
        client.close()
    assert "dropped" in daemon.wait_for_log("the answers for")
    assert sum(" 499 " in line for line in daemon.access_log) == HELD


def _hold(client: Connection, gates: Gates, name: str) -> None:
    client.ask(f"/hold?fifo={gates.make(name)}")
    gates.wait_until_held(name)


def test_requests_are_served_whenever_it_is_up(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    server = mongrel2()
    daemon = serve("plain", *server.options)
    for _ in range(3):
        with Connection(server.address) as client:
            client.ask("/")
            assert client.answer().status == 200
        server.stop()
        server.start()
        # Sent before the daemon can have noticed that it is back: Mongrel2 keeps it until the daemon calls.
        with Connection(server.address) as client:
            client.ask("/pid")
            assert int(client.answer().body) in daemon.worker_pids


def test_a_mongrel2_that_comes_late_is_found(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    server = mongrel2(start=False)
    daemon = serve("plain", *server.options)
    server.start()
    with Connection(server.address) as client:
        client.ask("/pid")
        assert int(client.answer().body) in daemon.worker_pids


REAPER = {"limits.min_ping": "2", "limits.tick_timer": "1"}
"""Seconds. Mongrel2 ends a connection that was idle for longer and carried little: also that of a client whose request
has got lost."""


def test_every_client_of_a_killed_dispatcher_ends(mongrel2: MakeMongrel2, serve: MakeDaemon, gates: Gates) -> None:
    server = mongrel2(settings=REAPER)
    daemon = serve("plain", *server.options, "--workers", "2", "--queue-size", "2", env=gates.env)
    held, streaming, *waiting = clients = [Connection(server.address) for _ in range(5)]
    held.ask(f"/hold?fifo={gates.make('held')}")
    streaming.ask(f"/gate-stream?fifo={gates.make('streaming')}")
    for name in ("held", "streaming"):
        gates.wait_until_held(name)
    for each in waiting:
        each.ask("/")
    refused, _ = refused_one(waiting)
    os.kill(daemon.dispatcher_pid, signal.SIGKILL)
    for each in clients:
        if each is not refused:
            with pytest.raises(Cut):
                each.answer()
        each.close()
    for name in ("held", "streaming"):
        gates.release(name)
    with Connection(server.address) as client:
        client.ask("/")
        assert client.answer().status == 200

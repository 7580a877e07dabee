"""The dispatcher is killed: the listening sockets and the workers outlive it, and serve with the next one."""

import os
import signal

import pytest

from tests import proc
from tests.deadlines import seconds, wait_for
from tests.functional.clients import Connection, Cut
from tests.functional.conftest import MakeDaemon, MakeMongrel2
from tests.functional.daemon import Daemon
from tests.functional.gate import Gates
from tests.functional.ledger import Ledger
from tests.functional.load import Load, mixed
from tests.functional.outage import AGAIN, LOST, QUICK_REAPER, REAPABLE, REAPED, time_without_service

DEATHS = 3
"""Of dispatchers, one after the other."""

HOW = pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])


def test_workers_serve_the_next_one(serve: MakeDaemon, gates: Gates) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", "--workers", "1", "--threads", "2", env=gates.env)
    [worker] = daemon.worker_pids
    dispatcher = daemon.dispatcher_pid
    with Connection(daemon.address) as lost:
        _hold(lost, gates, "lost")
        os.kill(dispatcher, signal.SIGKILL)
        with pytest.raises(Cut):
            lost.answer()
    with Connection(daemon.address) as other:
        other.ask("/pid")  # while the one thread is held by a request whose client is gone, the other takes this
        assert int(other.answer().body) == worker
    gates.release("lost")
    with Connection(daemon.address) as first, Connection(daemon.address) as second:
        for name, client in (("first", first), ("second", second)):
            _hold(client, gates, name)  # both at once: both threads serve again
        for name, client in (("first", first), ("second", second)):
            gates.release(name, name.encode())
            assert client.answer().body == name.encode()
    assert daemon.worker_pids == [worker]
    assert daemon.dispatcher_pid != dispatcher
    assert "SIGKILL" in daemon.wait_for_log(f"dispatcher {dispatcher} died")


def test_one_that_is_aborted_tells_where_it_was(serve: MakeDaemon) -> None:
    """In a record before the line about its death; the master aborts those that say nothing."""
    daemon = serve("plain", "--bind", "127.0.0.1:0")
    dispatcher = daemon.dispatcher_pid
    os.kill(dispatcher, signal.SIGABRT)
    line = daemon.wait_for_log(f"dispatcher {dispatcher} died")
    _, told, stacks = daemon.log.partition(line)[0].partition(
        f"stacks of dispatcher {dispatcher}:\n    Fatal Python error: Aborted\n"
    )
    assert told
    assert "in _serve\n" in stacks or "in run\n" in stacks


def _hold(client: Connection, gates: Gates, name: str) -> None:
    client.ask(f"/hold?fifo={gates.make(name)}")
    gates.wait_until_held(name)


@HOW
def test_new_connections_are_served_at_once_and_nothing_leaks(
    serve: MakeDaemon, ledger: Ledger, how: signal.Signals
) -> None:
    daemon = serve("ledger", "--bind", "127.0.0.1:0", "--workers", "4", env=ledger.env)
    pids, before = _own_pids(daemon), _descriptor_counts(daemon)
    with Load(daemon.address, mixed(milliseconds=5), clients=8) as load:  # more would compete for the processor
        for _ in range(DEATHS):
            load.wait_for(50)
            assert time_without_service(daemon, how) < seconds(AGAIN)
    assert {each.trouble for each in load.records} <= LOST
    assert {each.status for each in load.records} <= {0, 200}
    assert _own_pids(daemon) == pids
    wait_for(lambda: _descriptor_counts(daemon) == before, f"as many descriptors as before, {before}")
    assert len(daemon.processes()) == 6


def _own_pids(daemon: Daemon) -> set[int]:
    return {daemon.pid, *daemon.worker_pids}


def _descriptor_counts(daemon: Daemon) -> dict[int, int]:
    """Of all but the dispatcher, whose clients come and go."""
    return {pid: len(proc.descriptors(pid)) for pid in _own_pids(daemon)}


def test_a_request_that_hangs_does_not_keep_its_worker(serve: MakeDaemon, ledger: Ledger) -> None:
    """No other dispatcher knows of it, so ``--timeout`` is the master's business."""
    daemon = serve("ledger", "--bind", "127.0.0.1:0", "--workers", "1", "--timeout", "4", env=ledger.env)
    [worker] = daemon.worker_pids
    with Connection(daemon.address) as lost:
        lost.ask("/1?stick=sleep")
        wait_for(lambda: _looked(ledger).running(), "the request to be served")
        os.kill(daemon.dispatcher_pid, signal.SIGKILL)
    with Connection(daemon.address) as other:
        other.ask("/2")
        assert other.answer().status == 200
    assert "of the dispatcher that died" in daemon.wait_for_log(f"worker {worker} hangs")
    daemon.wait_for_log(" in _sleep")
    daemon.stop(signal.SIGQUIT)  # before its time is over


def _looked(ledger: Ledger) -> Ledger:
    ledger.look()
    return ledger


@HOW
def test_behind_mongrel2_every_client_ends(
    serve: MakeDaemon, mongrel2: MakeMongrel2, ledger: Ledger, how: signal.Signals
) -> None:
    server = mongrel2(settings=QUICK_REAPER)
    daemon = serve("ledger", *server.options, "--workers", "4", env=ledger.env)
    with Load(server.address, mixed(milliseconds=5), clients=REAPABLE) as load:
        load.wait_for(50)
        dispatcher = daemon.dispatcher_pid
        os.kill(dispatcher, how)
        wait_for(lambda: not proc.alive(dispatcher), "the old dispatcher to be gone")
        load.wait_for(100)
    assert {each.trouble for each in load.records} <= LOST
    assert {each.status for each in load.records} <= {0, 200, REAPED}
    assert not any(f'" {REAPED} ' in line for line in daemon.access_log), "if any got that, then from Mongrel2 itself"

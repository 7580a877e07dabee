"""Ctrl-C, SIGTERM and the time limit: what is in progress is finished first, nothing is left behind."""

import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import proc
from tests.deadlines import wait_for
from tests.functional.clients import Connection, Cut
from tests.functional.conftest import MakeDaemon, MakeSite
from tests.functional.full_queue import refused_one
from tests.functional.gate import Gates
from tests.functional.ledger import Ledger
from tests.functional.load import REFUSED, Load, mixed

HELLO = b"Hello, World!\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_to_the_whole_group(site: MakeSite, gates: Gates, tmp_path: Path, number: signal.Signals) -> None:
    served = site("plain", "--queue-size", "1", "--bind", f"unix:{tmp_path}/s", workers=2, env=gates.env)
    with ExitStack() as stack:
        idle = _idle(stack, f"{tmp_path}/s")
        first, second, third, fourth = (stack.enter_context(served.connect()) for _ in range(4))
        for name, held in (("first", first), ("second", second)):
            held.ask(f"/hold?fifo={gates.make(name)}")
            gates.wait_until_held(name)
        queued = _queued(third, fourth)
        served.daemon.send_to_group(number)
        idle.expect_end()
        if number is signal.SIGTERM:  # the workers leave SIGINT alone
            wait_for(lambda: served.daemon.log.count("leaving: told to by SIGTERM") == 2, "both to want to leave")
        gates.release("first", b"1")
        gates.release("second", b"2")
        assert first.answer().body == b"1"
        assert second.answer().body == b"2"
        assert queued.answer().body == HELLO
    assert served.daemon.wait() == 0
    served.daemon.assert_nothing_left()


def test_queued_requests_are_served_before_the_end(site: MakeSite, gates: Gates, tmp_path: Path) -> None:
    served = site("plain", "--queue-size", "1", "--bind", f"unix:{tmp_path}/s", workers=1, env=gates.env)
    with ExitStack() as stack:
        idle = _idle(stack, f"{tmp_path}/s")
        first, second, third = (stack.enter_context(served.connect()) for _ in range(3))
        first.ask(f"/hold?fifo={gates.make('first')}")
        gates.wait_until_held("first")
        queued = _queued(second, third)
        served.daemon.send(signal.SIGTERM)
        idle.expect_end()
        gates.release("first", b"1")
        assert first.answer().body == b"1"
        answer = queued.answer()
        assert answer.body == HELLO
        assert served.edge == "mongrel2" or answer.header("connection") == "close"
    assert served.daemon.wait() == 0
    served.daemon.assert_nothing_left()


def _idle(stack: ExitStack, path: str) -> Connection:
    """A connection that the dispatcher keeps open until it drains: its end says that the signal has arrived there."""
    idle = stack.enter_context(Connection(path))
    idle.ask("/")
    assert idle.answer().body == HELLO
    return idle


def _queued(*connections: Connection) -> Connection:
    """Both ask for ``/``; the one whose request is in the queue."""
    for each in connections:
        each.ask("/")
    refused, _ = refused_one(connections)
    [queued] = (each for each in connections if each is not refused)
    return queued


def test_after_the_time_limit_what_is_left_is_refused_or_cut(site: MakeSite, gates: Gates) -> None:
    served = site("plain", "--graceful-timeout", "0.2", workers=2, env=gates.env)
    with served.connect() as held, served.connect() as begun:
        held.ask(f"/hold?fifo={gates.make('held')}")
        begun.ask(f"/gate-stream?fifo={gates.make('begun')}")
        gates.wait_until_held("held")
        gates.wait_until_held("begun")
        served.daemon.send(signal.SIGTERM)
        assert held.answer().status == 503
        with pytest.raises(Cut):
            begun.answer()
    assert served.daemon.wait() == 0
    served.daemon.assert_nothing_left()


def test_a_second_signal_ends_at_once(site: MakeSite, gates: Gates) -> None:
    served = site("plain", workers=1, env=gates.env)
    with served.connect() as held:
        held.ask(f"/hold?fifo={gates.make('held')}")
        gates.wait_until_held("held")
        served.daemon.send(signal.SIGINT)
        served.daemon.wait_for_log("SIGINT: stopping")
        served.daemon.send(signal.SIGINT)
        assert served.daemon.wait() == 0
    served.daemon.assert_nothing_left()


def test_without_the_master_the_others_finish_and_leave(serve: MakeDaemon, gates: Gates) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", "--workers", "2", env=gates.env)
    host, port = daemon.url.removeprefix("http://").split(":")
    with Connection((host, int(port))) as held:
        held.ask(f"/hold?fifo={gates.make('held')}")
        gates.wait_until_held("held")
        daemon.send(signal.SIGKILL)
        gates.release("held", b"finished")
        assert held.answer().body == b"finished"
    wait_for(lambda: not daemon.processes(), "dispatcher and workers to leave")
    daemon.kill()
    again = serve(daemon.folder, "--bind", "127.0.0.1:0")
    assert not (daemon.folder / f"run/{daemon.pid}").exists(), "a new start clears what the dead one left"
    assert all(proc.alive(int(file.stem)) for file in daemon.folder.glob("pid/*/*.pid"))
    again.stop()


def test_without_the_master_a_request_that_hangs_keeps_nobody(serve: MakeDaemon, ledger: Ledger) -> None:
    options = ("--bind", "127.0.0.1:0", "--workers", "2", "--graceful-timeout", "0.5")
    daemon = serve("ledger", *options, env=ledger.env)
    with ExitStack() as stack:
        for target in ("/1?stick=sleep", "/2?stick=regex"):  # the second one holds the interpreter lock
            stack.enter_context(Connection(daemon.address)).ask(target)
        wait_for(lambda: _begun(ledger) == 2, "both to be served")
        daemon.send(signal.SIGKILL)
        wait_for(lambda: not daemon.processes(), "dispatcher and workers to be gone")
    daemon.wait_for_log("/2?stick=regex")
    daemon.kill()


def _begun(ledger: Ledger) -> int:
    ledger.look()
    return len(ledger.begun)


def test_queued_requests_are_refused_when_no_worker_is_left(serve: MakeDaemon, ledger: Ledger) -> None:
    daemon = serve("ledger", "--bind", "127.0.0.1:0", "--workers", "1", "--no-keep-alive", env=ledger.env)
    with Connection(daemon.address) as held, Connection(daemon.address) as queued:
        held.ask("/1?stick=sleep", "POST")
        wait_for(lambda: _begun(ledger) == 1, "it to be served")
        queued.ask("/2")
        wait_for(lambda: "1 requests queued" in daemon.run("status").output, "the queue")
        proc.kill(next(each for each in daemon.processes() if each.pid in daemon.worker_pids))
        assert held.answer().status == 502
        assert queued.answer().status == 503
    assert daemon.wait() == 1
    codes = sorted(line.split('" ')[1][:3] for line in daemon.access_log)
    assert codes == ["502", "503"]


def test_what_is_ended_at_once_is_answered_and_logged(serve: MakeDaemon, ledger: Ledger) -> None:
    daemon = serve("ledger", "--bind", "127.0.0.1:0", "--workers", "1", env=ledger.env)
    with Connection(daemon.address) as held, Connection(daemon.address) as queued:
        held.ask("/1?stick=sleep", "POST")
        wait_for(lambda: _begun(ledger) == 1, "it to be served")
        queued.ask("/2")
        wait_for(lambda: "1 requests queued" in daemon.run("status").output, "the queue")
        daemon.send(signal.SIGQUIT)
        answered = sorted(str(each.answer().status) for each in (held, queued))
    assert daemon.wait() == 0
    assert answered in (["502", "503"], ["503", "503"])
    assert sorted(line.split('" ')[1][:3] for line in daemon.access_log) == answered


def test_the_command_stops_it_under_load(serve: MakeDaemon, ledger: Ledger) -> None:
    """Behind Mongrel2 the requests that ZeroMQ still had in flight would be lost, so this is of our own edge."""
    daemon = serve("ledger", "--bind", "127.0.0.1:0", "--workers", "4", env=ledger.env)
    with Load(daemon.address, mixed(milliseconds=5)) as load:
        load.wait_for(200)
        outcome = daemon.run("stop")
    assert outcome.code == 0, outcome.output
    assert not daemon.processes(), "it returns when they have ended"
    assert daemon.wait() == 0
    daemon.assert_nothing_left()
    assert {each.status for each in load.records} <= {0, 200}
    ran = ledger.runs()
    unanswered = [each for each in load.records if each.status == 0]
    assert [each for each in unanswered if ran[str(each.number)]] == [], "what has been run is answered"
    assert {each.trouble for each in unanswered} <= {"no answer", REFUSED}


@pytest.mark.parametrize("times", [1, 2])
def test_the_command_stops_one_that_is_held_up(site: MakeSite, gates: Gates, times: int) -> None:
    served = site("plain", workers=1, env=gates.env)
    with served.connect() as held:
        held.ask(f"/hold?fifo={gates.make('held')}")
        gates.wait_until_held("held")
        for told in ("SIGTERM: stopping", "SIGTERM: ending at once")[:times]:
            assert served.daemon.run("stop", "--no-wait").code == 0
            served.daemon.wait_for_log(told)
        if times == 1:
            gates.release("held", b"finished")
            assert held.answer().body == b"finished"
        assert served.daemon.wait() == 0
    served.daemon.assert_nothing_left()

"""Ctrl-C, SIGTERM and the time limit: what is in progress is finished first, nothing is left behind."""

import signal

import pytest

from tests import proc
from tests.deadlines import wait_for
from tests.functional.clients import Connection, Cut
from tests.functional.conftest import MakeDaemon, MakeSite
from tests.functional.gate import Gates


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_to_the_whole_group(site: MakeSite, gates: Gates, number: signal.Signals) -> None:
    served = site("plain", workers=2, env=gates.env)
    with served.connect() as first, served.connect() as second, served.connect() as third:
        first.ask(f"/hold?fifo={gates.make('first')}")
        second.ask(f"/hold?fifo={gates.make('second')}")
        gates.wait_until_held("first")
        gates.wait_until_held("second")
        third.ask("/")  # in the queue, since both workers are held
        if served.edge == "mongrel2":  # what has not reached the dispatcher yet is lost with ZeroMQ's buffer
            wait_for(lambda: "worker" in served.daemon.output, "the daemon")
        served.daemon.send_to_group(number)
        gates.release("first", b"1")
        gates.release("second", b"2")
        assert first.answer().body == b"1"
        assert second.answer().body == b"2"
    assert served.daemon.wait() == 0
    served.daemon.assert_nothing_left()


def test_queued_requests_are_served_before_the_end(serve: MakeDaemon, gates: Gates) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", env=gates.env)
    host, port = daemon.url.removeprefix("http://").split(":")
    with Connection((host, int(port))) as first, Connection((host, int(port))) as second:
        first.ask(f"/hold?fifo={gates.make('first')}")
        gates.wait_until_held("first")
        second.ask("/")
        # The queue has it for certain when a third one, sent later on the same loop, has been refused or queued: the
        # dispatcher reads connections in the order in which they become readable.
        daemon.send(signal.SIGTERM)
        gates.release("first", b"1")
        assert first.answer().body == b"1"
        answer = second.answer()
        assert answer.body == b"Hello, World!\n"
        assert answer.header("connection") == "close"
    assert daemon.wait() == 0
    daemon.assert_nothing_left()


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
        served.daemon.wait_for_log("stop")
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

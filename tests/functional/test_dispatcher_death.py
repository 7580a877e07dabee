"""The dispatcher is killed: the listening sockets and the workers outlive it, and serve with the next one."""

import os
import signal

import pytest

from tests.functional.clients import Connection, Cut
from tests.functional.conftest import MakeDaemon
from tests.functional.daemon import Daemon
from tests.functional.gate import Gates


def test_workers_serve_the_next_one(serve: MakeDaemon, gates: Gates) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", "--workers", "1", "--threads", "2", env=gates.env)
    [worker] = daemon.worker_pids
    dispatcher = _dispatcher(daemon)
    with _connect(daemon) as lost:
        _hold(lost, gates, "lost")
        os.kill(dispatcher, signal.SIGKILL)
        with pytest.raises(Cut):
            lost.answer()
    with _connect(daemon) as other:
        other.ask("/pid")  # while the one thread is held by a request whose client is gone, the other takes this
        assert int(other.answer().body) == worker
    gates.release("lost")
    with _connect(daemon) as first, _connect(daemon) as second:
        for name, client in (("first", first), ("second", second)):
            _hold(client, gates, name)  # both at once: both threads serve again
        for name, client in (("first", first), ("second", second)):
            gates.release(name, name.encode())
            assert client.answer().body == name.encode()
    assert daemon.worker_pids == [worker]
    assert _dispatcher(daemon) != dispatcher
    assert "SIGKILL" in daemon.wait_for_log(f"dispatcher {dispatcher} died")


def _dispatcher(daemon: Daemon) -> int:
    """The master's only child that is no worker."""
    [pid] = {each.pid for each in daemon.processes() if each.parent == daemon.pid}.difference(daemon.worker_pids)
    return pid


def _connect(daemon: Daemon) -> Connection:
    host, port = daemon.url.removeprefix("http://").rsplit(":", 1)
    return Connection((host, int(port)))


def _hold(client: Connection, gates: Gates, name: str) -> None:
    client.ask(f"/hold?fifo={gates.make(name)}")
    gates.wait_until_held(name)

"""Mongrel2's reaper, set to seconds: it must end none of the connections on which we are at work."""

import contextlib
import time

import pytest
import zmq

from tests.deadlines import seconds, wait_for
from tests.functional import clients
from tests.functional.clients import Connection
from tests.functional.conftest import MakeDaemon, MakeFolder, MakeMongrel2
from tests.functional.gate import Gates
from tests.functional.mongrel2 import Mongrel2

HELLO = b"Hello, World!\n"

MIN_PING = 5
"""Seconds for which the machine may stand still: then we, too, say nothing."""

REAPER = {"limits.min_ping": str(MIN_PING), "limits.tick_timer": "1"}
"""A connection that was idle for longer, and carried little, is ended."""

REAPED = "Killed 1 connections"


@pytest.mark.parametrize("settings", [{}, {"download.flow_control": "1"}])
def test_a_request_that_takes_long(
    mongrel2: MakeMongrel2, serve: MakeDaemon, gates: Gates, settings: dict[str, str]
) -> None:
    """In a worker's hands, and in the queue behind it."""
    server = mongrel2(settings={**REAPER, **settings})
    serve("plain", *server.options, "--workers", "2", env=gates.env)
    with Connection(server.address) as held, Connection(server.address) as other:
        held.ask(f"/hold?fifo={gates.make('held')}")
        other.ask(f"/gate-stream?fifo={gates.make('other')}")
        for name in ("held", "other"):
            gates.wait_until_held(name)
        with Connection(server.address) as queued:
            queued.ask("/")
            _until_the_reaper_has_looked(server)
            gates.release("held", b"held")
            assert held.answer().body == b"held"
            assert queued.answer().body == HELLO
        gates.release("other")
        assert b"second" in other.answer().body


def _until_the_reaper_has_looked(server: Mongrel2) -> None:
    """At a connection, too, that is younger than all others, and that it has ended."""
    with Connection(server.address) as idle:
        idle.expect_end()


@pytest.mark.parametrize("settings", [{}, {"download.flow_control": "1"}])
def test_small_events_far_apart(
    mongrel2: MakeMongrel2, serve: MakeDaemon, gates: Gates, settings: dict[str, str]
) -> None:
    """Each alone carries too little to count. None waits for the next."""
    server = mongrel2(settings={**REAPER, **settings})
    serve("plain", *server.options, env=gates.env)
    with Connection(server.address) as client:
        client.ask(f"/gate-stream?fifo={gates.make('one')}&fifo={gates.make('two')}")
        received = b""
        for event, gate in ((b"first", "one"), (b"second", "two")):
            while event not in received:
                received += client.receive()
            _until_the_reaper_has_looked(server)
            gates.release(gate)
        while b"third" not in received:
            received += client.receive()


EVENTS = """
import time

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/event-stream")])
    return events()

def events():
    for _ in range(48):
        yield f"data: {time.monotonic()}\\n\\n".encode()
        time.sleep(0.25)  # the events' pace, not a wait
"""

LATE = seconds(3)
"""Seconds: docs/mongrel2.md has two for such a stream, and the machine may be busy."""


def test_a_stream_of_events_outlives_the_reaper(
    mongrel2: MakeMongrel2, serve: MakeDaemon, app_folder: MakeFolder
) -> None:
    """All arrive on time: each tells when it was made, on the clock of this machine."""
    server = mongrel2(settings=REAPER)
    serve(app_folder("events", {"app/wsgi.py": EVENTS}), *server.options)
    with Connection(server.address) as client:
        client.ask("/", version="1.0")
        lines, received = [], b""
        while data := client.receive():
            *whole, received = (received + data).split(b"\n\n")
            lines += [(time.monotonic(), line) for line in whole]
    made = [(at, float(line.rpartition(b"data: ")[2])) for at, line in lines]
    assert len(made) == 48
    assert max(at - when for at, when in made) < LATE


def test_an_idle_connection_is_still_ended(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    server = mongrel2(settings=REAPER)
    serve("plain", *server.options)
    with Connection(server.address) as client:
        client.ask("/")
        assert client.answer().body == HELLO
        client.expect_end()
    wait_for(lambda: REAPED in server.log, "the reaper's word about it")


@pytest.mark.parametrize("stream", ["0", "1"])
def test_a_slow_upload(mongrel2: MakeMongrel2, serve: MakeDaemon, stream: str) -> None:
    """1 KB a second, for longer than an idle connection lasts."""
    server = mongrel2(settings={**REAPER, "upload.stream": stream})
    serve("plain", *server.options)
    with Connection(server.address) as client:
        client.send(clients.request_bytes("/echo", "POST", {"Content-Length": "25000"}))
        for _ in range(15 * MIN_PING):
            client.send(bytes(100))
            time.sleep(0.1)  # this is the client's pace, not a wait
        client.send(bytes(25_000 - 1500 * MIN_PING))
        assert client.answer("POST").body == bytes(25_000)


def test_a_streamed_upload_that_stops_is_refused(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    """The reaper does not end it, for we keep it alive: we do."""
    server = mongrel2(settings={**REAPER, "upload.stream": "1"})
    daemon = serve("plain", *server.options, "--body-timeout", "3")
    with Connection(server.address) as client:
        client.send(clients.request_bytes("/echo", "POST", {"Content-Length": "25000"}) + bytes(100))
        assert client.answer("POST").status == 408
        client.expect_end()
    assert sum(" 408 " in line for line in daemon.wait_for_access(1)) == 1


def test_a_streamed_upload_that_trickles_is_refused(mongrel2: MakeMongrel2, serve: MakeDaemon) -> None:
    """A byte now and then would keep it for good: the same rule as by HTTP (tests/functional/test_body_times.py)."""
    server = mongrel2(settings={"upload.stream": "1"})
    daemon = serve("plain", *server.options, "--body-timeout", "2")
    with Connection(server.address) as client:
        client.send(clients.request_bytes("/echo", "POST", {"Content-Length": "25000"}))
        client.socket.settimeout(0.1)  # the client's pace
        answer = b""
        while not answer:
            client.send(b"x")
            with contextlib.suppress(TimeoutError):
                answer = client.receive()
        assert answer.startswith(b"HTTP/1.1 408 ")
    assert sum(" 408 " in line for line in daemon.wait_for_access(1)) == 1


def test_a_client_that_mongrel2_ended_without_a_word(mongrel2: MakeMongrel2, serve: MakeDaemon, gates: Gates) -> None:
    """It tells the handler only when the handler says something to a connection that is no more."""
    server = mongrel2()
    daemon = serve("plain", *server.options, env=gates.env)
    with Connection(server.address) as client:
        client.ask(f"/hold?fifo={gates.make('gate')}")
        gates.wait_until_held("gate")
        _end_first_connection(server)
        client.expect_end()
        wait_for(lambda: sum(" 499 " in line for line in daemon.access_log) == 1, "its line in the log")
    gates.release("gate", b"held")
    assert clients.request(server.url + "/").body == HELLO


def _end_first_connection(server: Mongrel2) -> None:
    """By its control port. A UNIX socket's path holds 107 bytes, so this one goes through /proc."""
    with zmq.Context() as context, context.socket(zmq.REQ) as control:
        control.setsockopt(zmq.LINGER, 0)
        control.connect(f"ipc:///proc/{server.pid}/cwd/run/control")
        control.send(b"19:4:kill,9:2:id,1:1#}]")
        assert control.poll(1000 * int(seconds()))
        assert b"OK" in control.recv()

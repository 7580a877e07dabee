import logging
import socket

import pytest

from tests.unit.dispatcher.fakes import RecordingClient, RecordingJournal
from tests.unit.dispatcher.requests import a_request
from wsgid.channel.frames import FrameReader, Kind
from wsgid.dispatcher.exchange import Exchange
from wsgid.dispatcher.worker import Worker, described


def test_what_must_be_heard_while_the_application_runs() -> None:
    worker = Worker(1)
    worker.control, far_end = socket.socketpair()
    with worker.control, far_end:
        one, other = (a_request(key=key, id="of both") for key in "ab")
        worker.client_may_be_gone(one)
        worker.client_gone(one)
        worker.interrupt(other)
        assert FrameReader().feed(far_end.recv(1024)) == [
            (Kind.CLIENT_MAY_BE_GONE, b"a"),
            (Kind.CLIENT_GONE, b"a"),
            (Kind.INTERRUPT, b"b"),
        ]


@pytest.mark.parametrize("has_control", [True, False])
def test_a_worker_that_cannot_be_told(has_control: bool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    worker = Worker(1)
    if has_control:
        worker.control, far_end = socket.socketpair()
        far_end.close()
    worker.client_may_be_gone(a_request(key="1", id="c"))
    worker.client_gone(a_request(key="2", id="a"))
    worker.interrupt(a_request(key="3", id="b"))
    told = [
        "worker 1 was not told that the client of c may have left: [Errno 32] Broken pipe",
        "worker 1 was not told that the client of a left: [Errno 32] Broken pipe",
        "worker 1 was not told that b is to be interrupted: [Errno 32] Broken pipe",
    ]
    assert caplog.messages == (told if has_control else [])
    if worker.control is not None:
        worker.control.close()


@pytest.mark.parametrize(("address", "shown"), [("192.0.2.1", "192.0.2.1"), ("", "unknown")])
def test_a_request_in_the_words_of_the_log(address: str, shown: str) -> None:
    exchange = Exchange(a_request(remote_addr=address), RecordingClient(), True, RecordingJournal(), 1.0)
    exchange.served_at = 2.0
    assert described(exchange, "answer cut", 3.25) == (
        f"GET /path?query (id id-1, 1.25 s in its hands, client {shown}): answer cut"
    )

"""The life of one thread of a worker."""

import logging
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse

import pytest

from tests.deadlines import wait_for
from tests.unit.worker.dispatcher_side import Listener, a_request
from tests.unit.worker.filters.filtering import upload_filters
from wsgid.channel import frames
from wsgid.channel.frames import Hello, Kind, Role
from wsgid.worker.environ import environ_template
from wsgid.worker.in_hand import InHand
from wsgid.worker.take import FIRST_PAUSE, LONGEST_PAUSE, Taker, next_pause


def hello(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello ", environ["wsgid.request_id"].encode()]


class Thread:
    """Thread 3 of a worker, and the dispatcher it calls."""

    def __init__(self, folder: Path, executor: ThreadPoolExecutor) -> None:
        self.listener = Listener(folder)
        self.leaving = threading.Event()
        template = environ_template(threads=4)
        self.taker = Taker(hello, template, None, upload_filters(), InHand(), self.listener.path, 4, self.leaving)
        self._executor = executor

    def start(self) -> "Future[None]":
        return self._executor.submit(self.taker.take_requests, 3)


@pytest.fixture
def thread(tmp_path: Path) -> Iterator[Thread]:
    with ThreadPoolExecutor(1) as executor:
        thread = Thread(tmp_path / "run", executor)
        yield thread
        thread.leaving.set()
        thread.listener.close()


def test_it_calls_serves_and_ends_when_it_is_released(thread: Thread) -> None:
    life = thread.start()
    peer = thread.listener.accept()
    assert peer.hello is not None
    assert peer.hello.identifier not in (0, threading.get_ident()), "that of the thread that calls"
    assert peer.hello == Hello(os.getpid(), Role.CHANNEL, 3, 4, identifier=peer.hello.identifier)
    assert peer.serve(a_request(id="1")).body == b"hello 1"
    assert peer.serve(a_request(id="2")).body == b"hello 2"
    peer.release()
    life.result()
    assert peer.at_end()


def test_it_has_filters_asked_and_says_so_when_it_calls(thread: Thread) -> None:
    guard = upload_filters(lambda message: message.request_id != "refused")
    guarded = replace(thread.taker, upload_filters=guard)
    for taker, filters in ((thread.taker, False), (guarded, True)):
        with ThreadPoolExecutor(1) as executor:
            life = executor.submit(taker.take_requests, 3)
            peer = thread.listener.accept()
            assert peer.hello is not None
            assert peer.hello.filters_uploads is filters
            peer.sock.sendall(frames.ask(a_request(id="admitted")) + frames.ask(a_request(id="refused")))
            assert peer.frame()[0] is Kind.ADMITTED
            kind, payload = peer.frame()
            assert kind is (Kind.ANSWER if filters else Kind.ADMITTED)
            if filters:
                assert frames.read_answer(payload).head.code == 403
            assert peer.serve(a_request(id="1")).body == b"hello 1"
            peer.release()
            life.result()


def test_it_ends_after_its_answer_when_it_is_released_meanwhile(thread: Thread) -> None:
    life = thread.start()
    peer = thread.listener.accept()
    peer.sock.sendall(frames.request(a_request(id="1")) + frames.RELEASE)
    assert peer.answer().body == b"hello 1"
    life.result()


def test_it_calls_again_when_the_dispatcher_has_died(thread: Thread) -> None:
    thread.start()
    for number in range(3):
        peer = thread.listener.accept()
        assert peer.serve(a_request(id=str(number))).body == b"hello %d" % number
        thread.listener.die()
        thread.listener.open()


def test_it_waits_for_a_dispatcher(thread: Thread, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    thread.listener.die()
    thread.start()
    wait_for(lambda: "thread 3: no dispatcher yet" in caplog.text, "an attempt in vain")
    thread.listener.open()
    assert thread.listener.accept().serve(a_request(id="1")).body == b"hello 1"


def test_it_waits_no_more_when_the_process_is_leaving(thread: Thread) -> None:
    thread.listener.die()
    life = thread.start()
    thread.leaving.set()
    life.result()


def test_it_ends_when_the_dispatcher_dies_while_the_process_is_leaving(thread: Thread) -> None:
    life = thread.start()
    peer = thread.listener.accept()
    assert peer.serve(a_request(id="1")).body == b"hello 1"
    thread.leaving.set()
    peer.close()
    life.result()


def test_it_calls_again_when_the_dispatcher_breaks_the_rules(thread: Thread, caplog: pytest.LogCaptureFixture) -> None:
    thread.start()
    peer = thread.listener.accept()
    peer.sock.sendall(frames.frame(Kind.ANSWER))
    assert peer.at_end()
    assert thread.listener.accept().serve(a_request(id="1")).body == b"hello 1"
    assert caplog.messages == ["thread 3: the dispatcher broke the channel's rules: ANSWER on a channel; calling again"]


def test_a_fault_of_ours_costs_one_request(
    thread: Thread, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread.start()
    peer = thread.listener.accept()
    with monkeypatch.context() as patch:
        # There is no known way to make our own part fail: this breaks it where it would.
        patch.setattr("wsgid.worker.serve.build_environ", None)
        peer.ask(a_request(id="1"))
        assert peer.at_end()
    assert "a fault in wsgid itself" in caplog.text
    assert "TypeError" in caplog.text
    assert thread.listener.accept().serve(a_request(id="2")).body == b"hello 2"


def test_pauses_grow_to_the_longest() -> None:
    pauses = [0.0]
    while pauses[-1] != LONGEST_PAUSE:
        pauses.append(next_pause(pauses[-1]))
    assert pauses[1] == FIRST_PAUSE
    assert pauses == sorted(pauses)
    assert next_pause(LONGEST_PAUSE) == LONGEST_PAUSE

"""The control connection and what it hears."""

import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deadlines import POLL, seconds, wait_for
from tests.unit.main_log import text_of
from tests.unit.worker.dispatcher_side import Listener
from wsgid.channel import frames
from wsgid.channel.frames import Hello, Kind, Role, Stack
from wsgid.worker.control import Control
from wsgid.worker.errors import RequestTimeout
from wsgid.worker.in_hand import InHand


class Office:
    """A control thread, with its master and its dispatcher in the test's hands."""

    def __init__(self, folder: Path) -> None:
        self.listener = Listener(folder)
        lifeline, self.master = os.pipe2(os.O_CLOEXEC)
        signals, self.signals = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        in_hand = InHand()
        self.held = {key: in_hand.take(key, "id-5") for key in "ab"}
        """The requests that the thread of the test serves."""
        self.reopened: list[threading.Thread] = []
        """Which threads have reopened the log."""
        self.orphaned: list[bool] = []
        """Called when the master was gone."""
        self.control = Control(
            self.listener.path,
            1,
            lifeline,
            signals,
            in_hand,
            lambda: self.reopened.append(threading.current_thread()),
            lambda: self.orphaned.append(self.control.leaving.is_set()),
        )
        self.threads = set(threading.enumerate())
        self._ours = [lifeline, signals, self.signals]

    def start(self) -> None:
        self.control.start()
        [self.thread] = set(threading.enumerate()) - self.threads

    def signal(self, number: int) -> None:
        os.write(self.signals, bytes([number]))

    def gone(self, key: str) -> bool:
        """It has heard that this request's client has left."""
        return self.held[key].client_gone()

    def master_dies(self) -> None:
        os.close(self.master)
        self.master = -1

    def close(self) -> None:
        self.listener.die()
        if self.master >= 0:
            self.master_dies()
        self.thread.join(seconds())
        assert not self.thread.is_alive()
        for descriptor in self._ours:
            os.close(descriptor)
        self.listener.close()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path / "run")
    yield office
    office.close()


def test_it_calls_and_says_who_it_is(office: Office) -> None:
    office.start()
    assert office.listener.accept().hello == Hello(os.getpid(), Role.CONTROL, 0, 1)
    assert office.control.called.wait(seconds())
    assert not office.control.leaving.is_set()


def test_it_hears_whose_clients_have_left(office: Office) -> None:
    office.start()
    peer = office.listener.accept()
    peer.sock.sendall(frames.client_may_be_gone("a") + frames.client_gone("b")[:-1])
    wait_for(lambda: office.gone("a"), "the first key")
    peer.sock.sendall(frames.client_gone("b")[-1:])
    wait_for(lambda: office.gone("b"), "the second key")
    assert [office.held[name].client_left for name in ("a", "b")] == [False, True]


def test_sigterm_makes_it_say_leaving_once(office: Office) -> None:
    office.start()
    peer = office.listener.accept()
    office.signal(signal.SIGINT)
    office.signal(signal.SIGTERM)
    office.signal(signal.SIGTERM)
    assert peer.frame() == (Kind.LEAVING, b"")
    assert office.control.leaving.is_set()
    office.signal(signal.SIGTERM)
    office.master_dies()
    peer.sock.sendall(frames.client_gone("a"))
    wait_for(lambda: office.gone("a"), "the key, which is heard after the signal")
    peer.sock.settimeout(0)
    with pytest.raises(BlockingIOError):
        peer.frame()


def test_the_masters_end_makes_it_say_leaving(office: Office) -> None:
    office.start()
    peer = office.listener.accept()
    office.master_dies()
    assert peer.frame() == (Kind.LEAVING, b"")
    assert office.control.leaving.is_set()
    assert office.orphaned == [False], "once, and first of all"
    peer.sock.sendall(frames.client_gone("a"))  # it still listens
    wait_for(lambda: office.gone("a"), "the key")


def test_sigusr1_makes_it_reopen_the_log(office: Office) -> None:
    office.start()
    office.signal(signal.SIGUSR1)
    wait_for(lambda: office.reopened == [office.thread], "the log")
    assert not office.control.leaving.is_set()


def test_signals_that_come_together_are_all_heard(office: Office) -> None:
    os.write(office.signals, bytes([signal.SIGTERM, signal.SIGUSR1]))
    office.start()
    assert office.control.leaving.wait(seconds())
    assert office.reopened == [office.thread]


def test_other_signals_mean_nothing(office: Office) -> None:
    office.start()
    peer = office.listener.accept()
    office.signal(signal.SIGINT)
    peer.sock.sendall(frames.client_gone("a"))
    wait_for(lambda: office.gone("a"), "the key")
    assert not office.control.leaving.is_set()
    assert not office.reopened


def test_it_interrupts_the_request_that_is_named(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    office.start()
    peer = office.listener.accept()

    def wait_for_ever() -> None:
        while True:
            time.sleep(POLL)

    peer.sock.sendall(frames.interrupt("b"))
    with pytest.raises(RequestTimeout):
        office.held["b"].call(wait_for_ever)
    assert office.held["a"].call(lambda: "untouched") == "untouched"
    number = f"0x{threading.get_ident():016x}"
    wait_for(lambda: caplog.messages, "the line in the log")
    [record] = caplog.records
    assert text_of(record).startswith(f"request id-5 is to end: its thread {number} is interrupted here:\n  File ")


def test_the_interruption_of_a_request_that_has_ended_is_not_told(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.start()
    office.listener.accept().sock.sendall(frames.interrupt("c") + frames.client_gone("a"))
    wait_for(lambda: office.gone("a"), "the key")
    assert not caplog.messages


def test_it_tells_where_a_request_is(office: Office) -> None:
    office.start()
    peer = office.listener.accept()

    def ask() -> list[Stack]:
        peer.sock.sendall(frames.trace("b") + frames.trace("c"))
        answers = [peer.frame() for _ in range(2)]
        assert [kind for kind, _ in answers] == [Kind.STACK] * 2
        return [frames.read_stack(payload) for _, payload in answers]

    here, nowhere = office.held["b"].call(ask)
    assert here.key == "b"
    assert here.text is not None
    assert re.search(r", in ask\n    (peer\.sock\.sendall|answers = )", here.text), "on one line or the other"
    assert nowhere == Stack("c", None)
    peer.sock.sendall(frames.client_gone("a"))
    wait_for(lambda: office.gone("a"), "the next word")


@pytest.mark.parametrize("last_words", [b"", frames.END, b"\xff" * 5, frames.frame(Kind.CLIENT_GONE, b"\xff")])
def test_it_calls_again_when_the_connection_ends(
    office: Office, caplog: pytest.LogCaptureFixture, last_words: bytes
) -> None:
    office.start()
    for _ in range(3):
        peer = office.listener.accept()
        peer.sock.sendall(last_words)
        peer.close()
    office.listener.accept()
    assert "the connection to the dispatcher is lost" in caplog.text


def test_half_a_frame_of_the_dead_does_not_confuse_the_next(office: Office) -> None:
    office.start()
    peer = office.listener.accept()
    peer.sock.sendall(frames.client_gone("a")[:-1])
    peer.close()
    office.listener.accept().sock.sendall(frames.client_gone("b"))
    wait_for(lambda: office.gone("b"), "the key")


def test_what_has_ended_is_not_polled_again(office: Office) -> None:
    """It would be reported again and again, at the price of a processor."""
    office.start()
    peer = office.listener.accept()
    assert office.control.called.wait(seconds())
    sock = office.control._socket
    assert sock is not None
    ended = [sock.fileno(), office.control._lifeline]
    office.master_dies()
    assert peer.frame() == (Kind.LEAVING, b"")
    office.listener.die()
    office.thread.join(seconds())
    for descriptor in ended:
        with pytest.raises(KeyError):
            office.control._poll.unregister(descriptor)


def test_it_calls_again_when_it_is_reset(office: Office) -> None:
    office.start()
    peer = office.listener.accept()
    office.signal(signal.SIGTERM)
    wait_for(office.control.leaving.is_set, "the signal")
    wait_for(lambda: peer.sock.recv(1, socket.MSG_PEEK), "LEAVING")  # closing with it unread is a reset
    peer.close()
    assert office.listener.accept().frame() == (Kind.LEAVING, b"")


def test_it_waits_for_a_dispatcher_and_tells_it_what_has_happened_meanwhile(office: Office) -> None:
    office.listener.die()
    office.start()
    office.signal(signal.SIGTERM)
    assert office.control.leaving.wait(seconds())
    assert office.control.called.wait(seconds())
    office.listener.open()
    peer = office.listener.accept()
    assert peer.frame() == (Kind.LEAVING, b"")


def test_without_master_and_dispatcher_it_ends(office: Office) -> None:
    office.listener.die()
    office.start()
    office.master_dies()
    office.thread.join(seconds())
    assert not office.thread.is_alive()
    assert office.control.leaving.is_set()
    assert office.control.called.is_set()


def test_a_dispatcher_that_dies_after_the_master_ends_it(office: Office) -> None:
    office.start()
    peer = office.listener.accept()
    office.master_dies()
    assert peer.frame() == (Kind.LEAVING, b"")
    peer.close()
    office.thread.join(seconds())
    assert not office.thread.is_alive()


def test_there_may_be_nothing_to_close_in_a_forked_process(office: Office) -> None:
    office.control.close()
    office.start()
    assert office.listener.accept().hello


def test_leaving_to_a_dispatcher_that_died_at_the_same_time(office: Office) -> None:
    office.start()
    peer = office.listener.accept()
    assert office.control.called.wait(seconds())
    office.listener.die()
    peer.close()
    office.signal(signal.SIGTERM)
    assert office.control.leaving.wait(seconds())
    office.listener.open()
    assert office.listener.accept().frame() == (Kind.LEAVING, b"")

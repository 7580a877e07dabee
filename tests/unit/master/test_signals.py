"""Real signals, sent by the test to itself."""

import os
import select
import signal
from collections.abc import Iterator
from signal import Signals

import pytest

from wsgid.master.signals import SignalInbox

BOTH = (Signals.SIGUSR1, Signals.SIGUSR2)


def send(*signals: Signals) -> None:
    for each in signals:
        os.kill(os.getpid(), each)


@pytest.fixture
def inbox() -> Iterator[SignalInbox]:
    with SignalInbox(BOTH) as inbox:
        yield inbox


def test_nothing_has_come(inbox: SignalInbox) -> None:
    assert inbox.take() == []


def test_what_has_come_in_order_and_once(inbox: SignalInbox) -> None:
    send(Signals.SIGUSR2, Signals.SIGUSR1, Signals.SIGUSR2)
    assert inbox.take() == [Signals.SIGUSR2, Signals.SIGUSR1, Signals.SIGUSR2]
    assert inbox.take() == []


def test_it_is_readable_when_something_has_come(inbox: SignalInbox) -> None:
    assert select.select([inbox], [], [], 0) == ([], [], [])
    send(Signals.SIGUSR1)
    assert select.select([inbox], [], [], 5)[0] == [inbox]


def test_signals_that_others_handle_are_not_in_it(inbox: SignalInbox) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGWINCH, lambda number, frame: heard.append(number))
    send(Signals.SIGWINCH)
    signal.signal(signal.SIGWINCH, before)
    assert heard == [Signals.SIGWINCH]
    assert inbox.take() == []


def test_a_blocked_signal_is_heard_after_all() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, BOTH)
    send(Signals.SIGUSR1)
    with SignalInbox(BOTH) as inbox:
        assert inbox.take() == [Signals.SIGUSR1]
    assert signal.pthread_sigmask(signal.SIG_SETMASK, before) >= set(BOTH)


def test_all_is_as_before() -> None:
    before = [signal.getsignal(each) for each in BOTH]
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    earlier = signal.set_wakeup_fd(writer)
    with SignalInbox(BOTH):
        pass
    assert signal.set_wakeup_fd(earlier) == writer
    assert [signal.getsignal(each) for each in BOTH] == before
    os.close(reader)
    os.close(writer)


def test_no_program_inherits_its_pipe(inbox: SignalInbox) -> None:
    assert not os.get_inheritable(inbox.fileno())

"""Real signals, sent by the test to itself."""

import os
import pty
import select
import signal
import termios
from collections.abc import Iterator
from signal import Signals

import pytest

from wsgid.master.signals import JOB_CONTROL, SignalInbox

BOTH = (Signals.SIGUSR1, Signals.SIGUSR2)


def send(*signals: Signals) -> None:
    for each in signals:
        signal.raise_signal(each)


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


# Those of job control


@pytest.fixture
def job_inbox() -> Iterator[SignalInbox]:
    with SignalInbox(JOB_CONTROL | {Signals.SIGUSR1}) as inbox:
        yield inbox


def test_people_can_send_them(job_inbox: SignalInbox) -> None:
    send(Signals.SIGTTOU, Signals.SIGUSR1)
    assert job_inbox.take() == [Signals.SIGUSR1, Signals.SIGTTOU]
    send(Signals.SIGTTIN)
    assert job_inbox.take() == [Signals.SIGTTIN]
    assert job_inbox.take() == []


def test_they_are_as_before() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with SignalInbox(JOB_CONTROL):
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) >= JOB_CONTROL
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_a_job_in_the_background() -> None:
    """On a terminal with tostop: the master's own writing goes through, and when it is another of its process group
    that writes, all are stopped together, as without us. It is not taken for one worker fewer."""
    reader, writer = os.pipe()
    session, terminal = pty.fork()
    if session == 0:
        os._exit(_session(writer))
    os.close(writer)
    _, status = os.waitpid(session, 0)
    with open(reader) as told:
        assert told.read() == "written, stopped, continued with []"
    assert os.waitstatus_to_exitcode(status) == 0
    os.close(terminal)


def _session(writer: int) -> int:
    settings = termios.tcgetattr(0)
    settings[3] |= termios.TOSTOP
    termios.tcsetattr(0, termios.TCSANOW, settings)
    job = os.fork()
    if job == 0:
        os._exit(_job(writer))
    os.waitid(os.P_PID, job, os.WSTOPPED)
    os.write(writer, b"stopped, ")
    os.kill(job, signal.SIGCONT)
    _, status = os.waitpid(job, 0)
    return os.waitstatus_to_exitcode(status)


def _job(writer: int) -> int:
    os.setpgid(0, 0)
    with SignalInbox(JOB_CONTROL) as inbox:
        os.write(1, b"with a handler this would be refused, and begun again, for ever")
        os.write(writer, b"written, ")
        child = os.fork()
        if child == 0:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, JOB_CONTROL)
            os.write(1, b"stops its process group")
            os._exit(0)
        os.waitid(os.P_PID, child, os.WSTOPPED)
        taken = inbox.take()
        os.write(writer, f"continued with {taken}".encode())
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return 0

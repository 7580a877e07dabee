import fcntl
import os
import socket
from collections.abc import Iterator

import pytest

from wsgid.channel.orders import (
    MAX_ORDER,
    Cause,
    Drain,
    Drained,
    Exit,
    Listening,
    WorkerDied,
    WorkerReady,
    decode_from_master,
    encode,
)
from wsgid.master.links import MAX_REPORT, OrdersLink, Report


@pytest.fixture
def link() -> Iterator[OrdersLink]:
    link = OrdersLink()
    yield link
    link.close()


@pytest.fixture
def report() -> Iterator[Report]:
    """Whose writer the test closes."""
    report = Report()
    yield report
    report.close_reader()


def test_orders_arrive(link: OrdersLink) -> None:
    for order in (Drain(2.5), WorkerDied(7, "left", True, Cause.ASKED), Exit()):
        assert link.tell(order)
        assert decode_from_master(link.theirs.recv(MAX_ORDER)) == order


def test_what_the_dispatcher_says_is_heard_in_order_and_once(link: OrdersLink) -> None:
    said = [Listening(["http://127.0.0.1:8000"]), WorkerReady(7), Drained(0)]
    for each in said:
        link.theirs.send(encode(each))
    assert link.hear() == said
    assert link.hear() == []
    assert not link.over


NO_TEXT = encode(Listening(["?"])).replace(b"?", b"\x80")


@pytest.mark.parametrize("nonsense", [b"\xc1", b"{}", encode(Exit()), encode({"type": "Listening"}), NO_TEXT])
def test_nonsense_is_logged_and_what_follows_is_heard(
    link: OrdersLink, nonsense: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    link.theirs.send(nonsense)
    link.theirs.send(encode(WorkerReady(7)))
    assert link.hear() == [WorkerReady(7)]
    assert "the dispatcher said what means nothing" in caplog.text


def test_a_dispatcher_that_is_gone(link: OrdersLink) -> None:
    link.close_theirs()
    assert link.hear() == []
    assert link.over
    assert not link.tell(Exit())


def test_its_last_words_are_heard_though_it_did_not_hear_ours(link: OrdersLink) -> None:
    link.tell(Exit())
    link.theirs.send(encode(Drained(3)))
    link.close_theirs()
    assert link.hear() == [Drained(3)]
    assert link.over


def test_nobody_waits_for_a_dispatcher_that_does_not_listen(link: OrdersLink) -> None:
    for _ in range(100_000):
        if not link.tell(Exit()):
            break
    else:
        pytest.fail("the kernel takes all")
    assert link.theirs.recv(MAX_ORDER) == encode(Exit())


def test_it_can_be_waited_for(link: OrdersLink) -> None:
    assert link.fileno() >= 0
    assert not os.get_inheritable(link.fileno())
    assert link.theirs.type == socket.SOCK_SEQPACKET


def test_a_report(report: Report) -> None:
    os.write(report.writer, b"no module named ")
    report.read()
    os.write(report.writer, "café\n".encode())
    report.close_writer()
    report.read()
    assert report.over
    assert report.text() == "no module named café"


def test_no_report(report: Report) -> None:
    report.close_writer()
    assert report.text() == ""
    assert report.over


def test_a_report_that_is_not_over_yet(report: Report) -> None:
    """A grandchild of the worker may hold the pipe: what counts is what is there when the worker is dead."""
    os.write(report.writer, b"the reason\n")
    assert report.text() == "the reason"
    assert not report.over
    report.close_writer()


def test_a_report_without_end_is_cut(report: Report) -> None:
    for _ in range(4):
        os.write(report.writer, b"x" * (MAX_REPORT // 2))
        report.read()
    report.close_writer()
    assert report.text() == "x" * MAX_REPORT


def test_a_report_that_is_no_text(report: Report) -> None:
    os.write(report.writer, b"\xff\xfe")
    report.close_writer()
    assert report.text() == "\ufffd\ufffd"


def test_our_own_report(report: Report) -> None:
    report.write("OSError: no such endpoint \udcff")
    report.close_writer()
    assert report.text() == "OSError: no such endpoint \\udcff"


def test_our_own_report_never_waits(report: Report, caplog: pytest.LogCaptureFixture) -> None:
    os.write(report.writer, b"x" * fcntl.fcntl(report.writer, fcntl.F_GETPIPE_SZ))
    report.write("too much")
    assert "the master did not hear 'too much'" in caplog.text
    report.close_writer()

"""A datagram socket of the test stands where systemd's would be."""

import math
import os
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from wsgid.master.notify import MAX_STATUS, Notify


class Systemd:
    """The end of the protocol that listens."""

    def __init__(self, address: str | bytes) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)

    def heard(self) -> list[str]:
        """Everything so far: what was sent is there at once."""
        told = []
        while True:
            try:
                told.append(self.socket.recv(65536).decode())
            except BlockingIOError:
                return told


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "notify")


@pytest.fixture
def systemd(path: str) -> Iterator[Systemd]:
    made = Systemd(path)
    yield made
    made.socket.close()


@pytest.fixture
def notify(systemd: Systemd, path: str) -> Iterator[Notify]:
    made = Notify({"NOTIFY_SOCKET": path})
    yield made
    made.close_in_child()


def test_ready(systemd: Systemd, notify: Notify) -> None:
    notify.ready("serving")
    assert systemd.heard() == ["READY=1\nSTATUS=serving"]


def test_reloading_says_when(systemd: Systemd, notify: Notify) -> None:
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    notify.reloading("worker 1 of 4")
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    [told] = systemd.heard()
    reloading, moment, status = told.split("\n")
    assert (reloading, status) == ("RELOADING=1", "STATUS=worker 1 of 4")
    assert before <= int(moment.removeprefix("MONOTONIC_USEC=")) <= after


def test_stopping_and_a_status(systemd: Systemd, notify: Notify) -> None:
    notify.status("2 workers, 1 request")
    notify.stopping("finishing 3 requests")
    assert systemd.heard() == ["STATUS=2 workers, 1 request", "STOPPING=1\nSTATUS=finishing 3 requests"]


def test_a_status_cannot_say_anything_else(systemd: Systemd, notify: Notify) -> None:
    notify.status("the restart failed\nREADY=1")
    assert systemd.heard() == ["STATUS=the restart failed"]


def test_a_long_status_is_cut_between_two_characters(systemd: Systemd, notify: Notify) -> None:
    notify.status("." + "é" * MAX_STATUS)
    assert systemd.heard() == ["STATUS=." + "é" * ((MAX_STATUS - 1) // 2)]


def test_a_status_that_is_no_unicode(systemd: Systemd, notify: Notify) -> None:
    notify.status("caf\udce9")
    assert systemd.heard() == ["STATUS=caf\\udce9"]


def test_an_abstract_address() -> None:
    name = f"wsgid-test-{uuid.uuid4().hex}"
    systemd = Systemd(f"\0{name}".encode())
    notify = Notify({"NOTIFY_SOCKET": f"@{name}"})
    notify.ready("serving")
    assert systemd.heard() == ["READY=1\nSTATUS=serving"]
    notify.close_in_child()
    systemd.socket.close()


def test_it_goes_on_where_the_path_is_out_of_reach(systemd: Systemd, notify: Notify, path: str) -> None:
    os.unlink(path)
    notify.status("still heard")
    assert systemd.heard() == ["STATUS=still heard"]


def test_the_variables_are_not_inherited(systemd: Systemd, path: str) -> None:
    environ = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "LANG": "C"}
    Notify(environ).close_in_child()
    assert environ == {"LANG": "C"}


def test_without_systemd_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    notify = Notify({})
    notify.ready("serving")
    notify.watchdog()
    notify.close_in_child()
    assert notify.watchdog_interval == math.inf
    assert caplog.text == ""


def test_a_child_says_nothing(systemd: Systemd, notify: Notify) -> None:
    notify.close_in_child()
    notify.ready("serving")
    assert systemd.heard() == []


@pytest.mark.parametrize("named", [True, False])
def test_the_watchdog_is_fed_at_half_its_time(systemd: Systemd, path: str, named: bool) -> None:
    pid = str(os.getpid()) if named else ""
    notify = Notify({"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": pid})
    assert notify.watchdog_interval == 1.5
    notify.watchdog()
    assert systemd.heard() == ["WATCHDOG=1"]
    notify.close_in_child()


def test_the_watchdog_of_another_process_is_not(systemd: Systemd, path: str) -> None:
    notify = Notify({"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid() + 1)})
    assert notify.watchdog_interval == math.inf
    notify.watchdog()
    assert systemd.heard() == []
    notify.close_in_child()


@pytest.mark.parametrize("time", ["0", "soon", "-1", "²"])
def test_a_watchdog_time_that_is_none(time: str, caplog: pytest.LogCaptureFixture) -> None:
    assert Notify({"WATCHDOG_USEC": time}).watchdog_interval == math.inf
    assert f"WATCHDOG_USEC is {time!r}, which is no number of microseconds" in caplog.text


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("vsock:2:1234", "NOTIFY_SOCKET is vsock:2:1234, which is no address of a UNIX socket"),
        ("/no/such/socket", "NOTIFY_SOCKET: /no/such/socket cannot be connected to: [Errno 2] No such file"),
        ("/" + "x" * 200, "cannot be connected to: AF_UNIX path too long"),
    ],
)
def test_a_socket_that_cannot_be_had(address: str, why: str, caplog: pytest.LogCaptureFixture) -> None:
    notify = Notify({"NOTIFY_SOCKET": address})
    notify.ready("serving")
    assert why in caplog.text
    assert "systemd is told nothing" in caplog.text


def test_one_that_does_not_listen_holds_nobody_up_and_is_told_once(
    systemd: Systemd, notify: Notify, caplog: pytest.LogCaptureFixture
) -> None:
    while not caplog.text:  # until no more datagrams fit into its queue
        notify.status("serving")
    notify.status("serving")
    [record] = caplog.records
    assert record.getMessage() == (
        "systemd could not be told 'STATUS=serving': [Errno 11] Resource temporarily unavailable; further failures "
        "are not told"
    )
    assert systemd.heard()
    notify.status("heard again")
    assert systemd.heard() == ["STATUS=heard again"]

import json
import logging
import os
import re
import socket
import syslog
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deadlines import seconds
from tests.syslog_receiver import LOCAL, Receiver, fill
from wsgid.logs import JsonForm
from wsgid.logs.forms import BriefForm
from wsgid.logs.syslog import (
    FACILITIES,
    INFORMATIONAL,
    MAX_DATAGRAM,
    MAX_TEXT,
    PATIENCE,
    DatagramTooLong,
    Syslog,
    SyslogHandler,
    severity,
)

RFC_5424 = re.compile(
    r"<(?P<pri>\d+)>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (?P<host>\S+) (?P<tag>\S+) (?P<pid>\d+) - - "
)


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    made = Receiver(tmp_path / "log")
    yield made
    made.socket.close()


class Way(Syslog):
    """Notes who waits for the receiver, which reads meanwhile when it `helps`."""

    def __init__(self, receiver: Receiver, helps: bool = False) -> None:
        super().__init__(f"unix:{receiver.path}", "daemon", "wsgid")
        self._receiver = receiver
        self._helps = helps
        self.waits = 0

    def wait(self, seconds: float) -> None:
        assert seconds == PATIENCE
        self.waits += 1
        if self._helps:
            self._receiver.read()


@pytest.fixture
def way(receiver: Receiver) -> Iterator[Way]:
    made = Way(receiver)
    yield made
    made._socket.close()


def logger_to(way: Syslog, may_block: bool = False) -> tuple[logging.Logger, SyslogHandler]:
    handler = SyslogHandler(way, BriefForm("worker"), may_block)
    logger = logging.Logger("wsgid.of_this_test")
    logger.addHandler(handler)
    return logger, handler


class TestForms:
    def test_on_a_socket_of_the_machine(self, receiver: Receiver) -> None:
        way = Syslog(f"unix:{receiver.path}", "local3", "shop")
        logger_to(way)[0].warning("hello %s", "wörld")
        told = receiver.read()
        found = LOCAL.match(told)
        assert found
        assert (int(found["pri"]), found["tag"], int(found["pid"])) == (19 * 8 + 4, "shop", os.getpid())
        assert told[found.end() :] == "WARNING worker: hello wörld"
        now = time.localtime()
        assert abs(time.mktime(time.strptime(f"{now.tm_year} {found['date']}", "%Y %b %d %H:%M:%S")) - time.time()) < 99
        way._socket.close()

    def test_by_udp(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind(("127.0.0.1", 0))
            receiver.settimeout(seconds())
            way = Syslog(f"localhost:{receiver.getsockname()[1]}", "user", "wsgid")
            assert way.problem() == ""
            logger_to(way)[0].error("hello")
            told = receiver.recv(1 << 16).decode()
            way._socket.close()
        found = RFC_5424.match(told)
        assert found
        assert (int(found["pri"]), found["host"], found["tag"]) == (1 * 8 + 3, socket.gethostname(), "wsgid")
        assert told[found.end() :] == "ERROR worker: hello"

    def test_a_traceback_is_in_the_same_datagram(self, receiver: Receiver, way: Way) -> None:
        try:
            raise LookupError("nothing")
        except LookupError:
            logger_to(way)[0].exception("it failed")
        told = receiver.read()
        assert " ERROR worker: it failed\n    Traceback (most" in told
        assert told.endswith("\n    LookupError: nothing")
        assert receiver.read_all() == []

    @pytest.mark.parametrize(
        ("level", "expected"),
        [
            (logging.CRITICAL, 2),
            (logging.ERROR, 3),
            (logging.WARNING, 4),
            (25, 6),
            (logging.INFO, 6),
            (logging.DEBUG, 7),
        ],
    )
    def test_severity(self, level: int, expected: int) -> None:
        assert severity(level) == expected

    def test_facilities_are_those_of_the_system(self) -> None:
        assert {name: getattr(syslog, f"LOG_{name.upper()}") >> 3 for name in FACILITIES} == FACILITIES

    def test_a_host_without_an_address_is_an_error(self) -> None:
        with pytest.raises(socket.gaierror, match="not the name of a host"):
            Syslog("a..b:514", "daemon", "wsgid")


class TestTooLong:
    def test_keeps_both_ends(self, receiver: Receiver, way: Way) -> None:
        logger_to(way)[0].error("begin%send", "x" * MAX_DATAGRAM)
        told = receiver.read()
        assert MAX_TEXT - 100 < len(told) <= MAX_DATAGRAM
        assert " begin" in told
        assert "bytes left out" in told
        assert told.endswith("xend")

    def test_is_json_still(self, receiver: Receiver, way: Way) -> None:
        logger, handler = logger_to(way)
        handler._form = JsonForm("worker")
        logger.error("begin%send", "\x00" * MAX_DATAGRAM)
        told = receiver.read()
        assert len(told) <= MAX_DATAGRAM
        assert json.loads(told[told.index("{") :])["message"].endswith("end")

    def test_for_the_socket_is_an_error(self, way: Way) -> None:
        with pytest.raises(OSError, match="Message too long"):
            way.send(6, 1, b"x" * (1 << 24))


class TestAway:
    def test_it_is_spoken_to_as_soon_as_it_is_there(self, tmp_path: Path) -> None:
        way = Syslog(f"unix:{tmp_path}/log", "daemon", "wsgid")
        assert way.problem() == f"{tmp_path}/log: No such file or directory"
        logger, handler = logger_to(way, may_block=True)
        logger.error("one")
        logger.error("two")
        assert (handler.lost, handler.lost_ever) == (2, 2)
        receiver = Receiver(tmp_path / "log")
        logger.error("three")
        told = receiver.read()
        assert told.endswith("]: (2 records before this one could not be written) ERROR worker: three")
        assert (handler.lost, handler.lost_ever) == (0, 2)
        assert way.problem() == ""
        receiver.end()
        way._socket.close()

    def test_its_successor_gets_the_next_record(self, receiver: Receiver, way: Way) -> None:
        logger, handler = logger_to(way)
        logger.error("one")
        receiver.end()
        logger.error("two")
        assert handler.lost == 1
        receiver.listen()
        logger.error("three")
        assert receiver.read().endswith("could not be written) ERROR worker: three")

    def test_a_child_goes_the_same_way(self, receiver: Receiver, way: Way) -> None:
        """Also to a successor that the child has found, and not its parent."""
        receiver.end()
        receiver.listen()
        if (child := os.fork()) == 0:
            os._exit(0 if way.send(6, 1, b"of the child") else 1)
        assert os.waitpid(child, 0)[1] == 0
        receiver.path.unlink()  # no more connections by this name
        assert way.send(6, 1, b"of the parent")
        assert [told.rpartition(" ")[2] for told in receiver.read_all()] == ["child", "parent"]

    def test_nobody_by_udp_is_no_error(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            port = other.getsockname()[1]
        way = Syslog(f"127.0.0.1:{port}", "daemon", "wsgid")
        assert [way.send(6, 1, b"to nobody") for _ in range(3)] == [True] * 3
        way._socket.close()
        assert not way.send(6, 1, b"by a network that is not there")


class TestSlow:
    def test_nobody_else_waits_for_it(self, receiver: Receiver, way: Way) -> None:
        fill(way)
        logger, handler = logger_to(way)
        logger.error("one")
        assert (handler.lost, way.waits) == (1, 0)
        receiver.read_all()
        logger.error("two")
        assert [told.rpartition(" ")[2] for told in receiver.read_all()] == ["two"]

    def test_a_worker_gives_it_a_moment(self, receiver: Receiver) -> None:
        way = Way(receiver, helps=True)
        fill(way)
        logger, handler = logger_to(way, may_block=True)
        logger.error("one")
        assert (handler.lost, way.waits) == (0, 1)
        assert receiver.read_all()[-1].endswith("one")
        way._socket.close()

    def test_but_only_once(self, way: Way) -> None:
        fill(way)
        logger, handler = logger_to(way, may_block=True)
        for _ in range(3):
            logger.error("lost")
        assert (handler.lost, way.waits) == (3, 1)

    def test_waiting_ends_with_room(self, receiver: Receiver) -> None:
        way = Syslog(f"unix:{receiver.path}", "daemon", "wsgid")
        assert way.problem() == ""
        began = time.monotonic()
        way.wait(seconds())
        assert time.monotonic() - began < seconds()
        way._socket.close()


def test_what_udp_never_takes_is_not_worth_another_try() -> None:
    way = Syslog("127.0.0.1:9", "daemon", "wsgid")
    with way._socket, pytest.raises(DatagramTooLong):
        way.send(INFORMATIONAL, 1, b"x" * 70_000)

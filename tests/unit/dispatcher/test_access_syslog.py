import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.syslog_receiver import LOCAL, Receiver, fill
from tests.unit.dispatcher.fakes import RecordingClient, RecordingJournal
from tests.unit.dispatcher.requests import a_request
from tests.unit.main_log import logger_kept
from wsgid.access_fields import COMBINED, JSON
from wsgid.config import Config
from wsgid.dispatcher.access_line import line_of
from wsgid.dispatcher.access_log import AccessLog, open_access_log
from wsgid.dispatcher.access_syslog import AccessSyslog
from wsgid.dispatcher.clock import Clock
from wsgid.dispatcher.exchange import Exchange
from wsgid.logs import configure, syslog
from wsgid.logs.syslog import MAX_DATAGRAM, Syslog


class Logged:
    def __init__(self, receiver: Receiver, form: str = COMBINED) -> None:
        self.receiver = receiver
        self.way = Syslog(f"unix:{receiver.path}", "daemon", "wsgid")
        self.retries: list[Callable[[], None]] = []
        self.log = AccessLog(
            AccessSyslog(self.way, form == JSON), line_of(form), Clock(), lambda flush: None, self._call_later
        )

    def _call_later(self, delay: float, retry: Callable[[], None]) -> None:
        self.retries.append(retry)

    def end(self, *targets: str) -> None:
        for target in targets:
            exchange = Exchange(a_request(target=target), RecordingClient(), True, RecordingJournal(), 1.0)
            self.log.ended(exchange, 200, "", Clock.now())
        self.log.flush()

    def close(self) -> None:
        self.way._socket.close()

    def texts(self) -> list[str]:
        return [LOCAL.sub("", each) for each in self.receiver.read_all()]


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    made = Receiver(tmp_path / "log")
    yield made
    made.socket.close()


@pytest.fixture
def logged(receiver: Receiver, request: pytest.FixtureRequest) -> Iterator[Logged]:
    """In the combined format, or by the test's parameter ``logged``."""
    made = Logged(receiver, getattr(request, "param", COMBINED))
    yield made
    made.close()


def test_each_line_is_a_datagram(receiver: Receiver, logged: Logged) -> None:
    logged.end("/one", "/two")
    told = receiver.read_all()
    assert [each.split('"')[1] for each in told] == ["GET /one HTTP/1.1", "GET /two HTTP/1.1"]
    found = LOCAL.match(told[0])
    assert found
    assert int(found["pri"]) == 3 * 8 + 6
    assert told[0][found.end() :].startswith("192.0.2.1 - - [")
    assert "\n" not in told[0]
    logged.log.reopen()
    assert not logged.retries


def test_the_options_say_so(receiver: Receiver, tmp_path: Path) -> None:
    config = Config(app_path=tmp_path, syslog=f"unix:{receiver.path}")
    with logger_kept():
        configure(config, "dispatcher")
        way = syslog()
        assert way is not None
        log = open_access_log(config, Clock(), lambda flush: None, lambda delay, retry: None)
        assert isinstance(log, AccessLog)
        log.ended(Exchange(a_request(), RecordingClient(), True, RecordingJournal(), 1.0), 200, "", Clock.now())
        log.flush()
    assert '"GET /path?query HTTP/1.1" 200' in receiver.read()
    assert not (tmp_path / "logs").exists()
    way._socket.close()


def test_what_is_not_taken_is_sent_later(receiver: Receiver, logged: Logged) -> None:
    fill(logged.way)
    logged.end("/one", "/two")
    assert len(logged.retries) == 1
    receiver.read_all()
    logged.retries.pop()()
    assert [each.split('"')[1] for each in logged.texts()] == ["GET /one HTTP/1.1", "GET /two HTTP/1.1"]
    assert logged.log.lost_ever == 0


def test_a_syslogd_that_is_started_anew_misses_nothing(receiver: Receiver, logged: Logged) -> None:
    receiver.end()
    logged.end("/meanwhile")
    receiver.listen()
    logged.retries.pop()()
    assert "GET /meanwhile" in logged.texts()[0]


def test_a_line_too_long_loses_its_middle(receiver: Receiver, logged: Logged) -> None:
    logged.end("/" + "x" * MAX_DATAGRAM)
    [told] = receiver.read_all()
    assert len(told) <= MAX_DATAGRAM
    assert "bytes left out" in told
    assert "\n" not in told
    assert told.endswith(" id=id-1")


@pytest.mark.parametrize("logged", [JSON], indirect=True)
def test_a_line_too_long_is_json_still(logged: Logged) -> None:
    logged.end("/" + "x" * MAX_DATAGRAM, "/short")
    long, short = map(json.loads, logged.texts())
    assert "characters left out" in long["target"]
    assert (long["status"], long["request_id"]) == (200, "id-1")
    assert short["target"] == "/short"


def test_only_the_line_that_no_datagram_takes_is_lost(logged: Logged) -> None:
    logged.way._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the least that there is, some 4 KiB
    logged.end("/before", "/" + "x" * 6000, "/after")
    assert [each.split('"')[1] for each in logged.texts()] == ["GET /before HTTP/1.1", "GET /after HTTP/1.1"]
    assert logged.log.lost_ever == 1
    assert not logged.retries

import fcntl
import logging
import os
import re
import resource
import select
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.unit.dispatcher.fakes import RecordingClient, RecordingJournal
from tests.unit.dispatcher.requests import a_request
from wsgid.access_fields import COMBINED
from wsgid.config import Config
from wsgid.dispatcher.access_file import AccessFile, open_access_file
from wsgid.dispatcher.access_line import line_of
from wsgid.dispatcher.access_log import GATHER_TIME, MOST_UNWRITTEN, RETRY, AccessLog, NoLog, open_access_log
from wsgid.dispatcher.clock import Clock
from wsgid.dispatcher.exchange import Exchange
from wsgid.protocol.values import Request

LINE = re.compile(
    r'\S+ - \S+ \[.{26}\] "(?:[^"\\]|\\.)*" \d{3} \d+ "-" "-" wait=\d+\.\dms service=\d+\.\dms worker=\S+ id=\S+\n'
)

combined = line_of(COMBINED)


def an_exchange(request: Request | None = None) -> Exchange:
    return Exchange(request or a_request(), RecordingClient(), True, RecordingJournal(), 10.0)


class TestFile:
    def test_is_appended_to(self, tmp_path: Path) -> None:
        (tmp_path / "logs").mkdir()
        for text in (b"one\n", b"two\n"):
            descriptor = open_access_file(Config(app_path=tmp_path)).descriptor
            os.write(descriptor, text)
            assert not os.get_inheritable(descriptor)
            os.close(descriptor)
        assert (tmp_path / "logs" / "access.log").read_bytes() == b"one\ntwo\n"

    def test_that_cannot_be_opened_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"access\.log"):
            open_access_file(Config(app_path=tmp_path))

    def test_is_the_standard_output_when_asked_for(self, tmp_path: Path) -> None:
        assert open_access_file(Config(app_path=tmp_path, stdout=True)).descriptor == 1


class HandClock(Clock):
    """Goes on when it is told to."""

    __slots__ = ("time",)

    def __init__(self) -> None:
        super().__init__()
        self.time = 1000.0

    def now(self) -> float:
        return self.time


class TestNone:
    def test_there_is_neither_file_nor_line(self, tmp_path: Path) -> None:
        config = Config(app_path=tmp_path, access_log_format="none")
        log = open_access_log(config, Clock(), lambda flush: None, never)
        assert isinstance(log, NoLog)
        log.ended(an_exchange(), 200, "", Clock.now())
        log.flush()
        log.reopen()
        assert not list(tmp_path.iterdir())


class TestReopening:
    """After somebody has moved the file away."""

    def open(self, config: Config) -> AccessLog:
        (config.app_path / "logs").mkdir()
        return AccessLog(open_access_file(config), combined, Clock(), lambda flush: None, never)

    def test_writes_to_a_new_file(self, tmp_path: Path) -> None:
        config = Config(app_path=tmp_path)
        log = self.open(config)
        log.ended(an_exchange(a_request(id="before")), 200, "", Clock.now())
        moved = (tmp_path / "logs/access.log").rename(tmp_path / "moved")
        log.reopen()
        log.ended(an_exchange(a_request(id="after")), 200, "", Clock.now())
        log.flush()
        assert "id=before\n" in moved.read_text()
        assert moved.read_text().count("\n") == 1
        assert "id=after\n" in (tmp_path / "logs/access.log").read_text()
        assert not os.get_inheritable(descriptor_of(log))
        os.close(descriptor_of(log))

    def test_goes_on_with_the_old_one_when_there_can_be_no_new(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        config = Config(app_path=tmp_path)
        log = self.open(config)
        moved = (tmp_path / "logs").rename(tmp_path / "moved") / "access.log"
        log.reopen()
        log.ended(an_exchange(), 200, "", Clock.now())
        log.flush()
        assert moved.read_text().count("\n") == 1
        assert "the access log cannot be opened again, the old file stays in use: [Errno 2]" in caplog.text
        os.close(descriptor_of(log))

    def test_is_nothing_to_the_standard_output(self, tmp_path: Path) -> None:
        with open(tmp_path / "out", "wb") as out:
            log = AccessLog(AccessFile(out.fileno()), combined, Clock(), lambda flush: None, never)
            log.reopen()
            log.ended(an_exchange(), 200, "", Clock.now())
            log.flush()
        assert (tmp_path / "out").read_text().count("\n") == 1


def descriptor_of(log: AccessLog) -> int:
    assert isinstance(log._destination, AccessFile)
    return log._destination.descriptor


def never(delay: float, retry: Callable[[], None]) -> None:
    raise AssertionError("nothing is left to be tried again")


class TestWriting:
    """`call_soon` gathers here what the event loop would call at its next turn."""

    def test_lines_of_one_turn_are_one_write(self) -> None:
        due: list[Callable[[], None]] = []
        left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with left, right:
            log = AccessLog(AccessFile(left.fileno()), combined, Clock(), due.append, never)
            for _ in range(3):
                log.ended(an_exchange(), 200, "", Clock.now())
            assert len(due) == 1
            due.pop()()
            packet = right.recv(65536).decode()
            assert packet.count("\n") == 3
            assert all(LINE.fullmatch(each) for each in packet.splitlines(keepends=True))

    def test_lines_that_come_thicker_are_one_write_too(self) -> None:
        clock = HandClock()
        soon: list[Callable[[], None]] = []
        later: list[tuple[float, Callable[[], None]]] = []
        left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with left, right:
            log = AccessLog(AccessFile(left.fileno()), combined, clock, soon.append, lambda *call: later.append(call))
            for _ in range(2):
                end(log, 1, now=clock.time)
                soon.pop()()
                assert right.recv(65536).count(b"\n") == 1
                clock.time += GATHER_TIME / 2
                end(log, 2, now=clock.time)
                assert not soon
                [(delay, due)] = later
                later.clear()
                clock.time += delay
                due()
                assert right.recv(65536).count(b"\n") == 2
                clock.time += 2 * GATHER_TIME  # a pause: the next is written without waiting

    def test_a_full_disk_stops_nothing(self) -> None:
        with open("/dev/full", "wb", buffering=0) as full:
            log = AccessLog(AccessFile(full.fileno()), combined, Clock(), lambda flush: None, never)
            for lost in (1, 2):
                log.ended(an_exchange(), 200, "", Clock.now())
                log.flush()
                assert log.lost == lost

    def test_what_a_disk_took_in_part_is_completed_before_the_next_line(self, tmp_path: Path) -> None:
        """A limit on the size of files is a disk that fills up and can be emptied."""
        retries: list[Callable[[], None]] = []
        path = tmp_path / "access.log"
        with open(path, "wb", buffering=0) as file, file_size_limit() as limit:
            log = AccessLog(
                AccessFile(file.fileno()),
                combined,
                Clock(),
                lambda flush: None,
                lambda delay, retry: retries.append(retry),
            )
            end(log, 3)
            first = len(combined(an_exchange(), 200, "", Clock(), 11.0))
            limit(first + first // 2)
            log.flush()
            assert log.lost == 1  # the third; the second has been begun
            end(log, 1)
            log.flush()
            assert log.lost == 2
            limit(1 << 20)
            retries.pop()()
            assert not retries
            end(log, 1)
            log.flush()
        assert all(LINE.fullmatch(each) for each in path.read_text().splitlines(keepends=True))
        assert path.read_text().count("\n") == 3


def end(log: AccessLog, count: int, target: str = "/", now: float = 0.0) -> None:
    for _ in range(count):
        log.ended(an_exchange(a_request(target=target)), 200, "", now or Clock.now())


@contextmanager
def file_size_limit() -> Iterator[Callable[[int], None]]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


class Stalled:
    """A log into a pipe, which is read when the test says so. The pipe holds few lines."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        self.capacity = fcntl.fcntl(self.writer, fcntl.F_SETPIPE_SZ, 4 * select.PIPE_BUF)
        self.delays: list[float] = []
        self.retries: list[Callable[[], None]] = []
        self.log = AccessLog(AccessFile(self.writer), combined, Clock(), lambda flush: None, self._call_later)

    def _call_later(self, delay: float, retry: Callable[[], None]) -> None:
        self.delays.append(delay)
        self.retries.append(retry)

    def end(self, count: int, target: str = "/") -> None:
        end(self.log, count, target)
        self.log.flush()

    def read(self) -> str:
        return os.read(self.reader, 1 << 20).decode()

    def read_all(self) -> str:
        """Until nothing is left to be tried again."""
        text = self.read()
        while self.retries:
            self.retries.pop()()
            text += self.read()
        return text


@pytest.fixture
def stalled() -> Iterator[Stalled]:
    made = Stalled()
    yield made
    os.close(made.reader)
    os.close(made.writer)


class TestAPipeThatNobodyReads:
    def test_holds_up_nobody_and_gets_everything_later(self, stalled: Stalled) -> None:
        for _ in range(10):
            stalled.end(200)
        assert stalled.delays == [RETRY]  # one at a time
        text = stalled.read_all()
        assert text.count("\n") == 2000
        assert all(LINE.fullmatch(each) for each in text.splitlines(keepends=True))
        assert set(stalled.delays) == {RETRY}
        assert stalled.log.lost == 0

    def test_is_tried_again_in_vain(self, stalled: Stalled) -> None:
        stalled.end(1000)
        stalled.retries.pop()()
        assert stalled.delays == [RETRY, RETRY]
        assert stalled.read_all().count("\n") == 1000

    def test_gets_whole_lines_at_once(self, stalled: Stalled) -> None:
        """Another process may write between any two writes of ours."""
        stalled.end(1000)
        text = stalled.read()
        assert text.endswith("\n")
        assert len(text) <= stalled.capacity

    def test_gets_a_line_longer_than_a_write_in_pieces(self, stalled: Stalled) -> None:
        stalled.end(5, "/" + "x" * 2 * select.PIPE_BUF)
        text = stalled.read_all()
        assert [len(each) for each in re.findall(r"/(x+)", text)] == [2 * select.PIPE_BUF] * 5
        assert all(LINE.fullmatch(each) for each in text.splitlines(keepends=True))

    def test_costs_no_more_memory_than_it_may(self, stalled: Stalled, caplog: pytest.LogCaptureFixture) -> None:
        target = "/" + "x" * 3000
        asked = 2 * MOST_UNWRITTEN // len(target)
        with caplog.at_level(logging.WARNING, "wsgid.dispatcher"):
            for _ in range(asked):
                stalled.end(1, target)
            lost = stalled.log.lost
            assert 0 < lost < asked
            assert not caplog.messages
            text = stalled.read_all()
        assert MOST_UNWRITTEN * 0.9 < len(text) <= MOST_UNWRITTEN + stalled.capacity
        assert text.count("\n") == asked - lost
        assert all(LINE.fullmatch(each) for each in text.splitlines(keepends=True))
        assert caplog.messages == [f"the access log could not be written for a while: {lost} lines are missing from it"]
        assert (stalled.log.lost, stalled.log.lost_ever) == (0, lost)
        assert stalled.log.lost == 0

    def test_is_no_reason_to_keep_anything_once_its_reader_is_gone(self) -> None:
        reader, writer = os.pipe()
        log = AccessLog(AccessFile(writer), combined, Clock(), lambda flush: None, never)
        os.close(reader)
        end(log, 3)
        log.flush()
        assert log.lost == 3
        os.close(writer)

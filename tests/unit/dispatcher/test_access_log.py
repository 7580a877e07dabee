import os
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.dispatcher.fakes import RecordingClient, RecordingJournal, RecordingOwner
from tests.unit.dispatcher.requests import a_head, a_request
from wsgid.channel.frames import FrameReader
from wsgid.config import Config
from wsgid.dispatcher import access_log
from wsgid.dispatcher.access_log import AccessLog, line, quoted
from wsgid.dispatcher.clock import Clock
from wsgid.dispatcher.exchange import Exchange
from wsgid.dispatcher.slots import Slot
from wsgid.dispatcher.workers import Worker
from wsgid.protocol.values import Request

STAMP = "2026-11-21T07:33:24.123Z"

LINE = re.compile(
    r'\S+Z \S+ "(?:[^"\\]|\\.)*" \d{3} \d+ wait=\d+\.\dms service=\d+\.\dms worker=\S+ id=\S+( end=\w+)?\n'
)


latin = st.text(st.characters(max_codepoint=0xFF), max_size=20)


def an_exchange(request: Request | None = None) -> Exchange:
    return Exchange(request or a_request(), RecordingClient(), True, RecordingJournal(), 10.0)


@pytest.fixture
def slot() -> Iterator[Slot]:
    loop = uvloop.new_event_loop()
    ours, theirs = socket.socketpair()
    slot = Slot(ours, Worker(4242), 0, FrameReader(), RecordingOwner(), loop)
    yield slot
    slot.close("the end")
    theirs.close()
    loop.close()


class TestLine:
    def test_of_a_request_that_was_served(self, slot: Slot) -> None:
        exchange = an_exchange()
        exchange.given(slot, 10.0001)
        exchange.answer(a_head(), b"x" * 1234)
        assert line(exchange, 200, "", STAMP, 10.0125) == (
            f'{STAMP} 192.0.2.1 "GET /path?query HTTP/1.1" 200 1234 wait=0.1ms service=12.4ms worker=4242 id=id-1\n'
        )

    def test_of_one_that_was_not(self) -> None:
        assert line(an_exchange(), 503, "refused", STAMP, 10.5) == (
            f'{STAMP} 192.0.2.1 "GET /path?query HTTP/1.1" 503 0 wait=500.0ms service=0.0ms worker=- id=id-1 '
            "end=refused\n"
        )

    def test_of_one_that_came_over_a_unix_socket(self) -> None:
        assert f'{STAMP} - "GET ' in line(an_exchange(a_request(remote_addr="")), 200, "", STAMP, 11.0)

    @given(latin, latin, latin)
    def test_cannot_be_forged(self, method: str, target: str, version: str) -> None:
        """Mongrel2 takes nearly anything for a method, and what is refused is logged as it came."""
        request = a_request(method=method, target=target, version=version)
        told = line(an_exchange(request), 200, "", STAMP, 11.0)
        assert LINE.fullmatch(told)
        assert told.isascii()
        assert told[:-1].isprintable()


class TestQuoted:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("/a?b=c%20d&e=<f>", "/a?b=c%20d&e=<f>"),
            ('/"', '/\\"'),
            ("/\\", "/\\\\"),
            ('/\\"', '/\\\\\\"'),
            ("/\n\x00\x7f\xe9", "/\\n\\x00\\x7f\\xe9"),
            ("", ""),
        ],
    )
    def test_only_what_needs_it_is_escaped(self, text: str, told: str) -> None:
        assert quoted(text) == told

    @given(latin)
    def test_it_can_be_read_back(self, text: str) -> None:
        told = quoted(text)
        assert told.replace('\\"', '"').encode().decode("unicode_escape") == text


class TestFile:
    def test_is_appended_to(self, tmp_path: Path) -> None:
        (tmp_path / "logs").mkdir()
        for text in (b"one\n", b"two\n"):
            descriptor = access_log.open_file(Config(app_path=tmp_path))
            os.write(descriptor, text)
            assert not os.get_inheritable(descriptor)
            os.close(descriptor)
        assert (tmp_path / "logs" / "access.log").read_bytes() == b"one\ntwo\n"

    def test_that_cannot_be_opened_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"access\.log"):
            access_log.open_file(Config(app_path=tmp_path))

    def test_is_the_standard_output_when_asked_for(self, tmp_path: Path) -> None:
        assert access_log.open_file(Config(app_path=tmp_path, stdout=True)) == 1


class TestWriting:
    """`call_soon` gathers here what the event loop would call at its next turn."""

    def test_lines_of_one_turn_are_one_write(self) -> None:
        due: list[Callable[[], None]] = []
        left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with left, right:
            log = AccessLog(left.fileno(), Clock(), due.append)
            for _ in range(3):
                log.ended(an_exchange(), 200, "")
            assert len(due) == 1
            due.pop()()
            packet = right.recv(65536).decode()
            assert packet.count("\n") == 3
            assert all(LINE.fullmatch(each) for each in packet.splitlines(keepends=True))
            log.ended(an_exchange(), 200, "")
            assert len(due) == 1  # the next turn has its own
            log.flush()
            assert right.recv(65536).count(b"\n") == 1

    def test_a_full_disk_stops_nothing(self) -> None:
        with open("/dev/full", "wb", buffering=0) as full:
            log = AccessLog(full.fileno(), Clock(), lambda flush: None)
            for lost in (1, 2):
                log.ended(an_exchange(), 200, "")
                log.flush()
                assert log.lost == lost

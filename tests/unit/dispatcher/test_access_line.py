import base64
import json
import re
import socket
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.dispatcher.fakes import RecordingClient, RecordingJournal, RecordingOwner
from tests.unit.dispatcher.requests import a_head, a_request
from wsgid.access_fields import COMBINED, COMBINED_TEXT, FIELDS, JSON, pieces
from wsgid.channel.frames import FrameReader
from wsgid.dispatcher.access_line import Line, basic_user, line_of, milliseconds, quoted, separators
from wsgid.dispatcher.clock import Clock
from wsgid.dispatcher.exchange import Exchange
from wsgid.dispatcher.slots import Slot
from wsgid.dispatcher.worker import Worker
from wsgid.protocol.values import Request

QUOTED = r'"((?:[^"\\]|\\.)*)"'

READ_COMBINED = re.compile(
    rf"(\S+) - (\S+) \[(.{{26}})\] {QUOTED} (\d{{3}}) (\d+) {QUOTED} {QUOTED} "
    r"wait=(\d+\.\d)ms service=(\d+\.\d)ms worker=(\d+|-) id=(\S+)(?: end=(\w+))?\n"
)

latin = st.text(st.characters(max_codepoint=0xFF), max_size=20)

combined, as_json = line_of(COMBINED), line_of(JSON)


class StoppedClock(Clock):
    def stamp(self) -> str:
        return "2026-11-21T07:33:24.123Z"

    def common(self, now: float) -> str:
        return "21/Nov/2026:07:33:24 +0000"


def an_exchange(request: Request | None = None) -> Exchange:
    return Exchange(request or a_request(), RecordingClient(), True, RecordingJournal(), 10.0)


def told(line: Line, exchange: Exchange | None = None, code: int = 200, note: str = "", now: float = 10.5) -> str:
    return line(exchange or an_exchange(), code, note, StoppedClock(), now)


def read_back(text: str) -> str:
    return text.replace('\\"', '"').encode().decode("unicode_escape")


@pytest.fixture
def served() -> Iterator[Exchange]:
    loop = uvloop.new_event_loop()
    ours, theirs = socket.socketpair()
    slot = Slot(ours, Worker(4242), 0, FrameReader(), RecordingOwner(), loop)
    headers = [("host", "a"), ("user-agent", "curl/8.14"), ("referer", "http://a/"), ("accept", "*/*")]
    exchange = an_exchange(a_request(headers=headers))
    exchange.given(slot, 10.0001)
    exchange.answer(a_head(), b"x" * 1234)
    yield exchange
    slot.close("the end")
    theirs.close()
    loop.close()


class TestCombined:
    def test_of_a_request_that_was_served(self, served: Exchange) -> None:
        assert told(combined, served, now=10.0125) == (
            '192.0.2.1 - - [21/Nov/2026:07:33:24 +0000] "GET /path?query HTTP/1.1" 200 1234 "http://a/" "curl/8.14" '
            "wait=0.1ms service=12.4ms worker=4242 id=id-1\n"
        )

    def test_of_one_that_was_not(self) -> None:
        assert told(combined, code=503, note="refused") == (
            '192.0.2.1 - - [21/Nov/2026:07:33:24 +0000] "GET /path?query HTTP/1.1" 503 0 "-" "-" '
            "wait=500.0ms service=0.0ms worker=- id=id-1 end=refused\n"
        )

    def test_of_one_that_came_over_a_unix_socket(self) -> None:
        assert told(combined, an_exchange(a_request(remote_addr=""))).startswith("- - - [")

    def test_names_who_has_given_a_password_and_not_the_password(self) -> None:
        credentials = base64.b64encode(b"jo doe:secret").decode()
        request = a_request(headers=[("authorization", f"Basic {credentials}")])
        assert told(combined, an_exchange(request)).startswith(r"192.0.2.1 - jo\x20doe [")

    @given(latin, latin, latin, latin, latin, latin)
    def test_cannot_be_forged(
        self, method: str, target: str, version: str, agent: str, referer: str, addr: str
    ) -> None:
        """Mongrel2 takes nearly anything for a method, and what is refused is logged as it came."""
        headers = [("user-agent", agent), ("referer", referer)]
        request = a_request(method=method, target=target, version=version, headers=headers, remote_addr=addr)
        line = told(combined, an_exchange(request))
        assert line[:-1].isascii()
        assert line[:-1].isprintable()
        found = READ_COMBINED.fullmatch(line)
        assert found
        for number, said in ((1, addr), (4, f"{method} {target} {version}"), (7, referer), (8, agent)):
            assert read_back(found[number]) == (said or "-")


class TestJson:
    def test_of_a_request_that_was_served(self, served: Exchange) -> None:
        line = told(as_json, served, now=10.0125)
        assert line.endswith("}\n")
        assert json.loads(line) == {
            "time": "2026-11-21T07:33:24.123Z",
            "remote_addr": "192.0.2.1",
            "remote_user": None,
            "method": "GET",
            "target": "/path?query",
            "protocol": "HTTP/1.1",
            "host": "a",
            "status": 200,
            "bytes": 1234,
            "referer": "http://a/",
            "user_agent": "curl/8.14",
            "wait_ms": 0.1,
            "service_ms": 12.4,
            "worker": 4242,
            "request_id": "id-1",
            "end": None,
        }

    def test_of_one_that_was_not(self) -> None:
        fields = json.loads(told(as_json, code=499, note="left"))
        assert (fields["status"], fields["worker"], fields["end"]) == (499, None, "left")

    @given(latin, latin, latin, latin, latin, latin)
    def test_any_request_is_read_back(
        self, method: str, target: str, version: str, agent: str, referer: str, addr: str
    ) -> None:
        headers = [("user-agent", agent), ("referer", referer), ("host", agent)]
        request = a_request(method=method, target=target, version=version, headers=headers, remote_addr=addr)
        line = told(as_json, an_exchange(request))
        assert line.count("\n") == 1
        assert line.isascii()
        fields: dict[str, Any] = json.loads(line)
        given = {"method": method, "target": target, "protocol": version, "user_agent": agent, "referer": referer}
        for name, said in {**given, "remote_addr": addr, "host": agent}.items():
            assert fields[name] == (said or None)


class TestAFormatOfOnesOwn:
    @pytest.mark.parametrize("name", FIELDS)
    def test_every_field_can_be_had_alone(self, name: str, served: Exchange) -> None:
        line = told(line_of(f"{{{name}}}"), served)
        assert line.endswith("\n")
        assert len(line) > 1 or name == "ending"

    def test_has_its_text_around_the_fields(self, served: Exchange) -> None:
        text = "{{{status}}}\t'{method}' \\ \"{path}{target}\" {bytes}".replace("{path}", "")
        assert told(line_of(text), served) == "{200}\t'GET' \\ \"/path?query\" 1234\n"

    def test_has_any_header(self) -> None:
        request = a_request(headers=[("accept-language", "de"), ("x-a", "first"), ("x-a", "last")])
        line = told(line_of('{header:Accept-Language} {header:x-a} "{header:X-B}"'), an_exchange(request))
        assert line == 'de last "-"\n'

    @given(latin)
    def test_a_blank_ends_no_field_outside_of_quotes(self, agent: str) -> None:
        request = a_request(headers=[("user-agent", agent)])
        line = told(line_of('{user_agent} "{user_agent}" {status}'), an_exchange(request))
        found = re.fullmatch(rf"(\S+) {QUOTED} 200\n", line)
        assert found
        assert read_back(found[1]) == read_back(found[2]) == (agent or "-")

    @given(latin, st.sampled_from(",;|:/'<>{}[]()=-._#%&*+!?~^`@$"))
    def test_what_separates_fields_ends_none(self, target: str, separator: str) -> None:
        written = separator * 2 if separator in "{}" else separator
        line = told(
            line_of(f"{{bytes}}{written}{{target}} {{status}}{written}{{worker}}"),
            an_exchange(a_request(target=target)),
        )
        first, ours, *others = line[:-1].replace(" ", separator).split(separator)
        assert first == "0"
        assert read_back(ours) == (target or "-")
        assert others[0] == "200"

    def test_the_combined_format_has_blanks_between_fields(self) -> None:
        assert separators(list(pieces(COMBINED_TEXT))) == " "

    def test_the_end_is_told_without_a_blank_too(self) -> None:
        assert told(line_of("{status} {end}"), note="cut") == "200 cut\n"
        assert told(line_of("{status} {end}{ending}")) == "200 -\n"


class TestTime:
    def test_is_that_of_the_clock(self) -> None:
        before = datetime.now().astimezone()
        line = line_of("{time_local}|{time}")(an_exchange(), 200, "", Clock(), 11.0)
        local, _, exact = line.rstrip().partition("|")
        assert 0 <= (datetime.strptime(local, "%d/%b/%Y:%H:%M:%S %z") - before).total_seconds() + 1 < 60
        assert 0 <= (datetime.fromisoformat(exact) - before).total_seconds() + 1 < 60


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.0, "0.0"), (0.000049, "0.0"), (0.0001, "0.1"), (0.0124, "12.4"), (0.99994, "999.9"), (0.99996, "1000.0")],
)
def test_milliseconds(seconds: float, told: str) -> None:
    assert milliseconds(seconds) == told


@given(st.floats(0, 1e6))
def test_milliseconds_are_the_nearest(seconds: float) -> None:
    assert abs(float(milliseconds(seconds)) - seconds * 1000) <= 0.0501


@pytest.mark.parametrize(
    ("value", "user"),
    [
        ("Basic am86cGFzcw==", "jo"),
        ("bAsIc  am86cGFzcw== ", "jo"),
        ("Basic Og==", ""),
        ("Basic am8=", ""),  # no colon: it may be the password
        ("Basic am8", ""),
        ("Basic \xe9", ""),
        ("Bearer am86cGFzcw==", ""),
        ("", ""),
    ],
)
def test_basic_user(value: str, user: str) -> None:
    assert basic_user(value) == user


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
        assert read_back(quoted(text)) == text

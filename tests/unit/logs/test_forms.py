import json
import logging
import re
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgid.logs import About, JsonForm, TextForm
from wsgid.logs.main_log import about

SMALLEST = 4096
"""Bytes that a pipe with something in it takes at once: the least that a form is asked for."""

MOST = 64 * 1024

FIXED = {"time", "level", "logger", "role", "pid", "message"}
"""What every record has."""


def a_record(text: str = "hello", extra: About | None = None, **more: Any) -> logging.LogRecord:
    values = {"name": "wsgid.dispatcher", "levelno": logging.ERROR, "levelname": "ERROR", "msg": text, **more}
    return logging.makeLogRecord({**values, **(extra or {})})


def told(record: logging.LogRecord, role: str = "dispatcher", lost: int = 0, most: int = MOST) -> dict[str, Any]:
    data = JsonForm(role).data(record, lost, most)
    assert len(data) <= most
    assert data.isascii()
    assert data.endswith(b"}\n")
    assert data.count(b"\n") == 1
    fields = json.loads(data)
    assert isinstance(fields, dict)
    return fields


class TestJson:
    def test_has_what_every_record_has(self) -> None:
        fields = told(a_record("hello %s", args=("wörld",), created=1764000000.0625, process=4242))
        assert fields == {
            "time": "2025-11-24T16:00:00.062Z",
            "level": "ERROR",
            "logger": "wsgid.dispatcher",
            "role": "dispatcher",
            "pid": 4242,
            "message": "hello wörld",
        }

    def test_names_the_request_and_the_worker_where_it_knows_them(self) -> None:
        fields = told(a_record(extra=about("5f3a-1", 77)))
        assert (fields["request_id"], fields["worker"]) == ("5f3a-1", 77)
        assert fields.keys() - {"request_id", "worker"} == FIXED

    def test_of_a_worker_names_that(self) -> None:
        assert told(a_record(process=4242), role="worker")["worker"] == 4242
        assert told(a_record(process=4242, worker=5), role="worker")["worker"] == 5

    def test_has_a_traceback_as_one_field(self) -> None:
        try:
            raise LookupError("nothing\nthere")
        except LookupError:
            fields = told(a_record("it failed", exc_info=sys.exc_info()))
        assert fields["message"] == "it failed"
        assert fields["traceback"].startswith("Traceback (most recent call last):\n")
        assert fields["traceback"].endswith("\nLookupError: nothing\nthere")

    def test_has_stacks_in_the_same_field(self) -> None:
        assert told(a_record(extra=about(traceback="File 1\nFile 2")))["traceback"] == "File 1\nFile 2"

    def test_says_how_many_before_it_were_lost(self) -> None:
        assert told(a_record(), lost=3)["lost"] == 3

    def test_what_is_no_number_is_no_process_id(self) -> None:
        """Plug-ins may say what they like in ``extra``."""
        assert "worker" not in told(a_record(worker="me"))
        assert told(a_record(request_id=7))["request_id"] == "7"

    def test_of_arguments_that_cannot_be_formatted_says_where(self) -> None:
        fields = told(a_record("%d things", args=("x",), pathname="here.py", lineno=7))
        assert fields["message"] == "a record that cannot be formatted: %d things (here.py, line 7): TypeError"

    @given(st.text(max_size=50), st.text(max_size=50), st.text(max_size=50))
    def test_any_text_is_read_back(self, text: str, request_id: str, traceback: str) -> None:
        fields = told(a_record(text, about(request_id, 0, traceback)))
        for name, said in (("message", text), ("request_id", request_id), ("traceback", traceback)):
            assert fields.get(name, "") == said.encode("utf-8", "backslashreplace").decode()

    def test_of_half_a_surrogate_pair_is_no_reason_to_refuse_it(self) -> None:
        assert told(a_record("caf\udce9"))["message"] == r"caf\udce9"


class TestJsonTooLong:
    @pytest.mark.parametrize("filling", ["x", "\x00", "é", "\N{SNOWMAN}", "\N{GRINNING FACE}", '"', "\\", "\udce9"])
    @pytest.mark.parametrize("most", [SMALLEST, MOST])
    def test_keeps_both_ends(self, filling: str, most: int) -> None:
        message = told(a_record(f"begin{filling * most}end"), most=most)["message"]
        assert message.startswith("begin")
        assert message.endswith("end")
        assert re.search(r" \(\d+ characters left out\) ", message)

    @given(st.text(max_size=3000), st.text(max_size=3000), st.text(max_size=3000))
    def test_is_an_object_whatever_the_text(self, text: str, request_id: str, traceback: str) -> None:
        fields = told(a_record(text, about(request_id, 0, traceback)), lost=2, most=SMALLEST)
        assert fields.keys() >= FIXED

    def test_fills_what_there_is(self) -> None:
        """A traceback is longer than what it is about: that is kept."""
        data = JsonForm("worker").data(a_record("short", about(traceback="x" * MOST)), 0, SMALLEST)
        assert SMALLEST - 100 < len(data) <= SMALLEST
        assert json.loads(data)["message"] == "short"

    def test_says_how_much_is_missing(self) -> None:
        message = told(a_record("é" * MOST), most=SMALLEST)["message"]
        found = re.fullmatch(r"(é+) \((\d+) characters left out\) (é+)", message)
        assert found
        assert len(found[1]) + int(found[2]) + len(found[3]) == MOST


class TestText:
    def test_has_stacks_as_further_lines(self) -> None:
        data = TextForm("master").data(a_record("stacks:", about("id", 7, "File 1\nFile 2")), 0, MOST)
        assert data.endswith(b" stacks:\n    File 1\n    File 2\n")

    @pytest.mark.parametrize("shift", range(4))
    def test_too_long_is_utf8_still(self, shift: int) -> None:
        data = TextForm("master").data(a_record("x" * shift + "\N{GRINNING FACE}" * SMALLEST), 0, SMALLEST)
        assert len(data) <= SMALLEST
        assert data.decode().count("\N{GRINNING FACE}") * 4 > SMALLEST - 200


def test_no_text_changes_its_own_direction() -> None:
    turning = "".join(map(chr, (0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))))
    record = logging.LogRecord("wsgid", logging.INFO, "", 0, f"user {turning} x", (), None)
    data = TextForm("worker").data(record, 0, 4096)
    assert data.isascii()
    assert rb"\u2028\u2029\u202a" in data
    assert rb"\u202e\u2066\u2067\u2068\u2069 x" in data

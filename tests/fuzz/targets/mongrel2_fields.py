"""Header blocks from Mongrel2: the quick way and the strict one agree, and with Python's own reader of JSON."""

import json
from typing import Any

from tests.unit.protocol.mongrel2_captured import CAPTURED
from wsgid.protocol.mongrel2_envelope import open_envelope
from wsgid.protocol.mongrel2_fields import (
    Fields,
    FieldsError,
    Repeats,
    _read_any_tnetstring,
    _read_strings,
    read_json,
    read_tnetstring,
)


def check(data: bytes) -> None:
    text = data.decode("latin-1")
    check_tnetstring(text)
    check_json(text)


def check_tnetstring(text: str) -> None:
    if quick := _read_strings(text):
        assert _read_any_tnetstring(text) == (quick, {})
    try:
        expected = trimmed(*_read_any_tnetstring(text))
    except FieldsError:
        expected = None
    assert outcome(read_tnetstring, text) == expected


def check_json(text: str) -> None:
    """What is accepted has the value that another reader finds; the two escapes of Mongrel2's are all there are."""
    read = outcome(read_json, text)
    if read is None:
        return
    assert "\\" not in text.replace("\\\\", "").replace('\\"', "")
    # With strict=False it takes raw control characters, as they come from clients.
    expected: dict[str, Any] = json.loads(text, strict=False)
    fields = {name: value for name, value in expected.items() if isinstance(value, str)}
    repeats = {name: value for name, value in expected.items() if isinstance(value, list)}
    assert fields.keys() | repeats.keys() == expected.keys()
    assert read == trimmed(fields, repeats)


def trimmed(fields: Fields, repeats: Repeats) -> tuple[Fields, Repeats]:
    """Without blanks at the end of values, but for those of Transfer-Encoding."""
    ends = {name: "" if name == "transfer-encoding" else " \t" for name in (*fields, *repeats)}
    return (
        {name: value.rstrip(ends[name]) for name, value in fields.items()},
        {name: [value.rstrip(ends[name]) for value in values] for name, values in repeats.items()},
    )


def outcome(read: Any, text: str) -> tuple[Fields, Repeats] | None:
    try:
        found: tuple[Fields, Repeats] = read(text)
    except FieldsError as error:
        assert str(error)
        return None
    return found


def seeds() -> list[bytes]:
    return [open_envelope(message).block for message, _ in CAPTURED]

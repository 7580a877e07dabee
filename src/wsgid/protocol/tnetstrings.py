"""Tagged netstrings: ``length:payload`` and one byte that says what the payload is.

======= =====================================================================
tag     payload
======= =====================================================================
``,``   bytes
``#``   a decimal integer
``!``   ``true`` or ``false``
``~``   nothing: null
``]``   tnetstrings, one after the other: a list
``}``   keys (bytes) and values in turn: a dict
======= =====================================================================

The decoder is strict: what it accepts, `encode` writes back byte for byte. The tag for floats (``^``) is left out:
Mongrel2 never writes one, and it has no one way to be written.
"""

import re
from typing import Final, TypeAlias

Value: TypeAlias = "bytes | int | list[Value] | dict[bytes, Value] | None"

MAX_SIZE: Final = 1024 * 1024
"""Bytes of a whole tnetstring: the largest header block that any edge takes."""

MAX_DEPTH: Final = 8
"""Containers inside each other. The deepest that Mongrel2 writes, rows of its control port, is 3."""

_LENGTH: Final = re.compile(rb"(0|[1-9][0-9]{0,6}):")
_INTEGER: Final = re.compile(rb"0|-?[1-9][0-9]{0,18}")
"""At most 19 digits: Mongrel2 keeps integers in a C ``long``."""


class TnetstringError(ValueError):
    """Bytes that are not one tnetstring, or a value that cannot be written as one. ``str()`` says what and where."""


def decode(data: bytes) -> Value:
    """The value of exactly one tnetstring, no byte before or after it. Raises TnetstringError."""
    if len(data) > MAX_SIZE:
        raise TnetstringError(f"{len(data)} bytes, the limit is {MAX_SIZE}")
    value, end = _decode_at(data, 0, len(data), 0)
    if end != len(data):
        raise TnetstringError(f"bytes follow the end of the value at {end}")
    return value


def _decode_at(data: bytes, start: int, limit: int, depth: int) -> tuple[Value, int]:
    """The value that starts at ``start`` and lies before ``limit``, and where it ends."""
    length = _LENGTH.match(data, start, limit)
    if length is None:
        raise TnetstringError(f"no length at {start}")
    begin = length.end()
    end = begin + int(length[1])
    if end >= limit:
        raise TnetstringError(f"the value at {start} is cut off")
    tag = data[end : end + 1]
    if tag in (b"]", b"}"):
        if depth == MAX_DEPTH:
            raise TnetstringError(f"more than {MAX_DEPTH} containers inside each other at {start}")
        items = _decode_items(data, begin, end, depth + 1)
        return (items if tag == b"]" else _dict(items, start)), end + 1
    return _scalar(tag, data[begin:end], start), end + 1


def _decode_items(data: bytes, position: int, limit: int, depth: int) -> list[Value]:
    items = []
    while position < limit:
        item, position = _decode_at(data, position, limit, depth)
        items.append(item)
    return items


def _dict(items: list[Value], start: int) -> dict[bytes, Value]:
    if len(items) % 2:
        raise TnetstringError(f"a key without a value in the dict at {start}")
    result: dict[bytes, Value] = {}
    for key, value in zip(items[::2], items[1::2], strict=True):
        if not isinstance(key, bytes):
            raise TnetstringError(f"a key that is not a string in the dict at {start}")
        if key in result:
            raise TnetstringError(f"the key {key!r} twice in the dict at {start}")
        result[key] = value
    return result


def _scalar(tag: bytes, payload: bytes, start: int) -> Value:
    if tag == b",":
        return payload
    if tag == b"#" and _INTEGER.fullmatch(payload):
        return int(payload)
    if tag == b"!" and payload in (b"true", b"false"):
        return payload == b"true"
    if tag == b"~" and not payload:
        return None
    if tag in b"#!~":
        raise TnetstringError(f"{payload[:40]!r} at {start} does not go with its tag {tag!r}")
    raise TnetstringError(f"unknown tag {tag!r} of the value at {start}")


def encode(value: Value) -> bytes:
    """The tnetstring of a value.

    Raises TnetstringError for what `decode` would not take back: other types, too large, too deep.
    """
    data = _encode(value, 0)
    if len(data) > MAX_SIZE:
        raise TnetstringError(f"{len(data)} bytes, the limit is {MAX_SIZE}")
    return data


def _encode(value: Value, depth: int) -> bytes:
    if isinstance(value, bytes):
        return b"%d:%b," % (len(value), value)
    if value is None:
        return b"0:~"
    if isinstance(value, bool):
        return b"4:true!" if value else b"5:false!"
    if isinstance(value, int):
        return _encode_int(value)
    if depth == MAX_DEPTH:
        raise TnetstringError(f"more than {MAX_DEPTH} containers inside each other")
    if isinstance(value, list):
        payload = b"".join([_encode(item, depth + 1) for item in value])
        return b"%d:%b]" % (len(payload), payload)
    if isinstance(value, dict):
        payload = b"".join([_encode_key(key) + _encode(item, depth + 1) for key, item in value.items()])
        return b"%d:%b}" % (len(payload), payload)
    raise TnetstringError(f"a {type(value).__name__} cannot be written, only bytes, int, bool, None, list and dict")


def _encode_int(value: int) -> bytes:
    # The range first: turning an int of thousands of digits into text is what Python itself refuses to do.
    if not -(10**19) < value < 10**19:
        raise TnetstringError("an integer of more than 19 digits")
    digits = b"%d" % value
    return b"%d:%b#" % (len(digits), digits)


def _encode_key(key: bytes) -> bytes:
    if not isinstance(key, bytes):
        raise TnetstringError(f"a dict key that is a {type(key).__name__}, not bytes")
    return b"%d:%b," % (len(key), key)

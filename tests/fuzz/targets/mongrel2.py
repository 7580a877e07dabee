"""Messages from Mongrel2: any bytes are a value that keeps the rules, or MalformedMessage."""

from collections.abc import Iterator

from tests.unit.protocol.mongrel2_captured import CAPTURED
from tests.unit.protocol.mongrel2_rules import check_message
from tests.unit.protocol.mongrel2_writer import REQUEST_LINE, Values, json_message, tnetstring_message

TWO_WAYS: list[Values] = [
    {"content-length": "3", "transfer-encoding": "chunked"},
    {"content-length": ["3", "3"]},
    {"content-length": "+3"},
    {"content-length": "2147483648"},
    {"transfer-encoding": "Chunked"},
    {"transfer-encoding": "chunked "},
    {"transfer-encoding": ["chunked", "chunked"]},
    {"host": ["h", "h"]},
    {"host": "h:x"},
    {"nocolon\r\nx-b": "1"},
    {"x": "a\rb"},
    {"x-request-id": "abc-1"},
    {"x-mongrel2-upload-start": "/tmp/u", "x-mongrel2-upload-done": "/tmp/u", "content-length": "3"},
]
"""Headers that two programs could read differently, or that a client must not have."""


def check(data: bytes) -> None:
    check_message(data)


def seeds() -> list[bytes]:
    return [*(message for message, _ in CAPTURED), *_odd()]


def _odd() -> Iterator[bytes]:
    """As an ordinary request, one whose body is streamed, and one whose body is in a file."""
    post: Values = {**REQUEST_LINE, "METHOD": "POST"}
    for headers in TWO_WAYS:
        client: Values = {"host": "h", **headers}
        yield tnetstring_message(post, client, b"abc")
        yield json_message({**post, "VERSION": "HTTP/1.0"}, client)
        yield tnetstring_message({**post, "UPLOAD_STREAM": "0"}, client)
        yield tnetstring_message(post, {**client, "x-mongrel2-upload-start": "/tmp/u"})

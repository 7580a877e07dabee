"""tnetstrings: any bytes are a value that is written back byte for byte, or the error."""

from tests.unit.protocol.mongrel2_captured import CAPTURED
from wsgid.protocol.mongrel2_envelope import open_envelope
from wsgid.protocol.tnetstrings import TnetstringError, Value, decode, encode


def check(data: bytes) -> None:
    try:
        value = decode(data)
    except TnetstringError as error:
        assert str(error)
        return
    assert encode(value) == data
    assert is_whole(value)
    for cut in (data[:-1], data[1:], data + data[-1:], b"1" + data):
        assert is_refused(cut), f"{cut!r} is a value as well"


def is_whole(value: Value) -> bool:
    """It is made of the types that there are."""
    if isinstance(value, list):
        return all(map(is_whole, value))
    if isinstance(value, dict):
        return all(type(key) is bytes and is_whole(item) for key, item in value.items())
    return value is None or type(value) in (bytes, int, bool)


def is_refused(data: bytes) -> bool:
    try:
        decode(data)
    except TnetstringError:
        return True
    return False


def seeds() -> list[bytes]:
    blocks = [open_envelope(message).block for message, _ in CAPTURED]
    ordinary: list[Value] = [b"", 0, -12, 2**63 - 1, True, False, None, [], {}]
    nested: Value = [b"ctl", {b"keep-alive": True, b"": [[[[[[b"deep"]]]]]]}]
    return [*map(encode, [*ordinary, ordinary, nested]), *(b"%d:%b}" % (len(block), block) for block in blocks)]

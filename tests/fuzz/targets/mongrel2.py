"""Messages from Mongrel2: any bytes are a value that keeps the rules, or MalformedMessage."""

from tests.unit.protocol.mongrel2_captured import CAPTURED
from tests.unit.protocol.mongrel2_rules import check_message


def check(data: bytes) -> None:
    check_message(data)


def seeds() -> list[bytes]:
    return [message for message, _ in CAPTURED]

"""Lines of the access log, taken apart."""

import re
from typing import NamedTuple

LINE = re.compile(
    r'(?P<remote>\S+) - \S+ \[.{26}\] "(?P<asked>(?:[^"\\]|\\.)*)" (?P<code>\d+) (?P<size>\d+) '
    r'"(?:[^"\\]|\\.)*" "(?:[^"\\]|\\.)*" wait=\S+ service=\S+ '
    r"worker=(?P<worker>\d+|-) id=(?P<request_id>\S+)(?: end=(?P<end>\w+))?"
)


class Line(NamedTuple):
    remote: str
    asked: str
    code: int
    size: int
    worker: str
    request_id: str
    end: str
    """Empty for an answer of the application."""


def read_lines(text: str) -> list[Line]:
    """Raises AssertionError for a line that is none."""
    return [_read(line) for line in text.splitlines()]


def _read(text: str) -> Line:
    found = LINE.fullmatch(text)
    assert found, f"not a line of the access log: {text!r}"
    told = found.groupdict(default="")
    code, size = int(told["code"]), int(told["size"])
    return Line(told["remote"], told["asked"], code, size, told["worker"], told["request_id"], told["end"])

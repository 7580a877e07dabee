"""How a record of the main log is written: a line for people, or a JSON object (``--log-format``).

A record is one write(2), and into a pipe that may not be much: each has a most that it may take. One that is longer
loses its middle: what happened stands at the beginning of a text, and the cause of a traceback at its end.
"""

import bisect
import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as as_json
from typing import Final, TypedDict

_CUT_MARK: Final = 64
"""Bytes, at most, of the words that stand for what a record too long has lost."""

_CONTINUED: Final = "\n    "
_CONTROLS: Final = {
    **{code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"},
    # Unicode's ends of lines and paragraphs, which many a reader of logs knows, and what turns the direction of text.
    **{code: f"\\u{code:04x}" for code in (0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))},
    ord("\n"): _CONTINUED,
}
"""Only the first line of a record begins with a date: a client whose header holds a line end cannot forge a record, nor
one with escape sequences (C0 and C1 controls) take the terminal of whoever reads the log, nor show its text in another
order than it has."""


class About(TypedDict, total=False):
    """What a record can say of itself beside its text: the ``extra`` of `logging`."""

    request_id: str
    worker: int
    """Its process id, in the record of another process."""
    traceback: str
    """Lines of code that were not raised, such as the stacks of a process that hangs."""


class Form(ABC):
    """A record as bytes with a line end."""

    def __init__(self, role: str) -> None:
        self._role = role

    def data(self, record: logging.LogRecord, lost: int, most: int) -> bytes:
        """At most so many bytes, some hundreds at least; ``lost`` records before this one could not be written.

        Never fails: a record that cannot be formatted says where it comes from.
        """
        try:
            return self._written(record, lost, most)
        except Exception as error:  # noqa: BLE001 - whatever __str__ of the arguments may raise
            return self._written(_unformatted(record, error), lost, most)

    @abstractmethod
    def _written(self, record: logging.LogRecord, lost: int, most: int) -> bytes: ...


class TextForm(Form):
    """``2026-11-21 07:33:24,123 INFO  worker[1234] text``, further lines indented."""

    pattern = "%(asctime)s %(levelname)-5s {role}[%(process)d] %(message)s"
    between = "\n"
    """What follows words about records that were lost."""

    def __init__(self, role: str) -> None:
        super().__init__(role)
        self._formatter = logging.Formatter(self.pattern.format(role=role))

    def _written(self, record: logging.LogRecord, lost: int, most: int) -> bytes:
        text = self._formatter.format(record)
        if traceback := getattr(record, "traceback", ""):
            text += f"\n{traceback}"
        data = text.translate(_CONTROLS).encode("utf-8", "backslashreplace") + b"\n"
        if lost:
            data = f"({lost} records before this one could not be written){self.between}".encode() + data
        return cut(data, most)


class BriefForm(TextForm):
    """``INFO worker: text``, where time and process are told beside it."""

    pattern = "%(levelname)s {role}: %(message)s"
    between = " "


class JsonForm(Form):
    """One JSON object with `FIELDS`, in ASCII: what a terminal would obey is escaped, and what some readers take for an
    end of line."""

    def _written(self, record: logging.LogRecord, lost: int, most: int) -> bytes:
        return json_line(self._fields(record, lost), most)

    def _fields(self, record: logging.LogRecord, lost: int) -> dict[str, object]:
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname,
            "logger": record.name,
            "role": self._role,
            "pid": record.process,
            "message": record.getMessage(),
        }
        if (request_id := getattr(record, "request_id", None)) is not None:
            fields["request_id"] = str(request_id)
        worker = getattr(record, "worker", record.process if self._role == "worker" else None)
        if isinstance(worker, int):
            fields["worker"] = worker
        if traceback := _traceback(record):
            fields["traceback"] = traceback
        if lost:
            fields["lost"] = lost
        return fields


FIELDS: Final[Mapping[str, str]] = {
    "time": "When: RFC 3339, UTC, with milliseconds.",
    "level": "`DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`.",
    "logger": "The name of the logger: `wsgid` and what is below it.",
    "role": "Which process wrote it: `master`, `dispatcher`, `worker`, or `watcher` (`--reload`).",
    "pid": "The process id of that.",
    "message": "What happened, in words.",
    "request_id": "The request that it is about, where it is about one.",
    "worker": "The process id of the worker that it is about, whoever says it.",
    "traceback": "Of an exception, or the stacks of a process that hangs; lines are separated by `\\n`.",
    "lost": "How many records before this one could not be written: a full disk, a pipe that nobody reads.",
}
"""Of a `JsonForm`, for docs/logs.md. Those from ``request_id`` on are there only where they say something."""

FORMS: Final[Mapping[str, type[Form]]] = {"text": TextForm, "json": JsonForm}
"""By the values of ``--log-format``."""


def json_line(fields: dict[str, object], most: int) -> bytes:
    """The object as one line of ASCII. Where it has more than ``most`` bytes its longest texts lose their middle."""
    fields = {name: _sound(value) if isinstance(value, str) else value for name, value in fields.items()}
    while (excess := len(line := json.dumps(fields)) + 1 - most) > 0:
        sizes = {name: len(as_json(value)) for name, value in fields.items() if isinstance(value, str)}
        longest = max(sizes, key=sizes.__getitem__)
        if sizes[longest] <= 2 * _CUT_MARK:
            break  # so little room nobody gives
        text = fields[longest]
        assert isinstance(text, str), "only texts are measured"
        fields[longest] = _without_middle(text, max(sizes[longest] - excess, _CUT_MARK + 2))
    return line.encode("ascii") + b"\n"


def cut(data: bytes, most: int) -> bytes:
    """The first and the last half of what is longer than ``most`` bytes."""
    if len(data) <= most:
        return data
    half = (most - _CUT_MARK) // 2
    head, tail = (part.decode(errors="ignore").encode() for part in (data[:half], data[-half:]))  # no half characters
    left_out = len(data) - len(head) - len(tail)
    return head + f"{_CONTINUED}({left_out} bytes left out){_CONTINUED}".encode() + tail


def _without_middle(text: str, most: int) -> str:
    """What takes ``most`` bytes as JSON, with both quotes."""
    half = max(0, (most - 2 - _CUT_MARK) // 2)
    first, last = _fitting(text, half), _fitting(text[: -half - 1 : -1], half)
    return f"{text[:first]} ({len(text) - first - last} characters left out) {text[len(text) - last :]}"


def _fitting(text: str, most: int) -> int:
    """How many characters of its beginning take no more than ``most`` bytes, escaped as they are in JSON."""
    counts = range(min(len(text), most) + 1)  # as each takes at least one
    return bisect.bisect_right(counts, most, key=lambda count: len(as_json(text[:count])) - 2) - 1


def _sound(text: str) -> str:
    """Without halves of surrogate pairs, which stand for bytes of a file's name that is no UTF-8: as JSON they are
    refused by many a reader."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _traceback(record: logging.LogRecord) -> str:
    parts = [getattr(record, "traceback", "")]
    if record.exc_info:
        parts.append(_FORMATTER.formatException(record.exc_info))
    if record.stack_info:
        parts.append(record.stack_info)
    return "\n".join(part for part in parts if isinstance(part, str) and part)


_FORMATTER: Final = logging.Formatter()


def _unformatted(record: logging.LogRecord, error: Exception) -> logging.LogRecord:
    what = f"a record that cannot be formatted: {record.msg if isinstance(record.msg, str) else type(record.msg)}"
    text = f"{what} ({record.pathname}, line {record.lineno}): {type(error).__name__}"
    return logging.LogRecord(record.name, logging.ERROR, record.pathname, 0, text, (), None)

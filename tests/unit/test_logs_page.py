"""docs/logs.md: its examples are what is written, and what is understood."""

import json
import re
from pathlib import Path

from wsgid.access_fields import FIELDS as ACCESS_FIELDS
from wsgid.access_fields import access_log_format
from wsgid.config import OPTIONS
from wsgid.logs.forms import FIELDS as RECORD_FIELDS

PAGE = (Path(__file__).parents[2] / "docs" / "logs.md").read_text()


def joined(beginning: str) -> str:
    """An indented example that the page breaks into two lines."""
    [found] = re.findall(rf"^    ({re.escape(beginning)}.*\n    .*)$", PAGE, re.MULTILINE)
    return " ".join(found.split())


def test_the_record() -> None:
    record = json.loads(joined('{"time"'))
    assert list(record) == [name for name in RECORD_FIELDS if name in record]
    assert record["worker"] == record["pid"], "said by a worker"


def test_the_line() -> None:
    line = joined("127.0.0.1 - - [")
    [text] = map(re.escape, re.findall(r"^\{remote_addr\}.*$", PAGE, re.MULTILINE))
    text = re.sub(r"\\\{\w+\\\}", "(.*?)", text)
    found = re.fullmatch(text, line)
    assert found
    assert found[10] == "12.4"


def test_the_formats() -> None:
    formats = re.findall(r"--access-log-format '([^']+)'", PAGE)
    assert formats
    assert all(access_log_format(each) for each in formats)


def test_the_options() -> None:
    flags = {each.flag for each in OPTIONS}
    named = set(re.findall(r"`(--[a-z-]+)", PAGE)) - {"--log-format=COMBINED", "--no-ip-validation"}
    assert {"--log-format", "--access-log-format", "--syslog", "--stdout"} <= named <= flags


def test_the_fields() -> None:
    rows = set(re.findall(r"^\| `([\w:]+)` \|", PAGE, re.MULTILINE))
    assert {*RECORD_FIELDS, *ACCESS_FIELDS, "header:NAME"} <= rows

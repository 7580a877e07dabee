"""Compares what came with what should have. Everything here raises AssertionError.

That an answer is HTTP at all h11 has said by then (`tests.functional.clients`).
"""

import datetime
import email.utils
import re
from collections import Counter

from tests.deadlines import seconds
from tests.functional import clients
from tests.functional.clients import Connection
from tests.functional.conformance.access import Line
from tests.functional.conformance.outcomes import Answer, Ending, Known, Record, Told

DATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} [\d:]{8} GMT"
)
"""An IMF-fixdate (RFC 9110 section 5.6.7)."""

CLOCK_STEP = 1.0
"""Seconds by which a date may be late: it has whole seconds."""

SERVED = re.compile(r"\d+")


def same(given: object, wanted: object, what: str) -> None:
    assert given == wanted, f"{what}: {given!r}, and not {wanted!r}"


def check_answer(answer: clients.Answer, wanted: Answer) -> None:
    same(answer.status, wanted.status, f"the status (with the body {answer.body[:300]!r})")
    if wanted.body is not None:
        same(answer.body, wanted.body, "the body")
    assert wanted.says in answer.text, f"{wanted.says!r} is not in the body {answer.body[:300]!r}"
    if wanted.reason is not None:
        same(answer.reason, wanted.reason, "the reason")
    same(tuple(answer.informational), wanted.informational, "the answers before the answer")


def check_form(answer: clients.Answer, wanted: Answer) -> None:
    """What is so in each of our answers, whatever the rule."""
    counts = Counter(name for name, _ in answer.headers if name != "set-cookie")
    for name in ("date", "server", "content-length", "transfer-encoding", "connection", "content-type", "x-request-id"):
        assert counts[name] <= 1, f"{name} is there {counts[name]} times"
    assert counts["content-length"] + counts["transfer-encoding"] <= 1, "two framings"
    assert counts["date"] == 1, "no Date"
    same(answer.version, "1.1", "the version of the answer")
    same(answer.header("connection") == "close", wanted.closes, "whether Connection is close")


def check_told(answer: clients.Answer, wanted: Answer, request_id: str, address: tuple[str, int]) -> None:
    """Headers, and what the application told of its environ."""
    known = {Known.PORT: str(address[1]), Known.REQUEST_ID: request_id}

    def check(given: object, told: Told, what: str) -> None:
        if told is Known.NOW:
            check_date(given)
        elif isinstance(told, re.Pattern):
            assert isinstance(given, str), f"{what}: {given!r}, and not {told.pattern!r}"
            assert told.fullmatch(given), f"{what}: {given!r}, and not {told.pattern!r}"
        else:
            same(given, known[told] if isinstance(told, Known) else told, what)

    for name, value in (wanted.headers or {}).items():
        check(answer.header(name), value, f"the header {name}")
    if wanted.environ is not None or wanted.played is not None:
        mirrored = answer.json()
        for name, value in (wanted.environ or {}).items():
            check(mirrored["environ"].get(name), value, name)
        if wanted.played is not None:
            same(mirrored["played"], wanted.played, "what wsgi.input gave")


def check_date(given: object) -> None:
    """An IMF-fixdate (RFC 9110 section 5.6.7) of now, within the time for which a test may wait."""
    assert isinstance(given, str), "no date"
    date = email.utils.parsedate_to_datetime(given)
    same(email.utils.format_datetime(date, usegmt=True), given, "how a date is written")
    age = (datetime.datetime.now(datetime.UTC) - date).total_seconds()
    assert -CLOCK_STEP <= age <= seconds(), f"the date {given} is {age} s old"


def check_probe(client: Connection, request: bytes) -> None:
    client.send(request)
    answer = client.answer("GET")
    same((answer.status, answer.body), (200, b"probe"), "the answer to an ordinary request afterwards")
    same(answer.informational, [], "answers before that one")


def check_line(line: Line, wanted: Ending, code: int, size: int) -> None:
    """Of the access log."""
    same((line.code, line.size, line.end), (code, size, wanted.end), "code, bytes and end in the access log")
    if wanted.end == "refused":
        same(line.worker, "-", "the worker that had a request which was refused")
    elif wanted.end != "left":
        assert SERVED.fullmatch(line.worker), "no worker had the request"
    same(line.asked.count(" "), 2, "spaces in what was asked for, also where the first line said nothing")
    if wanted.remote:
        same(line.remote, wanted.remote, "the client's address in the access log")
    if wanted.asked:
        same(line.asked, wanted.asked, "what was asked for, in the access log")


def check_records(records: list[str], wanted: list[Record], lines: list[Line]) -> None:
    """Each record of the main log is one that was wanted, in order, and names the request as the access log does.

    Warnings are about an edge, and not about a request. That one is refused is said besides, of those only."""
    refused = [f"request {line.request_id} is refused: {line.code}: " for line in lines if line.end == "refused"]
    for text in refused:
        assert any(text in record for record in records), f"{text!r} is not in the log ({records})"
    records = [record for record in records if not any(each in record for each in refused)]
    same(len(records), len(wanted), f"how many records the log has ({records})")
    for record, texts in zip(records, wanted, strict=True):
        for text in texts:
            assert text in record, f"{text!r} is not in the record {record!r}"
        named = any(f"request {line.request_id}" in record for line in lines)
        assert named or " WARNING " in record, f"no id of a request in {record!r}"

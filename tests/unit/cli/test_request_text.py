import msgspec

from wsgid.channel.commands import Listed, RequestState, Traced
from wsgid.cli.request_text import as_table, as_trace

RUNNING = Listed("5f3a-1", "5f3a-1", RequestState.RUNNING, "GET", "/report", "127.0.0.1", 3.24, 0.04, 4244, 0x7F0A)
QUEUED = Listed("5f3a-2", "5f3a-2", RequestState.QUEUED, "POST", "/a?b", "", 12.0, 12.0, None, None)


def test_nothing() -> None:
    assert as_table([], 0, None) == ["no request is in progress"]


def test_of_one_daemon() -> None:
    assert as_table([(1, RUNNING), (1, QUEUED)], 0, None) == [
        "ID      STATE       AGE  WAITED  WORKER  CLIENT     REQUEST",
        "5f3a-1  running   3.2 s   0.0 s  4244    127.0.0.1  GET /report",
        "5f3a-2  queued   12.0 s  12.0 s  -       -          POST /a?b",
    ]


def test_of_several_with_ids_of_a_front_end() -> None:
    other = msgspec.structs.replace(RUNNING, id="from-nginx")
    lines = as_table([(1, QUEUED), (22, other)], 7, 60)
    assert lines[0] == "DAEMON  ID          KEY     STATE       AGE  WAITED  WORKER "
    assert lines[2] == "22      from-nginx  5f3a-1  running   3.2 s   0.0 s  4244   "
    assert lines[3] == "and 7 more"


def test_a_stack() -> None:
    stack = '  File "/app/wsgi.py", line 3, in application\n    print("\x1b[2J")\n'
    assert as_trace(Traced(RUNNING, stack, from_outside=False)).splitlines() == [
        "GET /report (id 5f3a-1), for 3.2 s in thread 0x0000000000007f0a of worker 4244, client 127.0.0.1:",
        '  File "/app/wsgi.py", line 3, in application',
        '    print("\\x1b[2J")',
    ]


def test_one_from_outside_and_without_a_call() -> None:
    told = as_trace(Traced(msgspec.structs.replace(RUNNING, client=""), "", from_outside=True)).splitlines()
    assert told == [
        "GET /report (id 5f3a-1), for 3.2 s in thread 0x0000000000007f0a of worker 4244:",
        "(Worker 4244 did not tell it within a second: a thread of it holds the interpreter lock, or it gets no time "
        "on a processor. This was written from outside.)",
        "(It is in no Python code.)",
    ]

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.channel.counted import LARGEST, NOTHING
from wsgid.channel import commands
from wsgid.channel.commands import (
    MAX_COMMAND,
    MAX_NAMED,
    MAX_REPLY,
    MAX_TEXT,
    Command,
    Kill,
    Killed,
    LineReader,
    LineTooLong,
    Listed,
    Listing,
    News,
    Noted,
    NotThere,
    Refused,
    Reply,
    Report,
    Requests,
    RequestState,
    Restart,
    Served,
    Status,
    Trace,
    Traced,
    WorkerReport,
    WorkerState,
    line,
)
from wsgid.channel.orders import MAX_NEWS
from wsgid.config import MAX_PARALLEL
from wsgid.protocol.request_id import MAX_ID

texts = st.text(max_size=20)
counts = st.integers(0, 10**6)
served = st.builds(Served, texts, texts, texts, texts, st.floats(0, 1e6))
workers = st.builds(
    WorkerReport, counts, st.sampled_from(WorkerState), counts, counts, counts, st.lists(served, max_size=2)
)
reports = st.builds(
    Report,
    counts,
    st.lists(texts, max_size=2),
    st.booleans(),
    counts,
    counts,
    counts,
    st.lists(workers, max_size=2),
    counts,
    st.floats(0, 1e6),
    st.sampled_from([NOTHING, LARGEST]),
)
numbers, seconds = st.none() | counts, st.floats(0, 1e6)
listed = st.builds(
    Listed, texts, texts, st.sampled_from(RequestState), texts, texts, texts, seconds, seconds, numbers, numbers
)
replies = st.one_of(
    reports,
    st.just(Noted()),
    st.builds(News, texts, st.booleans(), st.booleans()),
    texts.map(Refused),
    st.builds(Listing, st.lists(listed, max_size=2)),
    st.builds(Killed, texts, st.none() | counts),
    st.builds(Traced, listed),
    texts.map(NotThere),
)
LONGEST_ID = "x" * MAX_ID


@pytest.mark.parametrize(
    "command", [Status(), Restart(), Requests(), Requests(LONGEST_ID), Kill(LONGEST_ID), Trace(LONGEST_ID)]
)
def test_what_a_command_says_is_what_the_dispatcher_hears(command: Command) -> None:
    said = line(command)
    assert len(said) <= MAX_COMMAND
    assert commands.read_command(said[:-1]) == command


@given(replies)
def test_what_the_dispatcher_says_is_what_the_command_hears(reply: Reply) -> None:
    [said] = LineReader(MAX_REPLY).feed(line(reply))
    assert commands.read_reply(said) == reply


def test_people_can_write_it() -> None:
    assert commands.read_command(b' {"type": "status"}') == Status()


@pytest.mark.parametrize("said", [b"", b"status", b'{"type":"stauts"}', b'{"type":"report"}', b'{"type":"status\xff"}'])
def test_anything_else_is_no_command(said: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        commands.read_command(said)


def test_a_reply_without_a_bottom_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="recursion"):
        commands.read_reply(b'{"type":"noted","x":' + b"[" * 100_000)


@given(st.binary(max_size=MAX_COMMAND))
def test_any_bytes_are_a_command_or_a_value_error(said: bytes) -> None:
    try:
        heard = commands.read_command(said)
    except ValueError:
        return
    assert isinstance(heard, Command)


def test_nesting_does_no_harm() -> None:
    deep = b'{"type":"status","x":'
    said = deep + b"[" * (MAX_COMMAND - len(deep))
    with pytest.raises(ValueError, match="truncated"):
        commands.read_command(said)


def test_the_longest_replies_fit() -> None:
    """Every text of the greatest length, and each of its characters one that JSON writes as two."""
    text = "\\" * MAX_TEXT
    served = [Served("5f3a01-1000000", text, text, text, 1e5)] * MAX_NAMED
    worker = WorkerReport(2**22, WorkerState.STARTING, MAX_PARALLEL, MAX_PARALLEL, 10**9, [])
    full = WorkerReport(2**22, WorkerState.STARTING, MAX_PARALLEL, MAX_PARALLEL, 10**9, served)
    addresses = [f"http://{'h' * 253}:65535"] * 200
    report = Report(
        2**22, addresses, True, 10**6, 10**6, 10**6, [full] + [worker] * (MAX_PARALLEL - 1), 10**6, 1e9, LARGEST
    )
    assert len(line(report)) <= MAX_REPLY
    assert len(line(News("\x1b" * MAX_NEWS, True, True))) <= MAX_REPLY


# Lines


@given(st.lists(st.binary(max_size=20).filter(lambda each: b"\n" not in each)), st.integers(1, 30))
def test_lines_come_whole_however_they_arrive(lines: list[bytes], size: int) -> None:
    reader = LineReader(20)
    data = b"".join(each + b"\n" for each in lines)
    heard = [each for start in range(0, len(data), size) for each in reader.feed(data[start : start + size])]
    assert heard == lines


@pytest.mark.parametrize("data", [b"12345", b"12345\n", b"1\n12345\n2\n", b"1\n12345"])
def test_a_line_that_is_too_long_is_told(data: bytes) -> None:
    assert LineReader(5).feed(data) == data.split(b"\n")[:-1]
    with pytest.raises(LineTooLong, match="more than 4 bytes"):
        LineReader(4).feed(data)

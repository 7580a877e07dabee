"""What master, dispatcher and commands say to each other: any packet or line is a message, or the one error.

The first byte of an input says who reads the rest.
"""

from collections.abc import Callable
from typing import Any

from tests.unit.channel.counted import NOTHING
from tests.unit.dispatcher.requests import a_policy
from wsgid.channel import commands, orders
from wsgid.channel.commands import (
    MAX_COMMAND,
    Kill,
    Killed,
    LineReader,
    LineTooLong,
    Listed,
    Listing,
    News,
    Noted,
    NotThere,
    Report,
    Requests,
    RequestState,
    Restart,
    Status,
    Trace,
    Traced,
)
from wsgid.channel.orders import (
    Adopt,
    Alive,
    Cause,
    Drain,
    Exit,
    Hung,
    Listening,
    OrderError,
    RestartNews,
    StackWanted,
    StackWritten,
    WorkerDied,
)

Read = Callable[[bytes], Any]

PACKETS: list[Read] = [orders.decode_from_master, orders.decode_from_dispatcher]
LINES: list[Read] = [commands.read_command, commands.read_reply]


def check(data: bytes) -> None:
    reader, said = int.from_bytes(data[:1]) % 4, data[1:]
    if reader < 2:
        check_packet(PACKETS[reader], said)
    else:
        check_lines(LINES[reader - 2], said)


def check_packet(decode: Read, packet: bytes) -> None:
    try:
        message = decode(packet)
    except OrderError as error:
        assert str(error)
        return
    assert same(decode(orders.encode(message)), message)


def check_lines(read: Read, data: bytes) -> None:
    """The same lines come out whatever the pieces, and each is a message or the error."""
    try:
        lines = LineReader(MAX_COMMAND).feed(data)
    except LineTooLong as error:
        assert str(error)
        assert max(map(len, data.split(b"\n"))) > MAX_COMMAND
        return
    assert lines == data.split(b"\n")[:-1]
    bytewise = LineReader(MAX_COMMAND)
    assert [line for byte in data for line in bytewise.feed(bytes([byte]))] == lines
    for line in lines:
        try:
            message = read(line)
        except ValueError as error:
            assert str(error)
        else:
            assert same(read(commands.line(message)), message)


def same(one: object, other: object) -> bool:
    """A number that is none (NaN) is not equal to itself; how the two are shown is."""
    return one == other or repr(one) == repr(other)


def seeds() -> list[bytes]:
    by_master = [
        WorkerDied(1, "left", True, Cause.ASKED),
        Adopt(a_policy()),
        StackWritten(3, 4, ""),
        RestartNews("ok", True, True),
        Drain(1.5),
        Exit(),
    ]
    by_dispatcher = [Listening(["http://a"]), Alive(1, 2), Hung(3, "GET /"), StackWanted(3, 2**40)]
    asked = b"".join(commands.line(each) for each in (Status(), Restart(), Requests("x"), Kill("x"), Trace("x")))
    listed = Listed("x", "y", RequestState.RUNNING, "GET", "/", "", 1.0, 0.5, 3, 4)
    report = Report(1, ["http://a"], False, 0, 0, 0, [], 0, 0.0, NOTHING)
    told = commands.line(Noted()) + commands.line(News("text", True, False)) + commands.line(report)
    told += commands.line(Listing([listed], 0)) + commands.line(Traced(listed, "", True))
    told += commands.line(Killed("cut", None)) + commands.line(NotThere("no"))
    return [
        *(b"\0" + orders.encode(message) for message in by_master),
        *(b"\1" + orders.encode(message) for message in by_dispatcher),
        b"\2" + asked,
        b"\3" + told,
    ]

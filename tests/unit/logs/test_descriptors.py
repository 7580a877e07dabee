import fcntl
import logging
import os
import pty
import re
import resource
import select
import socket
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from wsgid.logs import MAX_RECORD, DescriptorHandler, Outlet, TextForm, room


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


def fill(writer: int) -> None:
    os.set_blocking(writer, False)
    try:
        while os.write(writer, b"x" * select.PIPE_BUF):
            pass
    except BlockingIOError:
        os.set_blocking(writer, True)


def logger_into(writer: int) -> tuple[logging.Logger, DescriptorHandler]:
    """That may not block."""
    return logger_onto(Outlet(writer))


def logger_onto(outlet: Outlet) -> tuple[logging.Logger, DescriptorHandler]:
    into = DescriptorHandler(outlet.descriptor, TextForm("worker"), False, outlet)
    logger = logging.Logger("of this test")
    logger.addHandler(into)
    return logger, into


def test_there_is_room_for_what_a_pipe_promises(pipe: tuple[int, int], tmp_path: Path) -> None:
    reader, writer = pipe
    assert room(writer) == fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ), "nothing waits in it"
    os.write(writer, b"x")
    assert room(writer) == select.PIPE_BUF
    fill(writer)
    assert room(writer) == 0
    os.read(reader, select.PIPE_BUF)
    assert room(writer) == select.PIPE_BUF
    with open(tmp_path / "file", "wb") as file:
        assert room(file.fileno()) > MAX_RECORD
    with pytest.raises(OSError, match="Bad file descriptor"):
        room(-1)


def test_there_is_room_for_an_error_when_the_reader_is_gone() -> None:
    reader, writer = os.pipe()
    fill(writer)
    os.close(reader)
    assert room(writer)
    logger, into = logger_into(writer)
    logger.error("to nobody")
    assert into.lost == 1
    os.close(writer)


def test_records_without_room_are_lost_and_counted(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    logger, into = logger_into(writer)
    fill(writer)
    logger.error("one")
    logger.error("two")
    assert into.lost == 2
    os.read(reader, 1 << 20)
    logger.error("three")
    told = os.read(reader, 1 << 20)
    assert told.startswith(b"(2 records before this one could not be written)\n")
    assert (into.lost, into.lost_ever) == (0, 2)
    assert told.endswith(b"] three\n")
    assert into.lost == 0


def test_a_record_longer_than_the_room_keeps_both_ends(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    logger, into = logger_into(writer)
    os.write(writer, b"x")
    logger.error("begin%send", "x" * select.PIPE_BUF)
    told = os.read(reader, 1 << 20)[1:]
    assert len(told) <= select.PIPE_BUF
    assert re.fullmatch(rb".* beginx+\n    \(\d+ bytes left out\)\n    x+end\n", told)
    assert into.lost == 0


@pytest.fixture(params=["pipe", "terminal", "socket"])
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    """To read from, and to write to; the second blocks, as it does for whoever shares it."""
    if request.param == "terminal":
        reader, writer = pty.openpty()
        tty.setraw(writer)
    elif request.param == "socket":
        reader, writer = (each.detach() for each in socket.socketpair())
    else:
        reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


def test_what_is_open_takes_what_it_has_room_for_and_never_waits(ends: tuple[int, int]) -> None:
    reader, writer = ends
    outlet = Outlet(writer)
    outlet.open()
    while outlet.write(b"x" * select.PIPE_BUF):
        pass
    logger, into = logger_onto(outlet)
    while not into.lost:  # a terminal has a little more room a little later
        logger.error("x" * 1000)
    assert os.get_blocking(writer), "others share it"
    assert os.read(reader, 100)
    if outlet._socket is not None:
        outlet._socket.close()


def test_a_record_begins_a_line_also_after_one_that_was_taken_in_part(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with open(tmp_path / "file", "wb") as file:
        logger, _ = logger_into(file.fileno())
        resource.setrlimit(resource.RLIMIT_FSIZE, (60, hard))
        try:
            logger.error("x" * 100)
            logger.error("no room at all")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        logger.error("whole")
        logger.error("another")
    first, lost, whole, another = (tmp_path / "file").read_text().splitlines()
    assert first.endswith("xx")
    assert lost == "(2 records before this one could not be written)"
    assert whole.endswith("] whole")
    assert another.endswith("] another")


def test_where_there_is_nothing_to_open_writing_is_as_it_was(tmp_path: Path) -> None:
    with open(tmp_path / "file", "wb") as file:
        outlet = Outlet(file.fileno())
        outlet.open()
        assert outlet.write(b"text") == 4
    with pytest.raises(OSError, match="Bad file descriptor"):
        Outlet(-1).open()

"""``wsgi.input``, from memory and from a file."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.worker.dispatcher_side import a_request
from wsgid.worker.body import BUFFER_SIZE, BodyFile, open_body

BODY = b"first\nsecond\n\nlast without an end"
NEXT = b"GET /the/clients/next/request HTTP/1.1\r\n"


def in_file(folder: Path, content: bytes, length: int | None) -> tuple[BinaryIO, Callable[[], None], int]:
    file = folder / "body"
    file.write_bytes(content)
    descriptor = os.open(file, os.O_RDONLY)
    os.lseek(descriptor, 7, os.SEEK_SET)  # whoever had it before has moved it, and may move it again
    return *open_body(a_request(content_length=length, body_in_file=True), descriptor), descriptor


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


@pytest.fixture(params=["memory", "file"])
def body(request: pytest.FixtureRequest, tmp_path: Path) -> BinaryIO:
    if request.param == "memory":
        return open_body(a_request(body=BODY, content_length=len(BODY)), None)[0]
    return in_file(tmp_path, BODY + NEXT, len(BODY))[0]


def test_it_reads_to_the_bodys_end_and_no_further(body: BinaryIO) -> None:
    with body:
        assert body.read() == BODY
        assert body.read() == b""
        assert body.read(10) == b""
        assert body.readline() == b""


def test_it_reads_in_the_ways_of_the_pep(body: BinaryIO) -> None:
    with body:
        assert body.read(3) == b"fir"
        assert body.readline() == b"st\n"
        assert body.readline(3) == b"sec"
        assert list(body) == [b"ond\n", b"\n", b"last without an end"]
        body.seek(0)
        assert body.readlines() == BODY.splitlines(keepends=True)
        body.seek(0)
        assert body.readlines(8) == [b"first\n", b"second\n"]


def test_it_is_seekable(body: BinaryIO) -> None:
    with body:
        assert body.seekable()
        assert body.readable()
        assert body.seek(-3, os.SEEK_END) == len(BODY) - 3
        assert body.read() == b"end"
        assert body.seek(1000) == 1000
        assert body.read() == b""
        assert body.seek(6) == 6
        assert body.tell() == 6
        assert body.read(6) == b"second"
        assert body.seek(1, os.SEEK_CUR) == 13


def test_a_file_cannot_be_read_before_its_beginning(tmp_path: Path) -> None:
    body, _, _ = in_file(tmp_path, BODY, len(BODY))
    with body, pytest.raises(ValueError, match="cannot seek to -1, before the beginning"):
        body.seek(-1)


def test_a_large_file_is_read_whole(tmp_path: Path) -> None:
    content = os.urandom(BUFFER_SIZE * 3 + 5)
    body, _, _ = in_file(tmp_path, content + NEXT, len(content))
    with body:
        assert body.read(100) == content[:100]
        assert body.read() == content[100:]


def test_a_file_with_nothing_in_it_for_this_request(tmp_path: Path) -> None:
    body, _, _ = in_file(tmp_path, NEXT, None)
    with body:
        assert body.read() == b""


def test_a_file_that_is_shorter_than_announced_is_an_error(tmp_path: Path) -> None:
    body, _, _ = in_file(tmp_path, b"12345", 9)
    with body:
        assert body.read(5) == b"12345"
        with pytest.raises(OSError, match="ends after 5 of 9 bytes"):
            body.read(1)


def test_closing_closes_the_descriptor_once(tmp_path: Path) -> None:
    body, close, descriptor = in_file(tmp_path, BODY, len(BODY))
    body.close()
    assert not is_open(descriptor)
    other = os.open(tmp_path, os.O_RDONLY)  # has the same number, most likely
    close()
    body.close()
    assert is_open(other)
    os.close(other)


def test_the_requests_end_closes_what_the_application_kept_or_detached(tmp_path: Path) -> None:
    body, close, descriptor = in_file(tmp_path, BODY, len(BODY))
    assert body.read(1) == b"f"
    close()
    assert not is_open(descriptor)
    with pytest.raises(ValueError, match=r"the request has ended|closed file"):
        body.read()
    body, close, descriptor = in_file(tmp_path, BODY, len(BODY))
    assert isinstance(body, io.BufferedReader)
    raw = body.detach()
    close()
    assert not is_open(descriptor)
    with pytest.raises(ValueError, match="the request has ended"):
        raw.read(1)


def test_the_requests_end_closes_a_body_in_memory() -> None:
    body, close = open_body(a_request(body=BODY), None)
    close()
    with pytest.raises(ValueError, match="closed file"):
        body.read()


def test_a_body_that_nobody_closed_is_closed_with_its_last_reference(tmp_path: Path) -> None:
    body, close, descriptor = in_file(tmp_path, BODY, len(BODY))
    del body, close
    assert not is_open(descriptor)


@given(
    content=st.binary(max_size=200),
    ahead=st.integers(0, 50),
    steps=st.lists(st.tuples(st.sampled_from(["read", "readline", "seek"]), st.integers(0, 250)), max_size=20),
)
def test_a_file_reads_as_the_same_bytes_in_memory(content: bytes, ahead: int, steps: list[tuple[str, int]]) -> None:
    descriptor = os.memfd_create("body", os.MFD_CLOEXEC)
    os.write(descriptor, content + b"\n" * ahead)
    memory = io.BytesIO(content)
    with io.BufferedReader(BodyFile(descriptor, len(content)), 16) as file:
        for method, size in steps:
            assert getattr(file, method)(size) == getattr(memory, method)(size)

"""``wsgi.file_wrapper``."""

import gzip
import io
import os
from pathlib import Path

import pytest

from wsgid.worker.file_wrapper import DEFAULT_BLOCK, MIN_FILE_BLOCK, FileWrapper, Readable


class Recorded:
    """A file without a descriptor and without close."""

    def __init__(self, content: bytes) -> None:
        self.asked: list[int] = []
        self._content = io.BytesIO(content)

    def read(self, size: int, /) -> bytes:
        self.asked.append(size)
        return self._content.read(size)


def test_it_gives_what_is_there_from_the_position_on(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"0123456789")
    with file.open("rb") as opened:
        opened.seek(4)
        assert list(FileWrapper(opened)) == [b"456789"]


def test_a_regular_file_is_read_in_large_blocks(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(MIN_FILE_BLOCK + 1))
    with file.open("rb") as opened:
        assert [len(block) for block in FileWrapper(opened, 4096)] == [MIN_FILE_BLOCK, 1]
    with file.open("rb") as opened:
        assert [len(block) for block in FileWrapper(opened, 2 * MIN_FILE_BLOCK)] == [MIN_FILE_BLOCK + 1]


def test_a_file_that_is_unpacked_on_the_way(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "file.gz", "wb") as packed:
        packed.write(b"x" * 1000)
    with gzip.open(tmp_path / "file.gz") as opened:
        assert b"".join(FileWrapper(opened)) == b"x" * 1000


@pytest.mark.parametrize(("asked", "taken"), [((), DEFAULT_BLOCK), ((100,), 100)])
def test_anything_else_is_read_as_the_application_asks(asked: tuple[int, ...], taken: int) -> None:
    file = Recorded(b"abc")
    assert list(FileWrapper(file, *asked)) == [b"abc"]
    assert file.asked == [taken, taken]


def test_a_pipe_is_read_as_the_application_asks() -> None:
    read_end, write_end = os.pipe()
    os.write(write_end, b"abcdef")
    with os.fdopen(read_end, "rb") as pipe:
        assert next(FileWrapper(pipe, 3)) == b"abc"  # with the pipe still open: a larger read would not return
    os.close(write_end)


def test_it_has_close_when_the_file_has_it() -> None:
    file = io.BytesIO(b"abc")
    FileWrapper(file).close()
    assert file.closed
    assert not hasattr(FileWrapper(Recorded(b"")), "close")


def test_a_closed_file_says_so_when_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (tmp_path / "file").open("rb") as opened:
        pass
    closed: Readable = opened
    with pytest.raises(ValueError, match="closed file"):
        next(FileWrapper(closed))


def test_it_is_its_own_iterator() -> None:
    wrapper = FileWrapper(io.BytesIO(b"ab"), 1)
    assert iter(wrapper) is wrapper
    assert list(wrapper) == [b"a", b"b"]

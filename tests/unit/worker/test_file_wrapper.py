"""``wsgi.file_wrapper``."""

import gzip
import io
import os
from pathlib import Path

import pytest

from wsgid.worker.file_wrapper import DEFAULT_BLOCK, MIN_FILE_BLOCK, FileWrapper, Opened, Readable


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


@pytest.mark.parametrize("buffering", [-1, 0])
def test_a_regular_file_can_be_passed_on_from_its_position(tmp_path: Path, buffering: int) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    with (tmp_path / "file").open("rb", buffering=buffering) as file:
        file.read(4)
        assert FileWrapper(file).opened() == Opened(file.fileno(), 4, 6)
        file.seek(20)
        assert FileWrapper(file).opened() == Opened(file.fileno(), 20, 0)


def test_what_was_just_written_is_in_it(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w+b") as file:
        file.write(b"hello")
        file.seek(1)
        assert FileWrapper(file).opened() == Opened(file.fileno(), 1, 4)
        file.write(b"and")
        assert FileWrapper(file).opened() == Opened(file.fileno(), 4, 1)
        assert os.pread(file.fileno(), 10, 0) == b"hando"


class Upper(io.FileIO):
    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size).upper()


def test_others_are_not_passed_on(tmp_path: Path) -> None:
    """What is read from them is not what lies in the file; or there is no file, or it is closed."""
    with gzip.open(tmp_path / "file", "wb") as packed:
        packed.write(b"x" * 1000)
    with gzip.open(tmp_path / "file") as unpacked, Upper(tmp_path / "file") as upper:
        buffered = io.BufferedReader(upper)
        for file in (unpacked, upper, buffered, io.BytesIO(b"abc"), Recorded(b"abc")):
            assert FileWrapper(file).opened() is None
        buffered.detach()
    assert FileWrapper(upper).opened() is None
    with (tmp_path / "file").open("rb") as closed:
        pass
    assert FileWrapper(closed).opened() is None
    with (tmp_path / "file").open("ab", buffering=0) as written_only:
        assert FileWrapper(written_only).opened() is None
    read_end, write_end = os.pipe()
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        assert FileWrapper(pipe).opened() is None

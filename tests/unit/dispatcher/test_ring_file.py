import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgid.dispatcher import ring_file
from wsgid.dispatcher.disk import PIECE
from wsgid.dispatcher.ring_file import RingFile


@given(st.integers(1, 20), st.lists(st.binary(min_size=1, max_size=15) | st.none(), max_size=30))
def test_what_is_read_is_what_was_written_and_never_more_than_fits(capacity: int, steps: list[bytes | None]) -> None:
    ring = RingFile("/tmp", capacity)
    lying = b""
    for data in steps:
        if data is None:
            if lying:
                read = ring.read()
                assert read
                assert lying.startswith(read)
                lying = lying[len(read) :]
        else:
            written = ring.write(data)
            lying += data[:written]
            assert len(lying) <= capacity
            assert written or len(lying) == capacity
    ring.close()


def test_pieces_are_not_larger_than_a_piece(tmp_path: Path) -> None:
    ring = RingFile(str(tmp_path), 10 * PIECE)
    assert ring.write(bytes(2 * PIECE + 1)) == 2 * PIECE + 1
    assert [len(ring.read()) for _ in range(3)] == [PIECE, PIECE, 1]
    ring.close()


def test_it_has_no_name(tmp_path: Path) -> None:
    ring = RingFile(str(tmp_path), 10)
    ring.write(b"x")
    assert list(tmp_path.iterdir()) == []
    ring.close()
    ring.close()


def test_a_directory_that_is_not_there_is_told_when_it_is_written() -> None:
    with pytest.raises(OSError, match="No such file"):
        RingFile("/nowhere", 10).write(b"x")


@given(st.integers(1, 20), st.lists(st.binary(min_size=1, max_size=15) | st.integers(1, 15), max_size=30))
def test_it_grows_by_no_more_than_was_said(capacity: int, steps: list[bytes | int]) -> None:
    ring = RingFile("/tmp", capacity)
    for step in steps:
        if isinstance(step, int):
            if ring._descriptor >= 0:
                ring.read(step)
        else:
            most = ring.extent + ring.growth(len(step))
            ring.write(step)
            assert ring.extent <= most <= capacity
        if ring._descriptor >= 0:
            assert os.fstat(ring._descriptor).st_size == ring.extent
    ring.close()


def test_what_it_takes_of_the_disk_is_given_back_when_it_is_empty(tmp_path: Path) -> None:
    ring = RingFile(str(tmp_path), 10 * PIECE)
    ring.write(bytes(2 * PIECE))
    ring.read()
    assert ring.extent == 2 * PIECE
    ring.read()
    assert ring.extent == os.fstat(ring._descriptor).st_size == 0
    assert ring.write(b"and more") == 8
    assert ring.read(3) == b"and"
    ring.close()


def test_the_last_of_the_disk_is_left_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = RingFile(str(tmp_path), 10)
    assert ring.write(b"01234") == 5
    monkeypatch.setattr(ring_file, "LEFT_FREE", 1 << 60)
    monkeypatch.setattr(ring_file, "LEFT_SHARE", 1)
    with pytest.raises(OSError, match="bytes are left on the disk") as refused:
        ring.write(b"56789")
    assert refused.value.errno == errno.ENOSPC
    assert ring.read() == b"01234"
    assert ring.write(b"01234") == 5  # in the place that it has
    ring.close()

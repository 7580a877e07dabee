from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

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

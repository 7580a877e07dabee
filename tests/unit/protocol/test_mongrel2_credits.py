import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgid.protocol.mongrel2_credits import UPLOAD_WINDOW, DownloadCredits, UploadCredits

SIZE = 102_400
"""What Mongrel2 says with a connection's first request."""

LARGEST_CHUNK = 102_400


class TestUploadCredits:
    def test_are_given_at_once(self) -> None:
        assert UploadCredits(1_000_000, 0).grant() == UPLOAD_WINDOW
        assert UploadCredits(None, 0).grant() == UPLOAD_WINDOW

    def test_are_not_given_twice(self) -> None:
        credits = UploadCredits(1_000_000, 0)
        credits.grant()
        assert credits.grant() == 0

    def test_are_given_again_when_half_of_them_are_gone(self) -> None:
        credits = UploadCredits(1_000_000, 0)
        credits.grant()
        credits.took(UPLOAD_WINDOW // 2 - 1)
        assert credits.grant() == 0
        credits.took(1)
        assert credits.grant() == UPLOAD_WINDOW // 2

    def test_are_no_more_than_the_body_has_bytes(self) -> None:
        credits = UploadCredits(30_000, 4096)
        assert credits.grant() == 30_000 - 4096
        credits.took(20_480)
        assert credits.grant() == 0

    def test_are_none_for_a_body_that_is_whole(self) -> None:
        assert UploadCredits(4096, 4096).grant() == 0

    @given(st.integers(0, 3_000_000), st.data())
    def test_a_body_of_known_length_always_comes_to_its_end(self, length: int, data: st.DataObject) -> None:
        first = data.draw(st.integers(0, min(length, 4096)))
        credits = UploadCredits(length, first)
        balance, missing = 0, length - first
        while missing:
            balance += credits.grant()
            assert 0 < balance <= min(UPLOAD_WINDOW, missing)
            part = data.draw(st.integers(max(1, min(balance, 20_000)), min(balance, 20_480)))
            credits.took(part)
            balance -= part
            missing -= part
        assert credits.grant() == 0
        assert balance == 0

    @given(st.lists(st.integers(1, LARGEST_CHUNK)))
    def test_there_is_always_a_credit_for_the_next_chunk_and_for_the_end(self, chunks: list[int]) -> None:
        """Mongrel2 sends a whole chunk for one credit."""
        credits = UploadCredits(None, 0)
        balance = credits.grant()
        for chunk in chunks:
            assert 0 < balance <= UPLOAD_WINDOW
            credits.took(chunk)
            balance += credits.grant() - chunk
        assert 0 < balance <= UPLOAD_WINDOW


class Connection:
    """Mongrel2's side (connection.c): one message is being written, the others wait, their bytes are counted."""

    def __init__(self) -> None:
        self.queue: list[int] = []
        self.writing = 0
        self.ended = False

    def take(self, size: int) -> None:
        if sum(self.queue) + size > SIZE:
            self.ended = True
        self.queue.append(size)
        self._next()

    def written(self) -> int:
        size, self.writing = self.writing, 0
        self._next()
        return size

    def _next(self) -> None:
        if not self.writing and self.queue:
            self.writing = self.queue.pop(0)


class TestDownloadCredits:
    def test_are_spent_and_come_back(self) -> None:
        credits = DownloadCredits(SIZE, counted=True)
        credits.spend(10)
        credits.spend(SIZE - 10)
        assert (credits.left, credits.oldest) == (0, 10)
        credits.returned(10)
        assert (credits.left, credits.oldest) == (10, SIZE - 10)
        credits.returned(SIZE - 10)
        assert (credits.left, credits.oldest) == (SIZE, 0)

    def test_more_than_there_are_cannot_be_spent(self) -> None:
        credits = DownloadCredits(SIZE, counted=True)
        with pytest.raises(ValueError, match="102401 bytes to a connection that takes 102400"):
            credits.spend(SIZE + 1)
        assert credits.left == SIZE

    def test_what_somebody_else_has_spent_is_not_ours(self) -> None:
        """It makes no room: ours is still behind it."""
        credits = DownloadCredits(SIZE, counted=False)
        credits.returned(100)
        credits.spend(100)
        credits.returned(50_000)
        assert credits.left == SIZE - 100
        credits.returned(100)
        assert credits.left == SIZE

    @given(st.lists(st.tuples(st.booleans(), st.integers(1, SIZE))))
    def test_mongrel2_never_ends_the_connection(self, events: list[tuple[bool, int]]) -> None:
        credits, connection = DownloadCredits(SIZE, counted=True), Connection()
        for send, size in events:
            if not send:
                credits.returned(connection.written())
            elif size <= credits.left:
                credits.spend(size)
                connection.take(size)
            assert not connection.ended
            assert credits.left == SIZE - sum(connection.queue) - connection.writing

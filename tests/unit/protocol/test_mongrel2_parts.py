import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from wsgid.protocol.mongrel2_parts import (
    EARLY_MESSAGES,
    FIRST_DELAY,
    FIRST_SIZE,
    LARGEST,
    LATE_SIZE,
    LONGEST_DELAY,
    SLOWEST,
    SOCKET_TAKES,
    PartJoiner,
)

MESSAGES_KEPT = 16
"""By Mongrel2 for one connection; the seventeenth ends it (docs/mongrel2.md)."""

THE_END = 2
"""Messages after the early ones: what remains, and the close message."""

MEBIBYTE = 1024**2

ZEROS = bytes(64 * MEBIBYTE)


def sent_at_once(sizes: list[int]) -> list[bytes]:
    """The messages of an answer whose parts come faster than any delay."""
    joiner = PartJoiner(0.0)
    messages = [joiner.take() for size in sizes if joiner.add(ZEROS[:size], 0.0)]
    if joiner.holds:
        messages.append(joiner.take())
    return messages


class TestAnyOrderOfPartsAndDelays:
    @given(
        st.lists(
            st.binary(min_size=1, max_size=3) | st.integers(FIRST_SIZE // 4, FIRST_SIZE * 8) | st.none(), max_size=60
        )
    )
    def test_all_is_given_out_in_order_as_few_messages(self, steps: list[bytes | int | None]) -> None:
        """None: the delay is over. Each of the early ones is so at most once."""
        joiner = PartJoiner(0.0)
        given_in: list[bytes] = []
        given_out: list[bytes] = []
        for step in steps:
            if step is None:
                if joiner.sent < EARLY_MESSAGES:
                    given_out.append(joiner.take())
                continue
            part = step if isinstance(step, bytes) else bytes([len(given_in) % 256]) * step
            given_in.append(part)
            given_out.append(joiner.take() if joiner.add(part, 0.0) else b"")
            assert joiner.holds == (not given_out[-1])
        given_out.append(joiner.take())

        messages = [message for message in given_out if message]
        assert b"".join(given_out) == b"".join(given_in)
        assert joiner.sent == len(messages)
        assert len(messages) < MESSAGES_KEPT
        assert not joiner.holds
        assert joiner.take() == b""
        event(f"{len(messages)} messages")


class TestSizes:
    @pytest.mark.parametrize("part", [1024, 4 * 1024, 5000, 64 * 1024, 256 * 1024, 10 * MEBIBYTE, 64 * MEBIBYTE])
    def test_64_mib_always_find_room(self, part: int) -> None:
        messages = sent_at_once([part] * (64 * MEBIBYTE // part))
        assert sum(map(len, messages)) == 64 * MEBIBYTE // part * part
        assert len(messages) + 1 <= MESSAGES_KEPT

    @given(st.lists(st.sampled_from([1, 4096, 65_536, 262_144, MEBIBYTE, 9 * MEBIBYTE]), max_size=64))
    def test_so_do_parts_of_mixed_sizes(self, sizes: list[int]) -> None:
        while sum(sizes) > 64 * MEBIBYTE:
            sizes.pop()
        assert len(sent_at_once(sizes)) + 1 <= MESSAGES_KEPT

    def test_each_message_is_larger_than_the_one_before_it_had_to_be(self) -> None:
        sizes = [len(message) for message in sent_at_once([1024] * 1024)]
        assert sizes[:4] == [4096, 16_384, 65_536, 262_144]

    @given(st.lists(st.sampled_from([1, 4096, 65_536, 262_144, 512 * 1024]), max_size=150))
    def test_up_to_64_mib_no_more_than_8_lie_in_memory(self, sizes: list[int]) -> None:
        joiner, total = PartJoiner(0.0), 0
        for size in sizes:
            if (total := total + size) <= 64 * MEBIBYTE:
                if joiner.add(ZEROS[:size], 0.0):
                    joiner.take()
                assert joiner.size < LARGEST

    def test_a_message_may_have_something_before_it(self) -> None:
        joiner = PartJoiner(0.0)
        assert joiner.take(b"address") == b""
        joiner.add(b"data", 0.0)
        assert joiner.take(b"address ") == b"address data"

    def test_what_is_larger_goes_on_and_is_known_to_be_overdrawn(self) -> None:
        joiner = PartJoiner(0.0)
        for _ in range(EARLY_MESSAGES):
            joiner.add(b"x", 0.0)
            joiner.take()
        assert not joiner.overdrawn
        assert not joiner.add(ZEROS[: LATE_SIZE - 1], 0.0)
        assert joiner.add(b"x", 0.0)
        assert len(joiner.take()) == LATE_SIZE
        assert joiner.overdrawn


class TestDelays:
    def test_the_first_message_waits_for_no_time_the_others_twice_as_long_each(self) -> None:
        joiner = PartJoiner(0.0)
        delays = []
        for _ in range(EARLY_MESSAGES):
            delays.append(joiner.delay)
            joiner.add(b"x", 0.0)
            joiner.take()
        assert delays[0] == 0.0
        assert delays[1:8] == [FIRST_DELAY * 2**sent for sent in range(1, 8)]
        assert delays[8:] == [LONGEST_DELAY] * (EARLY_MESSAGES - 8)

    def test_an_answer_that_never_ends_goes_on_behind_the_early_messages(self) -> None:
        joiner = PartJoiner(0.0)
        for _ in range(1000):
            joiner.add(b"x", 0.0)
            joiner.take()
            assert 0 < joiner.delay <= LONGEST_DELAY
        assert joiner.overdrawn

    def test_taking_nothing_is_no_message(self) -> None:
        joiner = PartJoiner(0.0)
        assert joiner.take() == b""
        assert joiner.sent == 0


class TestSmallAndFarApart:
    """Events of an endless stream: Mongrel2 has none of them any more when the next one comes."""

    def test_they_hardly_wait(self) -> None:
        joiner = PartJoiner(0.0)
        for second in range(10_000):
            joiner.add(b"x" * 200, float(second))
            assert joiner.delay <= 4 * FIRST_DELAY
            joiner.take()
        assert not joiner.overdrawn

    def test_nor_do_those_that_come_irregularly(self) -> None:
        joiner, now = PartJoiner(0.0), 0.0
        for pause in [0.1, 0.1, 0.1, 20.0] * 100:
            now += pause
            joiner.add(b"x" * 200, now)
            assert joiner.delay <= FIRST_DELAY * 2**4
            joiner.take()

    def test_many_wait_for_each_other(self) -> None:
        """A hundred a second, for ten minutes."""
        joiner, due = PartJoiner(0.0), 0.0
        for step in range(60_000):
            now = step / 100
            if joiner.holds and now >= due:
                joiner.take()
            first = not joiner.holds
            joiner.add(b"x", now)
            if first:
                due = now + joiner.delay
            assert joiner.sent <= 8
            assert due - now <= 2.0

    def test_of_large_ones_nobody_knows(self) -> None:
        """Until even the slowest client has read them."""
        joiner = PartJoiner(0.0)
        for _ in range(5):
            joiner.add(bytes(100_000), 0.0)
            joiner.take()
        read = (500_000 - SOCKET_TAKES) / SLOWEST
        joiner.add(b"x", read)
        joiner.take()
        assert joiner.sent == 6
        joiner.add(b"x", read + 4)
        assert joiner.sent == 3

    @given(st.lists(st.tuples(st.integers(1, 3000), st.floats(0, 100)), max_size=100))
    def test_a_client_that_does_not_read_for_a_minute_is_not_cut_off(self, steps: list[tuple[int, float]]) -> None:
        """The kernel takes two sockets' buffers of it (the least that Linux gives, and much less than usual)."""
        joiner, now = PartJoiner(0.0), 0.0
        sent: list[tuple[float, int]] = []
        for size, pause in steps:
            now += pause
            if joiner.add(bytes(size), now) or joiner.sent < EARLY_MESSAGES:
                sent.append((now, size))
                joiner.take()
            unread = [each for at, each in sent if at > now - 60]
            in_kernel = 0
            while unread and in_kernel + unread[0] <= 4 * SOCKET_TAKES:
                in_kernel += unread.pop(0)
            assert len(unread) <= EARLY_MESSAGES + 1

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from wsgid.protocol.mongrel2_parts import EARLY_MESSAGES, FIRST_DELAY, FIRST_SIZE, HELD_LIMIT, LONGEST_DELAY, PartJoiner

MESSAGES_KEPT = 16
"""By Mongrel2 for one connection; the seventeenth ends it (docs/mongrel2.md)."""

THE_END = 2
"""Messages after the early ones: what remains, and the close message."""

MEBIBYTE = 1024**2

ZEROS = bytes(64 * MEBIBYTE)


def sent_at_once(sizes: list[int]) -> list[bytes]:
    """The messages of an answer whose parts come faster than any delay."""
    joiner = PartJoiner()
    messages = [message for size in sizes if (message := joiner.add(ZEROS[:size]))]
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
        joiner = PartJoiner()
        given_in: list[bytes] = []
        given_out: list[bytes] = []
        for step in steps:
            if step is None:
                if joiner.sent < EARLY_MESSAGES:
                    given_out.append(joiner.take())
                continue
            part = step if isinstance(step, bytes) else bytes([len(given_in) % 256]) * step
            given_in.append(part)
            given_out.append(joiner.add(part))
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
        assert sizes[:5] == [4096, 8192, 16_384, 32_768, 65_536]

    def test_what_is_larger_goes_on_and_is_known_to_be_overdrawn(self) -> None:
        joiner = PartJoiner()
        for _ in range(EARLY_MESSAGES):
            joiner.add(b"x")
            joiner.take()
        assert not joiner.overdrawn
        assert joiner.add(ZEROS[: HELD_LIMIT - 1]) == b""
        assert len(joiner.add(b"x")) == HELD_LIMIT
        assert joiner.overdrawn


class TestDelays:
    def test_the_first_message_waits_for_no_time_the_others_twice_as_long_each(self) -> None:
        joiner = PartJoiner()
        delays = []
        for _ in range(EARLY_MESSAGES):
            delays.append(joiner.delay)
            joiner.add(b"x")
            joiner.take()
        assert delays[0] == 0.0
        assert delays[1:8] == [FIRST_DELAY * 2**sent for sent in range(1, 8)]
        assert delays[8:] == [LONGEST_DELAY] * (EARLY_MESSAGES - 8)

    def test_an_answer_that_never_ends_goes_on_behind_the_early_messages(self) -> None:
        joiner = PartJoiner()
        for _ in range(1000):
            joiner.add(b"x")
            joiner.take()
            assert 0 < joiner.delay <= LONGEST_DELAY
        assert joiner.overdrawn

    def test_taking_nothing_is_no_message(self) -> None:
        joiner = PartJoiner()
        assert joiner.take() == b""
        assert joiner.sent == 0

"""Behaviours of applications through the real answer path (tests/behaviours): bytes are the choices of hypothesis."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.behaviours.conversations import Conversation
from tests.behaviours.in_process import EDGES, in_process
from tests.behaviours.strategies import conversations


@contextmanager
def opened() -> Iterator[Callable[[bytes], None]]:
    with in_process() as stage:

        @settings(database=None, deadline=None)
        @given(st.sampled_from(EDGES), conversations())
        def play(edge: str, conversation: Conversation) -> None:
            try:
                stage.play(edge, conversation)
            except Exception as error:
                error.add_note(f"Over {edge}: {conversation}")
                raise

        yield play.hypothesis.fuzz_one_input  # type: ignore[attr-defined]  # `given` adds it


def seeds() -> list[bytes]:
    chance = random.Random(0)
    return [chance.randbytes(size) for size in (64, 128, 256, 512, 1024) * 4]

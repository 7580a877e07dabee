"""Whatever an application does, what is sent is the answer that PEP 3333 makes of it, or is cut (tests/behaviours)."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from tests.behaviours.conversations import Conversation
from tests.behaviours.in_process import EDGES, InProcess, in_process
from tests.behaviours.strategies import conversations


@pytest.fixture(scope="module")
def played() -> Iterator[InProcess]:
    with in_process() as stage:
        yield stage


@settings(max_examples=200, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(conversation=conversations())
def test_any_behaviour(played: InProcess, conversation: Conversation) -> None:
    for edge in EDGES:
        played.play(edge, conversation)

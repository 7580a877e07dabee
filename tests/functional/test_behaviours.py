"""The behaviours of tests/unit/test_behaviours.py on a real daemon, by real clients."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from tests.behaviours.conversations import Conversation
from tests.behaviours.on_daemon import EDGES, OnDaemon, on_daemon
from tests.behaviours.strategies import conversations


@pytest.fixture(scope="module")
def played() -> Iterator[OnDaemon]:
    with on_daemon() as stage:
        yield stage


@settings(max_examples=200, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(conversation=conversations())
def test_any_behaviour(played: OnDaemon, conversation: Conversation) -> None:
    for edge in EDGES:
        played.play(edge, conversation)

import random

from tests.unit.dispatcher.requests import a_policy
from wsgid.dispatcher.recycling import most_requests
from wsgid.dispatcher.worker import NO_LIMIT

CHANCE = random.Random(1)


def test_without_a_limit_there_is_none() -> None:
    assert most_requests(a_policy(max_requests_jitter=5), CHANCE) == NO_LIMIT


def test_without_jitter_it_is_the_limit() -> None:
    assert most_requests(a_policy(max_requests=100), CHANCE) == 100


def test_jitter_spreads_it_upwards() -> None:
    policy = a_policy(max_requests=100, max_requests_jitter=3)
    assert {most_requests(policy, CHANCE) for _ in range(200)} == {100, 101, 102, 103}

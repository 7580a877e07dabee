"""After how many requests a worker is replaced (``--max-requests``)."""

import random

from wsgid.channel.policy import Policy
from wsgid.dispatcher.worker import NO_LIMIT


def most_requests(policy: Policy, chance: random.Random) -> int:
    """Drawn once for each worker, so that they do not all come to it at once."""
    if not policy.max_requests:
        return NO_LIMIT
    return policy.max_requests + chance.randint(0, policy.max_requests_jitter)

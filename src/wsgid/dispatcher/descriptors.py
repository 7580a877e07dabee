"""How many of the descriptors that this process may open are for what."""

import resource
from typing import Final

RESERVED: Final = 256
"""Kept free of clients: listeners, workers' channels, logs, and clients that are turned away."""

FEWEST_CONNECTIONS: Final = 64
"""However low the limit on descriptors is."""

MOST_CONNECTIONS: Final = 20_000
"""However high it is. So many idle ones take about 100 MB, and 6 ms for each look at the time limits, during which
nothing else moves; a proxy in front of us keeps its clients' idle connections to itself."""


def connections() -> int:
    """HTTP connections that may be open."""
    return max(FEWEST_CONNECTIONS, _with_a_file(_limit()))


def files() -> int:
    """Files that answers which wait for their clients may have open. Some are to be had however low the limit is."""
    limit = _limit()
    return max(limit // 4, _with_a_file(limit))


def _with_a_file(limit: int) -> int:
    """Each connection may need a second descriptor, for a file: its upload is in one, or the answer that it has yet to
    take. With one for each, slow clients cannot take away what the others need."""
    return min((limit - RESERVED) // 2, MOST_CONNECTIONS)


def _limit() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]

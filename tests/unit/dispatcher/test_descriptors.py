import resource

import pytest

from wsgid.dispatcher.descriptors import FEWEST_CONNECTIONS, MOST_CONNECTIONS, RESERVED, connections, files


@pytest.mark.parametrize(
    ("limit", "clients", "kept"),
    [
        (64, FEWEST_CONNECTIONS, 16),
        (RESERVED, FEWEST_CONNECTIONS, RESERVED // 4),
        (1024, (1024 - RESERVED) // 2, (1024 - RESERVED) // 2),
        (1_000_000, MOST_CONNECTIONS, 250_000),
    ],
)
def test_each_connection_may_have_a_file(limit: int, clients: int, kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda what: (limit, limit))
    assert (connections(), files()) == (clients, kept)
    if limit >= 1024:
        assert connections() + files() + RESERVED <= limit

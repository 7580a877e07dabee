"""The limit of open files, which each client of the HTTP edge takes one of."""

import re
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.conftest import MakeDaemon

LOW = 200


@pytest.fixture
def low_soft_limit() -> Iterator[int]:
    """What is started has it too. Gives the hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (LOW, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def soft_limit(pid: int) -> int:
    found = re.search(r"^Max open files +(\d+)", Path(f"/proc/{pid}/limits").read_text(), re.MULTILINE)
    assert found
    return int(found[1])


def test_the_dispatcher_alone_has_all_that_it_may(low_soft_limit: int, serve: MakeDaemon) -> None:
    """An application may use select(2)."""
    daemon = serve("plain", "--bind", "127.0.0.1:0", "--workers", "1")
    limits = {each.pid: soft_limit(each.pid) for each in daemon.processes()}
    assert limits.pop(daemon.pid) == LOW
    assert [limits.pop(pid) for pid in daemon.worker_pids] == [LOW]
    assert list(limits.values()) == [low_soft_limit]

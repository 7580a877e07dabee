"""Bodies of 128 MiB go up and down, and many slow ones at once: whole, with little memory, and beside quick requests.

bench/body_parts.py does the same at full size, and there looks closely at how quick these requests are. On a machine
that runs several tests at once only this is certain: they do not wait for a transfer, all of which take seconds.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.apps.downloads.app.wsgi import PART
from tests.deadlines import seconds
from tests.functional import transfers
from tests.functional.conftest import MakeDaemon, MakeMongrel2, MakeSite
from tests.functional.daemon import Daemon
from tests.functional.load import Address
from tests.functional.memory import MIB, ROOM, Memory
from tests.functional.quick import AS_FAST, Quick, idle, p99
from tests.functional.transfers import Transfer, Transfers

LARGE = 128 * MIB

RATE = 20e6
"""Bytes a second."""

UPLOAD, UPLOAD_RATE = 72 * 1024, 25_000.0
"""Bytes, and bytes a second, in a crowd. So many do not stay in memory, and do not come in one message."""

READ, READ_RATE = 32, 500_000.0
"""Parts, and bytes a second, in a crowd: 2 MiB, twice of --answer-memory."""

CROWD = 50
"""Of uploads, and of readers."""

APART = 0.01
"""Seconds from the beginning of one to that of the next: they are slow, and no rush."""

IDLE = 100
"""Quick requests beside nothing, to compare with."""

NOT_WAITED = 1.0
"""Seconds (before stretching) within which 99 of 100 quick requests are answered, or AS_FAST: less than a transfer."""

LIMIT = 60.0
"""Seconds (before stretching) for all transfers of a test."""

FLOW_CONTROL = {"download.flow_control": "1"}


def transfer(daemon: Daemon, address: Address, bodies: Sequence[Transfer], apart: float = 0.0) -> int:
    """All of them at once, beside quick requests; bytes by which a process has grown. Raises AssertionError."""
    before, memory = idle(address, IDLE), Memory(daemon)
    with Quick(address) as quick, Transfers(address, bodies, apart=apart) as running:
        assert running.complaints(LIMIT) == []
    assert [each for each in quick.records if each.trouble] == []
    assert quick.p99 < max(AS_FAST * p99(before), seconds(NOT_WAITED))
    lines = daemon.wait_for_access(len(before) + len(quick.records) + len(bodies))
    assert all(" 200 " in line for line in lines)
    return memory.growth()


def test_up_by_http(serve: MakeDaemon) -> None:
    daemon = serve("downloads", "--bind", "127.0.0.1:0", "--workers", "2")
    assert transfer(daemon, daemon.address, [transfers.upload(LARGE)]) < ROOM


@pytest.mark.parametrize("settings", [{}, {"upload.stream": "1"}], ids=["file", "stream"])
def test_up_through_mongrel2(mongrel2: MakeMongrel2, serve: MakeDaemon, settings: Mapping[str, str]) -> None:
    server = mongrel2(settings={**FLOW_CONTROL, **settings})
    daemon = serve("downloads", *server.options, "--workers", "2")
    assert transfer(daemon, server.address, [transfers.upload(LARGE, rate=RATE)]) < ROOM
    assert list(server.uploads.iterdir()) == []


def test_down(site: MakeSite, tmp_path: Path) -> None:
    """From a generator, which has a worker for a while, and from a file, which has none."""
    transfers.write_file(tmp_path / "large", LARGE)
    served = site("downloads", workers=2, settings=FLOW_CONTROL)
    both = [transfers.generated(LARGE // PART, rate=RATE), transfers.file(tmp_path / "large", rate=RATE)]
    assert transfer(served.daemon, served.address, both) < ROOM


def test_many_slow_ones_at_once(site: MakeSite) -> None:
    served = site("downloads", workers=2, settings=FLOW_CONTROL)
    uploads = [transfers.upload(UPLOAD, first=10 * number, rate=UPLOAD_RATE) for number in range(CROWD)]
    readers = [transfers.generated(READ, first=READ * number, rate=READ_RATE) for number in range(CROWD)]
    transfer(served.daemon, served.address, [*uploads, *readers], APART)

"""What is said of a worker that has outlived its master and its time."""

import os
import signal

import pytest

from tests.unit.dispatcher.loops import run
from tests.unit.dispatcher.running import running
from wsgid.dispatcher import orphans


def test_the_record_knows_the_worker(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *call: killed.append(call))

    async def main() -> None:
        async with running() as everything:
            pid = os.getpid()  # by which the kernel knows the far end
            await everything.worker(pid)
            orphans.kill_those_left(everything.workers.by_pid.values(), 0.0)
            assert killed == [(pid, signal.SIGKILL)]
            [record] = caplog.records
            assert record.getMessage() == f"worker {pid} has not left in time: killing it; it held no request"
            assert vars(record)["worker"] == pid

    run(main())

"""The real /proc; control groups and terminals as files of our own."""

import mmap
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.deadlines import wait_for
from wsgid.master.proc_files import STOPPED, ProcFiles, _oom_counters

NOBODY = 2**22 + 1
"""Greater than any pid: PID_MAX_LIMIT of Linux."""


@contextmanager
def files(cgroups: Path = Path("/nowhere"), terminal: Path = Path("/nowhere")) -> Iterator[ProcFiles]:
    files = ProcFiles(cgroups=cgroups, terminal=terminal)
    yield files
    files.close()


def test_states() -> None:
    with files() as proc, subprocess.Popen(["sleep", "60"]) as child:
        assert proc.state(os.getpid()) == "R"
        os.kill(child.pid, signal.SIGSTOP)
        wait_for(lambda: proc.state(child.pid) == STOPPED, "the stop")
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert proc.state(child.pid) == "Z"
        assert proc.rss(child.pid) == 0


def test_a_process_that_is_not_there() -> None:
    with files() as proc:
        assert proc.state(NOBODY) == ""
        assert proc.rss(NOBODY) == 0


def test_memory() -> None:
    with files() as proc:
        before = proc.rss(os.getpid())
        # Not from the heap, where an earlier test may have left as much.
        with mmap.mmap(-1, 50_000_000) as held:
            held.write(os.urandom(1) * 50_000_000)
            assert 40_000_000 < proc.rss(os.getpid()) - before < 70_000_000


@pytest.mark.parametrize(
    ("memberships", "places"),
    [
        ("0::/a.slice/b.service\n", ["a.slice/b.service/memory.events", "memory.events"]),
        ("0::/\n", ["memory.events", "memory.events"]),
        ("4:cpu,memory:/docker/12\n3:cpu:/\n", ["memory/docker/12/memory.oom_control", "memory/memory.oom_control"]),
        ("2:cpuset:/\n1:name=systemd:/a:b\n", []),
    ],
)
def test_where_the_kernel_counts(memberships: str, places: list[str]) -> None:
    assert _oom_counters(memberships, Path("/cg")) == [Path("/cg") / place for place in places]


def test_kills_for_want_of_memory(tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    for counter in (tmp_path / "memory.events", tmp_path / "memory" / "memory.oom_control"):
        counter.write_text("low 0\noom 7\noom_kill 3\noom_group_kill 9\n")
    with files(cgroups=tmp_path) as proc:
        assert proc.oom_kills() == 3
        for counter in (tmp_path / "memory.events", tmp_path / "memory" / "memory.oom_control"):
            counter.write_text("low 0\noom 8\noom_kill 4\noom_group_kill 9\n")
        assert proc.oom_kills() == 4


def test_an_old_kernel_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    for counter in (tmp_path / "memory.events", tmp_path / "memory" / "memory.oom_control"):
        counter.write_text("oom_kill_disable 0\nunder_oom 0\n")
    with files(cgroups=tmp_path) as proc:
        assert proc.oom_kills() is None


def test_no_control_groups() -> None:
    with files() as proc:
        assert proc.oom_kills() is None


def test_without_a_terminal_none_can_go() -> None:
    with files() as proc:
        assert not proc.terminal_gone()


def test_a_terminal_that_hangs_up() -> None:
    reader, writer = os.pipe()
    pid, terminal = pty.fork()
    if pid == 0:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})  # it may come before we wait for it
        proc = ProcFiles()
        os.write(writer, b"%d" % proc.terminal_gone())
        signal.sigwait({signal.SIGHUP})
        os.write(writer, b"%d" % proc.terminal_gone())
        os._exit(0)
    assert os.read(reader, 1) == b"0"
    os.close(terminal)
    os.waitpid(pid, 0)
    assert os.read(reader, 1) == b"1"
    os.close(reader)
    os.close(writer)

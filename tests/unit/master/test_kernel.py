import errno
import os
import signal
import threading
from pathlib import Path

import pytest

from tests.unit.master.offspring import in_thread
from wsgid.master import kernel

by_root = pytest.mark.skipif(os.geteuid() != 0, reason="not root: there is nothing to give up")

GUEST = 12345


def capabilities() -> set[int]:
    lines = Path("/proc/thread-self/status").read_text().splitlines()
    return {int(line.split()[1], 16) for line in lines if line.startswith(("CapInh", "CapPrm", "CapEff", "CapAmb"))}


@by_root
def test_capabilities_are_gone_at_once() -> None:
    def give_up() -> set[int]:
        kernel.give_up_capabilities()
        return capabilities()

    assert in_thread(give_up) == {0}
    assert capabilities() != {0}


@by_root
def test_ids_for_files_come_back(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)

    def make() -> None:
        with kernel.files_as(GUEST, GUEST + 1):
            os.mkdir("theirs", dir_fd=place)
            raise ValueError("on the way")

    place = os.open(tmp_path, os.O_PATH)  # the folders above it are shut
    with pytest.raises(ValueError, match="on the way"):
        make()
    (tmp_path / "ours").mkdir()
    os.close(place)
    found = [(tmp_path / name).stat() for name in ("theirs", "ours")]
    assert [(each.st_uid, each.st_gid) for each in found] == [(GUEST, GUEST + 1), (0, 0)]


@by_root
def test_ids_that_cannot_be_had() -> None:
    def choose() -> None:
        kernel.give_up_capabilities()
        with kernel.files_as(GUEST, GUEST):
            raise AssertionError("it could")

    with pytest.raises(PermissionError, match="user 12345, group 12345"):
        in_thread(choose)


def test_a_call_that_fails_tells_what_it_was_about() -> None:
    with pytest.raises(OSError) as refused:
        kernel.mount("/nowhere/at/all", "/nowhere/at/all", kernel.MS_BIND)
    assert refused.value.filename == "/nowhere/at/all"
    assert refused.value.errno in (errno.ENOENT, errno.EPERM)


def test_a_signal_for_the_main_thread_waits_for_it() -> None:
    """Were it for the process, the thread that does not block it would take it at once."""
    over = threading.Event()
    other = threading.Thread(target=over.wait)
    other.start()
    handler = signal.signal(signal.SIGUSR1, lambda number, frame: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    try:
        kernel.signal_main_thread(os.getpid(), signal.SIGUSR1)
        assert signal.SIGUSR1 in signal.sigpending()
        signal.sigwait([signal.SIGUSR1])
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
        signal.signal(signal.SIGUSR1, handler)
        over.set()
        other.join()


def test_a_signal_for_nobody_is_an_error() -> None:
    with pytest.raises(ProcessLookupError):
        kernel.signal_main_thread(2**22 + 1, signal.SIGUSR1)

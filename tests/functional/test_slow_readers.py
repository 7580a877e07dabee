"""Clients that read slowly, or not at all for a while: no worker waits for them, and memory stays what it was."""

import hashlib
import resource
import signal
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Protocol

import pytest

from tests import proc
from tests.apps.downloads.app.wsgi import PART
from tests.deadlines import wait_for
from tests.functional.clients import RECEIVE, Connection
from tests.functional.conftest import MakeSite, Site
from tests.functional.daemon import Daemon
from tests.functional.gate import Gates
from tests.functional.memory import MIB, ROOM, Memory
from tests.functional.transfers import digest_of, write_file

FLOW_CONTROL = {"download.flow_control": "1"}
"""Without it nobody can tell whether a client behind Mongrel2 reads."""

MORE_THAN_SOCKETS_TAKE = 512
"""Parts: 32 MiB. The kernel keeps up to some 10 MiB for a client that does not read."""

MUCH = 2048
"""Parts: 128 MiB."""


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file of 128 MiB."""
    path = tmp_path / "large"
    write_file(path, MUCH * PART)
    return path


class Reader:
    """Reads an answer as the test says, and keeps only its digest."""

    def __init__(self, connection: Connection, target: str) -> None:
        self.connection = connection
        # Without chunks: what follows the head is the body.
        self.connection.ask(target, version="1.0")
        self._rest = b""

    def read_head(self) -> None:
        while b"\r\n\r\n" not in self._rest:
            self._rest += self.connection.receive()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")

    def read_on(self) -> str:
        """To the end; the digest of the whole body."""
        digest = hashlib.sha256(self._rest)
        while data := self.connection.socket.recv(RECEIVE):
            digest.update(data)
        return digest.hexdigest()


class Ask(Protocol):
    def __call__(self, served: Site, target: str) -> Reader: ...


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Asks for something and reads the head of the answer."""
    with ExitStack() as connections:

        def make(served: Site, target: str) -> Reader:
            reader = Reader(connections.enter_context(served.connect()), target)
            reader.read_head()
            return reader

        yield make


def quick(served: Site) -> None:
    assert served.request("/quick").body == b"quick\n"


def test_one_that_stops_does_not_hold_the_only_worker(site: MakeSite, ask: Ask) -> None:
    served = site("downloads", workers=1, settings=FLOW_CONTROL)
    readers = [ask(served, f"/parts?n={MORE_THAN_SOCKETS_TAKE}") for _ in range(2)]
    for _ in range(20):
        quick(served)
    assert all("/quick" in line for line in served.daemon.wait_for_access(20))
    assert {reader.read_on() for reader in readers} == {digest_of(0, MORE_THAN_SOCKETS_TAKE * PART)}
    lines = served.daemon.wait_for_access(22)
    assert sum(f" 200 {MORE_THAN_SOCKETS_TAKE * PART} " in line for line in lines) == 2


def test_a_large_file_leaves_its_worker_free_and_takes_no_memory(site: MakeSite, ask: Ask, large: Path) -> None:
    served = site("downloads", workers=1, settings=FLOW_CONTROL)
    quick(served)
    memory = Memory(served.daemon)
    reader = ask(served, f"/file?path={large}")
    for _ in range(20):
        quick(served)
    assert reader.read_on() == digest_of(0, MUCH * PART)
    assert memory.growth() < ROOM
    assert any(f" 200 {MUCH * PART} " in line for line in served.daemon.wait_for_access(22))


def test_a_long_answer_to_one_that_stops_takes_no_memory(site: MakeSite, ask: Ask) -> None:
    served = site("downloads", workers=1, settings=FLOW_CONTROL)
    quick(served)
    memory = Memory(served.daemon)
    reader = ask(served, f"/parts?n={MUCH}")
    quick(served)  # the worker has given it all
    assert spooled(served.daemon)
    assert reader.read_on() == digest_of(0, MUCH * PART)
    assert memory.growth() < ROOM
    wait_for(lambda: not spooled(served.daemon), "the file to be given back")


def test_what_exceeds_the_spool_slows_the_worker_down(site: MakeSite, ask: Ask, tmp_path: Path) -> None:
    served = site("downloads", "--answer-spool", "4M", workers=1, settings=FLOW_CONTROL)
    given = tmp_path / "given"
    reader = ask(served, f"/parts?n={MUCH}&ledger={given}")
    wait_for(lambda: spooled(served.daemon) == 4 * MIB, "the spool to be full")
    with served.connect() as waiting:
        waiting.ask("/quick")
        assert given.stat().st_size < MUCH // 2
        assert not served.daemon.access_log
        assert reader.read_on() == digest_of(0, MUCH * PART)
        assert waiting.answer().body == b"quick\n"
    assert spooled(served.daemon) <= 4 * MIB


def test_totals_hold_for_all_of_them_together(site: MakeSite, ask: Ask) -> None:
    limits = ("--answer-memory", "32M", "--answer-memory-total", "1M")
    served = site("downloads", *limits, workers=1, settings=FLOW_CONTROL)
    quick(served)
    memory = Memory(served.daemon)
    readers = [ask(served, f"/parts?n={MORE_THAN_SOCKETS_TAKE}") for _ in range(3)]
    quick(served)
    assert memory.growth() < ROOM
    assert {reader.read_on() for reader in readers} == {digest_of(0, MORE_THAN_SOCKETS_TAKE * PART)}
    assert memory.growth() < ROOM


def test_one_goes_on_in_a_file_when_others_have_given_back_their_room(site: MakeSite, ask: Ask) -> None:
    served = site("downloads", "--answer-spool-total", "4M", workers=3, settings=FLOW_CONTROL)
    readers = [ask(served, f"/parts?n={MORE_THAN_SOCKETS_TAKE}") for _ in range(2)]
    wait_for(lambda: spooled(served.daemon) == 4 * MIB, "the room to be used up")
    quick(served)
    for reader in readers:
        assert reader.read_on() == digest_of(0, MORE_THAN_SOCKETS_TAKE * PART)
        assert spooled(served.daemon) <= 4 * MIB
    wait_for(lambda: not spooled(served.daemon), "the files to be given back")


def test_no_answer_is_cut_for_want_of_descriptors(site: MakeSite) -> None:
    served = site("downloads", workers=1, threads=4, settings=FLOW_CONTROL)  # each of the answers holds a thread
    dispatcher = served.daemon.dispatcher_pid
    with ExitStack() as stack:
        connections = [stack.enter_context(served.connect()) for _ in range(4)]
        for connection in connections:
            connection.ask("/quick")
            assert connection.answer().body == b"quick\n"
        # A limit on the number itself: 0 to 2 are in use, and any other is too high.
        resource.prlimit(dispatcher, resource.RLIMIT_NOFILE, (3, 3))
        readers = [Reader(connection, f"/parts?n={MORE_THAN_SOCKETS_TAKE}") for connection in connections]
        served.daemon.wait_for_log("Too many open files; instead the workers wait for these clients")
        for reader in readers:
            reader.read_head()
            assert reader.read_on() == digest_of(0, MORE_THAN_SOCKETS_TAKE * PART)
    lines = served.daemon.wait_for_access(8)
    assert sum(f" 200 {MORE_THAN_SOCKETS_TAKE * PART} " in line for line in lines) == 4


def spooled(daemon: Daemon) -> int:
    """Bytes of the files without a name that the dispatcher has open."""
    total = 0
    for number, path in proc.descriptors(daemon.dispatcher_pid).items():
        if path.startswith(str(daemon.folder)) and path.endswith("(deleted)"):
            with suppress(FileNotFoundError):  # it has been closed meanwhile
                total += Path(f"/proc/{daemon.dispatcher_pid}/fd/{number}").stat().st_size
    return total


@pytest.mark.parametrize("target", [f"/parts?n={MORE_THAN_SOCKETS_TAKE}", "/file?path={large}"], ids=["parts", "file"])
def test_one_that_leaves_when_the_worker_is_done_is_one_line(
    site: MakeSite, ask: Ask, large: Path, target: str
) -> None:
    served = site("downloads", workers=1, settings=FLOW_CONTROL)
    quick(served)

    def kept() -> bool:
        return spooled(served.daemon) > 0 or str(large) in proc.descriptors(served.daemon.dispatcher_pid).values()

    reader = ask(served, target.format(large=large))
    quick(served)
    assert kept()
    reader.connection.reset()
    lines = served.daemon.wait_for_access(3)
    assert " 499 " in lines[2]
    assert lines[2].endswith(" end=left")
    wait_for(lambda: not kept(), "the file to be closed")
    quick(served)
    assert len(served.daemon.wait_for_access(4)) == 4


def test_a_stop_waits_for_one_that_reads_on(site: MakeSite, ask: Ask) -> None:
    served = site("downloads", workers=1, settings=FLOW_CONTROL)
    reader = ask(served, f"/parts?n={MORE_THAN_SOCKETS_TAKE}")
    quick(served)
    served.daemon.send(signal.SIGTERM)
    assert reader.read_on() == digest_of(0, MORE_THAN_SOCKETS_TAKE * PART)
    assert served.daemon.wait() == 0
    assert " 200 " in served.daemon.access_log[1]


def test_a_stop_cuts_one_that_does_not(site: MakeSite, ask: Ask) -> None:
    served = site("downloads", "--graceful-timeout", "0.5", workers=1, settings=FLOW_CONTROL)
    ask(served, f"/parts?n={MORE_THAN_SOCKETS_TAKE}")
    quick(served)
    served.daemon.stop()
    assert len(served.daemon.access_log) == 2
    assert served.daemon.access_log[1].endswith(" end=cut")


def test_a_second_signal_cuts_it_at_once(site: MakeSite, ask: Ask) -> None:
    served = site("downloads", workers=1, settings=FLOW_CONTROL)
    ask(served, f"/parts?n={MORE_THAN_SOCKETS_TAKE}")
    quick(served)
    served.daemon.send(signal.SIGTERM)
    served.daemon.wait_for_log("SIGTERM: stopping")
    served.daemon.send(signal.SIGTERM)
    assert served.daemon.wait() == 0
    assert len(served.daemon.access_log) == 2
    assert served.daemon.access_log[1].endswith(" end=cut")


def test_events_go_out_one_by_one(site: MakeSite, gates: Gates) -> None:
    served = site("plain", workers=1, env=gates.env, settings=FLOW_CONTROL)
    with served.connect() as client:
        client.ask(f"/gate-stream?fifo={gates.make('gate')}")
        received = b""
        while b"first\n" not in received:
            received += client.receive()
        assert b"second\n" not in received
        gates.release("gate")
        while b"second\n" not in received:
            received += client.receive()

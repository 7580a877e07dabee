import asyncio
import os
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.deadlines import seconds
from tests.proc import descriptors
from tests.unit.dispatcher.loops import run, turns, until
from tests.unit.dispatcher.outgoing_owner import PLENTY, Owner, a_storage, take_all
from wsgid.dispatcher.disk import PIECE
from wsgid.dispatcher.outgoing import OutgoingOwner
from wsgid.dispatcher.storage import Storage
from wsgid.dispatcher.stored_answer import HIGH_WATER, LITTLE, StoredAnswer

MEMORY = 2 * PIECE
SPOOL = 8 * PIECE


@dataclass
class Place:
    directory: Path
    executor: ThreadPoolExecutor
    storage: Storage
    owner: Owner = field(default_factory=Owner)

    def store(self, memory: int = MEMORY, spool: int = SPOOL, owner: OutgoingOwner | None = None) -> StoredAnswer:
        return StoredAnswer(memory, spool, self.storage, owner or self.owner)

    @property
    def files(self) -> int:
        """That are open."""
        return sum(path.startswith(str(self.directory)) for path in descriptors(os.getpid()).values())


def with_place(tmp_path: Path, test: Callable[[Place], Coroutine[Any, Any, None]], **totals: int) -> None:
    async def main() -> None:
        with ThreadPoolExecutor(1) as executor:
            storage = a_storage(tmp_path, executor, **totals)
            before = left_of(storage)
            place = Place(tmp_path, executor, storage)
            await test(place)
            await until(lambda: not place.files, "the files to be closed")
            assert left_of(storage) == before

    run(main())


def left_of(storage: Storage) -> tuple[int, int, int]:
    return storage.memory.left, storage.spool.left, storage.files.left


def told(size: int, start: int = 0) -> bytes:
    """Bytes of which each few are different."""
    return b"".join(number.to_bytes(8, "big") for number in range(start // 8, (start + size) // 8))


def is_full(store: StoredAnswer) -> bool:
    """For mypy, which takes a property for a thing that does not change."""
    return store.full


def test_little_stays_in_memory(tmp_path: Path) -> None:
    async def test(here: Place) -> None:
        store = here.store()
        store.add(b"one, ")
        store.add(b"two")
        assert (store.size, store.full) == (8, False)
        assert store.take(6) == b"one, t"
        assert store.take(6) == b"wo"
        assert store.take(6) == b""
        assert store.size == here.files == 0
        store.close()

    with_place(tmp_path, test)


def test_much_comes_back_from_the_file_in_order(tmp_path: Path) -> None:
    async def test(here: Place) -> None:
        store = here.store()
        content = told(SPOOL + MEMORY)
        for start in range(0, len(content), PIECE // 2):
            await until(lambda: not store.full, "room")
            store.add(content[start : start + PIECE // 2])
        await until(lambda: here.files == 1, "the file")
        assert store.size == len(content)
        received = bytearray()

        def all_there() -> bool:
            received.extend(take_all(store, 100_000))
            return len(received) == len(content)

        await until(all_there, "all of it")
        assert received == content
        assert (store.size, here.owner.failures) == (0, [])
        store.add(b"and more")  # in memory again, as the file is empty
        assert store.take(100) == b"and more"
        store.close()

    with_place(tmp_path, test)


def test_it_is_full_when_memory_and_file_are(tmp_path: Path) -> None:
    async def test(here: Place) -> None:
        store = here.store()
        store.add(told(MEMORY + SPOOL))
        await until(lambda: not store._back, "all that the file holds to be in it")
        store.add(told(HIGH_WATER))
        await turns(20)
        assert not is_full(store)
        store.add(b"one more")
        await turns(20)
        assert is_full(store)
        before = here.owner.ready
        assert len(take_all(store)) >= MEMORY
        await until(lambda: here.owner.ready > before and not store.full, "room")
        store.close()

    with_place(tmp_path, test)


def test_without_a_file_it_is_full_soon(tmp_path: Path) -> None:
    async def test(here: Place) -> None:
        store = here.store(memory=0, spool=0)
        store.add(bytes(PIECE + HIGH_WATER))
        assert not is_full(store)
        store.add(b"x")
        assert is_full(store)
        assert len(take_all(store)) == PIECE + HIGH_WATER + 1
        assert here.files == 0
        store.close()

    with_place(tmp_path, test)


def test_what_cannot_be_read_back_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(here: Place) -> None:
        def refuse(*_: object) -> int:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(os, "pread", refuse)
        store = here.store()
        store.add(bytes(MEMORY + 4 * PIECE))
        await turns(20)
        take_all(store)
        await until(lambda: here.owner.failures, "the failure")
        [why] = here.owner.failures
        assert why == "what its client has yet to take could not be read back: [Errno 5] Input/output error"
        store.close()
        await turns(20)
        assert len(here.owner.failures) == 1

    with_place(tmp_path, test)


def test_closed_while_a_thread_is_at_the_file_it_says_nothing_more(tmp_path: Path) -> None:
    async def test(here: Place) -> None:
        gate = Event()
        here.executor.submit(gate.wait, seconds())
        store = here.store()
        store.add(bytes(MEMORY + PIECE))
        store.close()
        gate.set()
        await until(lambda: not here.executor._work_queue.qsize(), "the thread")
        await turns(20)
        assert (here.owner.ready, here.owner.failures) == (0, [])

    with_place(tmp_path, test)


@dataclass
class Reader:
    """Takes what it is given, in pieces, once it reads."""

    here: Place
    spool: int = SPOOL
    reads: bool = False
    received: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self.store = self.here.store(spool=self.spool, owner=self)

    def outgoing_ready(self) -> None:
        while self.reads and (piece := self.store.take(LITTLE)):
            self.received += piece

    def outgoing_failed(self, why: str) -> None:
        raise AssertionError(why)


async def feed(reader: Reader, content: bytes, step: int = PIECE // 2) -> None:
    """As a worker does, which waits while the store is full."""
    for start in range(0, len(content), step):
        await until(lambda: not reader.store.full, "room")
        reader.store.add(content[start : start + step])
        reader.outgoing_ready()


async def read_all(*readers: Reader) -> None:
    for reader in readers:
        reader.reads = True
        reader.outgoing_ready()
    await until(lambda: not any(reader.store.size for reader in readers), "all of it")
    for reader in readers:
        reader.store.close()


def test_while_memory_is_short_next_to_nothing_is_kept_there(tmp_path: Path) -> None:
    async def test(here: Place) -> None:
        content = told(6 * PIECE + 5000)
        readers = [Reader(here) for _ in range(5)]
        before = here.storage.memory.left
        for reader in readers:
            await feed(reader, content)
        await until(lambda: not any(reader.store.full for reader in readers), "it to be written")
        # The first has all that it may have in memory, and has used that up.
        assert before - here.storage.memory.left <= MEMORY + 5 * LITTLE + PIECE
        assert here.files == 5
        await read_all(*readers)
        assert {bytes(reader.received) for reader in readers} == {content}

    with_place(tmp_path, test, memory=MEMORY)


def test_while_memory_is_short_each_byte_slows_its_worker_down(tmp_path: Path) -> None:
    async def test(here: Place) -> None:
        store = here.store(spool=0)
        store.add(bytes(LITTLE))
        assert not is_full(store)
        store.add(b"x")
        assert is_full(store)
        assert len(take_all(store)) == LITTLE + 1
        assert not is_full(store)
        store.close()

    with_place(tmp_path, test, memory=0)


def test_what_came_before_memory_was_short_holds_up_nobody(tmp_path: Path) -> None:
    async def test(here: Place) -> None:
        memory = here.storage.memory
        store = here.store()
        store.add(bytes(MEMORY + 2 * LITTLE))
        memory.count(PLENTY)
        assert memory.left < 0
        assert not is_full(store)
        store.add(b"x")
        assert is_full(store)  # now it is on its way
        await until(lambda: not store.full, "it to be written")
        memory.give_back(PLENTY)
        store.close()

    with_place(tmp_path, test)


@pytest.mark.parametrize("total", [{"spool": 2 * PIECE}, {"files": 1}, {"spool": 0}, {"files": 0}])
def test_what_finds_no_room_in_files_waits_and_is_whole(tmp_path: Path, total: dict[str, int]) -> None:
    async def test(here: Place) -> None:
        content = told(SPOOL + MEMORY)
        readers = [Reader(here) for _ in range(3)]
        feeding = [asyncio.ensure_future(feed(reader, content)) for reader in readers]
        await until(
            lambda: all(reader.store.full for reader in readers if reader.store.size < len(content)), "them to be full"
        )
        await turns(20)
        assert here.storage.spool.left >= 0
        assert here.storage.files.left >= 0
        assert not all(task.done() for task in feeding)
        for reader in readers:
            reader.reads = True
            reader.outgoing_ready()
        await asyncio.gather(*feeding)
        await read_all(*readers)
        assert [reader.received == content for reader in readers] == [True] * 3

    with_place(tmp_path, test, **total)


@pytest.mark.parametrize("by", ["closing", "a restart with more"])
def test_room_that_others_give_back_is_used(tmp_path: Path, by: str) -> None:
    async def test(here: Place) -> None:
        first, second = here.store(), here.store()
        first.add(bytes(MEMORY + PIECE))
        second.add(bytes(MEMORY + HIGH_WATER + 1))
        await until(lambda: first.size and not first._back, "the first to have all the room")
        await turns(20)
        assert is_full(second)
        if by == "closing":
            first.close()
        else:
            here.storage.change(PLENTY, 2 * PIECE)
        await until(lambda: not second.full, "room")
        here.storage.change(PLENTY, PIECE)
        first.close()
        second.close()

    with_place(tmp_path, test, spool=PIECE)


@pytest.mark.parametrize("how", ["open", "write", "write later"])
def test_a_disk_that_refuses_loses_nothing(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(here: Place) -> None:
        content = told(4 * SPOOL)
        readers = [Reader(here), Reader(here)]
        stores = [reader.store for reader in readers]
        if how == "write later":
            for store in stores:
                store.add(content[: MEMORY + PIECE])
            await until(lambda: not any(store._back for store in stores), "it to be in the file")
        refuse(here, how, monkeypatch)
        rest = content[stores[0].size :]
        feeding = [asyncio.ensure_future(feed(reader, rest)) for reader in readers]
        await until(lambda: all(store.full and not store._busy for store in stores), "it to be full")
        assert here.storage.files.left == (PLENTY - 2 if how == "write later" else PLENTY)
        for reader in readers:
            reader.reads = True
            reader.outgoing_ready()
        await asyncio.gather(*feeding)
        await read_all(*readers)
        assert [reader.received == content for reader in readers] == [True, True]
        [line] = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
        assert "cannot be kept in files" in line

    with_place(tmp_path, test)


def refuse(here: Place, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    if how == "open":
        here.storage.disk.directory = str(here.directory / "gone")
    else:
        monkeypatch.setattr(os, "pwrite", full)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.integers(1, 3 * PIECE)), max_size=30),
    st.sampled_from([0, PIECE, 64 * PIECE]),
    st.sampled_from([0, PIECE, 3 * PIECE, 64 * PIECE]),
    st.integers(0, 3),
)
@settings(max_examples=50)
def test_totals_hold_whatever_comes_and_goes(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[int, bool, int]],
    memory: int,
    spool: int,
    files: int,
) -> None:
    async def test(here: Place) -> None:
        readers = [Reader(here, spool=4 * PIECE) for _ in range(3)]
        sent = [bytearray() for _ in readers]
        for which, adds, count in steps:
            reader, store = readers[which], readers[which].store
            if adds and not store.full:
                content = told(count // 8 * 8, start=len(sent[which]) // 8 * 8)
                sent[which] += content
                store.add(content)
            else:
                reader.received += store.take(count)
            await turns(count % 5)
            assert here.storage.spool.left >= 0
            assert here.storage.files.left >= 0
            held = sum(len(reader.store._front) + len(reader.store._back) for reader in readers)
            assert held == memory - here.storage.memory.left
        await read_all(*readers)
        assert [reader.received for reader in readers] == sent

    with_place(tmp_path_factory.mktemp("stores"), test, memory=memory, spool=spool, files=files)

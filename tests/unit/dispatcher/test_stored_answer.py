import asyncio
import os
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.deadlines import seconds
from tests.proc import descriptors
from tests.unit.dispatcher.loops import run, turns, until
from tests.unit.dispatcher.outgoing_owner import Owner, take_all
from wsgid.dispatcher.disk import PIECE, Disk
from wsgid.dispatcher.stored_answer import HIGH_WATER, StoredAnswer

MEMORY = 2 * PIECE
SPOOL = 8 * PIECE


@dataclass
class Place:
    directory: Path
    executor: ThreadPoolExecutor
    disk: Disk
    owner: Owner = field(default_factory=Owner)

    def store(self, memory: int = MEMORY, spool: int = SPOOL) -> StoredAnswer:
        return StoredAnswer(memory, spool, self.disk, self.owner)

    @property
    def files(self) -> int:
        """That are open."""
        return sum(path.startswith(str(self.directory)) for path in descriptors(os.getpid()).values())


def with_place(tmp_path: Path, test: Callable[[Place], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        with ThreadPoolExecutor(1) as executor:
            place = Place(tmp_path, executor, Disk(str(tmp_path), executor, asyncio.get_running_loop()))
            await test(place)
            await until(lambda: not place.files, "the files to be closed")

    run(main())


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


@pytest.mark.parametrize("fails", ["write", "read"])
def test_a_disk_that_refuses_is_told_once(tmp_path: Path, fails: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(here: Place) -> None:
        def refuse(*_: object) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, f"p{fails}", refuse)
        store = here.store()
        store.add(bytes(MEMORY + 4 * PIECE))
        await turns(20)
        take_all(store)
        await until(lambda: here.owner.failures, "the failure")
        [why] = here.owner.failures
        assert why.endswith("No space left on device")
        assert "what its client has yet to take could not be " in why
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

import os
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.proc import descriptors
from tests.unit.dispatcher.loops import run, turns, until
from tests.unit.dispatcher.outgoing_owner import Owner, a_storage, take_all
from wsgid.dispatcher.disk import PIECE
from wsgid.dispatcher.sent_file import FIRST, PassedFile, SentFile

CONTENT = bytes(range(256)) * (3 * PIECE // 256)


def with_file(
    path: Path,
    test: Callable[[SentFile, Owner], Coroutine[Any, Any, None]],
    offset: int = 0,
    length: int = len(CONTENT),
    memory: int = 1 << 30,
) -> None:
    path.write_bytes(CONTENT)

    async def main() -> None:
        with ThreadPoolExecutor(1) as executor:
            owner, storage = Owner(), a_storage(Path("/nowhere"), executor, memory)
            descriptor = os.open(path, os.O_RDONLY)
            await test(SentFile(b"head, ", PassedFile(descriptor, offset, length), storage, owner), owner)
            await until(lambda: str(path) not in descriptors(os.getpid()).values(), "the file to be closed")
            assert (storage.memory.left, storage.files.left) == (memory, 1 << 30)

    run(main())


async def all_of(sent: SentFile, most: int = 100_000) -> bytes:
    received = bytearray()

    def all_there() -> bool:
        received.extend(take_all(sent, most))
        return not sent.size

    await until(all_there, "all of it")
    return bytes(received)


@pytest.mark.parametrize(("offset", "length"), [(0, len(CONTENT)), (10, 1), (PIECE + 7, PIECE + 9)])
def test_first_bytes_and_a_part_of_the_file(tmp_path: Path, offset: int, length: int) -> None:
    async def test(sent: SentFile, owner: Owner) -> None:
        assert (sent.size, sent.full) == (6 + length, False)
        await until(lambda: owner.ready, "the beginning")
        assert await all_of(sent) == b"head, " + CONTENT[offset : offset + length]
        sent.close()
        sent.close()
        assert owner.failures == []

    with_file(tmp_path / "file", test, offset, length)


def test_no_more_is_read_than_is_taken(tmp_path: Path) -> None:
    async def test(sent: SentFile, owner: Owner) -> None:
        await until(lambda: owner.ready, "the beginning")
        await turns(50)
        assert owner.ready == 1
        assert len(take_all(sent)) <= 6 + 2 * PIECE
        sent.close()

    with_file(tmp_path / "file", test)


def test_a_file_that_shrinks_is_told(tmp_path: Path) -> None:
    async def test(sent: SentFile, owner: Owner) -> None:
        await until(lambda: owner.ready, "the beginning")
        os.truncate(tmp_path / "file", PIECE)
        take_all(sent)
        await until(lambda: owner.failures, "the failure")
        assert owner.failures == [
            f"the file that is its body ended {2 * PIECE} bytes too early: it was cut off meanwhile"
        ]
        sent.close()

    with_file(tmp_path / "file", test)


def test_a_disk_that_refuses_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(sent: SentFile, owner: Owner) -> None:
        def refuse(*_: object) -> bytes:
            raise OSError(5, "Input/output error")

        await until(lambda: owner.ready, "the beginning")
        monkeypatch.setattr(os, "pread", refuse)
        take_all(sent)
        await until(lambda: owner.failures, "the failure")
        assert owner.failures == ["the file that is its body could not be read: [Errno 5] Input/output error"]
        sent.close()

    with_file(tmp_path / "file", test)


def test_closed_while_it_is_read_it_says_nothing(tmp_path: Path) -> None:
    async def test(sent: SentFile, owner: Owner) -> None:
        sent.close()
        await turns(50)
        assert (owner.ready, owner.failures) == (0, [])

    with_file(tmp_path / "file", test)


def test_nothing_follows_it(tmp_path: Path) -> None:
    async def test(sent: SentFile, owner: Owner) -> None:
        with pytest.raises(AssertionError):
            sent.add(b"x")
        sent.close()

    with_file(tmp_path / "file", test)


def test_while_memory_is_short_no_more_is_read_than_the_client_asks_for(tmp_path: Path) -> None:
    async def test(sent: SentFile, owner: Owner) -> None:
        await until(lambda: owner.ready, "the beginning")
        assert len(sent._front) == 6 + FIRST
        await turns(50)
        assert owner.ready == 1
        assert sent.take(PIECE) == b"head, " + CONTENT[:FIRST]
        assert sent.take(1000) == b""
        await until(lambda: owner.ready == 2, "what was asked for")
        assert sent.take(PIECE) == CONTENT[FIRST : FIRST + 1000]
        assert await all_of(sent) == CONTENT[FIRST + 1000 :]
        sent.close()

    with_file(tmp_path / "file", test, memory=0)

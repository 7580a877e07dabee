import asyncio
import errno
import os
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.deadlines import seconds
from tests.proc import descriptors
from tests.unit.dispatcher.loops import run, turns, until
from wsgid.dispatcher.disk import PIECE, Disk
from wsgid.dispatcher.spool import ENOUGH, HIGH_WATER, Spool


@dataclass
class Owner:
    """A `SpoolOwner`."""

    has_room: Callable[[], None] = lambda: None
    rooms: int = 0
    failures: list[OSError] = field(default_factory=list)

    def spool_has_room(self) -> None:
        self.rooms += 1
        self.has_room()

    def spool_failed(self, error: OSError) -> None:
        self.failures.append(error)


@dataclass
class Finished:
    """What `Spool.finish` calls."""

    outcomes: list[int | OSError] = field(default_factory=list)

    def __call__(self, outcome: int | OSError) -> None:
        self.outcomes.append(outcome)

    async def content(self) -> bytes:
        [descriptor] = await until(lambda: self.outcomes, "the end")
        assert isinstance(descriptor, int)
        with open(descriptor, "rb") as file:
            file.seek(0)
            return file.read()


class Hold:
    """The one thread of an executor, held until it is let go."""

    def __init__(self, executor: Executor) -> None:
        self._gate = Event()
        self._held = executor.submit(self._gate.wait, seconds())

    def let_go(self) -> None:
        self._gate.set()
        assert self._held.result()


def spool(directory: Path, executor: Executor, owner: Owner) -> Spool:
    return Spool(Disk(str(directory), executor, asyncio.get_running_loop()), owner)


def full_disk(directory: Path, executor: Executor, owner: Owner) -> Spool:
    """A spool whose file takes nothing."""
    made = spool(directory, executor, owner)
    fill_disk(made)
    return made


def fill_disk(spool: Spool) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    if spool._descriptor < 0:
        spool._descriptor = full
    else:
        os.dup2(full, spool._descriptor)
        os.close(full)


def open_files(directory: Path) -> int:
    """Those that lay in this directory."""
    return sum(path.startswith(str(directory)) for path in descriptors(os.getpid()).values())


class TestABody:
    @given(sizes=st.lists(st.integers(0, 400_000), max_size=8))
    def test_is_in_the_file_as_it_came(self, tmp_path_factory: pytest.TempPathFactory, sizes: list[int]) -> None:
        directory = tmp_path_factory.getbasetemp()
        parts = [bytes([number]) * size for number, size in enumerate(sizes)]

        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                made = spool(directory, executor, Owner())
                for part in parts:
                    made.add(part)
                    await turns(1)
                assert made.size == sum(sizes)
                finished = Finished()
                made.finish(finished)
                assert await finished.content() == b"".join(parts)
                assert made.error is None

        run(main())

    def test_has_no_name_from_the_first_byte_on(self, tmp_path: Path) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                made = spool(tmp_path, executor, Owner())
                made.add(bytes(PIECE))
                executor.submit(lambda: None).result()
                assert os.fstat(made._descriptor).st_size == PIECE
                assert os.listdir(tmp_path) == []
                await until(lambda: not made._writing, "the end of the write")
                made.close()

        run(main())

    def test_takes_no_more_memory_than_one_that_needs_no_file(self, tmp_path: Path) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                made = spool(tmp_path, executor, Owner())
                made.add(bytes(ENOUGH))
                await until(
                    lambda: made._descriptor >= 0 and os.fstat(made._descriptor).st_size == ENOUGH, "it to be written"
                )
                made.close()

        run(main())

    def test_too_small_to_be_worth_it_is_not_written_before_the_end(self, tmp_path: Path) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                hold = Hold(executor)
                made = spool(tmp_path, executor, Owner())
                made.add(bytes(ENOUGH - 1))
                finished = Finished()
                made.finish(finished)
                await turns()
                assert finished.outcomes == []  # the thread is held
                hold.let_go()
                assert len(await finished.content()) == ENOUGH - 1

        run(main())

    def test_that_is_all_down_finishes_at_once(self, tmp_path: Path) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                owner = Owner()
                made = spool(tmp_path, executor, owner)
                made.add(bytes(PIECE))
                await until(lambda: owner.rooms, "the piece to be written")
                finished = Finished()
                made.finish(finished)
                assert len(finished.outcomes) == 1
                assert len(await finished.content()) == PIECE

        run(main())

    def test_finished_while_a_piece_is_being_written(self, tmp_path: Path) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                hold = Hold(executor)
                made = spool(tmp_path, executor, Owner())
                made.add(bytes(PIECE + 1))
                finished = Finished()
                made.finish(finished)
                hold.let_go()
                assert len(await finished.content()) == PIECE + 1

        run(main())


class TestASlowDisk:
    def test_is_known_by_the_spool_being_full(self, tmp_path: Path) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                hold = Hold(executor)
                owner = Owner()
                made = spool(tmp_path, executor, owner)
                full = []
                for part in (bytes(HIGH_WATER), b"x"):
                    made.add(part)
                    full.append(made.full)
                assert full == [False, True]
                await turns()
                assert owner.rooms == 0
                hold.let_go()
                await until(lambda: owner.rooms, "room")
                assert not made.full
                made.close()

        run(main())

    def test_there_is_no_room_until_it_has_caught_up(self, tmp_path: Path) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                owner = Owner()
                made = spool(tmp_path, executor, owner)
                written: list[int] = []
                owner.has_room = lambda: written.append(os.fstat(made._descriptor).st_size)
                made.add(bytes(HIGH_WATER + 2 * PIECE))
                await until(lambda: written, "room")
                assert written[0] == 2 * PIECE
                made.close()

        run(main())

    def test_what_is_added_when_there_is_room_is_written_once(self, tmp_path: Path) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                owner = Owner()
                made = spool(tmp_path, executor, owner)
                parts = [bytes([number]) * PIECE for number in range(1, 5)]
                left = parts[1:]
                owner.has_room = lambda: made.add(left.pop(0)) if left else None
                made.add(parts[0])
                await until(lambda: not left, "all to be added")
                finished = Finished()
                made.finish(finished)
                assert await finished.content() == b"".join(parts)

        run(main())


class TestADiskThatRefuses:
    def test_is_told_to_the_owner_while_the_body_comes(self, tmp_path: Path) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                owner = Owner()
                made = full_disk(tmp_path, executor, owner)
                made.add(bytes(PIECE))
                [error] = await until(lambda: owner.failures, "the failure")
                assert error.errno == errno.ENOSPC
                assert made.error is error

        run(main())

    def test_is_the_outcome_once_the_body_is_there(self, tmp_path: Path) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                owner, finished = Owner(), Finished()
                made = full_disk(tmp_path, executor, owner)
                made.add(b"x")
                made.finish(finished)
                [error] = await until(lambda: finished.outcomes, "the failure")
                assert error is made.error
                assert owner.failures == []

        run(main())

    @pytest.mark.parametrize("size", [1, PIECE])
    def test_and_takes_no_file(self, tmp_path: Path, size: int) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                owner, finished = Owner(), Finished()
                made = spool(tmp_path / "none", executor, owner)
                made.add(bytes(size))
                if size < PIECE:
                    made.finish(finished)
                [error] = await until(lambda: owner.failures + finished.outcomes, "the failure")
                assert isinstance(error, FileNotFoundError)
                assert made.error is error
                made.close()

        run(main())


class TestClosing:
    def test_is_done_in_a_thread(self, tmp_path: Path) -> None:
        """It is the last descriptor, which takes the file's blocks along."""

        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                owner = Owner()
                made = spool(tmp_path, executor, owner)
                assert not open_files(tmp_path)  # making the file is, too
                made.add(bytes(PIECE))
                await until(lambda: owner.rooms, "the piece to be written")
                hold = Hold(executor)
                made.close()
                assert open_files(tmp_path) == 1
                hold.let_go()
                await until(lambda: not open_files(tmp_path), "the file to be closed")

        run(main())

    def test_forgets_it_all(self, tmp_path: Path) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                owner = Owner()
                made = spool(tmp_path, executor, owner)
                made.add(bytes(PIECE))
                await until(lambda: owner.rooms, "the piece to be written")
                made.close()
                await until(lambda: not open_files(tmp_path), "the file to be closed")
                made.close()

        run(main())

    @pytest.mark.parametrize("make", [spool, full_disk])
    def test_waits_for_the_write_in_progress_and_calls_nobody(
        self, tmp_path: Path, make: Callable[[Path, Executor, Owner], Spool]
    ) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                hold = Hold(executor)
                owner, finished = Owner(), Finished()
                made = make(tmp_path, executor, owner)
                made.add(bytes(2 * PIECE))
                made.finish(finished)
                made.close()
                hold.let_go()  # only now it has a file
                await until(lambda: made._descriptor < 0 and not made._writing, "the file to be given to a thread")
                await until(lambda: not open_files(tmp_path), "the file to be closed")
                assert (owner.rooms, owner.failures, finished.outcomes) == (0, [], [])

        run(main())
